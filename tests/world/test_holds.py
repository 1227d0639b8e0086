"""Whether a lost hold is seen: on a snapshot, on its machine, and in a row that says more than Azure does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.model.identity import DiskUid, ResourceId
from tests.decide.points import part_of, point_of
from tests.world.catalogue import ENFORCED
from tests.world.holds import FOR_EVER, Holds, ends, is_unreadable
from tests.world.scenes import FIRST
from tests.world.twins.azure import SNAPSHOT_TYPE, Azure, SnapshotTruth

NOW = datetime.fromisoformat("2026-06-20T12:00:00+00:00")
MINUTE = timedelta(minutes=1)
PLACE = ResourceId(ENFORCED[0], "tagback-northeu", SNAPSHOT_TYPE, "tb-1")


class Bench:
    """One machine with one snapshot, and a clock that the test moves."""

    def __init__(self) -> None:
        self.now, self.broken = NOW, list[str]()
        self.azure = Azure(now=lambda: self.now)
        self.azure.write(FIRST)
        self.holds = Holds(self.azure, self._require)
        tags: dict[str, str] = {"tagback-vm": FIRST.uid}
        self.truth = SnapshotTruth(PLACE, DiskUid("d"), tags, NOW, NOW, fails=False, slow=False)
        self.azure.snapshots[PLACE] = self.truth

    def _require(self, holds: bool, promise: str, what: str) -> None:
        if not holds:
            self.broken.append(f"{promise}: {what}")

    def hold_machine(self, until: str) -> None:
        self.azure.write(replace(FIRST, tags={"Backup-Hold": until}))

    def deleted_after(self, pause: timedelta) -> int:
        """It is deleted; how much was broken so far."""
        self.now += pause
        self.holds.snapshot_deleted(self.truth, self.now)
        return len(self.broken)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_nobody_holds_may_go(bench: Bench) -> None:
    bench.holds.machine_shown(FIRST.uid, NOW)
    assert bench.deleted_after(60 * MINUTE) == 0


@pytest.mark.parametrize(("pause", "broken"), [(15, 0), (21, 1)])
def test_a_held_snapshot_stays_once_a_list_must_have_shown_the_hold(bench: Bench, pause: int, broken: int) -> None:
    bench.azure.hold(bench.truth, "forever")
    assert bench.deleted_after(pause * MINUTE) == broken


@pytest.mark.parametrize(("until", "broken"), [("2026-06-19", 0), ("2026-06-20", 1), ("2026-06-21", 1)])
def test_a_hold_lasts_through_its_day(bench: Bench, until: str, broken: int) -> None:
    bench.azure.hold(bench.truth, until)
    assert bench.deleted_after(60 * MINUTE) == broken


def test_a_hold_on_the_machine_counts_from_when_it_was_shown(bench: Bench) -> None:
    bench.hold_machine("forever")
    assert bench.deleted_after(60 * MINUTE) == 0
    bench.holds.machine_shown(FIRST.uid, NOW - MINUTE)
    assert bench.deleted_after(60 * MINUTE) == 0
    bench.holds.machine_shown(FIRST.uid, bench.now)
    assert bench.deleted_after(15 * MINUTE) == 0
    assert bench.deleted_after(6 * MINUTE) == 1


def test_a_longer_hold_on_the_machine_counts_from_when_that_one_was_shown(bench: Bench) -> None:
    bench.hold_machine("2026-06-19")
    bench.holds.machine_shown(FIRST.uid, bench.now)
    bench.now += MINUTE
    bench.hold_machine("forever")
    assert bench.deleted_after(60 * MINUTE) == 0
    bench.holds.machine_shown(FIRST.uid, bench.now)
    assert bench.deleted_after(60 * MINUTE) == 1


def test_a_row_must_not_say_held_before_azure_does(bench: Bench) -> None:
    row = replace(point_of(NOW), parts=(replace(part_of(NOW), id=PLACE),), held_until=FOR_EVER)
    bench.holds.point_written(row, replace(row, held_until=None))
    assert len(bench.broken) == 1
    bench.azure.hold(bench.truth, "forever")
    bench.holds.point_written(row, replace(row, held_until=None))
    assert len(bench.broken) == 1


def test_a_hold_that_somebody_takes_away_meanwhile_is_not_lost_by_the_product(bench: Bench) -> None:
    row = replace(point_of(NOW), parts=(replace(part_of(NOW), id=PLACE),), held_until=FOR_EVER)
    bench.azure.hold(bench.truth, "forever")
    bench.azure.let_go(bench.truth)
    bench.holds.point_written(row, replace(row, held_until=None))
    assert bench.broken == []
    bench.now += 61 * MINUTE
    bench.holds.point_written(row, replace(row, held_until=None))
    assert len(bench.broken) == 1


def test_holds_are_read_whatever_the_case_of_their_name() -> None:
    assert ends({"BACKUP-hold": "forever"}) == FOR_EVER
    assert ends({"backup": "gold"}) is None


@pytest.mark.parametrize(
    ("until", "odd"), [("2026-06-20", False), ("forever", False), ("2026-13-45", True), ("", True), ("soon", True)]
)
def test_what_is_no_date_holds_for_ever(until: str, odd: bool) -> None:
    assert is_unreadable({"Backup-Hold": until}) is odd
    assert (ends({"backup-hold": until}) == FOR_EVER) is (odd or until == "forever")
    assert not is_unreadable({})
