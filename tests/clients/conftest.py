"""The estate that clients share, a signed-in az, and the table at the end: what was run and what passed."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.process import Leash
from tests.clients.commands import groups
from tests.clients.estate import OWNER, Estate, crowd, estate, seed
from tests.clients.installed import missing
from tests.clients.shell import plain_environment, shell
from tests.simulator.running import TENANT

PROGRAMS = {"test_sdk": "Python SDKs", "test_custodian": "Cloud Custodian", "test_stack": "the stack of make up"}
CROWD = 1100
Tally = Callable[[str, int, int], None]


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """Other people's programs are there, or everything fails."""
    assert missing() == [], "run `make test-clients`, which installs them"


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory, held: Leash) -> Iterator[Estate]:
    """An Azure on the machine's clock: what takes seconds there takes seconds here."""
    seeds = seed([*(group.name for group in groups()), "sdk"]) + crowd(CROWD)
    with estate(tmp_path_factory.mktemp("azure"), held, seeds) as running:
        yield running


@pytest.fixture(scope="session")
def signed_in(azure: Estate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration folder of an az that knows this cloud and is logged in as its owner."""
    home = tmp_path_factory.mktemp("signed-in")
    folder = home / "azure"
    with shell(az_environment(azure, home, folder)) as opened:
        for words in sign_in(azure):
            done = opened.run(words)
            assert done.exit == 0, done
    return folder


@pytest.fixture
def configured(azure: Estate, signed_in: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a shell whose az is logged in."""
    shutil.copytree(signed_in, tmp_path / "azure")
    return az_environment(azure, tmp_path, tmp_path / "azure")


@pytest.fixture
def unconfigured(azure: Estate, tmp_path: Path) -> dict[str, str]:
    """The environment of a shell whose az has never been used."""
    return az_environment(azure, tmp_path, tmp_path / "azure")


def az_environment(azure: Estate, home: Path, folder: Path) -> dict[str, str]:
    return plain_environment(
        home,
        AZURE_CONFIG_DIR=str(folder),
        AZURE_CORE_COLLECT_TELEMETRY="no",
        AZURE_CORE_DISPLAY_REGION_IDENTIFIED="no",
        AZURE_EXTENSION_USE_DYNAMIC_INSTALL="no",
        REQUESTS_CA_BUNDLE=str(azure.ca),
        **azure.identity(),
    )


def sign_in(azure: Estate) -> list[list[str]]:
    """What a person types to point az at this cloud (docs/simulator.md says the same)."""
    url = azure.url
    register = ["cloud", "register", "-n", "local", "--endpoint-resource-manager", url]
    register += ["--endpoint-active-directory", url, "--endpoint-active-directory-resource-id", f"{url}/"]
    return [
        register,
        ["cloud", "set", "-n", "local"],
        ["config", "set", "core.instance_discovery=false"],
        ["login", "--service-principal", "-u", OWNER, "-p", "any", "--tenant", TENANT],
    ]


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """Counts for the table: a group, how many were run, how many passed."""

    def count(group: str, ran: int, passed: int) -> None:
        record_property("clients", (group, ran, passed))

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table: az by its commands, other programs by their tests."""
    rows: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for report in (each for found in terminalreporter.stats.values() for each in found):
        if getattr(report, "when", "") == "call":
            for group, ran, passed in counted(report):
                rows[group] = (rows[group][0] + ran, rows[group][1] + passed)
    if rows:
        rows["total"] = (sum(ran for ran, _ in rows.values()), sum(passed for _, passed in rows.values()))
        terminalreporter.write_sep("=", "clients")
        terminalreporter.write_line(f"{'group':<28}{'run':>6}{'passed':>8}")
    for group, (ran, passed) in rows.items():
        terminalreporter.write_line(f"{group:<28}{ran:>6}{passed:>8}")


def counted(report: pytest.TestReport) -> list[tuple[str, int, int]]:
    """What a test adds to the table."""
    program = PROGRAMS.get(Path(report.location[0]).stem)
    if program:
        return [(program, 1, int(report.passed))]
    tallies: list[Any] = [value for name, value in report.user_properties if name == "clients"]
    return [(group, ran, passed) for group, ran, passed in tallies]
