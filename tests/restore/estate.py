"""An installation with machines whose disks hold something, in a simulator of its own; and its restores."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

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
from tests.simulator.running import Running

REGION = "westeurope"
NET, VM = "2024-05-01", "2026-04-01"
Contents: TypeAlias = Mapping[int | None, Mapping[str, str]]
ROUNDS = 80


@dataclass(frozen=True)
class Wanted:
    """A machine to be: how many disks, and what is special about it."""

    disks: int = 3
    tags: Mapping[str, str] = field(default_factory=lambda: {"backup": "gold", "Env": "prod"})
    properties: Mapping[str, Any] = field(default_factory=dict)
    top: Mapping[str, Any] = field(default_factory=dict)
    disk: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    data: Sequence[Mapping[str, Any]] = ()


@dataclass
class Estate:
    """The product on the simulator's time. `running` is driven as a person would drive Azure."""

    world: World
    rules: Rules
    running: Running
    shard: Shard

    @property
    def group(self) -> str:
        return f"/subscriptions/{self.shard.subscription}/resourceGroups/Web"

    @property
    def compute(self) -> str:
        return f"{self.group}/providers/Microsoft.Compute"

    @property
    def net(self) -> str:
        return f"{self.group}/providers/Microsoft.Network"

    def ask(self, method: str, path: str, body: Any = None, version: str = "") -> Any:
        answer = self.running.ask(method, f"{path}?api-version={version}" if version else path, body)
        assert answer.status < 300, (method, path, answer)
        return answer.body

    def find(self, path: str, version: str = "") -> Any | None:
        answer = self.running.ask("GET", f"{path}?api-version={version}" if version else path)
        return answer.body if answer.status == 200 else None

    def network(self) -> None:
        """A group with a network, in which every interface finds its subnet."""
        self.ask("PUT", self.group, {"location": REGION}, "2024-11-01")
        subnets = [{"name": name, "properties": {"addressPrefix": f"10.0.{n}.0/24"}} for n, name in enumerate("ab")]
        body = {
            "location": REGION,
            "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets},
        }
        self.ask("PUT", f"{self.net}/virtualNetworks/net", body, NET)
        self.running.advance(60)

    def machine(self, wanted: Wanted) -> ResourceId:
        """A machine of a fresh name, whose every disk has contents of its own."""
        [made] = self.machines([wanted])
        return made

    def machines(self, wanted: Sequence[Wanted]) -> list[ResourceId]:
        """Several at once, because simulated time is what they take."""
        names = [each.name or f"Vm-{uuid.uuid4().hex[:8]}" for each in wanted]
        paths = [f"{self.compute}/virtualMachines/{name}" for name in names]
        cards = [f"{self.net}/networkInterfaces/{path.rsplit('/', 1)[-1]}-nic" for path in paths]
        inner = {"subnet": {"id": self.subnet("a")}, "privateIPAllocationMethod": "Dynamic"}
        for card in cards:
            body = {"location": REGION, "properties": {"ipConfigurations": [{"name": "one", "properties": inner}]}}
            self.ask("PUT", card, body, NET)
        self.running.advance(30)
        for path, card, each in zip(paths, cards, wanted, strict=True):
            self.ask("PUT", path, self._body(path.rsplit("/", 1)[-1], card, each), VM)
        self.running.advance(180)
        for path in paths:
            for lun, disk in disks_of(self.body(path)).items():
                self.write(disk, f"{path} wrote this to {lun}")
        self.running.advance(60)
        return [ResourceId.parse(path) for path in paths]

    def subnet(self, name: str) -> str:
        return f"{self.net}/virtualNetworks/net/subnets/{name}"

    def _body(self, name: str, card: str, wanted: Wanted) -> dict[str, Any]:
        image = {"publisher": "Canonical", "offer": "jammy", "sku": "22_04", "version": "latest"}
        managed = {"storageAccountType": "Premium_LRS", **wanted.disk}
        system = {"createOption": "FromImage", "caching": "ReadWrite", "managedDisk": managed}
        caching = ("ReadOnly", "None", "ReadWrite")
        data = [
            {"lun": 2 * number + 1, "createOption": "Empty", "diskSizeGB": 16, "caching": caching[number % 3],
             "managedDisk": managed}
            for number in range(wanted.disks - 1)
        ] + [dict(one) for one in wanted.data]  # fmt: skip
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

    def protected(self, *machines: ResourceId) -> list[Machine]:
        """The machines registered, each with one complete point."""
        for machine in machines:
            reconcile(self.world, self.rules, VmKey(machine))
        self.captured()
        return [self.row(machine) for machine in machines]

    def captured(self) -> None:
        for _ in range(2):
            drain(self.world, self.rules, self.shard)
            self.running.advance(120)

    def row(self, machine: ResourceId) -> Machine:
        return next(held.row for held in self.world.ledger.machines(self.shard) if held.row.id == machine)

    def body(self, machine: ResourceId | str) -> Any:
        return self.ask("GET", str(machine), version=VM)

    def contents(self, *machines: ResourceId | str) -> list[Contents]:
        """What every disk of each machine holds, by its LUN."""
        held = {place: one.get("content") or {} for place, one in self.state().items()}
        bodies = [self.body(machine) for machine in machines]
        return [{lun: held[disk.lower()] for lun, disk in disks_of(body).items()} for body in bodies]

    def state(self) -> dict[str, Any]:
        """Everything that there is, by lower-case id."""
        return {str(one["id"]).lower(): one for one in self.running.control("GET", "state") if not one.get("gone")}

    def delete(self, *machines: ResourceId | str) -> None:
        """A person deletes machines, and all their disks with them."""
        disks = [disk for machine in machines for disk in disks_of(self.body(machine)).values()]
        for places in (machines, disks):
            for place in places:
                self.ask("DELETE", str(place))
            self.running.advance(60)

    def asked(self, machine: Machine, order: RestoreOrder) -> Request:
        asked = new_request(self.world, Asked.RESTORE, machine.shard, machine.uid, "person")
        return filed(self.world, replace(asked, order=order))

    def slice(self, request: Request) -> None:
        """One message about the request."""
        run(self.world, self.rules, request.id)

    def carried(self, *requests: Request, most: int = ROUNDS) -> list[Request]:
        """The requests, carried on side by side as their messages would until all of them ended."""
        for _ in range(most):
            for request in requests:
                self.slice(request)
            found = [one for request in requests if (one := self.world.requests.find(request.id))]
            if not any(one.progress is Progress.ASKED for one in found):
                return found
            self.running.advance(15)
        raise AssertionError(f"it does not come to an end: {found}")

    def restored(self, machine: Machine, order: RestoreOrder) -> Request:
        return self.carried(self.asked(machine, order))[0]

    def undone(self, request: Request) -> Request:
        asked = new_request(self.world, Asked.UNDO, request.shard, request.uid, "person")
        return self.carried(filed(self.world, replace(asked, operation=request.id, order=request.order)))[0]


def disks_of(body: Mapping[str, Any]) -> dict[int | None, str]:
    """The disks of a machine's body by their LUN; None is the OS disk."""
    profile = body["properties"]["storageProfile"]
    found: dict[int | None, str] = {None: str(profile["osDisk"]["managedDisk"]["id"])}
    return found | {int(disk["lun"]): str(disk["managedDisk"]["id"]) for disk in profile["dataDisks"]}
