"""Simulators that tests share or own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.running import Running, inside, simulator


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Running]:
    """A simulator of the test's own, on a clock that moves only when told."""
    with inside(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A simulator over TLS whose clock runs and jumps, shared by a module's SDK tests."""
    directory = tmp_path_factory.mktemp("tls")
    with simulator(directory, "--tls-dir", str(directory / "tls"), clock="jump") as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A simulator that a module's tests share because they change nothing others look at."""
    with inside(tmp_path_factory.mktemp("shared")) as running:
        yield running
