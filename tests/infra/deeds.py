"""Everything that each role is there for, as one deed for each thing that the product asks of Azure.

A deed does it through the real adapters and says whether it came about. Somebody who holds everything prepares.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import time, timedelta
from functools import partial
from typing import Any

from shared.decide.lending import attached
from shared.decide.policies import properties_of
from shared.decide.probing import Seen, command_body, command_place, commanded
from shared.decide.swapping import power
from shared.decide.vaults import VAULT_TYPE
from shared.errors import CloudError
from shared.model.drill import Trial
from shared.model.identity import ResourceId
from shared.model.machine import Sighting
from shared.model.mount import VaultMount
from shared.model.plan import Age, Keep, PolicyType, Unit, VaultPart, VaultSchedule
from shared.model.restore import ArmPath, Power
from shared.model.restore_point import Mode, RestorePointOrder
from shared.model.snapshot import SnapshotOrder
from shared.model.vault import Act, ItemOrder, JobStatus
from shared.model.vault_restore import RecoveryOrder
from shared.ports import World
from tests.infra.estate import REGION, Estate

PART = VaultPart(VaultSchedule(time(22), "UTC"), Keep((Age(30, Unit.DAY),)), PolicyType.STANDARD, 2)
POLICY = "tagback-gold-2200"


@dataclass(frozen=True, slots=True)
class Turn:
    """One principal's turn at the deeds of its role; `vault` protects vm2 already."""

    site: Estate
    world: World
    vault: ResourceId

    def snapshot(self) -> ResourceId:
        """A snapshot of vm2's disk that somebody else has made."""
        with self.site.acting("test") as (owner, _):
            return self.taken(owner)

    def taken(self, by: World) -> ResourceId:
        source = ResourceId.parse(str(self.site.vm("vm2")).replace("virtualmachines/vm2", "disks/vm2-os"))
        place = by.snapshots.place(self.site.shard, f"tb-{uuid.uuid4().hex}")
        by.snapshots.create(SnapshotOrder(place, source, self.site.shard, {"tagback-slot": "20261120T0200Z"}))
        self.site.clock.sleep(60)
        return place

    def sees(self, place: ResourceId | ArmPath) -> Any:
        """What is at a place, as the owner sees it."""
        return self.site.running.ask("GET", str(place)).body


def _interfaces_and_extensions(seen: Sighting) -> bool:
    return bool(seen.model["interfaces"]) and bool(seen.model["extensions"])


def _fleet(turn: Turn) -> bool:
    pages = turn.world.inventory.fleet([turn.site.subscription])
    seen = {sighting.name: sighting for page in pages for sighting in page}
    return {"vm1", "vm2"} <= set(seen) and seen["vm1"].group is not None


def _shard(turn: Turn) -> bool:
    seen = {sighting.name: sighting for sighting in turn.world.inventory.shard(turn.site.shard).values()}
    return "vm1" in seen and all(disk.uid for disk in seen["vm1"].disks)


def _shard_with_models(turn: Turn) -> bool:
    seen = {sighting.name: sighting for sighting in turn.world.inventory.shard(turn.site.shard).values()}
    return "vm1" in seen and _interfaces_and_extensions(seen["vm1"])


def _look(turn: Turn) -> bool:
    found = turn.world.inventory.look(turn.site.vm("vm1"))
    return isinstance(found, Sighting) and found.group is not None


def _examine(turn: Turn) -> bool:
    found = turn.world.inventory.examine(turn.site.vm("vm1"))
    return isinstance(found, Sighting) and _interfaces_and_extensions(found)


def _enabled(turn: Turn) -> bool:
    return turn.world.inventory.enabled(turn.site.subscription)


def _captured(turn: Turn) -> bool:
    turn.world.snapshots.prepare(turn.site.shard)
    place = turn.taken(turn.world)
    return turn.world.snapshots.find(place) is not None


def _merged(turn: Turn) -> bool:
    place = turn.snapshot()
    turn.world.snapshots.merge(place, {"backup-hold": "2027-01-01"})
    return bool(turn.sees(place)["tags"].get("backup-hold") == "2027-01-01")


