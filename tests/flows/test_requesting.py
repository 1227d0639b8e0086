"""Requests become operations once, or are refused with the reason."""

from __future__ import annotations

import pytest

from shared.errors import Unknown
from shared.flows.requesting import run
from shared.model.machine import Machine, Status
from shared.model.operation import State
from shared.model.point import Origin
from shared.model.request import Asked, Progress, Request
from tests.fleet import NOW, SHARD, Fleet, empty_fleet, machine, uid_of


def asked(fleet: Fleet, *machines: Machine) -> Fleet:
    """The fleet with a request for a backup of machine 1."""
    for one in machines:
        fleet.put(one)
    fleet.world.requests.add(Request("r1", Asked.BACKUP, SHARD, uid_of(1), "me", NOW, Progress.ASKED))
    return fleet


def answer(fleet: Fleet) -> Request:
    run(*fleet.open(), "r1")
    found = fleet.world.requests.find("r1")
    assert found
    return found


def test_a_request_becomes_one_operation_however_often_it_is_delivered() -> None:
    fleet = asked(empty_fleet(), machine(1, "web-1"))
    settled = answer(fleet)
    assert answer(fleet) == settled
    record = fleet.world.ledger.record(SHARD, uid_of(1))
    assert record
    (operation,) = [held.row for held in record.operations]
    assert (operation.id, operation.origin, operation.state) == (settled.operation, Origin.REQUEST, State.INTENDED)
    assert operation.because == "asked for by me"
    assert {message.queue for message in fleet.stage.queues.messages.values()} == {"shards"}


def test_a_request_for_a_machine_that_nobody_registered_is_refused() -> None:
    settled = answer(asked(empty_fleet()))
    assert (settled.progress, settled.because) == (Progress.REFUSED, "the machine is not registered")


def test_a_request_for_a_machine_without_a_plan_is_refused_with_its_reason() -> None:
    settled = answer(asked(empty_fleet(), machine(1, "jump", Status.EXCLUDED)))
    assert settled.progress is Progress.REFUSED
    assert "jump is excluded" in settled.because


def test_a_request_that_does_not_exist_is_unknown() -> None:
    with pytest.raises(Unknown):
        run(*empty_fleet().open(), "r1")
