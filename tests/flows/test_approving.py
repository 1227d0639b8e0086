"""Deletions that two people agree to: above the day's budget, after a mass opt-out, for a while, and no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.decide.approvals import LASTS
from shared.errors import Forbidden, LostRace, Unknown
from shared.flows.approving import approve, listed
from shared.model.approval import Approvals
from shared.model.brake import Brake, Braking, Stops
from shared.model.identity import Shard
from shared.model.machine import Machine, Status
from shared.model.point import Point
from tests.fleet import NOW, SHARD
from tests.flows.deleting import HOUR, Estate

GONE: dict[str, Any] = {"status": Status.GONE, "left_at": NOW, "enrolled_at": None, "settled": None}


@pytest.fixture
def estate() -> Estate:
    return Estate()


def overflowing(estate: Estate) -> tuple[Machine, list[Point]]:
    """A machine that left with twelve old points: two are more than the day's budget, and wait."""
    of = estate.machine(**GONE)
    old = [estate.taken(of, 7 + age) for age in range(12)]
    estate.put(of, *old, estate.taken(of, 0))
    estate.pass_time(80 * HOUR)
    return of, old


def left(estate: Estate, old: list[Point]) -> int:
    return sum(estate.there(point) != [False, False] for point in old)


def agreed(estate: Estate, *vms: str) -> None:
    approve(estate.fleet.world, vms, "ann")
    approve(estate.fleet.world, vms, "bob")


def test_what_two_people_agreed_to_goes_beyond_the_budget(estate: Estate) -> None:
    _, old = overflowing(estate)
    assert left(estate, old) == 2
    agreed(estate, "web-1")
    estate.pass_time(2 * HOUR)
    assert left(estate, old) == 0
    [line] = [text for _, _, text in estate.stage.audit.lines if "point.deleting" in text and "approved by" in text][:1]
    assert "approved by bob at 2026-11-23 20:00Z, asked for by ann" in line


def test_one_person_is_not_enough_however_often_they_ask(estate: Estate) -> None:
    _, old = overflowing(estate)
    first = approve(estate.fleet.world, [], "ann")
    assert (len(first["asked"]), first["approved"], first["needs_approval"]) == (2, [], True)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(Forbidden, match="another person"):
            approve(estate.fleet.world, [], "ann")
    estate.pass_time(4 * HOUR)
    assert left(estate, old) == 2


def mass_opt_out(estate: Estate) -> tuple[list[Machine], list[Point]]:
    """Six machines left at once, with an old point each: nothing of them goes."""
    machines = [
        estate.machine(n, status=Status.EXCLUDED, left_at=NOW, tags={}, enrolled_at=None, settled=None)
        for n in range(1, 7)
    ]
    old = [estate.taken(of, 7) for of in machines]
    for of, point in zip(machines, old, strict=True):
        estate.put(of, point, estate.taken(of, 0))
    estate.pass_time(80 * HOUR)
    assert left(estate, old) == 6
    return machines, old


def test_a_mass_opt_out_is_let_go_by_two_people_and_no_others_with_it(estate: Estate) -> None:
    machines, old = mass_opt_out(estate)
    agreed(estate, "web-1", "web-2")
    estate.pass_time(2 * HOUR)
    assert [estate.there(point) for point in old[:3]] == [[False, False], [False, False], [True, True]]
    assert "lost their protection within an hour" in estate.why(machines[2], old[2].slot)


def test_agreeing_makes_nothing_due_and_lifts_no_other_rail(estate: Estate) -> None:
    _, old = overflowing(estate)
    agreed(estate, "web-1")
    waiting = [point for point in old if estate.there(point) == [True, True]]
    for point in waiting:
        estate.hold(point.parts[0])
    estate.pass_time(4 * HOUR)
    assert left(estate, old) == 2