def _listed(turn: Turn) -> bool:
    place = turn.snapshot()
    return place in {seen.id for seen in turn.world.holdings.snapshots(turn.site.shard)}


def _shards(turn: Turn) -> bool:
    return list(turn.world.holdings.shards(turn.site.subscription)) == [turn.site.shard]


def _deleted(turn: Turn) -> bool:
    place = turn.snapshot()
    turn.world.deletions.delete(turn.site.shard, place)
    turn.site.clock.sleep(60)
    return "error" in turn.sees(place)


def _ordered(turn: Turn, by: World) -> RestorePointOrder:
    """A restore point of a machine of its own: of one machine there is one in an hour."""
    vm = _new_machine(turn)
    collection = by.restore_points.place(turn.site.shard, 7, f"tb-{uuid.uuid4().hex}")
    place = replace(collection, name=f"{collection.name}/restorepoints/tb-{uuid.uuid4().hex[:8]}")
    return RestorePointOrder(place, vm, turn.site.shard, Mode.CRASH, (), {"tagback-vm": "x"})


def _whole(turn: Turn) -> RestorePointOrder:
    """A restore point that somebody else has made."""
    with turn.site.acting("test") as (owner, _):
        order = _ordered(turn, owner)
        owner.restore_points.prepare(order)
        owner.restore_points.create(order)
        turn.site.clock.sleep(120)
        return order


def _taken_as_one(turn: Turn) -> bool:
    points = turn.world.restore_points
    order = _ordered(turn, turn.world)
    points.prepare(order)
    points.create(order)
    turn.site.clock.sleep(120)
    points.mark(order.id, {"tagback-plan": "quick"})
    seen = points.find(order.id)
    return seen is not None and seen.provisioning == "Succeeded" and seen.tags["tagback-plan"] == "quick"


def _held_as_one(turn: Turn) -> bool:
    order = _whole(turn)
    turn.world.restore_points.mark(order.id, {"tagback-hold-20261120T0200Z": "forever"})
    seen = turn.world.restore_points.find(order.id)
    listed = {one.id for one in turn.world.holdings.restore_points(turn.site.shard)}
    return seen is not None and len(seen.tags) == 3 and order.id in listed


def _deleted_as_one(turn: Turn) -> bool:
    order = _whole(turn)
    there = (
        turn.world.restore_points.find(order.id) is not None and len(turn.world.restore_points.of(order.id.top)) == 1
    )
    turn.world.deletions.delete(turn.site.shard, order.id)
    turn.site.clock.sleep(120)
    return there and "error" in turn.sees(order.id)


def _disk_from_whole(turn: Turn) -> bool:
    """A disk from what lies in a restore point."""
    with turn.site.acting("test") as (owner, _):
        seen = owner.restore_points.find(_whole(turn).id)
    source = seen.inside[0].id if seen else None
    if source is None or turn.world.builder.find(turn.site.shard, ArmPath(str(source))) is None:
        return False
    place = _in_web("Microsoft.Compute/disks", f"d-{uuid.uuid4().hex[:8]}", turn)
    creation = {"createOption": "Restore", "sourceResourceId": str(source)}
    turn.world.builder.make(turn.site.shard, place, {"location": REGION, "properties": {"creationData": creation}})
    turn.site.clock.sleep(60)
    return turn.world.builder.find(turn.site.shard, place) is not None


def _told_the_time(turn: Turn) -> bool:
    return turn.world.deletions.azure_now(turn.site.shard).year == turn.site.clock.now().year


