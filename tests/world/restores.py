"""The scenes of restores: every slice of every mode, and of its undoing. Played by test_restores.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.decide.tag_values import CLAIM
from shared.messages import REQUESTS
from shared.model.identity import VM_TYPE, ResourceId
from shared.model.machine import Status
from shared.model.request import Asked, Progress
from shared.model.restore import RestoreMode, RestoreOrder
from tests.world.exhaustive import Scene
from tests.world.restore_steps import arriving, carried, request_of, restore_asked, undo_asked
from tests.world.scenes import FIRST, complete
from tests.world.seeded import Run
from tests.world.twins.azure import DISK_TYPE, VmTruth
from tests.world.twins.builder import BuilderTwin
from tests.world.whole_scenes import complete as whole_complete

BESIDE = replace(FIRST.id, name=f"{FIRST.id.name}-restored")
PAUSE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Way:
    """One mode, done or undone, and how many slices it takes when nothing goes wrong."""

    mode: RestoreMode
    slices: int
    undone: bool = False
    whole: bool = False

    @property
    def asked(self) -> Asked:
        return Asked.UNDO if self.undone else Asked.RESTORE

    @property
    def name(self) -> str:
        return f"{self.mode} {'undone' if self.undone else 'done'}{' of a restore point' if self.whole else ''}"


WAYS = (
    Way(RestoreMode.DISKS, 2),
    Way(RestoreMode.NEW, 4),
    Way(RestoreMode.REBUILD, 3),
    Way(RestoreMode.IN_PLACE, 6),
    Way(RestoreMode.DISKS, 2, undone=True),
    Way(RestoreMode.NEW, 4, undone=True),
    Way(RestoreMode.REBUILD, 3, undone=True),
    Way(RestoreMode.IN_PLACE, 6, undone=True),
)


def asked_for(world: Run, way: Way) -> None:
    """The machines have a point; the first is gone where it is to be made again; somebody asked."""
    if way.whole:
        whole_complete(world, replace(FIRST, tags={"backup": "whole"}))
    else:
        complete(world)
    if way.mode is RestoreMode.REBUILD:
        world.stage.azure.delete(FIRST)
    restore_asked(world, FIRST.uid, RestoreOrder(way.mode))


def prepared(way: Way, slices: int) -> Callable[[Run], None]:
    """Everything before the slice that is to be harmed."""

    def prepare(world: Run) -> None:
        asked_for(world, way)
        if not way.undone:
            carried(world, Asked.RESTORE, slices, PAUSE)
            return
        carried(world, Asked.RESTORE, 9, PAUSE)
        done = request_of(world, Asked.RESTORE)
        assert done.progress is Progress.DONE, done
        undo_asked(world)
        carried(world, Asked.UNDO, slices, PAUSE)

    return prepare


def scene_of(way: Way, number: int) -> Scene:
    return Scene(f"{way.name}, slice {number + 1}", prepared(way, number), REQUESTS, arriving(way.name, way.asked))


WHOLE = (
    Way(RestoreMode.DISKS, 2, whole=True),
    Way(RestoreMode.NEW, 4, whole=True),
    Way(RestoreMode.IN_PLACE, 6, whole=True),
    Way(RestoreMode.IN_PLACE, 6, undone=True, whole=True),
)
"""Only how disks are made differs by engine, so these are harmed in one slice each, and another mode in all of its."""
HARMED = (*WAYS, Way(RestoreMode.REBUILD, 3, whole=True))
RESTORES = (
    *((way, scene_of(way, number)) for way in HARMED for number in range(way.slices)),
    *((way, scene_of(way, 1)) for way in WHOLE),
)


class Verdict:
    """What must hold once a restore has come to rest (S13), against the truth."""

    def __init__(self, world: Run, way: Way) -> None:
        self._world = world
        self._way = way
        self._azure = world.stage.azure

    def problems(self) -> list[str]:
        """Every one of them in words; none when all is well."""
        request = request_of(self._world, self._way.asked)
        if request.progress is not Progress.DONE:
            return [f"it ended as {request.progress}: {request.because}"]
        found = self._undone() if self._way.undone else self._done()
        claimed = [str(vm.id) for vm in self._azure.vms() if CLAIM in vm.tags]
        return [*found, *(f"{place} is claimed still" for place in claimed), *self._strays()]

    def _done(self) -> list[str]:
        request = request_of(self._world, Asked.RESTORE)
        assert request.restore is not None
        sources = {source.snapshot: source.lun for source in request.restore.sources}
        made = [place for place in self._azure.made_from if place.type == DISK_TYPE]
        if {self._azure.made_from[place] for place in made} != set(sources) or len(made) != len(sources):
            return [f"disks were made of {self._azure.made_from}, not of {sources}"]
        if self._way.mode is RestoreMode.DISKS:
            return []
        return self._machine(self._azure.vm(self._target()), sources)

    def _target(self) -> ResourceId:
        return BESIDE if self._way.mode is RestoreMode.NEW else FIRST.id

    def _machine(self, vm: VmTruth | None, sources: dict[ResourceId, int | None]) -> list[str]:
        if vm is None:
            return ["there is no machine"]
        held = {self._azure.made_from.get(disk.id): disk.lun for disk in vm.disks}
        problems = [] if held == sources else [f"its disks are {held}, not {sources}"]
        record = self._world.stage.ledger.held(vm.shard, vm.uid)
        if self._way.mode is not RestoreMode.IN_PLACE and (
            record is None or record.machine.row.status is not Status.EXCLUDED
        ):
            problems.append(f"it is enrolled: {record}")
        return problems

    def _undone(self) -> list[str]:
        problems = [f"{place} is left" for place in self._azure.made_from if self._azure.disk(place) is not None]
        if self._azure.vm(BESIDE) is not None:
            problems.append("the machine beside is left")
        vm = self._azure.vm(FIRST.id)
        if self._way.mode is RestoreMode.REBUILD:
            return [*problems, "the machine is left"] if vm else problems
        disks = [(disk.id, disk.lun) for disk in vm.disks] if vm else []
        if sorted(disks, key=str) != sorted(((disk.id, disk.lun) for disk in FIRST.disks), key=str):
            problems.append(f"its disks are {disks}")
        return problems

    def _strays(self) -> list[str]:
        """What was made and is not among what the restore said that it makes."""
        builder = self._world.stage.world.builder
        assert isinstance(builder, BuilderTwin)
        request = request_of(self._world, Asked.RESTORE)
        said = {place.lower() for place in request.restore.makes} if request.restore else set()
        said |= {str(FIRST.id), *(str(disk.id) for disk in FIRST.disks)}
        known = {place for place in builder.made if VM_TYPE in place or DISK_TYPE in place or "/tb-" in place}
        return [f"{place} was made and never mentioned" for place in sorted(known - said)]
