"""Real processes that several test packages share: one Azurite and one simulator per test session, on free ports.

Tests on them do not depend on each other: each takes subscriptions, queues and blobs of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.azurite import server
from local.azurite.server import Azurite, Wanted
from local.process import Leash, leash
from tests.simulator.running import OTHER, SUBSCRIPTION, Running, simulator


@pytest.fixture(scope="session")
def held() -> Iterator[Leash]:
    """What ends child processes even when the test run is killed."""
    with leash() as ours:
        yield ours


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory, held: Leash) -> Iterator[Azurite]:
    directory: Path = tmp_path_factory.mktemp("azurite")
    emulator = server.start(Wanted(directory), held)
    yield emulator
    emulator.stop()


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An empty Azure over TLS with two subscriptions, on a clock that moves only when told."""
    directory = tmp_path_factory.mktemp("simulator")
    seed = "".join(f'[[subscription]]\nid = "{each}"\n' for each in (SUBSCRIPTION, OTHER))
    with simulator(directory, "--tls-dir", str(directory / "tls"), seed=seed) as running:
        yield running
