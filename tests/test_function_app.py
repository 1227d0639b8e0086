"""The functions: what triggers them, that their numbers fit together, and what it costs to import them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

import function_app
from local.stack import THREADS
from shared.messages import EVENTS, REQUESTS, SHARDS, VMS

ROOT = Path(__file__).parent.parent
HOST: Mapping[str, Any] = json.loads((ROOT / "host.json").read_text())
QUEUES = {EVENTS, REQUESTS, SHARDS, VMS}


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
    heavy = "'azure.identity', 'azure.mgmt', 'azure.storage', 'azure.data', 'azure.core', 'tenacity', 'jsonschema'"
    script = f"import sys, function_app; print([name for name in ({heavy}) if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_queued_event_is_the_whole_event_of_which_only_the_data_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[object] = []
    monkeypatch.setattr(function_app, "run", lambda flow, *args: received.append(args))
    event = {"id": "1", "data": {"operationName": "x", "resourceUri": "y"}}
    function_app.on_resource_event_queued(func.QueueMessage(body=json.dumps(event).encode()))
    assert received == [(event["data"],)]
