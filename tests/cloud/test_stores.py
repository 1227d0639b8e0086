"""Queue, models, audit and leases on Azurite beyond their contracts: what is really there afterwards."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest

from shared.cloud.audit import BlobAudit
from shared.cloud.leases import TableLeases
from shared.cloud.models import BlobModels
from shared.cloud.queues import StorageQueue
from shared.cloud.storage import Storage
from shared.cloud.workers import ThreadWorkers
from shared.errors import Refused
from shared.model.identity import Shard
from shared.ports import Lease
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
