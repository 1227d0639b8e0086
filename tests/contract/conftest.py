"""One fixture per port, over its implementations: the real adapter on real Azurite and the simulator, and the twin.

A test that takes `ledger` runs once over each. Every test has a subscription of its own, so that nothing is shared.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shared.cloud.approvals import BlobApprovals
from shared.cloud.audit import BlobAudit
from shared.cloud.brakes import BlobBrakes
from shared.cloud.builder import AzureBuilder
from shared.cloud.chance import SystemChance
from shared.cloud.clock import SystemClock
from shared.cloud.graph import Graph
from shared.cloud.groups import ReadGroups
from shared.cloud.holdings import AzureHoldings
from shared.cloud.inventory import AzureInventory
from shared.cloud.leases import TableLeases
from shared.cloud.ledger import TableLedger
from shared.cloud.models import BlobModels
from shared.cloud.pace import HeardPace
from shared.cloud.poisoned import TablePoisoned
from shared.cloud.queues import StorageQueue
from shared.cloud.requests import TableRequests
from shared.cloud.restore_points import AzureRestorePoints
from shared.cloud.snapshots import AzureSnapshots, Recovery
from shared.cloud.storage import Storage
from shared.cloud.workers import ThreadWorkers
from shared.model.identity import Shard
from shared.ports import Builder, Chance, Clock, Holdings, Inventory, Pace, Queue, Snapshots, Workers
from shared.ports.restore_points import RestorePoints
from shared.ports.storage import Approvals, Audit, Brakes, Leases, Ledger, Models, Poisoned, Requests
from tests.contract.clouds import REGION, Cloud, SimulatedClock, SimulatedCloud, TwinCloud
from tests.simulator.running import SUBSCRIPTION, Running
from tests.world.stage import Stage, stage
from tests.world.twins.inventory import InventoryTwin
from tests.world.twins.witness import Witness

IMPLEMENTATIONS = ("adapter", "twin")
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def twins() -> Stage:
    return stage(seed=1, start=START, witness=Witness())


@pytest.fixture
def shard() -> Shard:
    return Shard(str(uuid.uuid4()), "westeurope")


@pytest.fixture
def ledger(implementation: str, request: pytest.FixtureRequest) -> Ledger:
    if implementation == "twin":
        return _twins(request).world.ledger
    return TableLedger(_storage(request))


@pytest.fixture
def requests(implementation: str, request: pytest.FixtureRequest) -> Requests:
    if implementation == "twin":
        return _twins(request).world.requests
    return TableRequests(_storage(request))


@pytest.fixture
def poisoned(implementation: str, request: pytest.FixtureRequest) -> Poisoned:
    if implementation == "twin":
        return _twins(request).world.poisoned
    return TablePoisoned(_storage(request))


@pytest.fixture
def approvals(implementation: str, request: pytest.FixtureRequest) -> Approvals:
    if implementation == "twin":
        return _twins(request).world.approvals
    return BlobApprovals(_storage(request))


@pytest.fixture
def brakes(implementation: str, request: pytest.FixtureRequest) -> Brakes:
    if implementation == "twin":
        return _twins(request).world.brakes
    return BlobBrakes(_storage(request))


@pytest.fixture
def leases(implementation: str, request: pytest.FixtureRequest) -> Leases:
    if implementation == "twin":
        return _twins(request).world.leases
    return TableLeases(_storage(request))


@pytest.fixture
def queue(implementation: str, request: pytest.FixtureRequest) -> Queue:
    if implementation == "twin":
        return _twins(request).world.queue
    return StorageQueue(_storage(request))


@pytest.fixture
def models(implementation: str, request: pytest.FixtureRequest) -> Models:
    if implementation == "twin":
        return _twins(request).world.models
    return BlobModels(_storage(request))


@pytest.fixture
def audit(implementation: str, request: pytest.FixtureRequest) -> Audit:
    if implementation == "twin":
        return _twins(request).world.audit
    return BlobAudit(_storage(request))


@pytest.fixture
def clock(implementation: str, request: pytest.FixtureRequest) -> Clock:
    return _twins(request).world.clock if implementation == "twin" else SystemClock()


@pytest.fixture
def chance(implementation: str, request: pytest.FixtureRequest) -> Chance:
    if implementation == "twin":
        return _twins(request).world.chance
    return SystemChance()


@pytest.fixture
def workers(implementation: str, request: pytest.FixtureRequest) -> Iterator[Workers]:
    if implementation == "twin":
        yield _twins(request).world.workers
        return
    pool = ThreadWorkers()
    yield pool
    pool.close()


def _twins(request: pytest.FixtureRequest) -> Stage:
    found: Stage = request.getfixturevalue("twins")
    return found


def _storage(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.getfixturevalue("storage")
    return found


@pytest.fixture
def cloud(implementation: str, request: pytest.FixtureRequest) -> Cloud:
    if implementation == "twin":
        twins = _twins(request)
        twins.azure.subscriptions.append(SUBSCRIPTION)
        return TwinCloud(twins, Shard(SUBSCRIPTION, REGION))
    running: Running = request.getfixturevalue("simulated")
    return SimulatedCloud(running, Shard(SUBSCRIPTION, REGION))


@pytest.fixture
def inventory(implementation: str, request: pytest.FixtureRequest) -> Inventory:
    if implementation == "twin":
        return _twins(request).world.inventory
    arm, pace = request.getfixturevalue("manager")
    clock: SimulatedClock = request.getfixturevalue("simulator_clock")
    return AzureInventory(arm, Graph(arm, clock, pace), clock, "backup")


@pytest.fixture
def recovery() -> Recovery:
    """A pattern of the test's own, so that its recovery group is not there yet."""
    return Recovery(f"tb{uuid.uuid4().hex[:8]}-{{region}}", "tagback-test")


