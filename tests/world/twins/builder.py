"""The twin of ports.Builder: machines and disks of the truth as bodies, whatever else a restore makes as it came."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.errors import Conflict, Denied, Missing, Refused
from shared.model.draining import CallKind
from shared.model.identity import COLLECTION_TYPE, VM_TYPE, DiskUid, ResourceId, Shard, VmUid
from shared.model.restore import ArmPath, Power
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.azure import DISK_TYPE, QUICK, SNAPSHOT_TYPE, Azure, DiskTruth, VmTruth
from tests.world.twins.bodies import disk_body, interface_body, machine_body
from tests.world.twins.throttle import Throttle

RUN_COMMAND = "/runCommands/"
INTERFACE_TYPE = "microsoft.network/networkinterfaces"
BETWEEN = {Power.STOP: ("stopping", "stopped"), Power.START: ("starting", "running")}


@dataclass(slots=True)
class Thing:
    """What somebody made by a body; ready at an instant."""

    body: dict[str, Any]
    ready_at: datetime


@dataclass
class BuilderTwin:
    """Machines and disks live in the Azure of the world; `made` is what restores made, by lower-case path."""

    azure: Azure
    steps: Steps
    throttle: Throttle
    made: dict[str, Thing] = field(default_factory=dict)
    power_of: dict[ResourceId, tuple[Power, datetime]] = field(default_factory=dict)
    agent: str = "Ready"
    rooms: int | None = 4
    command: dict[str, Any] = field(default_factory=lambda: {"executionState": "Succeeded", "exitCode": 0})
    touched: Callable[[str, str, bool], None] = lambda verb, place, mine: None
    _ours: set[str] = field(default_factory=set)

    def find(self, shard: Shard, place: ArmPath) -> Mapping[str, Any] | None:
        call = self._begin(shard, "find", place, CallKind.READ)
        answer = self._body(place)
        self.steps.after(call)
        return answer

    def make(self, shard: Shard, place: ArmPath, body: Mapping[str, Any]) -> None:
        call = self._begin(shard, "make", place, CallKind.WRITE)
        if RUN_COMMAND in place:
            self._machine(ResourceId.parse(place.partition(RUN_COMMAND)[0]))
            self.made[place.lower()] = Thing(dict(body), self.azure.now() + QUICK)
            self.steps.after(call)
            return
        resource, ready = ResourceId.parse(place), self.azure.now() + QUICK
        if resource.type == VM_TYPE:
            if self.azure.vm(resource) is not None:
                raise Conflict("PreconditionFailed", f"{place} exists", 412)
            self._put_machine(resource, place, body, VmUid(f"made-{len(self.azure.history)}-{resource.name}"))
        elif resource.type == DISK_TYPE:
            self._put_disk(resource, body)
        self.made[place.lower()] = Thing(dict(body), ready)
        self.steps.after(call)

    def change(self, shard: Shard, place: ArmPath, body: Mapping[str, Any]) -> None:
        call = self._begin(shard, "change", place, CallKind.WRITE)
        resource = ResourceId.parse(place)
        if resource.type == VM_TYPE:
            there = self._machine(resource)
            self._put_machine(resource, place, body, there.uid)
        self.made[place.lower()] = Thing(dict(body), self.azure.now() + QUICK)
        self.steps.after(call)

    def power(self, shard: Shard, machine: ArmPath, wanted: Power) -> None:
        call = self._begin(shard, "power", machine, CallKind.WRITE)
        place = ResourceId.parse(machine)
        self._machine(place)
        self.power_of[place] = (wanted, self.azure.now() + QUICK)
        self.steps.after(call)

    def attach(self, shard: Shard, machine: ArmPath, disks: Mapping[ArmPath, int]) -> None:
        call = self._begin(shard, "attach", machine, CallKind.WRITE)
        there, wanted = self._machine(ResourceId.parse(machine)), []
        for place, lun in disks.items():
            disk = self.azure.disk(ResourceId.parse(place))
            if disk is None:
                raise Missing("NotFound", f"the disk {place} does not exist", 404)
            if lun in [one.lun for one in there.disks]:
                raise Refused("InvalidParameter", f"A disk at LUN {lun} already exists.", 400)
            if self._attached(disk.id):
                raise Conflict("ConflictingUserInput", f"the disk {place} is attached", 409)
            wanted.append(replace(disk, lun=lun))
        self._changed(there, (*there.disks, *wanted))
        self.steps.after(call)

    def detach(self, shard: Shard, machine: ArmPath, disks: Sequence[ArmPath]) -> None:
        call = self._begin(shard, "detach", machine, CallKind.WRITE)
        there, leaving = self._machine(ResourceId.parse(machine)), {ResourceId.parse(place) for place in disks}
        if not leaving <= {disk.id for disk in there.disks}:
            raise Refused("InvalidParameter", f"not all of {disks} are attached", 400)
        self.azure.loose |= {disk.id: disk for disk in there.disks if disk.id in leaving}
        self._changed(there, tuple(disk for disk in there.disks if disk.id not in leaving))
        self.steps.after(call)

    def _changed(self, vm: VmTruth, disks: tuple[DiskTruth, ...]) -> None:
        """Other disks; the machine is busy with them for a moment."""
        self.azure.write(replace(vm, disks=disks))
        body = self._body(str(vm.id)) or {}
        self.made[str(vm.id)] = Thing(body, self.azure.now() + QUICK)

    def room(self, shard: Shard, machine: ArmPath, size: str) -> int | None:
        call = self._begin(shard, "room", machine, CallKind.READ)
        self._machine(ResourceId.parse(machine))
        self.steps.after(call)
        return self.rooms if "unheard" not in size.lower() else None

    def tag(self, shard: Shard, place: ArmPath, tags: Mapping[str, str], gone: Mapping[str, str]) -> None:
        call = self._begin(shard, "tag", place, CallKind.WRITE)
        resource = ResourceId.parse(place)
        vm = self.azure.vm(resource)
        before = dict(vm.tags) if vm else dict((self._body(place) or {}).get("tags") or {})
        after = {name: value for name, value in (before | dict(tags)).items() if gone.get(name) != value}
        if vm is not None:
            self.azure.write(replace(vm, tags=after))
        thing = self.made.setdefault(place.lower(), Thing(dict(self._body(place) or {}), self.azure.now()))
        thing.body = {**thing.body, "tags": after}
        self.steps.after(call)

    def remove(self, shard: Shard, place: ArmPath) -> None:
        call = self._begin(shard, "remove", place, CallKind.DELETE)
        resource = ResourceId.parse(place)
        vm = self.azure.vm(resource)
        if vm is not None:
            self.azure.loose |= {disk.id: disk for disk in vm.disks}
            self.azure.delete(vm)
        elif self._attached(resource):
            raise Conflict("OperationNotAllowed", f"{place} is attached", 409)
        self.azure.loose.pop(resource, None)
        self.made.pop(place.lower(), None)
        self.steps.after(call)

    def is_off(self, vm: ResourceId) -> bool:
        """Whether a machine does not run now."""
        wanted, since = self.power_of.get(vm, (Power.START, self.azure.now()))
        return (wanted is Power.START) != (self.azure.now() >= since)

    def _begin(self, shard: Shard, verb: str, place: str, kind: CallKind) -> Call:
        bucket = (shard, kind)
        effect = Effect.READ if kind is CallKind.READ else Effect.WRITE
        call = Call("arm", f"builder.{verb}", effect, shard.subscription, place, bucket)
        self.throttle.admit(bucket)
        self.steps.before(call)
        if shard.subscription in self.azure.disabled:
            raise Denied("AuthorizationFailed", f"{place} cannot be reached", 403)
        if kind is not CallKind.READ:
            self._touch(verb, place.partition(RUN_COMMAND)[0])
        return call

    def _touch(self, verb: str, place: str) -> None:
        """Tell who watches whether it is a thing that was made here, or is being made where nothing was."""
        resource = ResourceId.parse(place)
        if verb == "make" and self.azure.vm(resource) is None and self.azure.disk(resource) is None:
            self._ours.add(place.lower())
        self.touched(verb, place, place.lower() in self._ours)

    def _body(self, place: str) -> dict[str, Any] | None:
        if "/subnets/" in place:
            return {"id": place}
        if RUN_COMMAND in place:
            return self._command(place)
        resource, thing = ResourceId.parse(place), self.made.get(place.lower())
        if resource.type == COLLECTION_TYPE:
            return {"id": place} if _point_of(resource) in self.azure.snapshots else None
        if resource.type == SNAPSHOT_TYPE:
            return {"id": place} if resource in self.azure.snapshots else None
        if resource.type == VM_TYPE:
            vm = self.azure.vm(resource)
            return self._machine_body(vm, thing) if vm else None
        if resource.type == DISK_TYPE and self.azure.disk(resource) is None:
            return None
        known = self._disk(resource) if resource.type == DISK_TYPE else None
        if resource.type == INTERFACE_TYPE and resource.name.endswith("-nic"):
            known = self._interface(resource)
        if thing is None:
            return known
        properties = {**thing.body.get("properties", {}), "provisioningState": self._state(thing)}
        return {**(known or {}), **thing.body, "id": place, "properties": properties}

    def _command(self, place: str) -> dict[str, Any] | None:
        """A command inside a machine; it ends as `command` says, and goes with its machine."""
        thing = self.made.get(place.lower())
        if thing is None or self.azure.vm(ResourceId.parse(place.partition(RUN_COMMAND)[0])) is None:
            return None
        view = self.command if self.azure.now() >= thing.ready_at else {"executionState": "Running"}
        return {"id": place, "properties": {**thing.body["properties"], "instanceView": view}}

    def _disk(self, resource: ResourceId) -> dict[str, Any]:
        user = next((vm for vm in self.azure.vms() if any(disk.id == resource for disk in vm.disks)), None)
        return {**disk_body(resource), **({"managedBy": str(user.id)} if user else {})}

    def _interface(self, resource: ResourceId) -> dict[str, Any]:
        owner = replace(resource, type=VM_TYPE, name=resource.name.removesuffix("-nic"))
        body = interface_body(owner)
        if self.azure.vm(owner) is not None:
            body["properties"]["virtualMachine"] = {"id": str(owner)}
        return body

    def _machine_body(self, vm: VmTruth, thing: Thing | None) -> dict[str, Any]:
        body = machine_body(vm.id, vm.name, vm.uid, vm.tags, [disk.seen for disk in vm.disks])
        for entry in body["properties"]["storageProfile"]["dataDisks"]:
            if any(disk.cached and disk.lun == entry["lun"] for disk in vm.disks):
                entry["caching"] = "ReadWrite"
        wanted, since = self.power_of.get(vm.id, (Power.START, self.azure.now()))
        between, reached = BETWEEN[wanted]
        power = reached if self.azure.now() >= since else between
        agent = {"vmAgentVersion": "2.11.1.12", "statuses": [{"displayStatus": self.agent}]}
        view = {"statuses": [{"code": f"PowerState/{power}"}], "vmAgent": agent}
        state = self._state(thing) if thing else "Succeeded"
        body["location"] = vm.region
        body["properties"] |= {"instanceView": view, "provisioningState": state}
        return body

    def _state(self, thing: Thing) -> str:
        return "Succeeded" if self.azure.now() >= thing.ready_at else "Updating"

    def _put_disk(self, place: ResourceId, body: Mapping[str, Any]) -> None:
        source = ResourceId.parse(body["properties"]["creationData"]["sourceResourceId"])
        snapshot = self.azure.snapshots.get(_point_of(source))
        wanted = "Restore" if source.type == COLLECTION_TYPE else "Copy"
        if body["properties"]["creationData"]["createOption"] != wanted:
            raise Refused("InvalidParameter", f"a disk is not made from {source} so", 400)
        if snapshot is None:
            raise Missing("NotFound", f"the snapshot {source} does not exist", 404)
        if not snapshot.ready(self.azure.now()):
            raise Conflict("OperationNotAllowed", f"the snapshot {source} is not complete", 409)
        left_out = "tagged off" if (body.get("tags") or {}).get("backup") == "off" else ""
        self.azure.loose.setdefault(place, DiskTruth(place, DiskUid(f"d-{place.name}"), None, left_out))
        self.azure.made_from[place] = source

    def _put_machine(self, place: ResourceId, path: str, body: Mapping[str, Any], uid: VmUid) -> None:
        storage = body["properties"]["storageProfile"]
        wanted = [(None, storage["osDisk"]), *((disk["lun"], disk) for disk in storage.get("dataDisks") or ())]
        disks = []
        for lun, entry in wanted:
            disk_id = ResourceId.parse(entry["managedDisk"]["id"])
            disk = self.azure.disk(disk_id)
            if disk is None:
                raise Missing("NotFound", f"the disk {disk_id} does not exist", 404)
            if any(vm.id != place and any(one.id == disk_id for one in vm.disks) for vm in self.azure.vms()):
                raise Conflict("ConflictingUserInput", f"the disk {disk_id} is attached to another machine", 409)
            disks.append(replace(disk, lun=lun))
        before = self.azure.vm(place)
        self.azure.loose |= {disk.id: disk for disk in before.disks} if before else {}
        name = before.name if before else path.rsplit("/", 1)[-1]
        made = VmTruth(place, uid, name, self._region(body, before), dict(body.get("tags") or {}), tuple(disks))
        self.azure.write(made)

    def _region(self, body: Mapping[str, Any], before: VmTruth | None) -> str:
        return before.region if before else str(body["location"])

    def _machine(self, place: ResourceId) -> VmTruth:
        vm = self.azure.vm(place)
        if vm is None:
            raise Missing("ResourceNotFound", f"{place} does not exist", 404)
        return vm

    def _attached(self, place: ResourceId) -> bool:
        return any(disk.id == place for vm in self.azure.vms() for disk in vm.disks)


def _point_of(source: ResourceId) -> ResourceId:
    """The restore point that a disk restore point belongs to; a snapshot itself."""
    return replace(source, name="/".join(source.name.split("/")[:3]))
