"""One fixture per port, over its implementations: the real adapter on real Azurite and the simulator, and the twin.

A test that takes `ledger` runs once over each. Every test has a subscription of its own, so that nothing is shared.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from local.azurite.server import Azurite
from shared.cloud.call import Calls
from shared.cloud.clock import SystemClock
from shared.cloud.identity import Identity, Login
from shared.cloud.storage import Storage
from shared.model.account import StorageAccount
from shared.model.identity import Shard
from shared.ports import Audit, Chance, Clock, Leases, Ledger, Models, Poisoned, Queue, Requests, Workers
from tests.world.stage import Stage, stage
from tests.world.twins.witness import Witness

IMPLEMENTATIONS = ("adapter", "twin")
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def storage(azurite: Azurite) -> Iterator[Storage]:
    account = StorageAccount("devstoreaccount1", azurite.connection_string)
    opened = Storage(account, Identity(Login(managed=False)), Calls(SystemClock()))
    yield opened
    opened.close()


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
    from shared.cloud.ledger import TableLedger

    return TableLedger(_storage(request))


@pytest.fixture
def requests(implementation: str, request: pytest.FixtureRequest) -> Requests:
    if implementation == "twin":
        return _twins(request).world.requests
    from shared.cloud.requests import TableRequests

    return TableRequests(_storage(request))


@pytest.fixture
def poisoned(implementation: str, request: pytest.FixtureRequest) -> Poisoned:
    if implementation == "twin":
        return _twins(request).world.poisoned
    from shared.cloud.poisoned import TablePoisoned

    return TablePoisoned(_storage(request))


@pytest.fixture
def leases(implementation: str, request: pytest.FixtureRequest) -> Leases:
    if implementation == "twin":
        return _twins(request).world.leases
    from shared.cloud.leases import TableLeases

    return TableLeases(_storage(request))


@pytest.fixture
def queue(implementation: str, request: pytest.FixtureRequest) -> Queue:
    if implementation == "twin":
        return _twins(request).world.queue
    from shared.cloud.queues import StorageQueue

    return StorageQueue(_storage(request))


@pytest.fixture
def models(implementation: str, request: pytest.FixtureRequest) -> Models:
    if implementation == "twin":
        return _twins(request).world.models
    from shared.cloud.models import BlobModels

    return BlobModels(_storage(request))


@pytest.fixture
def audit(implementation: str, request: pytest.FixtureRequest) -> Audit:
    if implementation == "twin":
        return _twins(request).world.audit
    from shared.cloud.audit import BlobAudit

    return BlobAudit(_storage(request))


@pytest.fixture
def clock(implementation: str, request: pytest.FixtureRequest) -> Clock:
    return _twins(request).world.clock if implementation == "twin" else SystemClock()


@pytest.fixture
def chance(implementation: str, request: pytest.FixtureRequest) -> Chance:
    if implementation == "twin":
        return _twins(request).world.chance
    from shared.cloud.chance import SystemChance

    return SystemChance()


@pytest.fixture
def workers(implementation: str, request: pytest.FixtureRequest) -> Iterator[Workers]:
    if implementation == "twin":
        yield _twins(request).world.workers
        return
    from shared.cloud.workers import ThreadWorkers

    pool = ThreadWorkers()
    yield pool
    pool.close()


def _twins(request: pytest.FixtureRequest) -> Stage:
    found: Stage = request.getfixturevalue("twins")
    return found


def _storage(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.getfixturevalue("storage")
    return found
