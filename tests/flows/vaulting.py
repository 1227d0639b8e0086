"""Machines whose plans want Azure Backup, in a calm world: for the tests of the flows that protect them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shared.decide.plan import read_plans
from shared.decide.vaults import VAULT_TYPE
from shared.flows.draining import drain
from shared.flows.ordering import ask_restore, ask_undo
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.messages import VmKey
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation
from shared.model.point import Engine, Point
from shared.model.request import Progress, Request
from shared.model.restore import ArmPath, RestoreMode, RestoreOrder
from shared.model.rules import Mode, Rules
from shared.model.transition import Record
from shared.model.vault import JobStatus, VaultSeen
from tests.world.catalogue import OWNER
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import SHARD, machine
from tests.world.seeded import Run
from tests.world.twins.azure import VmTruth
from tests.world.twins.vault_truth import ItemTruth, VaultTruth

VAULT = {"at": "22:00", "keep": "30d12w"}
MINUTE = timedelta(minutes=1)
STAGING = (
    f"/subscriptions/{SHARD.subscription}/resourceGroups/backups/providers/Microsoft.Storage/storageAccounts/tbstage"
)
DISKS = RestoreOrder(RestoreMode.DISKS, staging=STAGING)
IN_PLACE = RestoreOrder(RestoreMode.IN_PLACE, staging=STAGING)


def rules_of(vault: Mapping[str, Any] | None = None, **parts: Any) -> Rules:
    """Rules of one plan, `gold`, which has a vault."""
    plan = {"vault": dict(vault or VAULT), **parts}
    plans, problems = read_plans({"default": "gold", "plans": {"gold": plan, "bare": {"snapshots": SNAPSHOTS}}})
    assert problems == (), problems
    topic = "https://topic.example/api/events"
    return Rules(plans, {SHARD.subscription: Mode.ENFORCE}, OWNER, topic=topic)


SNAPSHOTS = {"at": ["02:00"], "keep": "7d", "window": "0s"}


@dataclass
class Backed:
    """A small world under rules with vaults; flows run when told."""

    rules: Rules = field(default_factory=rules_of)
    world: Run = field(default_factory=small_world)

    def vm(self, number: int = 1, value: str = "gold") -> VmTruth:
        """A machine, in Azure and registered."""
        truth = machine(number, 2, value)
        self.world.stage.azure.write(truth)
        self.look(truth)
        return truth

    def look(self, vm: VmTruth) -> None:
        key = VmKey(vm.id, vm.uid, SHARD)
        perform(self.world, lambda ports: reconcile(ports, self.rules, key))

    def tagged(self, vm: VmTruth, value: str) -> VmTruth:
        changed = replace(vm, tags={"backup": value})
        self.world.stage.azure.write(changed)
        self.look(changed)
        return changed

    def vault(self, name: str = "tagback-northeu", owner: str = OWNER) -> VaultTruth:
        """A vault that is there already."""
        place = ResourceId(SHARD.subscription, "backups", VAULT_TYPE, name)
        made = self.world.stage.vaults.make(VaultSeen(place, SHARD.region, {"tagback-owner": owner}))
        self.wait(MINUTE)
        return made

    def drain(self) -> None:
        perform(self.world, lambda ports: drain(ports, self.rules, SHARD))

    def wait(self, span: timedelta) -> None:
        pass_time(self.world, span)

    def live(self, span: timedelta, step: timedelta = 2 * MINUTE) -> None:
        """Let time pass, draining now and then."""
        for _ in range(int(span / step)):
            self.drain()
            self.wait(step)

    def record(self, vm: VmTruth) -> Record:
        found = self.world.stage.ledger.held(SHARD, vm.uid)
        assert found is not None
        return found

    def row(self, vm: VmTruth) -> Machine:
        return self.record(vm).machine.row

    def operations(self, vm: VmTruth, kind: Kind) -> list[Operation]:
        return [held.row for held in self.record(vm).operations if held.row.kind is kind]

    def points(self, vm: VmTruth) -> list[Point]:
        held = self.world.stage.ledger.points(SHARD, vm.uid)
        return [one.row for one in held if one.row.engine is Engine.VAULT]

    def item(self, vm: VmTruth) -> ItemTruth:
        holder = self.world.stage.vaults.holder(vm.id)
        assert holder is not None
        return holder.items[vm.id]


class Vaulted(Backed):
    """A machine whose one recovery point is in a vault, and what people ask to be done with it."""

    def backed_up(self) -> VmTruth:
        self.vault()
        vm = self.vm()
        self.live(timedelta(hours=2))
        assert self.points(vm)
        return vm

    def ask(self, vm: VmTruth, order: RestoreOrder = DISKS) -> Request:
        return ask_restore(self.world.stage.world, self.row(vm), order, "person")

    def undo(self, request: Request) -> Request:
        return ask_undo(self.world.stage.world, request.id, "person")

    def slice_of(self, request: Request) -> Request:
        perform(self.world, lambda ports: run_request(ports, self.rules, request.id))
        return self.now(request)

    def now(self, request: Request) -> Request:
        return self.world.stage.requests.asked[request.id]

    def carried(self, request: Request, span: timedelta = timedelta(minutes=12)) -> Request:
        """Carried on for a while, or to its end."""
        for _ in range(int(span / timedelta(seconds=30))):
            if self.slice_of(request).progress is not Progress.ASKED:
                break
            self.wait(timedelta(seconds=31))
        return self.now(request)

    def restores(self) -> list[JobStatus]:
        """How each restore that the vault ever began stands."""
        [vault] = self.world.stage.vaults.all.values()
        return [job.status for job in vault.jobs.values() if job.operation == "Restore"]

    def body(self, place: ArmPath) -> Mapping[str, Any] | None:
        found: list[Mapping[str, Any] | None] = []
        perform(self.world, lambda ports: found.append(ports.builder.find(SHARD, place)))
        return found[0]
