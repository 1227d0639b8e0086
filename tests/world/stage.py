"""Puts the twins together into one World, over one truth, one scheduler and one event log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.ports import World
from tests.world.scheduler import Scheduler
from tests.world.steps import EventLog, Steps
from tests.world.twins.approvals import ApprovalsTwin
from tests.world.twins.azure import Azure
from tests.world.twins.brakes import BrakesTwin
from tests.world.twins.builder import BuilderTwin
from tests.world.twins.deletions import BudgetsTwin, DeletionsTwin
from tests.world.twins.events import EventsTwin
from tests.world.twins.holdings import HoldingsTwin
from tests.world.twins.inventory import InventoryTwin
from tests.world.twins.ledger import LedgerTwin
from tests.world.twins.mounts import VaultMountsTwin
from tests.world.twins.paired_regions import PairedRegionsTwin
from tests.world.twins.process import ChanceTwin, ClockTwin, PaceTwin, WorkersTwin
from tests.world.twins.queues import Queues, QueueTwin
from tests.world.twins.restore_points import RestorePointsTwin
from tests.world.twins.snapshots import SnapshotsTwin
from tests.world.twins.stores import AuditTwin, LeasesTwin, ModelsTwin, PoisonedTwin, RequestsTwin
from tests.world.twins.throttle import Throttle
from tests.world.twins.vault_truth import Vaults
from tests.world.twins.vaults import Gate, VaultCatalogueTwin, VaultItemsTwin, VaultJobsTwin, VaultRestoresTwin
from tests.world.twins.witness import Witness


@dataclass
class Stage:
    """Everything of one world: the ports for the product, and what stands behind them for the drivers."""

    scheduler: Scheduler
    log: EventLog
    steps: Steps
    azure: Azure
    throttle: Throttle
    queues: Queues
    ledger: LedgerTwin
    models: ModelsTwin
    audit: AuditTwin
    events: EventsTwin
    requests: RequestsTwin
    poisoned: PoisonedTwin
    leases: LeasesTwin
    pace: PaceTwin
    budgets: BudgetsTwin
    brakes: BrakesTwin
    approvals: ApprovalsTwin
    vaults: Vaults
    world: World


def stage(seed: int, start: datetime, witness: Witness) -> Stage:
    """A calm world without machines."""
    scheduler = Scheduler(seed, start)
    log = EventLog(start)
    steps = Steps(scheduler, log)
    azure = Azure(now=lambda: scheduler.now)
    throttle = Throttle(scheduler, witness)
    queues = Queues(lambda: scheduler.now)
    ledger, models, audit = LedgerTwin(steps, witness), ModelsTwin(steps), AuditTwin(steps, witness)
    poisoned, events = PoisonedTwin(steps), EventsTwin(steps, witness)
    budgets, brakes, approvals = BudgetsTwin(steps), BrakesTwin(steps, witness), ApprovalsTwin(steps)
    requests, leases, pace = RequestsTwin(steps), LeasesTwin(steps), PaceTwin(throttle, steps)
    vaults = Vaults(azure, scheduler.at)
    gate = Gate(vaults, steps, throttle, witness)
    world = World(
        clock=ClockTwin(scheduler, steps),
        chance=ChanceTwin(seed),
        workers=WorkersTwin(scheduler, steps),
        queue=QueueTwin(queues, steps),
        models=models,
        audit=audit,
        events=events,
        inventory=InventoryTwin(azure, steps, throttle, witness),
        snapshots=SnapshotsTwin(azure, steps, throttle, witness),
        restore_points=RestorePointsTwin(azure, steps, throttle, witness),
        holdings=HoldingsTwin(azure, steps, throttle),
        ledger=ledger,
        requests=requests,
        poisoned=poisoned,
        leases=leases,
        reaper_leases=LeasesTwin(steps),
        budgets=budgets,
        brakes=brakes,
        approvals=approvals,
        deletions=DeletionsTwin(azure, steps, throttle, witness),
        builder=BuilderTwin(azure, steps, throttle),
        pace=pace,
        vaults=VaultCatalogueTwin(gate),
        vault_items=VaultItemsTwin(gate),
        vault_jobs=VaultJobsTwin(gate),
        vault_restores=VaultRestoresTwin(gate),
        paired_regions=PairedRegionsTwin(gate),
        vault_mounts=VaultMountsTwin(gate),
    )
    return Stage(
        scheduler=scheduler,
        log=log,
        steps=steps,
        azure=azure,
        throttle=throttle,
        queues=queues,
        ledger=ledger,
        models=models,
        audit=audit,
        events=events,
        requests=requests,
        poisoned=poisoned,
        leases=leases,
        pace=pace,
        budgets=budgets,
        brakes=brakes,
        approvals=approvals,
        vaults=vaults,
        world=world,
    )
