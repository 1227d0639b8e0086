"""What the timer marks and the reaper deletes, and everything that stays its hand, over twins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.flows import expiring
from shared.model.identity import VmUid
from shared.model.machine import Machine, Status
from shared.model.point import PartState, Point, PointState
from shared.model.transition import Held
from tests.fleet import DAY, LAST_SLOT, NOW, SHARD, machine
from tests.flows.deleting import HOUR, MINUTE, Estate, gains
from tests.world.twins.azure import Lock, VmTruth


@pytest.fixture
def estate() -> Estate:
    return Estate()


def usual(estate: Estate) -> tuple[Machine, Point, Point]:
    """A machine with one point whose week is over and one of today; enough was gained to delete some."""
    of = estate.machine()
    old, new = estate.taken(of, 7), estate.taken(of, 0)
    estate.put(of, old, new, *gains(of, LAST_SLOT, LAST_SLOT + HOUR))
    return of, old, new


def test_a_point_is_marked_then_deleted_a_day_later_and_its_row_leaves_when_azure_is_done(estate: Estate) -> None:
    of, old, new = usual(estate)
    estate.pass_time(HOUR)
    marked = estate.points(of)[0]
    assert marked.removal is not None
    assert marked.removal.marked_at.replace(microsecond=0) == NOW + HOUR
    assert estate.there(old) == [True, True]
    estate.pass_time(23 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [True, True]
    estate.pass_time(3 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [False, False]
    estate.pass_time(2 * HOUR)
    assert [point.slot for point in estate.points(of)] == [new.slot]
    assert estate.there(new) == [True, True]


def test_the_longest_overdue_have_their_turn_first_and_a_turn_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiring, "TURN", 2)
    due = {"e": 0, "b": 3, "d": 1, "a": 4, "c": 3}
    fleet = [replace(machine(1, name), uid=VmUid(name), next_expiry=NOW - hours * HOUR) for name, hours in due.items()]
    others = [replace(machine(1, "f"), next_expiry=NOW + MINUTE), replace(machine(1, "g"), next_expiry=None)]
    found = expiring.turns([Held(one, "") for one in (*others, *fleet)], NOW)
    assert [[held.row.uid for held in turn] for turn in found] == [["a", "b"], ["c", "d"], ["e"]]


def regain(estate: Estate, of: Machine) -> None:
    """Another capture succeeded just now, so that the budget has room."""
    now = estate.stage.scheduler.now
    [operation] = gains(of, now - 10 * MINUTE)
    record = estate.fleet.world.ledger.record(of.shard, of.uid)
    assert record is not None
    estate.change(record.machine, operation)


def test_every_deletion_is_in_the_audit_log_before_it_happens(estate: Estate) -> None:
    of, old, _ = usual(estate)
    estate.pass_time(30 * HOUR, lambda: regain(estate, of))
    said = [line for _, _, line in estate.stage.audit.lines]
    for part in old.parts:
        assert any("point.deleting" in line and part.id.name in line and "kept 7d" in line for line in said)
    assert any("point.deleted" in line for line in said)


def test_nothing_gained_nothing_deleted(estate: Estate) -> None:
    of, old, _ = usual(estate)
    estate.pass_time(60 * HOUR)
    assert estate.there(old) == [True, True]
    assert "new complete points allow" in estate.why(of, old.slot)


def test_the_last_point_of_a_living_machine_stays_for_ever(estate: Estate) -> None:
    of = estate.machine()
    only = estate.taken(of, 40)
    estate.put(of, only)
    estate.pass_time(120 * HOUR, lambda: regain(estate, of))
    assert estate.there(only) == [True, True]
    assert estate.points(of)[0].removal is None


HELD = {
    "the point is held": lambda estate, of, old: estate.edit(of, replace(old, held_until=NOW + 400 * DAY)),
    "its machine is held": lambda estate, of, old: estate.retag({**of.tags, "Backup-Hold": "forever"}),
    "a part is held": lambda estate, of, old: estate.hold(old.parts[1]),
    "read by a SAS": lambda estate, of, old: estate.read(old.parts[0]),
    "held by Azure: ScopeLocked": lambda estate, of, old: estate.lock(),
    "does not carry our tags": lambda estate, of, old: estate.untag(old.parts[1]),
    "is of another disk": lambda estate, of, old: estate.replace_disk(old.parts[1]),
    "our clock and Azure's are": lambda estate, of, old: estate.skew(timedelta(minutes=11)),
}


@pytest.mark.parametrize("because", HELD)
def test_what_holds_a_point_keeps_it_and_says_so(estate: Estate, because: str) -> None:
    of, old, _ = usual(estate)
    HELD[because](estate, of, old)
    estate.pass_time(72 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [True, True]
    assert because in estate.why(of, old.slot)
    assert estate.points(of)[0].state is PointState.COMPLETE


def test_a_lock_is_looked_at_once_a_day(estate: Estate) -> None:
    of, _, _ = usual(estate)
    estate.lock()
    estate.pass_time(26 * HOUR, lambda: regain(estate, of))
    before = estate.stage.steps.calls["deletions.delete"]
    estate.pass_time(72 * HOUR, lambda: regain(estate, of))
    assert 0 < estate.stage.steps.calls["deletions.delete"] - before <= 2 * 3


def test_when_the_lock_goes_the_point_goes(estate: Estate) -> None:
    of, old, _ = usual(estate)
    estate.lock()
    estate.pass_time(30 * HOUR, lambda: regain(estate, of))
    estate.stage.azure.locks[SHARD] = Lock.NONE
    estate.pass_time(27 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [False, False]


def test_a_hold_that_comes_after_the_mark_is_seen(estate: Estate) -> None:
    of, old, _ = usual(estate)
    estate.pass_time(24 * HOUR, lambda: regain(estate, of))
    estate.hold(old.parts[0])
    estate.pass_time(48 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [True, True]


def test_foreign_snapshots_in_our_group_are_never_touched(estate: Estate) -> None:
    """One made by hand, one that carries all our tags and no row: nothing in the ledger names them."""
    of, old, _ = usual(estate)
    forged = replace(old.parts[0], id=replace(old.parts[0].id, name="tb-" + "0" * 32))
    truth = estate.truth(old.parts[0])
    assert truth is not None
    estate.stage.azure.snapshots[forged.id] = replace(truth, id=forged.id)
    by_hand = replace(forged, id=replace(forged.id, name="before-upgrade"))
    estate.stage.azure.snapshots[by_hand.id] = replace(truth, id=by_hand.id, tags={})
    estate.pass_time(48 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [False, False]
    assert estate.truth(forged) is not None
    assert estate.truth(by_hand) is not None


def test_parts_of_an_earlier_attempt_go_without_costing_budget_and_the_point_stays(estate: Estate) -> None:
    of = estate.machine()
    whole = estate.taken(of, 1, attempt=2)
    dead = [replace(estate.part(of, whole.slot, disk, 1), state=PartState.ABANDONED) for disk in of.disks]
    estate.put(of, replace(whole, parts=(*dead, *whole.parts)), estate.taken(of, 0))
    estate.pass_time(30 * HOUR)
    assert [estate.truth(part) is None for part in dead] == [True, True]
    assert estate.there(whole) == [True, True]
    [after, _] = estate.points(of)
    assert (after.state, after.parts, after.removal) == (PointState.COMPLETE, whole.parts, None)


def test_an_incomplete_point_leaves_whole(estate: Estate) -> None:
    of = estate.machine()
    broken = replace(estate.taken(of, 2), state=PointState.INCOMPLETE)
    newest = estate.taken(of, 0)
    estate.put(of, broken, newest)
    estate.pass_time(30 * HOUR)
    assert estate.there(broken) == [False, False]
    assert [point.slot for point in estate.points(of)] == [newest.slot]


def test_the_points_of_a_machine_that_left_wait_three_days_and_the_last_ninety(estate: Estate) -> None:
    of = estate.machine(status=Status.GONE, left_at=NOW, enrolled_at=None, settled=None)
    old, last = estate.taken(of, 7), estate.taken(of, 0)
    estate.put(of, old, last)
    estate.pass_time(72 * HOUR)
    assert estate.there(old) == [True, True]
    estate.pass_time(4 * HOUR)
    assert estate.there(old) == [False, False]
    estate.stage.scheduler.run(NOW + 90 * DAY - HOUR)
    estate.pass_time(HOUR)
    assert estate.there(last) == [True, True]
    estate.pass_time(75 * HOUR)
    assert estate.there(last) == [False, False]
    assert estate.points(of) == []
    assert estate.row(of).last_point is None
    assert estate.row(of).next_expiry is None


def test_a_machine_that_asks_again_takes_back_the_mark_of_its_last_point(estate: Estate) -> None:
    of = estate.machine(status=Status.EXCLUDED, left_at=NOW - 100 * DAY, tags={}, enrolled_at=None, settled=None)
    last = estate.taken(of, 100)
    estate.put(of, last)
    estate.pass_time(HOUR)
    assert estate.points(of)[0].removal is not None
    back = replace(estate.row(of), left_at=None, tags={"backup": "silver"}, status=Status.PENDING, enrolled_at=NOW)
    estate.edit(of, back)
    estate.pass_time(100 * HOUR)
    assert estate.there(last) == [True, True]
    assert estate.points(of)[0].removal is None


def test_a_mass_opt_out_freezes_what_nobody_planned(estate: Estate) -> None:
    left = [
        estate.machine(n, status=Status.EXCLUDED, left_at=NOW, tags={}, enrolled_at=None, settled=None)
        for n in range(1, 7)
    ]
    old = [estate.taken(of, 7) for of in left]
    for of, point in zip(left, old, strict=True):
        estate.put(of, point, estate.taken(of, 0))
    estate.pass_time(100 * HOUR)
    assert all(estate.there(point) == [True, True] for point in old)
    assert "lost their protection within an hour" in estate.why(left[0], old[0].slot)
    assert estate.points(left[0])[0].removal.frozen  # type: ignore[union-attr]  # it is marked


def test_more_than_a_days_share_of_unplanned_deletions_needs_a_second_person(estate: Estate) -> None:
    of = estate.machine(status=Status.GONE, left_at=NOW, enrolled_at=None, settled=None)
    old = [estate.taken(of, 7 + age) for age in range(12)]
    estate.put(of, *old, estate.taken(of, 0))
    estate.pass_time(80 * HOUR)
    gone = [point for point in old if estate.there(point) == [False, False]]
    assert len(gone) == 10
    waiting = [point for point in estate.points(of) if point.removal and point.removal.frozen]
    assert len(waiting) == 2
    assert all("second person" in point.removal.because for point in waiting if point.removal)


@pytest.mark.parametrize("outage", ["disabled", "no group"])
def test_a_list_that_cannot_be_read_triggers_nothing(estate: Estate, outage: str) -> None:
    of, _, _ = usual(estate)
    if outage == "disabled":
        estate.stage.azure.disabled.add(SHARD.subscription)
    else:
        estate.stage.azure.groups.clear()
    estate.pass_time(48 * HOUR, lambda: regain(estate, of))
    assert estate.stage.steps.calls["deletions.delete"] == 0
    assert len(estate.points(of)) == 2


def test_a_part_that_somebody_deleted_by_hand_does_not_hold_up_the_others(estate: Estate) -> None:
    of, old, new = usual(estate)
    truth = estate.truth(old.parts[0])
    assert truth is not None
    estate.stage.azure.remove(truth)
    estate.pass_time(48 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [False, False]
    assert [point.slot for point in estate.points(of)] == [new.slot]


def test_nothing_is_marked_or_deleted_where_the_app_may_only_look(estate: Estate) -> None:
    of, old, _ = usual(estate)
    estate.observe()
    estate.pass_time(72 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [True, True]
    assert estate.points(of)[0].removal is None


def test_a_vm_tag_holds_its_points_though_the_ledger_has_not_heard_of_it(estate: Estate) -> None:
    of, old, _ = usual(estate)
    vm = estate.stage.azure.vm(of.id)
    assert isinstance(vm, VmTruth)
    estate.stage.azure.write(replace(vm, tags={**vm.tags, "backup-hold": "not a date"}))
    estate.pass_time(48 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [True, True]


def test_the_last_point_of_a_machine_that_moved_stays_until_it_has_a_newer_one_where_it_lives_now(
    estate: Estate,
) -> None:
    of = estate.machine(status=Status.GONE, left_at=NOW - 100 * DAY, enrolled_at=None, settled=None)
    last = estate.taken(of, 100)
    estate.put(of, last)
    there = replace(estate.row(of), shard=replace(SHARD, region="northeurope"), status=Status.PENDING, left_at=None)
    there = replace(there, enrolled_at=NOW - 100 * DAY, last_point=None, next_expiry=None)
    estate.put(there)
    estate.pass_time(100 * HOUR)
    assert estate.there(last) == [True, True]
    assert "lives on in" in estate.why(of, last.slot)
    estate.edit(there, replace(there, last_point=NOW))
    estate.pass_time(30 * HOUR)
    assert estate.there(last) == [False, False]


def test_the_last_point_is_kept_from_the_time_the_machine_left_the_shard_it_moved_to(estate: Estate) -> None:
    of = estate.machine(status=Status.GONE, left_at=NOW - 100 * DAY, enrolled_at=None, settled=None)
    last = estate.taken(of, 100)
    estate.put(of, last)
    there = replace(estate.row(of), shard=replace(SHARD, region="northeurope"), left_at=NOW - 86 * DAY)
    estate.put(replace(there, last_point=None, next_expiry=None))
    estate.pass_time(90 * HOUR)
    assert estate.there(last) == [True, True]
    assert "lived on in" in estate.why(of, last.slot)
    estate.pass_time(30 * HOUR)
    assert estate.there(last) == [False, False]


def test_a_tag_that_holds_a_machine_where_it_moved_holds_what_it_left_behind(estate: Estate) -> None:
    of = estate.machine(status=Status.GONE, left_at=NOW, enrolled_at=None, settled=None)
    old, last = estate.taken(of, 7), estate.taken(of, 0)
    estate.put(of, old, last)
    there = replace(estate.row(of), shard=replace(SHARD, region="northeurope"), status=Status.EXCLUDED, left_at=None)
    held = replace(there, tags={"backup-hold": "2027-01-31"}, last_point=None, next_expiry=None)
    estate.put(held)
    estate.pass_time(80 * HOUR)
    assert estate.there(old) == [True, True]
    assert "its machine is held by a tag" in estate.why(of, old.slot)
    estate.edit(held, replace(held, tags={}))
    estate.pass_time(30 * HOUR)
    assert estate.there(old) == [False, False]


def test_a_claim_that_somebody_died_over_is_never_taken_back(estate: Estate) -> None:
    of, old, _ = usual(estate)
    estate.pass_time(HOUR)
    [marked] = [one for one in estate.points(of) if one.slot == old.slot]
    assert marked.removal is not None
    claimed = replace(marked.removal, claimed_at=NOW, next_look=NOW + 2 * HOUR)
    estate.edit(of, replace(marked, state=PointState.DELETING, removal=claimed))
    estate.stage.azure.locks[SHARD] = Lock.CANNOT_WRITE
    estate.pass_time(30 * HOUR, lambda: regain(estate, of))
    assert "held by Azure" in estate.why(of, old.slot)
    assert estate.points(of)[0].state is PointState.DELETING


def test_a_held_part_that_the_list_does_not_show_is_looked_for_by_itself(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, old, _ = usual(estate)
    estate.hold(old.parts[0])
    whole = estate.fleet.world.holdings.snapshots
    shown = lambda shard: (one for one in whole(shard) if one.id != old.parts[0].id)  # noqa: E731
    monkeypatch.setattr(estate.fleet.world.holdings, "snapshots", shown)
    estate.pass_time(48 * HOUR, lambda: regain(estate, of))
    assert estate.there(old) == [True, True]
    assert "held" in estate.why(of, old.slot)
    assert old.slot in [point.slot for point in estate.points(of)]
