"""The functions: what triggers them, that their numbers fit together, and what it costs to import them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

import function_app
from local.stack import THREADS
from shared import wiring
from shared.errors import LostRace, NewerRows, TagbackError
from shared.flows import draining, drilling, expiring, poisoned, reaping, receiving, registering, requesting, sweeping
from shared.messages import EVENTS, REAP, REQUESTS, SHARDS, VMS, VmKey
from shared.model.identity import Shard, vm_id
from shared.model.rules import Rules
from shared.ports import World
from tests.fleet import empty_fleet

ROOT = Path(__file__).parent.parent
HOST: Mapping[str, Any] = json.loads((ROOT / "host.json").read_text())
QUEUES = {EVENTS, REAP, REQUESTS, SHARDS, VMS}


@pytest.fixture(scope="module")
def triggers() -> dict[str, Mapping[str, Any]]:
    """Every function's trigger binding by name. Asked of a fresh process: an app can be indexed only once."""
    script = (
        "import json, function_app;"
        "print(json.dumps({f.get_function_name(): f.get_trigger().get_dict_repr()"
        " for f in function_app.app.get_functions()}, default=str))"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Mapping[str, Any]] = json.loads(answer.stdout)
    return found


def test_every_function_of_the_design_that_exists_has_its_trigger(triggers: Mapping[str, Mapping[str, Any]]) -> None:
    kinds = {name: trigger["type"] for name, trigger in triggers.items()}
    assert kinds == {
        "on_resource_event": "eventGridTrigger",
        "on_resource_event_queued": "queueTrigger",
        "reconcile_vm": "queueTrigger",
        "sweep": "timerTrigger",
        "drain_shard": "queueTrigger",
        "expire": "timerTrigger",
        "drill": "timerTrigger",
        "reap_shard": "queueTrigger",
        "run_request": "queueTrigger",
        "api": "httpTrigger",
        **{f"on_{queue}_poison": "queueTrigger" for queue in QUEUES},
    }


def test_every_queue_has_one_reader_and_one_for_what_was_poisoned(triggers: Mapping[str, Mapping[str, Any]]) -> None:
    read = sorted(trigger["queueName"] for trigger in triggers.values() if trigger["type"] == "queueTrigger")
    assert read == sorted([*QUEUES, *(f"{queue}-poison" for queue in QUEUES)])


def test_the_threads_of_a_worker_suffice_for_every_message_that_the_host_hands_it_at_once() -> None:
    queues = HOST["extensions"]["queues"]
    at_once = (queues["batchSize"] + queues["newBatchThreshold"]) * len(QUEUES)
    assert at_once <= THREADS


def test_failed_messages_come_back_soon_and_functions_outlast_a_slice() -> None:
    queues = HOST["extensions"]["queues"]
    assert queues == {
        "batchSize": 8,
        "newBatchThreshold": 0,
        "maxDequeueCount": 5,
        "visibilityTimeout": "00:00:30",
        "maxPollingInterval": "00:00:10",
        "messageEncoding": "none",
    }
    assert HOST["functionTimeout"] == "00:10:00"


def test_importing_the_app_is_cheap() -> None:
    """Not a speed goal (those live in `make bench`): the Azure clients must not be loaded before they are used."""
    clients = ("azure.identity", "azure.mgmt", "azure.storage", "azure.data", "azure.core")
    heavy = (*clients, "tenacity", "jsonschema", "jinja2")
    script = f"import sys, function_app; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


VM = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/v"
EVENT: dict[str, object] = {"operationName": "x", "resourceUri": "y"}


@pytest.mark.parametrize(
    ("function", "body", "flow", "key"),
    [
        ("on_resource_event_queued", json.dumps({"id": "1", "data": EVENT}), receiving.receive, (EVENT,)),
        ("reconcile_vm", json.dumps({"vm": VM}), registering.reconcile, (VmKey(vm_id(VM)),)),
        ("drain_shard", json.dumps({"shard": "s|r"}), draining.drain, (Shard("s", "r"),)),
        ("reap_shard", json.dumps({"shard": "s|r"}), reaping.reap, (Shard("s", "r"),)),
        ("on_reap_poison", "anything", poisoned.record, (REAP, "anything")),
        ("run_request", json.dumps({"request": "r1"}), requesting.run, ("r1",)),
        ("on_vms_poison", "anything", poisoned.record, (VMS, "anything")),
        ("on_shards_poison", "anything", poisoned.record, (SHARDS, "anything")),
        ("on_events_poison", "anything", poisoned.record, (EVENTS, "anything")),
        ("on_requests_poison", "anything", poisoned.record, (REQUESTS, "anything")),
    ],
)
def test_a_message_is_decoded_to_its_key_and_handed_to_its_flow(
    handed: list[tuple[object, ...]], function: str, body: str, flow: object, key: tuple[object, ...]
) -> None:
    getattr(function_app, function)(func.QueueMessage(body=body.encode()))
    getattr(function_app, function)(func.QueueMessage(body=base64.b64encode(body.encode())))
    assert handed[0] == (flow, *key)
    assert handed[1] == handed[0] or body == "anything"


def test_an_event_and_the_timer_are_handed_to_their_flows(handed: list[tuple[object, ...]]) -> None:
    event = func.EventGridEvent(
        id="1", topic="t", subject="s", event_type="e", event_time=None, data=EVENT, data_version="2"
    )
    function_app.on_resource_event(event)
    function_app.sweep(None)
    function_app.expire(None)
    function_app.drill(None)
    assert handed == [(receiving.receive, EVENT), (sweeping.sweep,), (expiring.expire,), (drilling.drill,)]


def test_rows_of_a_newer_version_end_a_message_and_other_errors_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = empty_fleet()
    monkeypatch.setattr(wiring, "from_environment", fleet.open)

    def meets(error: TagbackError) -> Callable[..., None]:
        def flow(world: World, rules: Rules) -> None:
            raise error

        return flow

    function_app.run(meets(NewerRows("row m|1 is of version 2")))
    with pytest.raises(LostRace):
        function_app.run(meets(LostRace("somebody else was faster")))


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What functions hand to flows, instead of running them."""
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(function_app, "run", lambda *words, woken=None: calls.append(words))
    return calls
