"""What is too large, too deep or forged costs little: processor time, memory, and at most one look at Azure."""

from __future__ import annotations

import base64
import json
import random
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import pytest

from shared.decide.tags import asked, judge
from shared.errors import BadInput
from shared.flows.receiving import receive
from shared.messages import VMS, decoded, parse_event, parse_request, parse_shard, parse_vm
from tests.fleet import RULES, SHARD, empty_fleet

MEGABYTE = 1024 * 1024
DEEP = 100_000
EVENT = {"id": "1", "data": {"operationName": "Microsoft.Compute/virtualMachines/write", "resourceUri": "x"}}
BODIES = {
    "an event of a megabyte": json.dumps({**EVENT, "subject": "x" * MEGABYTE}),
    "a megabyte of members": json.dumps({**EVENT, "data": {f"k{number}": number for number in range(60_000)}}),
    "nested arrays": "[" * DEEP + "]" * DEEP,
    "nested objects": '{"data":' * DEEP + "1" + "}" * DEEP,
    "a message of 64 KiB": json.dumps({"vm": "/subscriptions/" + "s" * 65_000}),
    "base64 of a megabyte": base64.b64encode(b"\x00" * MEGABYTE).decode(),
    "digits": '{"data": ' + "9" * 4_000 + "}",
}


def seconds(work: Callable[[], None]) -> float:
    """Processor seconds of the cheapest of three times: once the collector may clear up after all the tests before."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("parse", [parse_event, parse_vm, parse_shard, parse_request], ids=lambda parse: parse.__name__)
def test_a_body_that_is_made_to_hurt_costs_little(parse: Callable[[str], object], name: str) -> None:
    body = BODIES[name].encode()

    def parsed() -> None:
        with suppress(BadInput):
            parse(decoded(body))

    assert seconds(parsed) < 0.5


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_made_to_hurt_takes_little_memory(name: str) -> None:
    body = BODIES[name].encode()
    tracemalloc.start()
    with suppress(BadInput):
        parse_event(decoded(body))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50 * MEGABYTE


def test_tags_as_long_and_as_many_as_azure_lets_be_are_read_at_once() -> None:
    long = {f"backup-{number}": "7d" * 128 for number in range(50)}

    def judged() -> None:
        for name in ("backup", "backup-at", "backup-keep", "backup-group", "backup-hold"):
            judge(asked({"backup": "gold", **long, name: "1m" * 128}, None, False, RULES), RULES, SHARD.subscription)

    assert seconds(judged) < 0.3


def test_ten_thousand_forged_events_ask_at_most_one_question_each_and_act_on_nothing() -> None:
    chance = random.Random(3)
    fleet = empty_fleet()
    place = f"/subscriptions/{SHARD.subscription}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/"
    for number in range(10_000):
        uri = chance.choice(
            [place + f"vm{number}", place + "x/../y", place.replace(SHARD.subscription, "other"), "", "\x00"]
        )
        operation = chance.choice(["Microsoft.Compute/virtualMachines/delete", "Microsoft.Resources/tags/write", "x"])
        claims = {"appid": "admin", "tags": {"backup": "off"}, "status": "Succeeded"}
        receive(
            *fleet.open(), {"operationName": operation, "resourceUri": uri, "claims": claims, "tags": {"backup": "off"}}
        )
    sent = list(fleet.stage.queues.messages.values())
    assert 0 < len(sent) <= 10_000
    assert {message.queue for message in sent} == {VMS}
    assert all(set(json.loads(message.text)) == {"vm"} for message in sent), "nothing of an event but the id is used"
    assert list(fleet.world.ledger.shards()) == []