@pytest.fixture
def inheriting(implementation: str, request: pytest.FixtureRequest) -> Inventory:
    """The inventory of an installation that inherits the tags of resource groups."""
    if implementation == "twin":
        twin = _twins(request).world.inventory
        assert isinstance(twin, InventoryTwin)
        twin.inherits = True
        return twin
    arm, pace = request.getfixturevalue("manager")
    clock: SimulatedClock = request.getfixturevalue("simulator_clock")
    graph = Graph(arm, clock, pace)
    return AzureInventory(arm, graph, clock, "backup", ReadGroups(arm, graph))


@pytest.fixture
def snapshots(implementation: str, recovery: Recovery, request: pytest.FixtureRequest) -> Snapshots:
    if implementation == "twin":
        return _twins(request).world.snapshots
    arm, pace = request.getfixturevalue("manager")
    clock: SimulatedClock = request.getfixturevalue("simulator_clock")
    return AzureSnapshots(arm, Graph(arm, clock, pace), recovery)


@pytest.fixture
def restore_points(implementation: str, recovery: Recovery, request: pytest.FixtureRequest) -> RestorePoints:
    if implementation == "twin":
        return _twins(request).world.restore_points
    arm, _ = request.getfixturevalue("manager")
    return AzureRestorePoints(arm, recovery)


@pytest.fixture
def builder(implementation: str, request: pytest.FixtureRequest) -> Builder:
    if implementation == "twin":
        return _twins(request).world.builder
    arm, _ = request.getfixturevalue("manager")
    return AzureBuilder(arm)


@pytest.fixture
def holdings(implementation: str, recovery: Recovery, request: pytest.FixtureRequest) -> Holdings:
    if implementation == "twin":
        return _twins(request).world.holdings
    arm, _ = request.getfixturevalue("manager")
    return AzureHoldings(arm, recovery)


@pytest.fixture
def pace(implementation: str, request: pytest.FixtureRequest) -> Pace:
    if implementation == "twin":
        return _twins(request).world.pace
    _, heard = request.getfixturevalue("manager")
    found: HeardPace = heard
    return found