def prepared(site: Estate) -> ResourceId:
    """A vault of ours that protects vm2 and has backed it up once."""
    with site.acting("test") as (owner, _):
        place = ResourceId(site.subscription, f"tagback-{REGION}", VAULT_TYPE, "rsv-test")
        crossing = {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Enabled"}
        body = {"location": REGION, "sku": {"name": "RS0", "tier": "Standard"}}
        site.running.put_done(str(place), {**body, "properties": {"redundancySettings": crossing}})
        owner.vaults.write_policy(place, POLICY, properties_of(PART, time(22)))
        site.clock.sleep(120)
        _refreshed(Turn(site, owner, place))
        owner.vault_items.change(ItemOrder(Act.PROTECT, place, site.vm("vm2"), POLICY))
        site.clock.sleep(600)
        _backed_up(Turn(site, owner, place))
        return place


def _vaults(turn: Turn) -> bool:
    return turn.vault in {seen.id for seen in turn.world.vaults.vaults(turn.site.shard)}


def _policies(turn: Turn) -> bool:
    return POLICY in turn.world.vaults.policies(turn.vault)


def _policy_written(turn: Turn) -> bool:
    turn.world.vaults.write_policy(turn.vault, f"p-{uuid.uuid4().hex[:8]}", properties_of(PART, time(22)))
    turn.site.clock.sleep(120)
    return True


def _refreshed(turn: Turn) -> bool:
    operation = turn.world.vault_items.refresh(turn.vault)
    turn.site.clock.sleep(1800)
    return turn.world.vault_items.refreshed(turn.vault, operation)


def _protectable(turn: Turn) -> bool:
    return turn.site.vm("vm1") in set(turn.world.vault_items.protectable(turn.vault))


def _items(turn: Turn) -> bool:
    return turn.site.vm("vm2") in {item.vm for item in turn.world.vault_items.items(turn.vault)}


def _new_machine(turn: Turn) -> ResourceId:
    name = f"m{uuid.uuid4().hex[:8]}"
    disk = {"osType": "Linux", "createOption": "FromImage", "managedDisk": {"storageAccountType": "Premium_LRS"}}
    image = {"publisher": "Canonical", "offer": "jammy", "sku": "22_04", "version": "latest"}
    person = {"computerName": name, "adminUsername": "someone", "adminPassword": "Secret-123"}
    storage = {"imageReference": image, "osDisk": disk}
    properties = {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}, "storageProfile": storage, "osProfile": person}
    turn.site.running.put_done(str(turn.site.vm(name)), {"location": REGION, "properties": properties})
    return turn.site.vm(name)


def _validated(turn: Turn) -> bool:
    return turn.world.vault_items.refusal(turn.vault, turn.site.vm("vm1"), REGION) is None


def _protected(turn: Turn) -> bool:
    """A machine of its own: the service looks at the machine only when it is new to the vault."""
    order = ItemOrder(Act.PROTECT, turn.vault, _new_machine(turn), POLICY)
    operation = turn.world.vault_items.change(order)
    turn.site.clock.sleep(600)
    return turn.world.vault_items.tracked(turn.vault, operation).done


def _emptied(turn: Turn) -> bool:
    """What a vault has of a machine, that somebody else put there, is seen and deleted."""
    vm = _new_machine(turn)
    with turn.site.acting("test") as (owner, _):
        owner.vault_items.change(ItemOrder(Act.PROTECT, turn.vault, vm, POLICY))
        turn.site.clock.sleep(600)
    if vm not in {item.vm for item in turn.world.vault_items.items(turn.vault)}:
        return False
    turn.world.vault_items.delete(turn.vault, vm)
    turn.site.clock.sleep(3600)
    return all(item.soft_deleted for item in turn.world.vault_items.items(turn.vault) if item.vm == vm)


def _backed_up(turn: Turn) -> bool:
    turn.world.vault_jobs.back_up(turn.vault, turn.site.vm("vm2"), turn.site.clock.now() + timedelta(days=30))
    turn.site.clock.sleep(timedelta(hours=12).total_seconds())
    return True


