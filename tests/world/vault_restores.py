"""The scenes of restores from a vault: every slice of each, done and undone. Played by test_vault_restores.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.decide.restoring import tag_of
from shared.decide.tag_values import CLAIM
from shared.messages import REQUESTS
from shared.model.identity import ResourceId
from shared.model.machine import Status
from shared.model.request import Asked, Progress
from shared.model.restore import ArmPath, RestoreMode, RestoreOrder
from shared.model.vault import JobStatus
from shared.ports import World
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.restore_steps import arriving, carried, request_of, restore_asked, undo_asked
from tests.world.scenes import SHARD
from tests.world.seeded import Run
from tests.world.twins.azure import DISK_TYPE
from tests.world.twins.builder import Thing
from tests.world.twins.paired_regions import COPIED
from tests.world.twins.vaults import CROSS_REGION
from tests.world.vault_scenes import VM, backed_up, builder_of

STAGING = (
    f"/subscriptions/{SHARD.subscription}/resourceGroups/backups/providers/Microsoft.Storage/storageAccounts/stage1"
)
FAR = "farregion"
NETWORK = f"/subscriptions/{SHARD.subscription}/resourceGroups/far/providers/Microsoft.Network/virtualNetworks/net"
ELSEWHERE = "sub-two"
RESCUE = f"/subscriptions/{ELSEWHERE}/resourceGroups/rescue"
PAUSE = timedelta(seconds=100)  # the vault's job takes three minutes: a slice finds it running, the next one ended
ALL = 12  # slices that bring any of them to its end


@dataclass(frozen=True, slots=True)
class Way:
    """One mode, done, undone, or undone while the vault is at it; how many slices when nothing goes wrong. `region` is
    the paired one, `subscription` another one, where it comes back there."""

    mode: RestoreMode
    slices: int
    undone_after: int = 0
    region: str = ""
    subscription: str = ""

    @property
    def asked(self) -> Asked:
        return Asked.UNDO if self.undone_after else Asked.RESTORE

    @property
    def name(self) -> str:
        where = f" in {self.region or self.subscription}" if self.region or self.subscription else ""
        return (
            f"{self.mode} from a vault{where}, {f'undone after {self.undone_after}' if self.undone_after else 'done'}"
        )

    @property
    def order(self) -> RestoreOrder:
        order = RestoreOrder(self.mode, from_vault=True, staging=STAGING)
        network = f"{RESCUE}/providers/Microsoft.Network/virtualNetworks/net" if self.subscription else NETWORK
        subnet = "" if self.mode is RestoreMode.DISKS else f"{network}/subnets/a"
        if self.subscription:
            return replace(order, group=RESCUE, subnet=subnet)
        return replace(order, group="far", subnet=subnet, region=self.region) if self.region else order

    @property
    def jobs(self) -> str:
        """What the vault calls it."""
        return CROSS_REGION if self.region else "Restore"


WAYS = (
    Way(RestoreMode.DISKS, 3),
    Way(RestoreMode.IN_PLACE, 7),
    Way(RestoreMode.DISKS, 2, undone_after=ALL),
    Way(RestoreMode.DISKS, 2, undone_after=1),
    Way(RestoreMode.IN_PLACE, 6, undone_after=ALL),
    Way(RestoreMode.REBUILD, 4),
    Way(RestoreMode.NEW, 5),
    Way(RestoreMode.REBUILD, 3, undone_after=ALL),
    Way(RestoreMode.NEW, 2, undone_after=1),
    Way(RestoreMode.DISKS, 3, region=FAR),
    Way(RestoreMode.NEW, 5, region=FAR),
    Way(RestoreMode.DISKS, 3, undone_after=1, region=FAR),
    Way(RestoreMode.NEW, 3, undone_after=ALL, region=FAR),
    Way(RestoreMode.NEW, 5, subscription=ELSEWHERE),
    Way(RestoreMode.DISKS, 2, undone_after=1, subscription=ELSEWHERE),
    Way(RestoreMode.NEW, 3, undone_after=ALL, subscription=ELSEWHERE),
)
BESIDE = replace(VM.id, name=f"{VM.id.name}-restored")


def asked_for(world: Run, way: Way) -> None:
    """The machine has a point in a vault, and is gone where it is to be made again; somebody asked for it."""
    backed_up(world)
    if way.mode is RestoreMode.REBUILD:
        world.stage.azure.delete(VM)
    if way.region:
        _copied(world, way.region)
    if way.subscription:
        world.stage.azure.tag_group(way.subscription, "rescue", {})
    restore_asked(world, VM.uid, way.order)


def _copied(world: Run, region: str) -> None:
    """The paired region has the point by now, a group, and a network."""
    stage = world.stage
    stage.vaults.pairs[SHARD.region] = region
    for vault in stage.vaults.all.values():
        vault.crosses = True
    stage.azure.tag_group(SHARD.subscription, "far", {})
    network = {"id": NETWORK, "location": region, "properties": {"provisioningState": "Succeeded"}}
    builder_of(world).made[NETWORK.lower()] = Thing(network, stage.scheduler.now)
    pass_time(world, COPIED)


def prepared(way: Way, slices: int) -> Callable[[Run], None]:
    """Everything before the slice that is to be harmed."""

    def prepare(world: Run) -> None:
        asked_for(world, way)
        if not way.undone_after:
            carried(world, Asked.RESTORE, slices, PAUSE)
            return
        carried(world, Asked.RESTORE, way.undone_after, PAUSE)
        undo_asked(world)
        carried(world, Asked.UNDO, slices, PAUSE)

    return prepare


RESTORES = tuple(
    (way, Scene(f"{way.name}, slice {number + 1}", prepared(way, number), REQUESTS, arriving(way.name, way.asked)))
    for way in WAYS
    for number in range(way.slices)
)


class Verdict:
    """What must hold once a restore from a vault has come to rest (S13), against the truth."""

    def __init__(self, world: Run, way: Way) -> None:
        self._world = world
        self._way = way
        self._azure = world.stage.azure

    def problems(self) -> list[str]:
        """Every one of them in words; none when all is well."""
        request = request_of(self._world, self._way.asked)
        if request.progress is not Progress.DONE:
            return [f"it ended as {request.progress}: {request.because}"]
        found = self._undone() if self._way.undone_after else self._done()
        claimed = [str(vm.id) for vm in self._azure.vms() if CLAIM in vm.tags]
        return [*found, *(f"{place} is claimed still" for place in claimed)]

    def _left(self) -> list[str]:
        return [str(place) for place in self._world.stage.vaults.restored if self._azure.disk(place)]

    def _done(self) -> list[str]:
        request = request_of(self._world, Asked.RESTORE)
        assert request.restore is not None
        vaults = self._world.stage.vaults.all.values()
        ends = [job.status for vault in vaults for job in vault.jobs.values() if job.operation == self._way.jobs]
        problems = [] if ends == [JobStatus.COMPLETED] else [f"the vault was asked so often: {ends}"]
        known = [place for place in request.restore.makes if ResourceId.parse(place).type == DISK_TYPE]
        if sorted(self._left()) != sorted(known):
            problems.append(f"{self._left()} are there, and {known} are known")
        problems += [
            f"{place} is not marked as it should be" for place in request.restore.makes if not self._fine(place)
        ]
        if self._way.mode is RestoreMode.DISKS:
            return problems
        problems += self._taken_up()
        now, wanted = self._attached(), {one.made: one.lun for one in request.restore.sources}
        return problems if now == wanted else [*problems, f"its disks are {now}, not {wanted}"]

    def _fine(self, place: ArmPath) -> bool:
        """It carries the request, and no expiry any more."""
        found: list[bool] = []
        request = request_of(self._world, Asked.RESTORE)

        def look(ports: World) -> None:
            body = ports.builder.find(SHARD, place) or {}
            found.append((tag_of(body, "tagback-restore"), tag_of(body, "tagback-expires")) == (request.id, ""))

        perform(self._world, look)
        return found == [True]

    def _taken_up(self) -> list[str]:
        """A machine that was made is nobody's, whatever tags its disks and its model had."""
        if self._way.mode is RestoreMode.IN_PLACE:
            return []
        made = self._azure.vm(self._target())
        record = self._world.stage.ledger.held(made.shard, made.uid) if made else None
        excluded = record is not None and record.machine.row.status is Status.EXCLUDED
        return [] if excluded else [f"it is enrolled: {record}"]

    def _target(self) -> ResourceId:
        own = BESIDE if self._way.mode is RestoreMode.NEW else VM.id
        if self._way.mode not in (RestoreMode.REBUILD, RestoreMode.NEW):
            return own
        if self._way.subscription:
            return replace(own, subscription=self._way.subscription, group="rescue")
        return replace(own, group="far") if self._way.region else own

    def _attached(self) -> dict[str, int | None]:
        vm = self._azure.vm(self._target())
        return {str(disk.id): disk.lun for disk in vm.disks} if vm else {}

    def _undone(self) -> list[str]:
        problems = [f"{place} is left" for place in self._left()]
        if self._way.mode in (RestoreMode.REBUILD, RestoreMode.NEW):
            return problems if self._azure.vm(self._target()) is None else [*problems, "the machine is left"]
        known = {str(disk.id): disk.lun for disk in VM.disks}
        return problems if self._attached() == known else [*problems, f"its disks are {self._attached()}"]
