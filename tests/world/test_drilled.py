"""Whether a drill that goes astray can be seen: what it touches, what it leaves, and what it says that is not so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.model.drill import Drill
from shared.model.identity import DiskUid, ResourceId, VmUid
from shared.model.machine import Machine, Status
from shared.model.request import Asked, Progress, Request
from tests.decide.plans import machine
from tests.world.drilled import DRILL
from tests.world.exhaustive import small_world
from tests.world.scenes import FIRST, SHARD
from tests.world.twins.azure import SNAPSHOT_TYPE, DiskTruth, SnapshotTruth, VmTruth, disk_place, vm_place
from tests.world.twins.builder import BuilderTwin, Thing

HOUR = timedelta(hours=1)
MADE = vm_place("sub-one", "app", "tb-made")
SOURCE = ResourceId("sub-one", "tagback-northeu", SNAPSHOT_TYPE, "tb-1")


class Bench:
    """A world whose builder is watched, with one drill that made a machine from a snapshot of the first."""

    def __init__(self) -> None:
        self.world = small_world()
        self.azure, self.drilled = self.world.stage.azure, self.world.promises.drilled
        builder = self.world.stage.world.builder
        assert isinstance(builder, BuilderTwin)
        self.builder = builder
        self.drilled.watch(builder)
        self.now = self.world.stage.scheduler.now

    @property
    def broken(self) -> list[str]:
        return [violation.promise for violation in self.world.promises.violations]

    def made(self, of: str = FIRST.uid) -> VmTruth:
        disk = DiskTruth(disk_place("sub-one", "app", "tb-disk"), DiskUid("d"), None)
        truth = SnapshotTruth(SOURCE, DiskUid("s"), {"tagback-vm": of}, self.now, self.now, fails=False, slow=False)
        self.azure.snapshots[SOURCE] = truth
        self.azure.made_from[disk.id] = SOURCE
        vm = VmTruth(MADE, VmUid("made-1"), "tb-made", "northeu", {DRILL: "drill-1"}, (disk,))
        self.azure.write(vm)
        return vm

    def said(self, proven: bool = True) -> None:
        verdict = Drill("drill-1", self.now, self.now, self.now, proven=proven, because="")
        self.drilled.machine_written(replace(row_of(FIRST), drill=verdict), row_of(FIRST))

    def asked(self, at: datetime) -> None:
        request = Request("drill-1", Asked.DRILL, SHARD, FIRST.uid, "drill", at, Progress.ASKED)
        self.world.stage.requests.asked[request.id] = request


def row_of(vm: VmTruth) -> Machine:
    return replace(machine(), uid=vm.uid, id=vm.id, status=Status.EXCLUDED, enrolled_at=None)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_proof_of_what_was_restored_and_spoke_breaks_nothing(bench: Bench) -> None:
    bench.made()
    bench.said()
    assert bench.broken == []


def test_a_proof_without_a_machine_is_none(bench: Bench) -> None:
    bench.said()
    assert bench.broken == ["S13"]


def test_a_proof_of_another_machine_is_none(bench: Bench) -> None:
    bench.made(of="uid-2")
    bench.said()
    assert bench.broken == ["S13"]


def test_a_machine_that_said_otherwise_is_not_proven(bench: Bench) -> None:
    bench.made()
    bench.drilled._said.clear()
    bench.drilled.break_down(FIRST)
    bench.said(proven=False)
    assert bench.broken == []
    bench.said()
    assert bench.broken == ["S13"]


def test_what_a_drill_made_is_enrolled_by_nobody(bench: Bench) -> None:
    made = bench.made()
    bench.drilled.machine_written(row_of(made), None)
    assert bench.broken == []
    bench.drilled.machine_written(replace(row_of(made), status=Status.PENDING), None)
    assert bench.broken == ["S13"]


@pytest.mark.parametrize(
    ("place", "mine", "broken"),
    [(MADE, True, []), (FIRST.id, False, ["S10"]), (vm_place("x", "a", "b"), True, ["S10"])],
)
def test_a_drill_touches_nothing_but_its_own_pieces(
    bench: Bench, place: ResourceId, mine: bool, broken: list[str]
) -> None:
    bench.builder.touched("remove", str(place), mine)
    assert bench.broken == broken


def test_whatever_a_drill_leaves_is_found(bench: Bench) -> None:
    bench.drilled.check()
    assert bench.broken == []
    bench.builder.made["/nic"] = Thing({"tags": {DRILL: "drill-1"}}, bench.now)
    bench.drilled.check()
    assert bench.broken == ["S8"]


def test_a_machine_that_a_drill_leaves_is_found(bench: Bench) -> None:
    bench.made()
    bench.drilled.check()
    assert bench.broken == ["S8"]


@pytest.mark.parametrize(("hours", "broken"), [(23, []), (25, ["S8"])])
def test_a_drill_that_does_not_end_is_found(bench: Bench, hours: int, broken: list[str]) -> None:
    bench.asked(bench.now - hours * HOUR)
    bench.drilled.check()
    assert bench.broken == broken


def test_worlds_without_drills_are_not_judged(bench: Bench) -> None:
    calm = small_world().promises.drilled
    calm.machine_written(row_of(FIRST), None)
    calm.check()
    assert calm.builder is None
