"""Restore points as parts: names that say and prove what tags cannot, and what their collection says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide import parts
from shared.decide.capture import Together, next_attempt, opened, planned
from shared.decide.consistency import Choice, Rung
from shared.decide.naming import BIRTH_KEEP_UNTIL, KEEP_UNTIL, is_ours, is_ready, stamp
from shared.decide.remains import operation_of, points_of, remnant
from shared.decide.restore_points import (
    GROUPS,
    PROMISED,
    Home,
    about,
    as_part,
    hold_tag,
    home_of,
    later_date,
    named,
    order_of,
    promised,
    restore_point_name,
)
from shared.model.identity import COLLECTION_TYPE, DiskUid, ResourceId, VmUid
from shared.model.point import Consistency, Engine, Origin, Part, PartState, Point, PointState
from shared.model.restore_point import Mode, RestorePointSeen
from shared.model.snapshot import SnapshotSeen
from tests.decide.plans import NOW, RULES, SHARD, SILVER, SUBSCRIPTION, UID, VM, at, disk, machine
from tests.decide.test_capture import place

SLOT = at("2027-03-11 02:00")
COLLECTION = ResourceId(SUBSCRIPTION, "tagback-westeurope-rp07", COLLECTION_TYPE, home_of(UID, VM).collection)
OS, DATA, OFF = disk("os"), disk("data", 0), disk("scratch", 1, "is tagged backup = off")
ROW = machine(disks=(OS, DATA, OFF))


def taken(
    rung: Rung = Rung.CRASH, promise: Consistency = Consistency.CRASH, apart: tuple[ResourceId, ...] = ()
) -> Point:
    """A planned point of the machine by a rung of the ladder."""
    together = Together(Choice(rung, promise, "", apart, ()), COLLECTION)
    wanted = opened(ROW, SLOT, Origin.SLOT, "", SLOT, Engine.RESTORE_POINT)
    return planned(wanted, ROW, SILVER, [], place, together).point


def shown(point: Point, **changes: object) -> RestorePointSeen:
    """Its restore point as Azure shows it when it is ready."""
    part = point.live_parts[0]
    made = tuple(
        replace(one, id=ResourceId(*_fields(part, one.disk.name)), disk_uid=DiskUid("")) for one in part.inside
    )
    tags = {"Tagback-Owner": RULES.owner, "tagback-vm": UID, "tagback-plan": "silver", "tagback-name": "web/web-1"}
    seen = RestorePointSeen(part.id, VM, UID, "Succeeded", 100.0, Mode.CRASH.value, tags, made, SLOT)
    return replace(seen, **changes)  # type: ignore[arg-type]  # a test names the fields it changes


def _fields(part: Part, name: str) -> tuple[str, str, str, str]:
    return part.id.subscription, part.id.group, part.id.type, f"{part.id.name}/diskrestorepoints/{name}"


def read(point: Point, **changes: object) -> SnapshotSeen:
    return as_part(shown(point, **changes), "backup")


def test_a_restore_point_is_one_part_with_every_disk_that_is_not_left_out() -> None:
    point = taken()
    (part,) = point.parts
    assert (part.disk, str(part.disk_uid), part.state) == (VM, str(UID), PartState.PLANNED)
    assert part.is_restore_point
    assert [(one.disk, one.disk_uid, one.lun) for one in point.disks] == [(OS.id, OS.uid, None), (DATA.id, DATA.uid, 0)]
    assert (point.engine, point.consistency) == (Engine.RESTORE_POINT, Consistency.CRASH)
    assert part.id.top == COLLECTION
    assert part.id.own_name.startswith("tb-20270311t0200z-20270318t0200z-1-"[:21])
    assert ResourceId.parse(str(part.id)) == part.id


def test_the_next_attempt_takes_all_disks_as_one_again() -> None:
    together = Together(Choice(Rung.CRASH, Consistency.CRASH, "", (), ()), COLLECTION)
    wanted = opened(ROW, SLOT, Origin.SLOT, "", SLOT, Engine.RESTORE_POINT)
    first = planned(wanted, ROW, SILVER, [], place, together)
    (again,) = next_attempt(first, ROW, place, together).point.live_parts
    assert (again.attempt, again.is_restore_point) == (2, True)


def test_a_collection_is_tagged_with_a_model_only_where_there_is_one() -> None:
    assert about(taken()) == {"tagback-plan": "silver"}


def test_a_mixed_point_has_a_snapshot_of_each_disk_left_apart() -> None:
    whole, apart = taken(Rung.MIXED, Consistency.MIXED, (DATA.id,)).parts
    assert [one.disk for one in whole.inside] == [OS.id]
    assert (apart.disk, apart.is_restore_point, apart.disks[0].id) == (DATA.id, False, apart.id)


def test_without_a_rung_for_restore_points_there_are_snapshots() -> None:
    point = taken(Rung.SNAPSHOTS, Consistency.PER_DISK)
    assert [part.is_restore_point for part in point.parts] == [False, False]
    assert (point.engine, point.consistency) == (Engine.RESTORE_POINT, Consistency.PER_DISK)


def test_a_name_says_slot_date_and_attempt_and_proves_them_with_machine_origin_and_parts() -> None:
    point = taken()
    said = named(point.parts[0].id.own_name)
    assert said is not None
    assert (said.slot, said.keep_until, said.attempt) == (SLOT, point.birth_keep_until, 1)
    others = (
        replace(point, uid=VmUid("another")),
        replace(point, slot=NOW),
        replace(point, birth_keep_until=NOW),
        replace(point, origin=Origin.REQUEST),
    )
    names = {restore_point_name(one, 1, 1)[-8:] for one in others}
    names |= {restore_point_name(point, 2, 1)[-8:], restore_point_name(point, 1, 2)[-8:]}
    assert len(names | {said.digest}) == 7


@pytest.mark.parametrize(
    "name", ["", "tb-1", "tb-20270311t0200z-20270318t0200z-1-xyz", "tb-20271311t0200z-20270318t0200z-1-0123abcd"]
)
def test_other_names_say_nothing(name: str) -> None:
    assert named(name) is None


def test_a_machine_has_one_home_and_another_where_it_moved() -> None:
    moved = replace(VM, group="elsewhere")
    assert home_of(UID, VM) == home_of(UID, VM)
    assert home_of(UID, VM).number == home_of(UID, moved).number
    assert home_of(UID, VM).collection != home_of(UID, moved).collection
    assert home_of(UID, VM).collection != home_of(VmUid("made anew"), VM).collection
    numbers = [home_of(VmUid(f"vm-{number}"), VM).number for number in range(10_000)]
    assert set(numbers) == set(range(GROUPS))
    assert max(numbers.count(number) for number in range(GROUPS)) <= 700


def test_places_and_names_are_found_again_by_every_later_build() -> None:
    assert home_of(UID, VM) == Home(19, "tb-4b120afd5adafd1d8cff2318d8eac024")
    assert taken().parts[0].id.own_name == "tb-20270311t0200z-20270408t0200z-1-5e409417"


def test_what_is_read_back_is_ours_and_ready() -> None:
    point = taken()
    seen = read(point)
    assert is_ours(seen, point, point.parts[0], RULES.owner)
    assert is_ready(seen)
    assert seen == SnapshotSeen(
        id=point.parts[0].id,
        source_uid=DiskUid(UID),
        provisioning="Succeeded",
        completion=100.0,
        access="",
        tags={
            "tagback-owner": RULES.owner,
            "tagback-vm": UID,
            "tagback-name": "web/web-1",
            "tagback-plan": "silver",
            "tagback-disk": UID,
            "tagback-lun": "os",
            "tagback-slot": stamp(SLOT),
            "tagback-attempt": "1",
            "tagback-engine": "restore-point",
            "tagback-origin": "slot",
            "tagback-parts": "1",
            "tagback-consistency": "crash",
            KEEP_UNTIL: stamp(point.birth_keep_until),
        },
        source=VM,
        created=SLOT,
        inside=seen.inside,
    )
    assert read(point, mode="Unheard").tags["tagback-consistency"] == ""
    assert read(point, tags={}).tags == {}


def test_what_a_collection_says_of_its_machine_is_said_of_each_restore_point_and_nothing_else() -> None:
    point = taken()
    ours = {"tagback-owner": RULES.owner, "tagback-vm": UID, "tagback-name": "web/web-1", "tagback-plan": "silver"}
    ours |= {"tagback-model": "m"}
    tags = read(point, tags={**ours, "tagback-parts": "9", "Env": "prod"}).tags
    assert {name: tags[name] for name in ours} == ours
    assert (tags["tagback-parts"], "Env" in tags, "env" in tags) == ("1", False, False)


def test_what_is_of_another_machine_owner_slot_or_name_is_not_ours() -> None:
    point = taken()
    part = point.parts[0]
    tags = shown(point).tags
    forged = replace(part.id, name=part.id.name[:-8] + "00000000")
    assert not is_ours(read(point, tags={**tags, "tagback-vm": "another"}), point, part, RULES.owner)
    assert not is_ours(read(point, tags={**tags, "Tagback-Owner": "another"}), point, part, RULES.owner)
    assert not is_ours(read(point, machine_uid=VmUid("another")), point, part, RULES.owner)
    assert not is_ours(read(point), replace(point, slot=NOW), part, RULES.owner)
    assert not is_ours(read(point, id=forged), point, replace(part, id=forged), RULES.owner)
    assert "tagback-slot" not in read(point, id=forged, tags={**tags, "tagback-slot": stamp(SLOT)}).tags


@pytest.mark.parametrize(("count", "says"), [(0, False), (1, True), (65, True), (66, False)])
def test_a_name_of_more_parts_than_there_can_be_says_nothing(count: int, says: bool) -> None:
    point = taken()
    part = point.parts[0]
    other = replace(part.id, name=f"{COLLECTION.name}/restorepoints/{restore_point_name(point, 1, count)}")
    assert ("tagback-slot" in read(point, id=other).tags) is says


def test_a_hold_is_of_one_slot_or_of_the_whole_collection_whichever_lasts_longer() -> None:
    point = taken()
    tags = shown(point).tags
    own, whole = {hold_tag(point): "2027-04-01"}, {"backup-hold": "2027-05-01"}
    assert "backup-hold" not in read(point).tags
    assert "backup-hold" not in read(point, tags={**tags, "tagback-hold-20270312T0200Z": "forever"}).tags
    assert read(point, tags={**tags, **own}).tags["backup-hold"] == "2027-04-01"
    assert read(point, tags={**tags, **own, **whole}).tags["backup-hold"] == "2027-05-01"
    for unread in ("who knows", "1 year"):
        assert read(point, tags={**tags, **whole, hold_tag(point): unread}).tags["backup-hold"] == unread


def test_a_date_that_was_lengthened_is_said_beside_that_of_the_name_and_never_shortens_it() -> None:
    point = taken()
    birth, tags = point.birth_keep_until, shown(point).tags
    later = replace(point, keep_until=birth + timedelta(days=300))
    assert later_date(point) == {}
    assert later_date(later) == {"tagback-keep-until-20270311T0200Z": stamp(later.keep_until)}
    seen = read(point, tags={**tags, **later_date(later)})
    assert (seen.tags[KEEP_UNTIL], seen.tags[BIRTH_KEEP_UNTIL]) == (stamp(later.keep_until), stamp(birth))
    [known] = points_of([one for one in [remnant(seen, RULES)] if one], RULES, NOW)
    assert known.keep_until == later.keep_until
    another = later_date(replace(later, slot=SLOT + timedelta(days=1)))
    for said in (
        {},
        another,
        later_date(replace(later, keep_until=birth - timedelta(days=1))),
        dict.fromkeys(later_date(later), "when I say so"),
    ):
        unmoved = read(point, tags={**tags, **said}).tags
        assert (unmoved[KEEP_UNTIL], BIRTH_KEEP_UNTIL in unmoved) == (stamp(birth), False), said


@pytest.mark.parametrize(("mode", "promise"), PROMISED.items())
def test_a_point_promises_what_azure_says_it_came_to(mode: Mode, promise: Consistency) -> None:
    point = taken(Rung.APPLICATION, Consistency.APPLICATION)
    assert promised(point, read(point, mode=mode.value)).consistency is promise


def test_a_point_never_promises_more_than_was_asked_for() -> None:
    point, mixed = taken(), taken(Rung.MIXED, Consistency.MIXED, (DATA.id,))
    assert promised(point, read(point, mode="ApplicationConsistent")).consistency is Consistency.CRASH
    assert promised(point, read(point, mode="FileSystemConsistent")).consistency is Consistency.CRASH
    assert promised(mixed, read(mixed, mode="CrashConsistent")).consistency is Consistency.MIXED
    assert promised(point, read(point, mode="")).consistency is Consistency.CRASH


@pytest.mark.parametrize(
    ("promise", "mode"),
    [(Consistency.APPLICATION, Mode.APPLICATION), (Consistency.CRASH, Mode.CRASH), (Consistency.MIXED, Mode.CRASH)],
)
def test_what_is_ordered_leaves_out_every_disk_that_is_not_in_it(promise: Consistency, mode: Mode) -> None:
    rung = Rung.MIXED if promise is Consistency.MIXED else Rung.CRASH
    point = replace(taken(rung, promise, (DATA.id,) if rung is Rung.MIXED else ()), model="m")
    order = order_of(point, point.parts[0], ROW, RULES, ROW.disks)
    assert (order.id, order.mode, order.machine, order.shard) == (point.parts[0].id, mode, VM, SHARD)
    assert order.excluded == ((DATA.id, OFF.id) if rung is Rung.MIXED else (OFF.id,))
    assert dict(order.tags) == {
        "tagback-owner": RULES.owner,
        "tagback-vm": UID,
        "tagback-name": "web/web-1",
        "tagback-plan": "silver",
        "tagback-model": "m",
    }


def test_a_look_learns_what_each_disk_is_restored_from_and_keeps_whose_they_are() -> None:
    point = taken()
    part = parts.looked(point, point.parts[0], read(point), RULES.owner, NOW)
    assert part.state is PartState.READY
    assert [(one.disk_uid, one.id is not None) for one in part.inside] == [(OS.uid, True), (DATA.uid, True)]
    unnamed = tuple(replace(one, id=None) for one in shown(point).inside)
    early = parts.looked(point, point.parts[0], read(point, provisioning="Creating", inside=unnamed), RULES.owner, NOW)
    assert (early.state, early.inside) == (PartState.STARTED, point.parts[0].inside)
    assert not is_ready(read(point, inside=unnamed))
    nothing = parts.looked(point, part, read(point, provisioning="Creating", inside=()), RULES.owner, NOW)
    assert nothing.inside == part.inside
    more = replace(shown(point).inside[0], disk=OFF.id, disk_uid=OFF.uid)
    other = parts.looked(point, part, read(point, inside=(more,)), RULES.owner, NOW)
    assert [one.disk_uid for one in other.inside] == [OFF.uid]


def test_a_started_restore_point_is_looked_at_by_itself_at_once() -> None:
    part = replace(taken().parts[0], state=PartState.STARTED, sent_at=NOW)
    assert parts.needs_get(part, NOW)


def test_other_disks_than_planned_begin_a_new_attempt_while_it_is_not_sent() -> None:
    point = taken()
    assert not parts.must_begin_anew(point, ROW, NOW)
    assert parts.must_begin_anew(point, replace(ROW, disks=(OS,)), NOW)


def found(*seen: SnapshotSeen) -> list[Point]:
    return points_of([one for each in seen if (one := remnant(each, RULES))], RULES, NOW)


def test_azure_alone_tells_of_a_point_with_what_it_promises() -> None:
    point = taken()
    (again,) = found(read(point))
    assert (again.uid, again.slot, again.engine, again.origin) == (UID, SLOT, Engine.RESTORE_POINT, Origin.SLOT)
    assert (again.state, again.consistency, again.plan) == (PointState.COMPLETE, Consistency.CRASH, "silver")
    assert again.keep_until >= point.birth_keep_until
    assert [(one.disk, one.lun) for one in again.disks] == [(OS.id, None), (DATA.id, 0)]
    assert operation_of(again, NOW) is None
    (unsaid,) = found(read(point, mode=""))
    assert unsaid.consistency is Consistency.CRASH


def test_half_of_a_mixed_point_is_none() -> None:
    mixed = taken(Rung.MIXED, Consistency.MIXED, (DATA.id,))
    (again,) = found(read(mixed))
    assert again.state is PointState.INCOMPLETE
    snapshot = SnapshotSeen(
        mixed.parts[1].id,
        DATA.uid,
        "Succeeded",
        100.0,
        "Available",
        {
            "tagback-owner": RULES.owner,
            "tagback-vm": UID,
            "tagback-disk": DATA.uid,
            "tagback-lun": "0",
            "tagback-slot": stamp(SLOT),
            "tagback-engine": "restore-point",
            "tagback-attempt": "1",
            "tagback-parts": "2",
            KEEP_UNTIL: stamp(mixed.birth_keep_until),
        },
        created=SLOT,
    )
    (whole,) = found(read(mixed), snapshot)
    assert (whole.state, whole.consistency) == (PointState.COMPLETE, Consistency.MIXED)


def test_a_restore_point_by_hand_or_of_a_stranger_is_no_remnant() -> None:
    point = taken()
    tags = shown(point).tags
    by_hand = replace(point.parts[0].id, name=f"{COLLECTION.name}/restorepoints/by-hand")
    assert remnant(read(point, id=by_hand), RULES) is None
    assert remnant(read(point, tags={**tags, "Tagback-Owner": "another"}), RULES) is None
    assert remnant(read(point, machine_uid=VmUid("another")), RULES) is None
