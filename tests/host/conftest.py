"""Azurite once for all tests at real time, and a host with the app that has everything."""

from collections.abc import Iterator

import pytest

from local.azurite.server import Azurite, Wanted, start
from local.process import leash
from tests.host.harness import HostProcess, Store, running


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with leash() as held:
        yield start(Wanted(tmp_path_factory.mktemp("azurite")), held)


@pytest.fixture(scope="session")
def moved_azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Another one, for tests that move time."""
    with leash() as held:
        yield start(Wanted(tmp_path_factory.mktemp("moved-azurite")), held)


@pytest.fixture(scope="session")
def store(azurite: Azurite) -> Iterator[Store]:
    found = Store(azurite, "shared-")
    found.create("work", "many", "async", "retried", "seen", "results", "work-poison")
    yield found
    found.close()


@pytest.fixture(scope="session")
def host(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host nobody moves through time; tests of one kind share it, each with messages of its own."""
    log = tmp_path_factory.mktemp("host") / "host.log"
    settings = {
        "AzureFunctionsJobHost__extensions__queues__batchSize": "4",
        "AzureFunctionsJobHost__extensions__queues__newBatchThreshold": "0",
        "PYTHON_THREADPOOL_THREAD_COUNT": "16",
    }
    with running(store, log, **settings) as found:
        yield found
