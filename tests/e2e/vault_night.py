"""The product's own drainer over the real adapters, the simulator and Azurite: for the scenarios of Azure Backup.

Everything is as in production but the clock, which is the simulator's and moves when told; so a night takes seconds.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from shared import wiring
from shared.flows.draining import drain
from shared.flows.registering import reconcile
from shared.flows.requesting import run
from shared.messages import VmKey
from shared.model.identity import ResourceId, Shard
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation
from shared.model.point import Engine, Point
from shared.model.rules import Rules
from shared.model.vault import VaultTask
from shared.ports import World
from shared.settings import Settings
from tests.contract.clouds import SimulatedClock, body_of
from tests.simulator.running import Running

REGION = "westeurope"
PLANS = """
default = "gold"
[plans.gold.vault]
at = "22:00"
keep = "30d12w"
[plans.awake.vault]
at = "22:00"
keep = "30d12w"
when_stopped = "start"
[plans.bare.snapshots]
at = ["02:00"]
keep = "7d"
"""


def beside(subscription: str) -> str:
    """The other subscription of the same installation, in which nothing is protected."""
    return str(uuid.uuid5(uuid.UUID(subscription), "beside"))


@dataclass
class VaultNight:
    """One subscription's machines, drained when told."""

    running: Running
    clock: SimulatedClock
    world: World
    rules: Rules
    subscription: str

    @property
    def shard(self) -> Shard:
        return Shard(self.subscription, REGION)

    def machine(self, tags: dict[str, str]) -> ResourceId:
        """A machine that a person made and tagged, seen by the product."""
        name = f"vm-{uuid.uuid4().hex[:8]}"
        group = f"/subscriptions/{self.subscription}/resourceGroups/Web"
        self.running.ask("PUT", group, {"location": REGION})
        path = f"{group}/providers/Microsoft.Compute/virtualMachines/{name}"
        self.running.put_done(path, body_of(name, REGION, tags))
        self.running.advance(60)
        place = ResourceId.parse(path)
        self.look(place)
        return place

    def tag(self, machine: ResourceId, tags: dict[str, str]) -> None:
        self.running.ask("PATCH", str(machine), {"tags": tags})
        self.running.advance(30)
        self.look(machine)

    def look(self, machine: ResourceId) -> None:
        row = self.row(machine)
        reconcile(self.world, self.rules, VmKey(machine, row.uid, self.shard) if row else VmKey(machine))

    def row(self, machine: ResourceId) -> Machine | None:
        rows = [held.row for held in self.world.ledger.machines(self.shard)]
        return next((row for row in rows if row.id == machine), None)

    def live(self, hours: float, step: timedelta = timedelta(minutes=5)) -> None:
        for _ in range(int(timedelta(hours=hours) / step)):
            drain(self.world, self.rules, self.shard)
            self.running.advance(step.total_seconds())

    def serve(self, request_id: str) -> None:
        run(self.world, self.rules, request_id)

    def operations(self, machine: ResourceId, kind: Kind) -> list[Operation]:
        row = self.row(machine)
        record = self.world.ledger.record(self.shard, row.uid) if row else None
        found = [held.row for held in record.operations] if record else []
        return sorted((one for one in found if one.kind is kind), key=lambda one: one.intended_at)

    def is_transferring(self, task: VaultTask) -> bool:
        """Whether the vault's own job says that the snapshot is there."""
        shown = self.running.ask("GET", f"{task.vault}/backupJobs/{task.job}").body
        return bool(shown["properties"]["extendedInfo"]["tasksList"][0]["status"] == "Completed")

    def points(self, machine: ResourceId) -> Sequence[Point]:
        row = self.row(machine)
        held = self.world.ledger.points(self.shard, row.uid) if row else ()
        return [one.row for one in held if one.row.engine is Engine.VAULT]

    def fails(self, machine: ResourceId, code: str) -> None:
        """From now on its backups end so; the empty code ends that."""
        vm = {"id": str(machine), "backup": code}
        self.running.control("POST", "vm", vm)


@contextmanager
def vault_night(
    running: Running, connection: str, subscription: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[VaultNight]:
    """The product as it is wired, on the simulator's clock."""
    plans = folder / "plans.toml"
    plans.write_text(PLANS)
    environment = {
        "AzureWebJobsStorage": connection,
        "TAGBACK_SUBSCRIPTIONS": f"{subscription},{beside(subscription)}",
        "TAGBACK_PLANS": str(plans),
        "TAGBACK_ARM_ENDPOINT": running.url,
        "TAGBACK_RECOVERY_GROUP": f"tb{uuid.uuid4().hex[:6]}-{{region}}",
        "TAGBACK_VAULT": f"tb{uuid.uuid4().hex[:6]}-{{region}}",
    }
    for name, value in {"REQUESTS_CA_BUNDLE": str(running.ca), "IDENTITY_HEADER": "x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{running.url}/msi/token")
    settings, clock = Settings.read(environment), SimulatedClock(running)
    monkeypatch.setattr("shared.cloud.clock.SystemClock", lambda: clock)
    with wiring.opened(settings) as world:
        yield VaultNight(running, clock, world, settings.rules(), subscription)
