"""Whether the promises about deletions can be seen broken at all: each wrong deletion is called by its name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from shared.model.machine import Machine
from shared.model.point import Part, Point, PointState, Removal
from tests.decide.plans import machine as ledger_machine
from tests.decide.points import part_of, point_of
from tests.world.catalogue import ENFORCED, ORPHAN_KEEP
from tests.world.removals import STAMP, Removals
from tests.world.scenes import FIRST, SHARD
from tests.world.twins.azure import Azure, SnapshotTruth

NOW = datetime.fromisoformat("2026-06-20T12:00:00+00:00")
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@dataclass
class Bench:
    """Removals over an Azure with one living machine and two complete points, the older one due."""

    broken: list[str] = field(default_factory=list)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.azure = Azure(now=lambda: self.now)
        self.azure.lives[FIRST.uid] = [(NOW - 90 * DAY, FIRST)]
        self.removals = Removals(self.azure, self._require)
        self.old, self.new = self.complete(NOW - 8 * DAY), self.complete(NOW - DAY)
        self.removals.audited(json.dumps({"event": "point.deleting", "parts": [self.old.parts[0].id.name]}))

    def _require(self, holds: bool, promise: str, what: str) -> None:
        if not holds:
            self.broken.append(promise)

    def complete(self, slot: datetime) -> Point:
        return self.written(self.made(slot), None)

    def made(self, slot: datetime) -> Point:
        part = replace(part_of(slot), id=replace(part_of(slot).id, subscription=ENFORCED[0]))
        point = replace(point_of(slot), uid=FIRST.uid, parts=(part,))
        self.born(part, slot, point.keep_until)
        return point

    def born(self, part: Part, slot: datetime, until: datetime) -> None:
        tags = {
            "tagback-vm": FIRST.uid,
            "tagback-slot": slot.strftime(STAMP),
            "tagback-keep-until": until.strftime(STAMP),
        }
        self.azure.snapshots[part.id] = SnapshotTruth(part.id, part.disk_uid, tags, slot, slot, fails=False, slow=False)
        self.removals.born.add(part.id)

    def written(self, point: Point, was: Point | None, row: Machine | None = None) -> Point:
        self.removals.point_written(SHARD, point, was, row or ledger_machine())
        return point

    def claim(self, point: Point, planned: bool, left_at: datetime | None = None) -> None:
        removal = Removal(NOW, NOW, "due", planned=planned)
        self.written(replace(point, state=PointState.DELETING, removal=removal), point, ledger_machine(left_at=left_at))

    def delete(self, point: Point) -> None:
        self.removals.snapshot_deleted(self.azure.snapshots[point.parts[0].id], self.now)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_right_deletion_breaks_nothing(bench: Bench) -> None:
    bench.delete(bench.old)
    assert bench.broken == []


def test_one_before_its_date_is_seen(bench: Bench) -> None:
    bench.written(replace(bench.old, keep_until=NOW + DAY), bench.old)
    bench.delete(bench.old)
    assert bench.broken == ["S3"]


def test_one_without_an_audit_line_is_seen(bench: Bench) -> None:
    bench.removals._announced.clear()
    bench.delete(bench.old)
    assert bench.broken == ["S12"]


def test_a_snapshot_that_is_not_ours_is_seen(bench: Bench) -> None:
    bench.removals.born.clear()
    bench.delete(bench.old)
    assert bench.broken == ["S10"]


def test_the_last_point_of_a_living_machine_is_seen(bench: Bench) -> None:
    bench.azure.remove(bench.azure.snapshots[bench.new.parts[0].id])
    bench.delete(bench.old)
    assert bench.broken == ["S4"]


def test_the_last_point_may_go_once_its_machine_has_long_left(bench: Bench) -> None:
    bench.azure.remove(bench.azure.snapshots[bench.new.parts[0].id])
    bench.azure.lives[FIRST.uid].append((NOW - ORPHAN_KEEP, None))
    bench.delete(bench.old)
    assert bench.broken == []


def test_a_remnant_of_a_better_point_may_go_after_a_day_and_not_before(bench: Bench) -> None:
    slot = NOW - DAY
    remnant = replace(
        bench.new, parts=(replace(part_of(slot, 7), id=replace(part_of(slot, 7).id, subscription=ENFORCED[0])),)
    )
    bench.born(remnant.parts[0], slot, NOW + 6 * DAY)
    bench.removals.audited(json.dumps({"event": "point.deleting", "parts": [remnant.parts[0].id.name]}))
    bench.delete(remnant)
    assert bench.broken == []
    bench.now = NOW - 10 * MINUTE
    bench.delete(remnant)
    assert bench.broken == ["S3"]


def test_more_than_was_gained_is_seen(bench: Bench) -> None:
    """Two points were gained today, so three may go as planned."""
    points = [bench.made(NOW - age * DAY) for age in range(20, 24)]
    for point in points:
        bench.claim(point, planned=True)
    assert bench.broken == ["S3"]


def test_more_unplanned_ones_than_a_day_allows_are_seen(bench: Bench) -> None:
    for age in range(20, 31):
        bench.claim(bench.made(NOW - age * DAY), planned=False, left_at=NOW - 4 * DAY)
    assert bench.broken == ["S3"]


def test_an_unplanned_one_within_three_days_is_seen(bench: Bench) -> None:
    bench.claim(bench.old, planned=False, left_at=NOW - 3 * DAY + 6 * MINUTE)
    assert bench.broken == ["S3"]


@pytest.mark.parametrize(("hours", "broken"), [(None, ["S3"]), (71, ["S3"]), (73, [])])
def test_one_before_its_ledger_date_is_seen_unless_its_plan_became_shorter_three_days_ago(
    bench: Bench, hours: int | None, broken: list[str]
) -> None:
    kept = bench.written(replace(bench.old, keep_until=NOW + DAY), bench.old)
    bench.azure.snapshots[kept.parts[0].id].tags["tagback-birth-keep-until"] = (NOW - DAY).strftime(STAMP)
    whole = bench.removals.whole
    whole.update({key: replace(one, since=one.slot) for key, one in whole.items()})
    if hours is not None:
        bench.removals.plans.set_keep("gold", "48h3d", NOW - timedelta(hours=hours))
    bench.claim(kept, planned=False)
    bench.delete(kept)
    assert bench.broken == broken
