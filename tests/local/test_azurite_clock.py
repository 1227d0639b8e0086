"""The unmodified emulator follows a clock that is moved ahead: asked through the real SDKs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobLeaseClient, BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite.server import Azurite, Wanted, start
from local.clock.followers import AzuriteClock
from local.process import PartFailed, leash

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with leash() as held:
        yield start(Wanted(tmp_path_factory.mktemp("azurite"), now=START), held)


@pytest.fixture(scope="module")
def clock(azurite: Azurite) -> Iterator[AzuriteClock]:
    follower = AzuriteClock(azurite.clock_url)
    yield follower
    follower.close()


def jump(clock: AzuriteClock, by: timedelta) -> None:
    clock.move(clock.now() + by)


def test_it_starts_at_the_instant_asked_for(clock: AzuriteClock) -> None:
    assert START <= clock.now() < START + timedelta(days=300)


def test_a_message_hidden_for_an_hour_appears_after_a_jump(azurite: Azurite, clock: AzuriteClock) -> None:
    with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        queue = service.create_queue("hidden")
        queue.send_message("later", visibility_timeout=3600)
        jump(clock, timedelta(minutes=59))
        assert queue.receive_message() is None
        jump(clock, timedelta(minutes=1))
        message = queue.receive_message(visibility_timeout=30)
        assert message is not None
        assert message.content == "later"
        assert queue.receive_message() is None
        jump(clock, timedelta(seconds=31))
        assert queue.receive_message() is not None


def test_a_lease_of_a_minute_ends_after_a_jump(azurite: Azurite, clock: AzuriteClock) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        blob = service.create_container("leases").upload_blob("one", b"x")
        BlobLeaseClient(blob).acquire(lease_duration=60)
        with pytest.raises(HttpResponseError) as refused:
            BlobLeaseClient(blob).acquire(lease_duration=60)
        assert "LeaseAlreadyPresent" in str(refused.value)
        jump(clock, timedelta(seconds=61))
        BlobLeaseClient(blob).acquire(lease_duration=60)
        before = blob.get_blob_properties().last_modified
        assert before is not None
        assert before >= START


def test_table_timestamps_move_ahead_and_every_etag_differs(azurite: Azurite, clock: AzuriteClock) -> None:
    seen: list[tuple[datetime, str]] = []
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        table = service.create_table("stamps")
        for _ in range(40):
            table.upsert_entity({"PartitionKey": "p", "RowKey": "r"})
            metadata = table.get_entity("p", "r").metadata
            stamp, etag = metadata["timestamp"], metadata["etag"]
            assert stamp is not None
            assert etag is not None
            seen.append((stamp, etag))
            if len(seen) % 10 == 0:
                jump(clock, timedelta(hours=1))
    assert [stamp for stamp, _ in seen] == sorted(stamp for stamp, _ in seen)
    assert len({etag for _, etag in seen}) == 40
    assert timedelta(hours=3) <= seen[-1][0] - seen[0][0] < timedelta(hours=4)


def test_the_clock_never_goes_back(clock: AzuriteClock) -> None:
    before = clock.now()
    clock.move(before - timedelta(days=1))
    assert clock.now() >= before


def logged(azurite: Azurite, count: int) -> list[dict[str, object]]:
    """The lines about the table `logged`. Each is written when its answer is out: the last comes a moment later."""
    give_up = time.monotonic() + 10
    while len(lines := [line for line in azurite.requests() if "logged" in str(line)]) < count:
        assert time.monotonic() < give_up, lines
        time.sleep(0.02)
    return lines


def test_the_request_log_tells_conditions_and_the_operations_of_a_transaction(azurite: Azurite) -> None:
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        table = service.create_table("logged")
        table.submit_transaction([("create", {"PartitionKey": "a|b", "RowKey": "1"})])
        table.delete_entity("a|b", "1")
        list(table.query_entities("PartitionKey eq 'none'"))
    lines = logged(azurite, 3)
    batch, deleted, query = lines
    assert batch["service"] == "table"
    assert batch["operations"] == [{"method": "POST", "path": "/devstoreaccount1/logged"}]
    assert (deleted["method"], deleted["if-match"], deleted["status"]) == ("DELETE", "*", 204)
    assert query["method"] == "GET"
    assert datetime.fromisoformat(str(query["t"])) >= START


def test_a_service_can_be_out_of_order_for_a_while(azurite: Azurite, clock: AzuriteClock) -> None:
    with TableServiceClient.from_connection_string(azurite.connection_string, retry_total=0) as service:
        table = service.create_table("outage")
        azurite.break_down("table", clock.now() + timedelta(seconds=60))
        with pytest.raises(HttpResponseError) as refused:
            table.create_entity({"PartitionKey": "p", "RowKey": "r"})
        assert refused.value.status_code == 503
        assert getattr(refused.value.response, "headers", {})["x-ms-error-code"] == "ServerBusy"
        with QueueServiceClient.from_connection_string(azurite.connection_string) as queues:
            queues.create_queue("in-order")
        jump(clock, timedelta(seconds=60))
        table.create_entity({"PartitionKey": "p", "RowKey": "r"})


def test_a_port_in_use_is_one_clear_line(azurite: Azurite, tmp_path: Path) -> None:
    taken = int(azurite.urls["blob"].split(":")[2].split("/")[0])
    with leash() as held, pytest.raises(PartFailed, match=rf"^Azurite cannot use port {taken}: [^\n]+$"):
        start(Wanted(tmp_path, blob=taken), held)


def test_a_missing_node_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with leash() as held, pytest.raises(PartFailed, match=r"^Azurite needs Node 20 or newer[^\n]+$"):
        start(Wanted(tmp_path), held)


def test_an_old_node_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v18.20.4\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with leash() as held, pytest.raises(PartFailed, match=r"^Azurite needs Node 20 or newer: [^\n]+ is v18\.20\.4$"):
        start(Wanted(tmp_path), held)


def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from local.azurite.server import Wanted, start\n"
        "from local.process import leash\n"
        "with leash() as held:\n"
        "    print(start(Wanted(pathlib.Path(sys.argv[1])), held).pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert alive(pid)
        owner.kill()
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
