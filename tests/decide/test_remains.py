"""What a snapshot alone says of its point: believed as far as its name bears it out, and no further."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.decide.naming import part_name, stamp
from shared.decide.parts import ENDLESS
from shared.decide.remains import APART, CUT_OFF, Remnant, merged, operation_of, place_of, points_of, remnant
from shared.model.identity import DiskUid, ResourceId, VmUid
from shared.model.operation import Kind, Operation, State
from shared.model.point import Consistency, Engine, Origin, Part, PartState, Point, PointState
from shared.model.snapshot import SnapshotSeen
from tests.decide.plans import NOW, RULES, SHARD, at

VM = VmUid("vm-1")
SLOT = at("2027-03-10 02:00")
KEPT = SLOT + timedelta(days=7)
TAKEN = SLOT + timedelta(minutes=3)


def seen(disk: str = "os-disk", attempt: int = 1, /, **changes: str) -> SnapshotSeen:
    """A ready snapshot of ours, one of a pair; a change to the empty text leaves a tag out."""
    uid = DiskUid(disk)
    tags = {
        "tagback-owner": RULES.owner,
        "tagback-vm": VM,
        "tagback-disk": uid,
        "tagback-slot": stamp(SLOT),
        "tagback-engine": "disk",
        "tagback-attempt": str(attempt),
        "tagback-lun": "os" if disk == "os-disk" else "0",
        "tagback-keep-until": stamp(KEPT),
        "tagback-parts": "2",
        "tagback-name": "Web/web-1",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    name = part_name(VM, Engine.DISK, SLOT, attempt, uid)
    place = ResourceId(SHARD.subscription, "tagback-we", "microsoft.compute/snapshots", name)
    left = {name: value for name, value in tags.items() if value}
    return SnapshotSeen(place, uid, "Succeeded", None, "", left, created=TAKEN)


def found(*snapshots: SnapshotSeen) -> list[Remnant]:
    judged = [remnant(one, RULES) for one in snapshots]
    return [one for one in judged if one is not None]


def test_a_snapshot_of_ours_says_what_it_is() -> None:
    [one] = found(seen())
    assert (one.uid, one.slot, one.engine, one.wanted, one.keep_until) == (VM, SLOT, Engine.DISK, 2, KEPT)
    assert (one.part.lun, one.part.attempt, one.part.state, one.created) == (None, 1, PartState.READY, TAKEN)
    assert one.part.disk.name == "os-disk"
    assert found(seen("data"))[0].part.lun == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"tagback_owner": "another"},
        {"tagback_owner": ""},
        {"tagback_vm": "vm-2"},
        {"tagback_vm": ""},
        {"tagback_disk": "other-disk"},
        {"tagback_slot": stamp(SLOT + timedelta(days=1))},
        {"tagback_slot": "yesterday"},
        {"tagback_engine": "vault"},
        {"tagback_engine": "tape"},
        {"tagback_attempt": "2"},
        {"tagback_attempt": "first"},
        {"tagback_lun": "second"},
        {"tagback_keep_until": "soon"},
        {"tagback_keep_until": ""},
    ],
    ids=str,
)
def test_what_its_name_does_not_bear_out_is_not_ours(changes: dict[str, str]) -> None:
    assert found(seen("os-disk", 1, **changes)) == []


def test_a_snapshot_of_another_disk_is_not_ours() -> None:
    assert found(replace(seen(), source_uid=DiskUid("recreated"))) == []
    assert len(found(replace(seen(), source_uid=DiskUid("")))) == 1


@pytest.mark.parametrize(("parts", "wanted"), [("3", 3), ("999", 999), ("1000", 0), ("-1", 0), ("many", 0), ("", 0)])
def test_how_many_parts_there_were_is_known_or_not(parts: str, wanted: int) -> None:
    assert found(seen(tagback_parts=parts))[0].wanted == wanted


@pytest.mark.parametrize(
    ("provisioning", "state"),
    [("Succeeded", PartState.READY), ("Creating", PartState.STARTED), ("Failed", PartState.FAILED)],
)
def test_a_part_is_as_azure_shows_it(provisioning: str, state: PartState) -> None:
    assert found(replace(seen(), provisioning=provisioning))[0].part.state is state


def state_of(*snapshots: SnapshotSeen) -> PointState:
    [point] = points_of(found(*snapshots), RULES, NOW)
    return point.state


def test_a_point_is_complete_when_every_part_is_there_ready_and_of_one_time() -> None:
    os, data = seen(), seen("data")
    later = replace(data, created=TAKEN + APART)
    assert state_of(os, data) is PointState.COMPLETE
    assert state_of(os, later) is PointState.COMPLETE
    assert state_of(os, replace(later, created=TAKEN + APART + timedelta(seconds=1))) is PointState.INCOMPLETE
    assert state_of(os) is PointState.INCOMPLETE
    assert state_of(os, replace(data, provisioning="Failed")) is PointState.INCOMPLETE


def test_what_is_still_being_made_is_waited_for_and_not_for_ever() -> None:
    creating = replace(seen("data"), provisioning="Creating", created=NOW), replace(seen(), created=NOW)
    assert state_of(*creating) is PointState.TAKING
    assert state_of(*(replace(one, created=NOW - timedelta(days=30)) for one in creating)) is PointState.INCOMPLETE


def test_of_several_attempts_the_last_whole_one_is_the_point_and_the_others_are_left_overs() -> None:
    whole = [seen("os-disk", 1), seen("data", 1)]
    [point] = points_of(found(*whole, seen("os-disk", 2)), RULES, NOW)
    assert (point.attempt, point.state) == (1, PointState.COMPLETE)
    assert {(part.attempt, part.state) for part in point.parts} == {(1, PartState.READY), (2, PartState.ABANDONED)}
    [renewed] = points_of(found(*whole, seen("os-disk", 2), seen("data", 2)), RULES, NOW)
    assert renewed.attempt == 2


@pytest.mark.parametrize(
    ("parts", "said", "consistency"),
    [
        ("1", "crash", Consistency.CRASH),
        ("2", "crash", Consistency.PER_DISK),
        ("1", "application", Consistency.PER_DISK),
        ("1", "", Consistency.PER_DISK),
    ],
)
def test_a_tag_claims_no_more_than_separate_snapshots_give(parts: str, said: str, consistency: Consistency) -> None:
    [point] = points_of(found(seen(tagback_parts=parts, tagback_consistency=said)), RULES, NOW)
    assert point.consistency is consistency


@pytest.mark.parametrize(
    ("said", "origin"), [("request", Origin.REQUEST), ("slot", Origin.SLOT), ("", Origin.SLOT), ("luck", Origin.SLOT)]
)
def test_an_origin_that_nobody_knows_is_the_schedule(said: str, origin: Origin) -> None:
    [point] = points_of(found(seen(tagback_origin=said)), RULES, NOW)
    assert point.origin is origin


def test_a_machine_is_where_its_newest_part_says_else_beside_its_disk() -> None:
    newer = replace(seen("data", tagback_name="Moved/web-9"), created=TAKEN + timedelta(seconds=1))
    assert (place_of(found(seen(), newer), SHARD).group, place_of(found(seen(), newer), SHARD).name) == (
        "moved",
        "web-9",
    )
    unnamed = found(seen(tagback_name=""))
    assert (place_of(unnamed, SHARD).group, place_of(unnamed, SHARD).name) == (unnamed[0].part.disk.group, VM)


@pytest.mark.parametrize(
    ("stamped", "kept"),
    [("20260101T0000Z", SLOT + timedelta(weeks=4)), ("20300101T0000Z", at("2030-01-01 00:00"))],
    ids=["rewritten to an earlier date", "later than its classes earn"],
)
def test_no_tag_makes_a_whole_point_leave_before_its_classes_say(stamped: str, kept: datetime) -> None:
    parts = found(*(seen(disk, tagback_keep_until=stamped, tagback_plan="silver") for disk in ("os-disk", "data")))
    [point] = points_of(parts, RULES, NOW)
    assert (point.birth_keep_until, point.keep_until) == (kept, kept)


def test_what_the_ledger_knows_gains_parts_dates_and_holds_and_loses_nothing() -> None:
    [known] = points_of(found(seen(), seen("data")), RULES, NOW)
    [more] = points_of(found(seen(), seen("data"), seen("os-disk", 2)), RULES, NOW)
    later = replace(more, keep_until=known.keep_until + timedelta(days=1), held_until=NOW)
    both = merged(known, later)
    assert (both.keep_until, both.held_until) == (later.keep_until, NOW)
    assert [part.state for part in both.parts] == [PartState.READY, PartState.READY, PartState.ABANDONED]
    assert merged(known, replace(later, state=PointState.INCOMPLETE)).keep_until == known.keep_until
    assert merged(replace(known, held_until=NOW), more).held_until == NOW
    assert merged(later, known).keep_until == later.keep_until


def of_slot(slot: datetime, engine: Engine = Engine.DISK, **changes: str) -> SnapshotSeen:
    """The whole point of one disk, of the plan gold."""
    name = part_name(VM, engine, slot, 1, DiskUid("os-disk"))
    told = {"tagback_slot": stamp(slot), "tagback_engine": engine.value, "tagback_plan": "gold", "tagback_parts": "1"}
    one = seen("os-disk", 1, **{**told, **changes})
    return replace(one, id=replace(one.id, name=name))


def test_of_two_points_of_a_day_only_the_first_earns_its_class() -> None:
    points = points_of(found(of_slot(SLOT), of_slot(SLOT + timedelta(hours=6))), RULES, NOW)
    assert [bool(one.earned) for one in points] == [True, False]
    assert all(one.because.endswith("; found in Azure") for one in points)


@pytest.mark.parametrize(
    "earlier",
    [of_slot(SLOT, tagback_origin="request"), of_slot(SLOT, Engine.VAULT), of_slot(SLOT, tagback_parts="2")],
    ids=["asked for", "a vault's", "not whole"],
)
def test_what_stands_for_no_class_leaves_it_to_the_next_point_of_the_day(earlier: SnapshotSeen) -> None:
    _, later = points_of(found(earlier, of_slot(SLOT + timedelta(hours=6))), RULES, NOW)
    assert later.earned


def part(found_as: PartState, disk: str = "os-disk", lun: int | None = None, attempt: int = 1) -> Part:
    uid = DiskUid(disk)
    name = part_name(VM, Engine.DISK, SLOT, attempt, uid)
    place = ResourceId(SHARD.subscription, "tagback-we", "microsoft.compute/snapshots", name)
    return Part(place, replace(place, type="microsoft.compute/disks", name=disk), uid, lun, attempt, found_as, TAKEN)


POINT = Point(
    uid=VM,
    slot=SLOT,
    engine=Engine.DISK,
    origin=Origin.REQUEST,
    attempt=1,
    state=PointState.COMPLETE,
    consistency=Consistency.CRASH,
    plan="bygone",
    parts=(part(PartState.READY),),
    birth_keep_until=KEPT,
    keep_until=KEPT,
    earned="",
    because="found in Azure",
    model="sha",
    ended_at=TAKEN,
    rebuilt_at=NOW,
)
TAGS = {"tagback_origin": "request", "tagback_plan": "bygone", "tagback_model": "sha", "tagback_consistency": "crash"}


def test_a_whole_point_is_told_as_its_tags_say_and_ended_when_its_last_part_was_taken() -> None:
    assert points_of(found(seen(tagback_parts="1", **TAGS)), RULES, NOW) == [POINT]
    second = replace(seen("data", **TAGS), created=TAKEN + timedelta(minutes=2))
    [pair] = points_of(found(seen(**TAGS), second), RULES, NOW)
    assert pair.ended_at == second.created


def test_a_point_that_was_cut_off_ended_now_and_keeps_none_of_its_parts() -> None:
    tags = {**TAGS, "tagback_plan": "", "tagback_model": ""}
    cut_off = replace(
        POINT,
        state=PointState.INCOMPLETE,
        consistency=Consistency.PER_DISK,
        plan="",
        model="",
        parts=(part(PartState.ABANDONED),),
        because=CUT_OFF,
        ended_at=NOW,
    )
    assert points_of(found(seen(**tags)), RULES, NOW) == [cut_off]
    assert operation_of(cut_off, NOW) == Operation(
        uid=VM,
        id="request-20270310T0200Z-disk",
        kind=Kind.CAPTURE,
        origin=Origin.REQUEST,
        engine=Engine.DISK,
        slot=SLOT,
        state=State.SKIPPED,
        because=CUT_OFF,
        intended_at=NOW,
        attempts=1,
        ended_at=NOW,
    )


def test_a_point_that_is_being_made_goes_on_and_has_not_ended() -> None:
    creating = replace(seen(tagback_parts="1", **TAGS), provisioning="Creating")
    taking = replace(POINT, state=PointState.TAKING, parts=(part(PartState.STARTED),), ended_at=None)
    now = TAKEN + ENDLESS
    assert points_of(found(creating), RULES, now) == [replace(taking, rebuilt_at=now)]
    [over] = points_of(found(creating), RULES, now + timedelta(seconds=1))
    assert over.state is PointState.INCOMPLETE
    assert operation_of(taking, NOW) == Operation(
        uid=VM,
        id="request-20270310T0200Z-disk",
        kind=Kind.CAPTURE,
        origin=Origin.REQUEST,
        engine=Engine.DISK,
        slot=SLOT,
        state=State.STARTED,
        because="found in Azure, not ready yet",
        intended_at=NOW,
        attempts=1,
        started_at=NOW,
        next_look=NOW,
    )
    assert operation_of(POINT, NOW) is None


def test_a_part_that_nobody_remembers_is_a_left_over_of_the_point_that_is_known() -> None:
    forgotten = replace(POINT, parts=(part(PartState.READY), part(PartState.READY, "data", 0)))
    both = merged(POINT, forgotten)
    assert both.parts == (part(PartState.READY), part(PartState.ABANDONED, "data", 0))
