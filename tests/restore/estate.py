"""An installation with machines whose disks hold something, in a simulator of its own; and its restores."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.flows.asking import filed, new_request
from shared.flows.draining import drain
from shared.flows.registering import reconcile
from shared.flows.requesting import run
from shared.messages import VmKey
from shared.model.identity import ResourceId, Shard
from shared.model.machine import Machine
from shared.model.request import Asked, Progress, Request
from shared.model.restore import RestoreOrder
from shared.model.rules import Rules
from shared.ports import World
from tests.simulator.running import SUBSCRIPTION, Running

REGION = "westeurope"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Web"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
NET = "2024-05-01"
ROUNDS = 80


@dataclass(frozen=True)
class Wanted:
    """A machine to be: how many disks, and what is special about it."""

    disks: int = 3
    tags: Mapping[str, str] = field(default_factory=lambda: {"backup": "gold", "Env": "prod"})
    properties: Mapping[str, Any] = field(default_factory=dict)
    top: Mapping[str, Any] = field(default_factory=dict)
    disk: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Estate:
    """The product on the simulator's time. `running` is driven as a person would drive Azure."""

    world: World
    rules: Rules
    running: Running
    shard: Shard

    def ask(self, method: str, path: str, body: Any = None, version: str = "") -> Any:
        answer = self.running.ask(method, f"{path}?api-version={version}" if version else path, body)
        assert answer.status < 300, (method, path, answer)
        return answer.body

    def find(self, path: str, version: str = "") -> Any | None:
        answer = self.running.ask("GET", f"{path}?api-version={version}" if version else path)
        return answer.body if answer.status == 200 else None

    def network(self) -> None:
        """A group with a network, in which every interface finds its subnet."""
        self.ask("PUT", GROUP, {"location": REGION}, "2024-11-01")
        subnets = [{"name": name, "properties": {"addressPrefix": f"10.0.{n}.0/24"}} for n, name in enumerate("ab")]
        body = {
            "location": REGION,
            "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets},
        }
        self.ask("PUT", f"{NETWORK}/virtualNetworks/net", body, NET)
        self.running.advance(60)

    def machine(self, wanted: Wanted) -> ResourceId:
        """A machine of a fresh name, whose every disk has contents of its own."""
        name = f"Vm-{uuid.uuid4().hex[:8]}"
        card = f"{NETWORK}/networkInterfaces/{name}-nic"
        address = {
            "name": "one",
            "properties": {"subnet": {"id": self.subnet("a")}, "privateIPAllocationMethod": "Dynamic"},
        }
        self.ask("PUT", card, {"location": REGION, "properties": {"ipConfigurations": [address]}}, NET)
        self.running.advance(30)
        path = f"{COMPUTE}/virtualMachines/{name}"
        done = self.running.put_done(f"{path}?api-version=2026-04-01", self._body(name, card, wanted))
        for lun, disk in disks_of(done).items():
            self.write(disk, f"{name} wrote this to {lun}")
        self.running.advance(60)
        return ResourceId.parse(path)

    def subnet(self, name: str) -> str:
        return f"{NETWORK}/virtualNetworks/net/subnets/{name}"

    def _body(self, name: str, card: str, wanted: Wanted) -> dict[str, Any]:
        image = {"publisher": "Canonical", "offer": "jammy", "sku": "22_04", "version": "latest"}
        managed = {"storageAccountType": "Premium_LRS", **wanted.disk}
        system = {"createOption": "FromImage", "caching": "ReadWrite", "managedDisk": managed}
        caching = ("ReadOnly", "None", "ReadWrite")
        data = [
            {"lun": 2 * number + 1, "createOption": "Empty", "diskSizeGB": 16, "caching": caching[number % 3],
             "managedDisk": managed}
            for number in range(wanted.disks - 1)
        ]  # fmt: skip
        properties = {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {"imageReference": image, "osDisk": system, "dataDisks": data},
            "osProfile": {"computerName": name, "adminUsername": "someone", "adminPassword": "Secret-123"},
            "networkProfile": {"networkInterfaces": [{"id": card, "properties": {"primary": True}}]},
            **wanted.properties,
        }
        return {"location": REGION, "tags": dict(wanted.tags), "properties": properties, **wanted.top}

    def write(self, disk: str, text: str) -> None:
        """The guest writes to its disk."""
        self.running.control("POST", "content", {"disk": disk, "blocks": {"0": text, "7": f"{text}, again"}})

    def protected(self, machine: ResourceId) -> Machine:
        """The machine registered, with one complete point."""
        reconcile(self.world, self.rules, VmKey(machine))
        self.captured()
        return self.row(machine)

    def captured(self) -> None:
        for _ in range(2):
            drain(self.world, self.rules, self.shard)
            self.running.advance(120)

    def row(self, machine: ResourceId) -> Machine:
        return next(held.row for held in self.world.ledger.machines(self.shard) if held.row.id == machine)

    def body(self, machine: ResourceId | str) -> Any:
        return self.ask("GET", str(machine), version="2026-04-01")

    def contents(self, machine: ResourceId | str) -> dict[int | None, Mapping[str, str]]:
        """What every disk of a machine holds, by its LUN."""
        held = self._contents()
        return {lun: held[disk.lower()] for lun, disk in disks_of(self.body(machine)).items()}

    def disk_contents(self, places: Sequence[str]) -> list[Mapping[str, str]]:
        held = self._contents()
        return [held[place.lower()] for place in places]

    def _contents(self) -> dict[str, Mapping[str, str]]:
        state = self.running.control("GET", "state")
        listed = state["resources"] if isinstance(state, dict) else state
        return {str(one["id"]).lower(): one.get("content") or {} for one in listed}

    def delete(self, machine: ResourceId | str) -> None:
        """A person deletes the machine, and all its disks with it."""
        disks = disks_of(self.body(machine)).values()
        self.ask("DELETE", str(machine))
        self.running.advance(60)
        for disk in disks:
            self.ask("DELETE", disk)
        self.running.advance(60)

    def asked(self, machine: Machine, order: RestoreOrder) -> Request:
        asked = new_request(self.world, Asked.RESTORE, machine.shard, machine.uid, "person")
        return filed(self.world, replace(asked, order=order))

    def carried(self, request: Request) -> Request:
        """The request, carried on as its messages would until it ends."""
        for _ in range(ROUNDS):
            run(self.world, self.rules, request.id)
            found = self.world.requests.find(request.id)
            assert found is not None
            if found.progress is not Progress.ASKED:
                return found
            self.running.advance(15)
        raise AssertionError(f"it does not come to an end: {found}")

    def restored(self, machine: Machine, order: RestoreOrder) -> Request:
        return self.carried(self.asked(machine, order))

    def undone(self, request: Request) -> Request:
        asked = new_request(self.world, Asked.UNDO, request.shard, request.uid, "person")
        return self.carried(filed(self.world, replace(asked, operation=request.id, order=request.order)))


def disks_of(body: Mapping[str, Any]) -> dict[int | None, str]:
    """The disks of a machine's body by their LUN; None is the OS disk."""
    profile = body["properties"]["storageProfile"]
    found: dict[int | None, str] = {None: str(profile["osDisk"]["managedDisk"]["id"])}
    return found | {int(disk["lun"]): str(disk["managedDisk"]["id"]) for disk in profile["dataDisks"]}
