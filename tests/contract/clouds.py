"""What the suites about Azure do to Azure: the same acts upon the simulator, and upon the truth behind the twins."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.model.identity import DiskUid, ResourceId, Shard, VmUid
from shared.model.machine import GroupSeen
from tests.simulator.running import SUBSCRIPTION, Running
from tests.world.stage import Stage
from tests.world.twins.azure import DiskTruth, VmTruth, disk_place, vm_place

REGION = "westeurope"
GROUP = "Web"
# Longer than the simulator's graph ever lags, and than an operation takes.
SETTLED = timedelta(hours=2)


class Cloud(Protocol):
    """An Azure with one enabled subscription, whose clock moves when told."""

    shard: Shard

    def group(self, name: str, tags: Mapping[str, str], managed_by: str = "") -> None:
        """A new resource group."""

    def machine(self, name: str, tags: Mapping[str, str], group: str = GROUP) -> ResourceId:
        """A machine with an OS disk, a data disk at LUN 3, and one at LUN 4 that is tagged `Backup = OFF`.

        A group other than the usual one is there already.
        """

    def delete(self, machine: ResourceId) -> None: ...

    def settle(self) -> None:
        """Let time pass until operations are done and every lens shows them."""


class SimulatedClock:
    """The simulator's clock as a port: a sleep moves it."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime.fromisoformat(str(self._running.control("GET", "clock")["now"]))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._running.advance(seconds)


@dataclass
class SimulatedCloud:
    """The simulator, driven through ARM."""

    running: Running
    shard: Shard

    def group(self, name: str, tags: Mapping[str, str], managed_by: str = "") -> None:
        body = {"location": self.shard.region, "tags": dict(tags), **({"managedBy": managed_by} if managed_by else {})}
        assert self.running.ask("PUT", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}", body).status == 201

    def machine(self, name: str, tags: Mapping[str, str], group: str = GROUP) -> ResourceId:
        if group == GROUP:
            self.running.ask(
                "PUT", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}", {"location": self.shard.region}
            )
        path = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
        )
        done = self.running.put_done(path, body_of(name, self.shard.region, tags))
        off = next(disk for disk in done["properties"]["storageProfile"]["dataDisks"] if disk["lun"] == 4)
        self.running.ask("PATCH", off["managedDisk"]["id"], {"tags": {"Backup": "OFF"}})
        self.running.advance(60)
        return ResourceId.parse(path)

    def delete(self, machine: ResourceId) -> None:
        assert self.running.ask("DELETE", str(machine)).status in (200, 202)
        self.running.advance(60)

    def settle(self) -> None:
        self.running.advance(SETTLED.total_seconds())


@dataclass
class TwinCloud:
    """The truth behind the twins."""

    stage: Stage
    shard: Shard

    def group(self, name: str, tags: Mapping[str, str], managed_by: str = "") -> None:
        place = (self.shard.subscription, name.lower())
        self.stage.azure.resource_groups[place] = GroupSeen(dict(tags), managed_by)

    def machine(self, name: str, tags: Mapping[str, str], group: str = GROUP) -> ResourceId:
        subscription = self.shard.subscription
        places = {lun: disk_place(subscription, group, f"{name}-{lun}") for lun in (None, 3, 4)}
        disks = tuple(DiskTruth(place, DiskUid(str(uuid.uuid4())), lun) for lun, place in places.items())
        disks = (*disks[:2], replace(disks[2], left_out="tagged backup = off"))
        uid = VmUid(str(uuid.uuid4()))
        place = vm_place(subscription, group, name)
        self.stage.azure.write(VmTruth(place, uid, name, self.shard.region, dict(tags), disks))
        return place

    def delete(self, machine: ResourceId) -> None:
        truth = self.stage.azure.vm(machine)
        assert truth is not None
        self.stage.azure.delete(truth)

    def settle(self) -> None:
        self.stage.scheduler.run(self.stage.scheduler.now + SETTLED)


def body_of(name: str, region: str, tags: Mapping[str, str]) -> dict[str, object]:
    """A VM as a person creates it."""
    disk = {"createOption": "Empty", "diskSizeGB": 16, "managedDisk": {"storageAccountType": "Premium_LRS"}}
    image = {"publisher": "Canonical", "offer": "jammy", "sku": "22_04", "version": "latest"}
    storage = {
        "imageReference": image,
        "osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "Premium_LRS"}},
        "dataDisks": [{"lun": lun, **disk} for lun in (3, 4)],
    }
    person = {"computerName": name, "adminUsername": "someone", "adminPassword": "Secret-123"}
    properties = {
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": storage,
        "osProfile": person,
    }
    return {"location": region, "tags": dict(tags), "properties": properties}