@pytest.mark.parametrize(("late", "goes"), [(-HOUR, True), (3 * HOUR, False)])
def test_an_approval_ages_out(estate: Estate, late: timedelta, goes: bool) -> None:
    _, old = mass_opt_out(estate)
    agreed(estate, "web-1")
    pause = replace(estate.stage.brakes.braking, brakes=(Brake(Stops.DELETES, "ann", NOW, "wait"),))
    estate.stage.world.brakes.change(pause)
    estate.pass_time(LASTS + late - 2 * HOUR)
    assert left(estate, old) == 6
    estate.stage.world.brakes.change(Braking((), estate.stage.brakes.braking.etag))
    estate.pass_time(2 * HOUR)
    assert (left(estate, old) == 5) is goes


def test_a_question_ages_out_and_is_asked_anew(estate: Estate) -> None:
    overflowing(estate)
    approve(estate.fleet.world, [], "ann")
    estate.stage.scheduler.run(estate.stage.scheduler.now + LASTS)
    answer = approve(estate.fleet.world, [], "bob")
    assert (len(answer["asked"]), answer["approved"]) == (2, [])  # type: ignore[arg-type] # a list of documents


def test_a_deletion_that_was_marked_anew_is_another_one(estate: Estate) -> None:
    """The machine asks again, and leaves again later: who agreed to the first leave did not agree to the second."""
    of, old = overflowing(estate)
    agreed(estate, "web-1")
    waiting = [point for point in estate.points(of) if point.removal and point.removal.asks]
    for point in waiting:
        assert point.removal is not None
        later = replace(point.removal, marked_at=point.removal.marked_at + timedelta(minutes=1))
        estate.edit(of, replace(point, removal=later))
    estate.pass_time(2 * HOUR)
    assert left(estate, old) == 2


def test_what_is_gone_is_struck_out(estate: Estate) -> None:
    overflowing(estate)
    agreed(estate, "web-1")
    estate.pass_time(4 * HOUR)
    assert estate.stage.approvals.kept[SHARD].approvals == ()


def test_what_waits_is_listed_with_who_asked_and_who_agreed(estate: Estate) -> None:
    overflowing(estate)
    [first, second] = listed(estate.fleet.world)
    assert "second person" in str(first["because"])
    assert (first["asked_by"], first["approved_by"]) == (None, None)
    approve(estate.fleet.world, [], "ann")
    assert [one["asked_by"] for one in listed(estate.fleet.world)] == ["ann", "ann"]
    approve(estate.fleet.world, [], "bob")
    assert [one["approved_by"] for one in listed(estate.fleet.world)] == ["bob", "bob"]
    assert second["vm"] == "web-1"


def test_every_word_is_audited_before_it_counts(estate: Estate) -> None:
    overflowing(estate)
    agreed(estate, "web-1")
    said = [text for _, _, text in estate.stage.audit.lines if "deletions." in text]
    assert ["deletions.asked" in said[0], '"by": "ann"' in said[0]] == [True, True]
    assert ["deletions.approved" in said[1], '"by": "bob"' in said[1]] == [True, True]


def test_where_nothing_waits_there_is_nothing_to_approve(estate: Estate) -> None:
    estate.put(estate.machine())
    with pytest.raises(Unknown, match="no deletion of web-1 waits"):
        approve(estate.fleet.world, ["web-1"], "ann")
    with pytest.raises(Unknown, match="no deletion waits"):
        approve(estate.fleet.world, [], "ann")


class Racing:
    """Somebody else is faster, so many times."""

    def __init__(self, real: object, times: int) -> None:
        self.real, self.times = real, times

    def of(self, shard: Shard) -> Approvals:
        return self.real.of(shard)  # type: ignore[attr-defined,no-any-return] # the twin

    def change(self, shard: Shard, approvals: Approvals) -> None:
        self.times -= 1
        if self.times >= 0:
            raise LostRace("faster")
        self.real.change(shard, approvals)  # type: ignore[attr-defined] # the twin


def test_a_lost_race_is_run_again_a_few_times(estate: Estate) -> None:
    overflowing(estate)
    world = estate.fleet.world
    approve(replace(world, approvals=Racing(world.approvals, 2)), [], "ann")
    with pytest.raises(LostRace):
        approve(replace(world, approvals=Racing(world.approvals, 9)), [], "bob")
    assert all(not one.by for one in estate.stage.approvals.kept[SHARD].approvals)
