"""The scenes of single files: disks are lent to a protected machine, and taken back. Played by test_files.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.decide.tag_values import CLAIM
from shared.flows.expiring import expire
from shared.messages import REQUESTS
from shared.model.identity import ResourceId
from shared.model.request import Asked, Progress
from shared.model.restore import RestoreMode, RestoreOrder
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.restore_steps import arriving, carried, request_of, restore_asked, undo_asked
from tests.world.restores import PAUSE
from tests.world.scenes import FIRST, RULES, SECOND, SHARD, complete
from tests.world.seeded import Run

ORDER = RestoreOrder(RestoreMode.FILES, reader=str(SECOND.id))


@dataclass(frozen=True, slots=True)
class Lending:
    """Disks of the first machine that the second reads: lent, given back, or taken back once their time is over."""

    asked: Asked
    slices: int

    @property
    def name(self) -> str:
        return f"files, {self.asked}"


WAYS = (Lending(Asked.RESTORE, 4), Lending(Asked.UNDO, 4), Lending(Asked.TIDY, 4))


def lent(world: Run) -> None:
    carried(world, Asked.RESTORE, 4, PAUSE)
    done = request_of(world, Asked.RESTORE)
    assert done.progress is Progress.DONE, done


def prepared(way: Lending, slices: int) -> Callable[[Run], None]:
    """Everything before the slice that is to be harmed."""

    def prepare(world: Run) -> None:
        complete(world)
        restore_asked(world, FIRST.uid, ORDER)
        if way.asked is Asked.RESTORE:
            carried(world, Asked.RESTORE, slices, PAUSE)
            return
        lent(world)
        if way.asked is Asked.UNDO:
            undo_asked(world)
        else:
            pass_time(world, timedelta(days=1))
            perform(world, lambda ports: expire(ports, RULES))
        carried(world, way.asked, slices, PAUSE)

    return prepare


LENDINGS = tuple(
    (way, Scene(f"{way.name}, slice {number + 1}", prepared(way, number), REQUESTS, arriving(way.name, way.asked)))
    for way in WAYS
    for number in range(way.slices)
)


def problems(world: Run, way: Lending) -> list[str]:
    """What does not hold once it has come to rest, against the truth; none when all is well."""
    azure, request = world.stage.azure, request_of(world, way.asked)
    found = [] if request.progress is Progress.DONE else [f"it ended as {request.progress}: {request.because}"]
    reader = azure.vm(SECOND.id)
    assert reader is not None
    found += [f"{reader.id} is claimed still"] if CLAIM in reader.tags else []
    own = {disk.id for disk in SECOND.disks}
    held = {azure.made_from.get(disk.id) for disk in reader.disks if disk.id not in own}
    if not own <= {disk.id for disk in reader.disks} or len(reader.disks) != len(own) + len(held):
        found.append(f"the disks of {reader.id} are {reader.disks}")
    wanted = _parts(world) if way.asked is Asked.RESTORE else set()
    if held != wanted:
        found.append(f"{reader.id} reads {held}, not {wanted}")
    if way.asked is not Asked.RESTORE:
        found += [f"{place} is left" for place in azure.made_from if azure.disk(place) is not None]
    elif len(azure.made_from) != len(wanted):
        found.append(f"disks were made of {azure.made_from}")
    return [*found, *_captured(world)]


def _parts(world: Run) -> set[ResourceId | None]:
    restore = request_of(world, Asked.RESTORE).restore
    return {source.snapshot for source in restore.sources} if restore else set()


def _captured(world: Run) -> list[str]:
    """Points of the machine that reads which have one of the disks that were lent to it."""
    own = {disk.id for disk in SECOND.disks}
    points = [held.row for held in world.stage.world.ledger.points(SHARD, SECOND.uid)]
    return [f"{part.disk} is in a point" for point in points for part in point.parts if part.disk not in own]
