"""Our loader and worker against Microsoft's azure-functions-runtime: same apps, same calls, same answers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.host.called_app import SOURCE
from tests.host.calls import CALLS, Call
from tests.host.definitions import DEFINITIONS, Definition
from tests.host.workers import WorkerProcess


@pytest.fixture(scope="module")
def own() -> Iterator[WorkerProcess]:
    worker = WorkerProcess("own")
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def runtime() -> Iterator[WorkerProcess]:
    worker = WorkerProcess("runtime")
    yield worker
    worker.close()


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_both_workers_judge_an_app_alike(own: WorkerProcess, runtime: WorkerProcess, definition: Definition) -> None:
    ours, theirs = own.load(definition.whole), runtime.load(definition.whole)
    assert theirs["ok"] is definition.loads, theirs
    assert ours["ok"] is definition.loads, ours
    if definition.loads:
        assert ours["functions"] == theirs["functions"]


@pytest.fixture(scope="module")
def loaded(own: WorkerProcess, runtime: WorkerProcess) -> tuple[WorkerProcess, WorkerProcess]:
    for worker in (own, runtime):
        assert worker.load(SOURCE)["ok"]
    return own, runtime


def _comparable(outcome: dict[str, Any]) -> dict[str, Any]:
    """Errors are compared by their type: their wording is not part of anything."""
    return {**outcome, "error": outcome["error"].partition("(")[0]}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_both_workers_answer_a_call_alike(loaded: tuple[WorkerProcess, WorkerProcess], call: Call) -> None:
    ours, theirs = (_comparable(worker.invoke(call.document())) for worker in loaded)
    assert theirs["ok"] is call.succeeds, theirs
    assert json.dumps(ours, sort_keys=True) == json.dumps(theirs, sort_keys=True)
