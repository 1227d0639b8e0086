"""Queue, models, audit and leases on Azurite beyond their contracts: what is really there afterwards."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import uuid
from contextlib import closing
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from shared.cloud import table as tables
from shared.cloud.audit import BlobAudit
from shared.cloud.call import Calls
from shared.cloud.clock import SystemClock
from shared.cloud.identity import Identity, Login
from shared.cloud.leases import TableLeases
from shared.cloud.models import BlobModels
from shared.cloud.queues import StorageQueue
from shared.cloud.storage import Storage
from shared.cloud.table import Overtaken, Table
from shared.cloud.workers import ThreadWorkers
from shared.errors import Refused
from shared.model.account import StorageAccount
from shared.model.draining import Lease
from shared.model.identity import Shard
from tests.rows import DAY, EXACT


@pytest.fixture
def shard() -> Shard:
    return Shard(str(uuid.uuid4()), "westeurope")


def audited(storage: Storage, shard: Shard) -> dict[str, list[str]]:
    container = storage.container("audit")
    names = [blob.name for blob in container.list_blobs(name_starts_with=shard.subscription)]
    return {
        name.removeprefix(f"{shard.subscription}/"): container.download_blob(name).readall().decode().splitlines()
        for name in names
    }


def test_messages_are_base64_as_the_functions_host_expects_and_delays_hide_them(storage: Storage) -> None:
    name = f"q{uuid.uuid4().hex}"
    queue = StorageQueue(storage)
    queue.send(name, '{"vm": "Größe"}')
    queue.send(name, "hidden", timedelta(minutes=5))
    [message] = storage.queue(name).receive_messages()
    assert base64.b64decode(message.content).decode() == '{"vm": "Größe"}'
    assert storage.queue(name).get_queue_properties().approximate_message_count == 2


def test_a_queue_is_made_once_however_many_send_first(storage: Storage) -> None:
    name, queue = f"q{uuid.uuid4().hex}", StorageQueue(storage)
    with closing(ThreadWorkers()) as workers:
        assert workers.run([lambda: queue.send(name, "x")] * 16) == [None] * 16
    assert storage.queue(name).get_queue_properties().approximate_message_count == 16


def test_a_delay_longer_than_azure_allows_is_cut(storage: Storage) -> None:
    StorageQueue(storage).send(f"q{uuid.uuid4().hex}", "x", timedelta(days=30))


def test_a_message_never_comes_before_its_delay(storage: Storage) -> None:
    name = f"q{uuid.uuid4().hex}"
    StorageQueue(storage).send(name, "later", timedelta(seconds=0.4))
    assert storage.queue(name).receive_message() is None


def test_models_lie_gzipped_under_their_digest(storage: Storage) -> None:
    model = {"vm": {"name": uuid.uuid4().hex}}
    reference = BlobModels(storage).keep(model)
    blob = storage.container("models").download_blob(f"{reference}.json.gz").readall()
    assert json.loads(gzip.decompress(blob)) == model


def test_a_model_that_somebody_changed_is_refused(storage: Storage) -> None:
    models = BlobModels(storage)
    reference = models.keep({"vm": {"name": uuid.uuid4().hex}})
    forged = gzip.compress(b'{"vm":{}}')
    storage.container("models").upload_blob(f"{reference}.json.gz", forged, overwrite=True)
    with pytest.raises(Refused):
        models.load(reference)


def test_audit_lines_stand_in_the_blob_of_their_shard_and_day(storage: Storage, shard: Shard) -> None:
    audit = BlobAudit(storage)
    audit.append(shard, EXACT, ['{"one": "Größe"}', "two"])
    BlobAudit(storage).append(shard, EXACT, ["three"])
    audit.append(shard, EXACT + DAY, ["four"])
    assert audited(storage, shard) == {
        "westeurope/2026-11-20/000.jsonl": ['{"one": "Größe"}', "two", "three"],
        "westeurope/2026-11-21/000.jsonl": ["four"],
    }


def test_a_full_audit_blob_is_followed_by_the_next(storage: Storage, shard: Shard) -> None:
    audit = BlobAudit(storage, blocks=2)
    for number in range(5):
        audit.append(shard, EXACT, [str(number)])
    assert list(audited(storage, shard).values()) == [["0", "1"], ["2", "3"], ["4"]]
    BlobAudit(storage, blocks=2).append(shard, EXACT, ["late"])
    lines = [line for blob in audited(storage, shard).values() for line in blob]
    assert sorted(lines) == ["0", "1", "2", "3", "4", "late"]


def test_a_blob_that_azure_says_is_full_is_followed_by_the_next(shard: Shard) -> None:
    """Answers as the service documents them, from a server of this test: an emulator would need 50,000 blocks."""
    lines: dict[str, bytes] = {}

    class Full(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path, _, query = self.path.partition("?")
            first, creates = path.endswith("000.jsonl"), "comp=appendblock" not in query
            if first and not creates:
                self.answer(409, "BlockCountExceedsLimit")
            elif creates or path in lines:
                lines[path] = lines.get(path, b"") + body
                self.answer(201, "")
            else:
                self.answer(404, "BlobNotFound")

        def answer(self, status: int, code: str) -> None:
            self.send_response(status)
            for name, value in (("x-ms-error-code", code), ("x-ms-blob-committed-block-count", "1")):
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Full) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/x"
        account = StorageAccount("x", f"AccountName=x;AccountKey=eA==;BlobEndpoint={address};")
        with closing(Storage(account, Identity(Login(managed=False)), Calls(SystemClock()))) as storage:
            BlobAudit(storage).append(shard, EXACT, ["one"])
        server.shutdown()
        thread.join()
    assert [(path.rpartition("/")[2], body) for path, body in lines.items()] == [("001.jsonl", b"one\n")]


def test_an_account_is_reached_by_identity_at_its_own_addresses() -> None:
    services = {name: f"https://acc.{name}.example.org" for name in ("blob", "queue", "table")}
    account = StorageAccount("acc", client_id="", **services)
    with closing(Storage(account, Identity(Login(managed=False)), Calls(SystemClock()))) as storage:
        assert storage.container("models").url == "https://acc.blob.example.org/models"
        assert storage.queue("vms").url == "https://acc.queue.example.org/vms"
        assert storage.table("ledger").url == "https://acc.table.example.org"


def test_many_audit_lines_become_several_blocks_and_none_is_lost(storage: Storage, shard: Shard) -> None:
    lines = [f"{number:06}" + "x" * 99_990 for number in range(70)]
    BlobAudit(storage).append(shard, EXACT, lines)
    assert list(audited(storage, shard).values()) == [lines]


def test_appenders_at_the_same_time_lose_no_line(storage: Storage, shard: Shard) -> None:
    def append(number: int) -> None:
        BlobAudit(storage).append(shard, EXACT, [str(number)])

    with closing(ThreadWorkers()) as workers:
        workers.run([partial(append, number) for number in range(16)])
    [lines] = audited(storage, shard).values()
    assert sorted(map(int, lines)) == list(range(16))


def test_of_many_who_want_a_lease_one_gets_it(storage: Storage, shard: Shard) -> None:
    leases = TableLeases(storage)
    with closing(ThreadWorkers()) as workers:
        wants = [partial(leases.take, shard, str(name), EXACT, EXACT + DAY) for name in range(8)]
        answers = workers.run(wants)
    assert sum(isinstance(answer, Lease) for answer in answers) == 1
    assert answers.count(None) == 7


def test_the_deletion_of_a_row_that_is_gone_is_told_even_alone(storage: Storage) -> None:
    table = Table(storage, f"t{uuid.uuid4().hex}")
    [etag] = table.commit([tables.create({"PartitionKey": "p", "RowKey": "r"})])
    table.commit([tables.delete("p", "r", etag)])
    with pytest.raises(Overtaken):
        table.commit([tables.delete("p", "r", etag)])


def test_one_row_that_changed_since_it_was_read_is_not_removed(storage: Storage) -> None:
    table = Table(storage, f"t{uuid.uuid4().hex}")
    [first] = table.commit([tables.create({"PartitionKey": "p", "RowKey": "r", "n": 1})])
    [second] = table.commit([tables.replace({"PartitionKey": "p", "RowKey": "r", "n": 2}, first)])
    table.remove([{"PartitionKey": "p", "RowKey": "r", "etag": first}])
    found = table.get("p", "r")
    assert found is not None
    assert (found["n"], found["etag"]) == (2, second)
    table.remove([found])
    assert table.get("p", "r") is None
