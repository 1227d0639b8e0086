"""Timers at real time: what is remembered between starts, what is made up for, and who of two hosts fires."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.blob.aio import BlobClient

from local.azurite.server import Azurite
from local.host.schedule import parse
from local.host.schedule_monitor import NEVER, ScheduleMonitor, ScheduleStatus
from tests.host.harness import HostProcess, Store, running, settle

HOSTS = "azure-webjobs-hosts"
NOON = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TIMERS = "timers/test-late-/Host.Functions"


@pytest.fixture(scope="module")
def blobs(azurite: Azurite) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        if not service.get_container_client(HOSTS).exists():
            service.create_container(HOSTS)
        yield service


def at_start(
    azurite: Azurite, name: str, stored: ScheduleStatus | None
) -> tuple[ScheduleStatus, ScheduleStatus | None]:
    """The status an hourly timer goes on from at NOON, and what is in its blob afterwards."""

    async def ask() -> tuple[ScheduleStatus, ScheduleStatus | None]:
        async with BlobClient.from_connection_string(azurite.connection_string, HOSTS, name) as blob:
            monitor = ScheduleMonitor(blob, parse("0 0 * * * *"), UTC)
            if stored is not None:
                await monitor.write(stored)
            return await monitor.at_start(NOON), await monitor.read()

    return asyncio.run(ask())


def hour(number: int) -> datetime:
    return datetime(2026, 11, 20, number, tzinfo=UTC)


STATUSES = {
    "nothing stored": (None, hour(13)),
    "on time": (ScheduleStatus(hour(12), hour(13), hour(12)), hour(13)),
    "past due": (ScheduleStatus(hour(9), hour(10), hour(9)), hour(10)),
    "never fired": (ScheduleStatus(NEVER, hour(11), hour(10)), hour(11)),
    "schedule changed, next in the past": (ScheduleStatus(hour(9), hour(11) + HOUR / 2, hour(9)), hour(13)),
    "schedule changed, next to come": (ScheduleStatus(hour(12), hour(15), hour(12)), hour(13)),
}


@pytest.mark.parametrize("case", STATUSES)
@pytest.mark.usefixtures("blobs")
def test_a_start_goes_on_from_what_is_stored(azurite: Azurite, case: str) -> None:
    stored, expected = STATUSES[case]
    status, kept = at_start(azurite, f"timers/{case.replace(' ', '-')}", stored)
    assert status.next == expected
    assert kept == status


@pytest.fixture(scope="module")
def late(azurite: Azurite) -> Iterator[Store]:
    store = Store(azurite, "late-")
    store.create("seen")
    yield store
    store.close()


@pytest.fixture(scope="module")
def first(late: Store, blobs: BlobServiceClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host that finds its hourly timer to have missed two occurrences."""
    missed = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 3 * HOUR
    stored = ScheduleStatus(missed, missed + HOUR, missed).document()
    blob = blobs.get_blob_client(HOSTS, f"{TIMERS}.hourly/status")
    blob.upload_blob(json.dumps(stored), overwrite=True)
    with running(late, tmp_path_factory.mktemp("late") / "log") as host:
        yield host


def test_a_missed_occurrence_is_made_up_for_once_and_startup_runs_are_not_past_due(
    first: HostProcess, late: Store, blobs: BlobServiceClient
) -> None:
    lines: list[dict[str, Any]] = []
    while len(lines) < 2:
        lines += late.lines_until(lambda line: "timer" in line)
    assert {line["timer"]: line["past_due"] for line in lines} == {"hourly": True, "startup": False}
    settle(first)
    stored = json.loads(blobs.get_blob_client(HOSTS, f"{TIMERS}.hourly/status").download_blob().readall())
    due = datetime.fromisoformat(stored["Next"])
    assert timedelta(0) < due - datetime.now(UTC) <= HOUR
    assert late.taken("seen") == []


def test_of_two_hosts_one_fires_and_the_other_takes_over(first: HostProcess, late: Store, tmp_path: Path) -> None:
    with running(late, tmp_path / "second") as second:
        end = time.monotonic() + 15
        while second.logged(".Listener is not to be had") < 2 and time.monotonic() < end:
            time.sleep(0.02)
        assert second.logged("Executing 'Functions.at_startup'") == 0
        assert second.idle()["next"] is not None
        assert first.end(signal.SIGTERM)[0] == 0
        late.taken("seen")
        second.call("/_host/clock", "POST", {"to": (second.now() + timedelta(seconds=61)).isoformat()})
        assert late.seen(timer="startup")
