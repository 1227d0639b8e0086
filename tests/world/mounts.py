"""The scenes of files that are read from a vault: a point is mounted, and unmounted. Played by test_mounts.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.decide.mounting import readable
from shared.flows.expiring import expire
from shared.messages import REQUESTS
from shared.model.request import Asked, Progress
from shared.model.restore import RestoreMode, RestoreOrder
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.restore_steps import arriving, carried, request_of, restore_asked, undo_asked
from tests.world.scenes import RULES
from tests.world.seeded import Run
from tests.world.vault_scenes import VM, backed_up

ORDER = RestoreOrder(RestoreMode.FILES, from_vault=True)
PAUSE = timedelta(seconds=40)  # the vault mounts within a minute: a slice finds it at that, the next one done
SLICES = 3


@dataclass(frozen=True, slots=True)
class Mounting:
    """A point that is mounted, given back, given back while the vault is at it, or taken back when its time is over."""

    asked: Asked
    slices: int
    mounted: bool = True

    @property
    def name(self) -> str:
        return f"files from a vault, {self.asked}{'' if self.mounted else ' at once'}"


WAYS = (
    Mounting(Asked.RESTORE, SLICES),
    Mounting(Asked.UNDO, SLICES),
    Mounting(Asked.UNDO, SLICES, mounted=False),
    Mounting(Asked.TIDY, SLICES),
)


def mounted(world: Run) -> None:
    carried(world, Asked.RESTORE, SLICES, PAUSE)
    done = request_of(world, Asked.RESTORE)
    assert done.progress is Progress.DONE, done


def prepared(way: Mounting, slices: int) -> Callable[[Run], None]:
    """Everything before the slice that is to be harmed."""

    def prepare(world: Run) -> None:
        backed_up(world)
        restore_asked(world, VM.uid, ORDER)
        if way.asked is Asked.RESTORE:
            carried(world, Asked.RESTORE, slices, PAUSE)
            return
        if way.mounted:
            mounted(world)
        else:
            carried(world, Asked.RESTORE, 1, timedelta(0))
        if way.asked is Asked.UNDO:
            undo_asked(world)
            pass_time(world, timedelta(seconds=0 if way.mounted else 30))
        else:
            pass_time(world, timedelta(hours=12))
            perform(world, lambda ports: expire(ports, RULES))
        carried(world, way.asked, slices, PAUSE)

    return prepare


MOUNTINGS = tuple(
    (way, Scene(f"{way.name}, slice {number + 1}", prepared(way, number), REQUESTS, arriving(way.name, way.asked)))
    for way in WAYS
    for number in range(way.slices)
)


def problems(world: Run, way: Mounting) -> list[str]:
    """What does not hold once it has come to rest, against the truth; none when all is well."""
    request, vaults = request_of(world, way.asked), world.stage.vaults
    if request.progress is not Progress.DONE:
        return [f"it ended as {request.progress}: {request.because}"]
    found = [f"{place} is mounted still" for place in vaults.mounted]
    if way.asked is Asked.RESTORE:  # it was over meanwhile, and unmounted
        known = readable(request)
        asked = [operation for _, operation in vaults.ever_mounted]
        found += (
            [] if known and asked and known[1] == asked[-1] else [f"{known} can be fetched, and {asked} were mounted"]
        )
        found += [f"it was mounted {len(asked)} times"] if len(asked) > 2 else []
    return found
