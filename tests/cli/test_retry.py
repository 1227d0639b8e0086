"""`tagback retry`: by job or by VM, asked once, carried out by the flow, refused with what to do instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.flows.requesting import run as run_request
from shared.model.operation import Operation, State
from shared.model.point import PointState
from shared.model.request import Progress
from shared.model.rules import Mode
from shared.model.transition import Transition, Write
from tests.cli.running import ASKER, answer, run
from tests.fleet import DAY, LAST_SLOT, NOW, SHARD, SUBSCRIPTION, Fleet, capture, empty_fleet, machine, point, uid_of

JOB = f"{uid_of(1)}|slot-20261120T0200Z-disk"


def failed_fleet(state: State = State.NEEDS_PERSON) -> Fleet:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    failed = replace(capture(well, LAST_SLOT, state), next_look=NOW + timedelta(hours=9), attempts=5)
    fleet.put(well, failed, capture(well, LAST_SLOT - DAY), point(well, LAST_SLOT, PointState.INCOMPLETE))
    fleet.put(machine(2, "web-2"))
    return fleet


def operation(fleet: Fleet) -> Operation:
    record = fleet.world.ledger.record(SHARD, uid_of(1))
    assert record is not None
    return next(held.row for held in record.operations if held.row.slot == LAST_SLOT)


def asked(fleet: Fleet, name: str) -> str:
    document = answer(run(fleet, "retry", name, "--output", "json"))
    assert document["job"] == JOB
    run_request(*fleet.open(), document["id"])
    return str(document["id"])


def test_a_job_that_waits_for_a_person_is_tried_at_once() -> None:
    fleet = failed_fleet()
    request = asked(fleet, JOB)
    found = operation(fleet)
    assert (found.state, found.next_look, found.attempts) == (State.NEEDS_PERSON, NOW, 0)
    assert found.because == f"it is tried at once instead of later; asked for by {ASKER} ({request})"
    assert {message.queue for message in fleet.stage.queues.messages.values()} == {"requests", "shards"}


def test_a_vm_means_its_newest_failed_job() -> None:
    fleet = failed_fleet(State.GAVE_UP)
    asked(fleet, "web-1")
    assert operation(fleet).state is State.INTENDED
    (found,) = [held.row for held in fleet.world.ledger.points(SHARD, uid_of(1)) if held.row.slot == LAST_SLOT]
    assert found.state is PointState.TAKING


def test_a_request_that_is_delivered_twice_reopens_once() -> None:
    fleet = failed_fleet()
    request = asked(fleet, JOB)
    again = fleet.world.requests.find(request)
    assert again is not None
    assert again.progress is Progress.TAKEN
    fleet.stage.requests.asked[request] = replace(again, progress=Progress.ASKED)
    before = fleet.world.ledger.record(SHARD, uid_of(1))
    run_request(*fleet.open(), request)
    assert fleet.world.ledger.record(SHARD, uid_of(1)) == before


def test_the_table_says_where_to_watch() -> None:
    said = run(failed_fleet(), "retry", "web-1").stdout
    assert "Asked that slot-20261120T0200Z-disk of web-1 be tried again" in said


def test_what_did_not_fail_is_bad_input_with_what_to_do_instead() -> None:
    result = run(failed_fleet(State.SUCCEEDED), "retry", JOB)
    assert (result.exit_code, "`tagback backup` takes a new point" in result.stderr) == (2, True)


def test_what_does_not_exist_is_not_found() -> None:
    fleet = failed_fleet()
    for name in ("web-2", f"{uid_of(1)}|none", f"{uid_of(9)}|none", "nobody"):
        assert run(fleet, "retry", name).exit_code == 3


def test_a_request_that_is_no_longer_sensible_is_refused_when_it_is_carried_out() -> None:
    fleet = failed_fleet()
    document = answer(run(fleet, "retry", JOB, "--output", "json"))
    record = fleet.world.ledger.record(SHARD, uid_of(1))
    assert record is not None
    held = next(one for one in record.operations if one.row.slot == LAST_SLOT)
    overtaken = replace(held.row, state=State.SUPERSEDED, next_look=None)
    fleet.world.ledger.commit(Transition(SHARD, uid_of(1), (Write(overtaken, held.etag),)))
    run_request(*fleet.open(), document["id"])
    settled = fleet.world.requests.find(document["id"])
    assert settled is not None
    assert (settled.progress, "newer slot" in settled.because) == (Progress.REFUSED, True)


def test_a_machine_that_no_plan_takes_any_more_is_refused() -> None:
    fleet = failed_fleet()
    document = answer(run(fleet, "retry", JOB, "--output", "json"))
    observed = Fleet(fleet.stage, replace(fleet.rules, subscriptions={SUBSCRIPTION: Mode.OBSERVE}))
    run_request(*observed.open(), document["id"])
    assert "refused: no plan takes it" in run(fleet, "request", document["id"]).stdout