def _called_off(turn: Turn) -> bool:
    """A backup that somebody else asked for is cancelled."""
    vm, jobs = turn.site.vm("vm2"), turn.world.vault_jobs
    with turn.site.acting("test") as (owner, _):
        operation = owner.vault_jobs.back_up(turn.vault, vm, turn.site.clock.now() + timedelta(days=30))
        turn.site.clock.sleep(30)
        name = owner.vault_items.tracked(turn.vault, operation).job
        with suppress(CloudError):
            jobs.cancel(turn.vault, name)
        turn.site.clock.sleep(timedelta(hours=12).total_seconds())
        seen = owner.vault_jobs.job(turn.vault, name)
    return seen is not None and seen.status is JobStatus.CANCELLED


def _started(turn: Turn) -> bool:
    """A machine that does not run is seen to be so, and started for its backup."""
    shard, place = turn.site.shard, ArmPath(str(turn.site.vm("vm2")))
    turn.site.running.ask("POST", f"{place}/deallocate", {})
    turn.site.clock.sleep(300)
    if power(turn.world.builder.find(shard, place) or {}) != "deallocated":
        return False
    turn.world.builder.power(shard, place, Power.START)
    turn.site.clock.sleep(300)
    return power(turn.world.builder.find(shard, place) or {}) == "running"


def _jobs(turn: Turn) -> bool:
    jobs = list(turn.world.vault_jobs.jobs(turn.vault, turn.site.clock.now() - timedelta(days=20)))
    return bool(jobs) and turn.world.vault_jobs.job(turn.vault, jobs[0].name) is not None


def _vault_points(turn: Turn) -> bool:
    return bool(turn.world.vault_jobs.points(turn.vault, turn.site.vm("vm2")))


def _in_web(kind: str, name: str, turn: Turn) -> ArmPath:
    return ArmPath(f"/subscriptions/{turn.site.subscription}/resourceGroups/web/providers/{kind}/{name}")


def _referred_to(turn: Turn) -> bool:
    """What is not there is read as such, by whoever may read it."""
    kinds = ("networkSecurityGroups", "publicIPAddresses")
    places = [_in_web(f"Microsoft.Network/{kind}", "none", turn) for kind in kinds]
    places.append(_in_web("Microsoft.Network/virtualNetworks", "none/subnets/none", turn))
    return all(turn.world.builder.find(turn.site.shard, place) is None for place in places)


def _disk_restored(turn: Turn) -> ArmPath | None:
    """A disk made from a snapshot; what any restore begins with."""
    source, place = turn.snapshot(), _in_web("Microsoft.Compute/disks", f"d-{uuid.uuid4().hex[:8]}", turn)
    if turn.world.builder.find(turn.site.shard, ArmPath(str(source))) is None:
        return None
    creation = {"createOption": "Copy", "sourceResourceId": str(source)}
    turn.world.builder.make(turn.site.shard, place, {"location": REGION, "properties": {"creationData": creation}})
    turn.site.clock.sleep(60)
    return place if turn.world.builder.find(turn.site.shard, place) else None


