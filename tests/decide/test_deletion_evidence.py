"""What Azure must show itself: dates, a whole newer point, and whose they are. Rows alone delete nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.deletion_dates import Going, Standing, Staying
from shared.decide.deletion_evidence import is_outlived, not_before, outliving
from shared.decide.naming import stamp
from shared.model.identity import ResourceId
from shared.model.point import Point, PointState
from shared.model.snapshot import SnapshotSeen
from tests.decide.plans import NOW, UID
from tests.decide.points import changed, part_of, point_of

DAY = timedelta(days=1)
OLD, SAME, NEW = (point_of(NOW - days * DAY) for days in (8, 8, 1))
GOING = Going(OLD, OLD.keep_until, True, "its week is over")
REMAINS = replace(GOING, remains=True)


def shown(point: Point, disk: str = "os", attempt: int = 1, parts: int = 1) -> SnapshotSeen:
    """One part of a point as Azure shows it when nobody has meddled with it."""
    part = part_of(point.slot, attempt, disk=disk)
    tags = {
        "Tagback-Owner": "acct",
        "tagback-vm": UID,
        "tagback-disk": part.disk_uid,
        "tagback-attempt": str(attempt),
        "tagback-parts": str(parts),
        "tagback-keep-until": stamp(point.birth_keep_until),
    }
    return SnapshotSeen(part.id, part.disk_uid, "Succeeded", None, "Available", tags, created=point.slot)


def listed(*seen: SnapshotSeen) -> dict[ResourceId, SnapshotSeen]:
    return {one.id: one for one in seen}


def test_the_later_of_azures_birth_and_the_parts_stamp_counts() -> None:
    assert not_before([shown(OLD)], DAY) == OLD.birth_keep_until
    assert not_before([shown(OLD)], 30 * DAY) == OLD.slot + 30 * DAY
    later = replace(shown(OLD, "data"), created=OLD.slot + DAY)
    assert not_before([shown(OLD), later], 30 * DAY) == OLD.slot + 31 * DAY


def test_of_a_lengthening_that_is_withdrawn_the_birth_stamp_beside_it_counts() -> None:
    birth, later = OLD.slot + 9 * DAY, OLD.slot + 30 * DAY
    both = {**shown(OLD).tags, "tagback-keep-until": stamp(later), "tagback-birth-keep-until": stamp(birth)}
    lengthened = replace(shown(OLD), tags=both)
    assert not_before([lengthened], DAY, GOING) == later
    assert not_before([lengthened], DAY, replace(GOING, withdrawn=True)) == birth
    assert not_before([lengthened], 20 * DAY, replace(GOING, withdrawn=True)) == OLD.slot + 20 * DAY


def test_without_a_birth_stamp_beside_it_the_later_date_stands() -> None:
    for spoilt in ({}, {"tagback-birth-keep-until": "soon"}):
        tags = {**shown(OLD).tags, "tagback-keep-until": stamp(OLD.slot + 30 * DAY), **spoilt}
        seen = replace(shown(OLD), tags=tags)
        assert not_before([seen], DAY, replace(GOING, withdrawn=True)) == OLD.slot + 30 * DAY


@pytest.mark.parametrize("text", ["", "soon", "2027", "20271340T0000Z"])
def test_a_stamp_that_is_no_date_leaves_the_floor(text: str) -> None:
    meddled = replace(shown(OLD), tags={"tagback-keep-until": text})
    assert not_before([meddled], DAY) == OLD.slot + DAY
    assert not_before([replace(meddled, created=None)], DAY) is None


def test_remains_go_by_the_floor_unless_azure_shows_a_whole_attempt() -> None:
    half = [shown(OLD, "os", parts=2)]
    assert not_before(half, DAY, GOING) == OLD.birth_keep_until
    assert not_before(half, DAY, Staying(OLD, "the newest")) == OLD.birth_keep_until
    assert not_before(half, DAY, REMAINS) == OLD.slot + DAY
    whole = [*half, shown(OLD, "data", parts=2)]
    assert not_before(whole, DAY, REMAINS) == OLD.birth_keep_until
    unready = [half[0], replace(whole[1], provisioning="Creating")]
    assert not_before(unready, DAY, REMAINS) == OLD.slot + DAY
    two_attempts = [shown(OLD, "os", 1, 2), shown(OLD, "data", 2, 2)]
    assert not_before(two_attempts, DAY, REMAINS) == OLD.slot + DAY


@pytest.mark.parametrize(
    ("standing", "points", "kept"),
    [
        (GOING, [OLD, NEW], [NEW]),
        (GOING, [OLD], []),
        (replace(GOING, remains=True), [OLD, NEW], [OLD, NEW]),
        (GOING, [changed(NEW, state=PointState.INCOMPLETE)], []),
        (replace(GOING, point=NEW), [OLD, NEW], []),
        (Staying(OLD, "the newest"), [OLD, NEW], [NEW]),
    ],
)
def test_what_is_kept_when_a_point_goes(standing: Standing, points: list[Point], kept: list[Point]) -> None:
    assert outliving(standing, points) == kept


def test_a_newer_point_counts_when_azure_shows_all_of_it() -> None:
    assert is_outlived([NEW], listed(shown(NEW)), "acct")
    assert is_outlived([SAME, NEW], listed(shown(NEW)), "acct")
    assert not is_outlived([], {}, "acct")


@pytest.mark.parametrize(
    "meddled",
    [
        {},
        {"provisioning": "Creating"},
        {"tags": {}},
        {"source_uid": "another"},
        {"id": shown(OLD).id},
    ],
    ids=["not there", "not ready", "not ours", "of another disk", "under another name"],
)
def test_a_newer_point_that_azure_does_not_show_whole_outlives_nothing(meddled: dict[str, object]) -> None:
    seen = replace(shown(NEW), **meddled)  # type: ignore[arg-type]  # a case names the fields it changes
    assert not is_outlived([NEW], {NEW.parts[0].id: seen} if meddled else {}, "acct")
    assert not is_outlived([changed(NEW, parts=())], listed(shown(NEW)), "acct")
