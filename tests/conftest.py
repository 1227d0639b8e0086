"""Real processes that several test packages share: one Azurite and one simulator per test session, on free ports.

Tests on them do not depend on each other: each takes subscriptions, queues and blobs of its own.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings

from local.azurite import server
from local.azurite.server import Azurite, Wanted
from local.process import Leash, leash
from shared.cloud.arm import Arm
from shared.cloud.call import Calls
from shared.cloud.clock import SystemClock
from shared.cloud.identity import Identity, Login
from shared.cloud.pace import HeardPace
from shared.cloud.storage import Storage
from shared.model.account import StorageAccount
from tests import counts
from tests.contract.clouds import SimulatedClock
from tests.simulator.replay import report
from tests.simulator.running import OTHER, SUBSCRIPTION, Running, simulator
from tests.simulator.specification.plugin import pytest_configure, pytest_sessionfinish, pytest_terminal_summary

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background so, and every process of a test would be as deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A test run is a function of the code: hypothesis draws the same each time. `--hypothesis-profile=default` draws anew.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

# Run by `make test-clients`, which names the folder: az and the like are large and installed apart.
collect_ignore = ["clients"]

# Real processes in real time: a machine that is busy with other things can make such a test late. It gets one more try,
# which the run reports; every other test is a function of its seed and gets none.
REAL_TIME = tuple(Path(__file__).parent / folder for folder in ("e2e", "host", "simulator", "contract", "cloud"))

__all__ = ["pytest_configure", "pytest_sessionfinish", "pytest_terminal_summary"]


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.register(report)
    pluginmanager.register(counts)
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


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
    for role, principal in (("Tagback.Request", "*"), ("Tagback.Approve", "ann"), ("Tagback.Approve", "bob")):
        seed += f'[[app_role]]\naudience = "api://tagback"\nrole = "{role}"\nprincipal = "{principal}"\n'
    with simulator(directory, "--tls-dir", str(directory / "tls"), seed=seed) as running:
        yield running


@pytest.fixture(scope="session")
def storage(azurite: Azurite) -> Iterator[Storage]:
    account = StorageAccount("devstoreaccount1", azurite.connection_string)
    opened = Storage(account, Identity(Login(managed=False)), Calls(SystemClock()))
    yield opened
    opened.close()


@pytest.fixture
def simulator_clock(simulated: Running) -> SimulatedClock:
    return SimulatedClock(simulated)


@pytest.fixture
def identity(simulated: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    """The managed identity of an app on the simulator."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(simulated.ca))
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{simulated.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    with closing(Identity(Login(managed=True))) as ours:
        yield ours


@pytest.fixture
def manager(simulated: Running, simulator_clock: SimulatedClock, identity: Identity) -> Iterator[tuple[Arm, HeardPace]]:
    """The way to the simulator, and the pace it feeds."""
    pace = HeardPace(simulator_clock, 0.3)
    with closing(Arm(simulated.url, identity, simulator_clock, pace)) as arm:
        yield arm, pace