def _interface_made(turn: Turn) -> ArmPath | None:
    """An interface in the subnet of vm1."""
    machine = turn.sees(turn.site.vm("vm1"))
    card = turn.sees(machine["properties"]["networkProfile"]["networkInterfaces"][0]["id"])
    subnet = card["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    place = _in_web("Microsoft.Network/networkInterfaces", f"n-{uuid.uuid4().hex[:8]}", turn)
    address = {"name": "one", "properties": {"subnet": {"id": subnet}, "privateIPAllocationMethod": "Dynamic"}}
    turn.world.builder.make(turn.site.shard, place, {"location": REGION, "properties": {"ipConfigurations": [address]}})
    turn.site.clock.sleep(60)
    return place if turn.world.builder.find(turn.site.shard, place) else None


def _restored_and_undone(turn: Turn) -> bool:
    """A machine from a snapshot, with a new interface: stopped, started, tagged, and taken away again."""
    builder, shard = turn.world.builder, turn.site.shard
    disk, card = _disk_restored(turn), _interface_made(turn)
    if disk is None or card is None:
        return False
    place = _in_web("Microsoft.Compute/virtualMachines", f"v-{uuid.uuid4().hex[:8]}", turn)
    storage = {"osDisk": {"osType": "Linux", "createOption": "Attach", "managedDisk": {"id": disk}}, "dataDisks": []}
    network = {"networkInterfaces": [{"id": card, "properties": {"primary": True}}]}
    hardware = {"vmSize": "Standard_D2s_v5"}
    properties = {"hardwareProfile": hardware, "storageProfile": storage, "networkProfile": network}
    builder.make(shard, place, {"location": REGION, "properties": properties})
    for wanted in Power:
        turn.site.clock.sleep(300)
        builder.power(shard, place, wanted)
    turn.site.clock.sleep(300)
    builder.tag(shard, place, {"tagback-restore": "x"}, {})
    for each in (place, card, disk):
        if builder.find(shard, each) is None:
            return False
        builder.remove(shard, each)
        turn.site.clock.sleep(300)
    return all(builder.find(shard, each) is None for each in (place, card, disk))


def _lent(turn: Turn) -> bool:
    """A disk at a machine that is there, as far as it has room, and back again."""
    builder, shard, reader = turn.world.builder, turn.site.shard, ArmPath(str(turn.site.vm("vm1")))
    disk = _disk_restored(turn)
    if disk is None or not builder.room(shard, reader, "Standard_D2s_v5"):
        return False
    builder.attach(shard, reader, {disk: 9})
    turn.site.clock.sleep(300)
    there = attached(builder.find(shard, reader) or {}, [disk])
    builder.detach(shard, reader, list(there))
    turn.site.clock.sleep(300)
    return there == {disk: 9} and not attached(builder.find(shard, reader) or {}, [disk])


def _recovered(turn: Turn) -> bool:
    """Disks from a point in a vault: checked, asked for, followed and listed; a job that nobody wants is cancelled."""
    world, vm = turn.world, turn.site.vm("vm2")
    with turn.site.acting("test") as (owner, _):
        point = owner.vault_jobs.points(turn.vault, vm)[0].name
    group = f"/subscriptions/{turn.site.subscription}/resourceGroups/web"
    staging = f"{group}/providers/Microsoft.Storage/storageAccounts/stage1"
    order = RecoveryOrder(turn.vault, vm, point, group, staging, REGION)
    before = len(world.vault_restores.disks(group))
    ends = []
    for wait in (20, 7200):
        if world.vault_restores.check(order):
            return False
        operation = world.vault_restores.restore(order)
        turn.site.clock.sleep(wait)
        name = world.vault_items.tracked(turn.vault, operation).job
        seen = world.vault_jobs.job(turn.vault, name)
        if seen and seen.status.open:
            world.vault_jobs.cancel(turn.vault, name)
            turn.site.clock.sleep(300)
            seen = world.vault_jobs.job(turn.vault, name)
        ends.append(seen.status if seen else None)
    made = len(world.vault_restores.disks(group)) - before
    return _vaults(turn) and ends == [JobStatus.CANCELLED, JobStatus.COMPLETED] and made == 1


def _recovered_in_the_paired_region(turn: Turn) -> bool:
    """Disks from the copy of a point: looked for, asked for, followed, by a network that is looked at there."""
    world, vm, vault = turn.world, turn.site.vm("vm2"), turn.vault
    turn.site.clock.sleep(timedelta(hours=12).total_seconds())
    region = world.paired_regions.pair(turn.site.subscription, REGION)
    there = world.paired_regions.points(vault, vm)
    group = f"/subscriptions/{turn.site.subscription}/resourceGroups/web"
    staging = f"{group}/providers/Microsoft.Storage/storageAccounts/stage1"
    place = _in_web("Microsoft.Network/virtualNetworks", "none", turn)
    if not there or turn.world.builder.find(turn.site.shard, place) is not None:
        return False
    order = RecoveryOrder(vault, vm, there[0].name, group, staging, region)
    since = turn.site.clock.now() - timedelta(minutes=2)
    operation = world.paired_regions.restore(order)
    turn.site.clock.sleep(60)
    name = world.paired_regions.tracked(vault, region, operation).job
    turn.site.clock.sleep(7200)
    listed = [job.name for job in world.paired_regions.jobs(vault, region, since)]
    seen = world.paired_regions.job(vault, region, name)
    return name in listed and seen is not None and seen.status is JobStatus.COMPLETED


def _mounted(turn: Turn) -> bool:
    """A point is mounted for whoever reads single files of it, and unmounted."""
    world, vm = turn.world, turn.site.vm("vm2")
    with turn.site.acting("test") as (owner, _):
        point = owner.vault_jobs.points(turn.vault, vm)[0].name
    mount, seen = VaultMount(turn.vault, vm, point), []
    for change in (partial(world.vault_mounts.mount, again=False), world.vault_mounts.unmount):
        operation = change(mount)
        turn.site.clock.sleep(600)
        seen.append((world.vault_items.tracked(turn.vault, operation).done, world.vault_mounts.is_mounted(mount)))
    return seen == [(True, True), (True, False)]


def _isolated_and_removed(turn: Turn) -> bool:
    """A network under rules of its own, and nothing left of it."""
    builder, shard = turn.world.builder, turn.site.shard
    rules = _in_web("Microsoft.Network/networkSecurityGroups", f"r-{uuid.uuid4().hex[:8]}", turn)
    place = _in_web("Microsoft.Network/virtualNetworks", f"w-{uuid.uuid4().hex[:8]}", turn)
    builder.make(shard, rules, {"location": REGION, "properties": {"securityRules": []}})
    turn.site.clock.sleep(60)
    inner = {"addressPrefix": "10.9.0.0/28", "networkSecurityGroup": {"id": rules}}
    subnets = [{"name": "isolated", "properties": inner}]
    space = {"addressPrefixes": ["10.9.0.0/28"]}
    builder.make(shard, place, {"location": REGION, "properties": {"addressSpace": space, "subnets": subnets}})
    for each in (place, rules):
        turn.site.clock.sleep(60)
        if builder.find(shard, each) is None:
            return False
        builder.remove(shard, each)
    turn.site.clock.sleep(60)
    return all(builder.find(shard, each) is None for each in (place, rules))


def _commanded(turn: Turn) -> bool:
    """A command in a machine, and what it wrote."""
    trial, shard = Trial(300, "ls"), turn.site.shard
    place = command_place(ArmPath(str(turn.site.vm("vm1"))))
    turn.world.builder.make(shard, place, command_body(trial, REGION))
    turn.site.clock.sleep(120)
    seen = turn.world.builder.find(shard, place)
    return seen is not None and commanded(seen, trial).seen is Seen.PROVEN


Deed = Callable[[Turn], bool]
DEEDS: Mapping[str, tuple[Deed, ...]] = {
    "keeper": (_fleet, _shard_with_models, _look, _examine, _enabled, _captured, _merged, _taken_as_one),
    "protector": (
        _vaults, _policies, _policy_written, _refreshed, _protectable, _items, _validated, _protected, _backed_up,
        _jobs,
        _vault_points, _started,
    ),
    "reaper": (_shard, _look, _listed, _told_the_time, _deleted, _deleted_as_one),
    "emptier": (_emptied,),
    "operator": (_shards, _listed, _fleet, _look, _merged, _held_as_one),
    "attendant": (_vaults, _items, _vault_points, _called_off),
    "recoverer": (_recovered, _recovered_in_the_paired_region, _mounted),
    "restorer": (_referred_to, _restored_and_undone, _disk_from_whole, _lent),
    "driller": (_isolated_and_removed, _commanded),
}  # fmt: skip


def failing(site: Estate, principal: str, deeds: tuple[Deed, ...], vault: ResourceId) -> list[str]:
    """The deeds that the principal cannot carry out."""
    failed = []
    for deed in deeds:
        # A world of its own for each: a scope that was denied to one deed is shut for what follows.
        done = False
        with site.acting(principal) as (world, _), suppress(CloudError):
            done = deed(Turn(site, world, vault))
        if not done:
            failed.append(deed.__name__)
    return failed
