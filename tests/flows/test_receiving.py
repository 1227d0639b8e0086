"""Events: only the id of a VM in an allowed subscription is used, whatever else an event says."""

from __future__ import annotations

import json

import pytest

from shared.flows.receiving import receive, vm_of
from shared.messages import VMS
from tests.fleet import SUBSCRIPTION, empty_fleet, place

VM = str(place("web", "web-1"))
WRITE = "Microsoft.Compute/virtualMachines/write"
TAGS = "Microsoft.Resources/tags/write"


@pytest.mark.parametrize(
    ("operation", "uri"),
    [
        (WRITE, VM),
        (WRITE.upper(), VM.upper()),
        ("Microsoft.Compute/virtualMachines/delete", VM),
        (TAGS, VM),
        (TAGS, f"{VM}/providers/Microsoft.Resources/tags/default"),
    ],
)
def test_writes_deletes_and_tags_of_a_vm_name_it(operation: str, uri: str) -> None:
    assert vm_of({"operationName": operation, "resourceUri": uri}) == place("web", "web-1")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"operationName": WRITE},
        {"operationName": WRITE, "resourceUri": ["x"]},
        {"operationName": 7, "resourceUri": VM},
        {"operationName": "Microsoft.Compute/virtualMachines/start/action", "resourceUri": VM},
        {"operationName": TAGS, "resourceUri": VM.replace("virtualmachines", "disks")},
        {"operationName": WRITE, "resourceUri": f"{VM}/extensions/e"},
        {"operationName": TAGS, "resourceUri": f"/subscriptions/{SUBSCRIPTION}"},
        {"operationName": WRITE, "resourceUri": "/subscriptions/../../etc/passwd"},
    ],
    ids=range(9),
)
def test_every_other_event_names_no_vm(event: dict[str, object]) -> None:
    assert vm_of(event) is None


def test_an_event_becomes_a_question_and_a_foreign_subscription_none() -> None:
    fleet = empty_fleet()
    foreign = VM.replace(SUBSCRIPTION, "99999999-0000-0000-0000-000000000000")
    for uri in (VM, foreign, "nonsense"):
        receive(*fleet.open(), {"operationName": WRITE, "resourceUri": uri})
    sent = [json.loads(message.text) for message in fleet.stage.queues.messages.values() if message.queue == VMS]
    assert sent == [{"vm": VM}]
