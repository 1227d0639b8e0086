"""Races on a real Azurite: many writers count up the same rows of the ledger under If-Match, and no count is lost.

`python -m tests.soak.races --updates N` runs the full count; `make test` samples it. Every commit is one transition of
one machine, its own row and 31 operations, so it is 32 updates that stand or fall together.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from local.azurite import server
from local.azurite.server import Wanted
from local.process import leash
from shared.cloud.call import Calls
from shared.cloud.clock import SystemClock
from shared.cloud.identity import Identity, Login
from shared.cloud.ledger import TableLedger
from shared.cloud.storage import Storage
from shared.errors import LostRace
from shared.model.account import StorageAccount
from shared.model.identity import Shard, VmUid
from shared.model.transition import Transition, Write
from tests.rows import bare_machine, operation

MACHINES = 2
OPERATIONS = 31
TOGETHER = 1 + OPERATIONS


@dataclass(frozen=True, slots=True)
class Job:
    """What one process does: so many commits by each of its threads."""

    connection: str
    subscription: str
    uids: tuple[str, ...]
    seed: int
    threads: int
    commits: int

    @property
    def shard(self) -> Shard:
        return Shard(self.subscription, "westeurope")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `lost` are updates that were answered with success and are not in the rows."""

    updates: int
    rows: int
    writers: int
    lost: int
    races: int
    most_tries: int
    seconds: float


def race(connection: str, updates: int, processes: int = 2, threads: int = 2) -> Outcome:
    """Count up 64 rows by several processes and threads, and look what stands there."""
    uids = tuple(str(uuid.uuid4()) for _ in range(MACHINES))
    commits = -(-updates // (TOGETHER * processes * threads))
    subscription = str(uuid.uuid4())
    jobs = [Job(connection, subscription, uids, number, threads, commits) for number in range(processes)]
    began = time.monotonic()
    with closing(_storage(connection)) as storage:
        ledger = TableLedger(storage)
        for uid in uids:
            _register(ledger, jobs[0].shard, VmUid(uid))
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            counted = pool.map(count_up, jobs)
        done = sum((Counter(one["done"]) for one in counted), Counter[str]())
        found = {uid: _counts(ledger, jobs[0].shard, VmUid(uid)) for uid in uids}
    lost = sum(abs(done[uid] - count) for uid in uids for count in found[uid])
    return Outcome(
        updates=TOGETHER * done.total(),
        rows=MACHINES * TOGETHER,
        writers=processes * threads,
        lost=lost,
        races=sum(one["races"]["all"] for one in counted),
        most_tries=max(one["races"]["most"] for one in counted),
        seconds=round(time.monotonic() - began, 1),
    )


def count_up(job: Job) -> dict[str, dict[str, int]]:
    """One process: how often each machine was counted up, and how many races were lost on the way."""
    done: Counter[str] = Counter()
    races = Counter({"all": 0, "most": 0})
    lock = threading.Lock()

    def thread(number: int) -> None:
        draw = random.Random(job.seed * 1000 + number)
        for _ in range(job.commits):
            uid = draw.choice(job.uids)
            tries = _once(ledger, job.shard, VmUid(uid))
            with lock:
                done[uid] += 1
                races["all"] += tries - 1
                races["most"] = max(races["most"], tries)

    with closing(_storage(job.connection)) as storage:
        ledger = TableLedger(storage)
        running = [threading.Thread(target=thread, args=(number,)) for number in range(job.threads)]
        for one in running:
            one.start()
        for one in running:
            one.join()
    return {"done": dict(done), "races": dict(races)}


def _once(ledger: TableLedger, shard: Shard, uid: VmUid) -> int:
    """Count one machine's rows up, all together, however many tries it takes."""
    tries = 0
    while True:
        tries += 1
        record = ledger.record(shard, uid)
        assert record is not None
        machine = record.machine.row
        writes = [Write(replace(machine, because=str(int(machine.because) + 1)), record.machine.etag)]
        writes += [Write(replace(held.row, attempts=held.row.attempts + 1), held.etag) for held in record.operations]
        try:
            ledger.commit(Transition(shard, uid, tuple(writes)))
        except LostRace:
            continue
        return tries


def _register(ledger: TableLedger, shard: Shard, uid: VmUid) -> None:
    rows = [operation(uid, f"slot-{number}") for number in range(OPERATIONS)]
    machine = replace(bare_machine(shard, uid), because="0")
    ledger.commit(Transition(shard, uid, (Write(machine, None), *(Write(row, None) for row in rows))))


def _counts(ledger: TableLedger, shard: Shard, uid: VmUid) -> list[int]:
    record = ledger.record(shard, uid)
    assert record is not None
    return [int(record.machine.row.because), *(held.row.attempts for held in record.operations)]


def _storage(connection: str) -> Storage:
    account = StorageAccount("devstoreaccount1", connection)
    return Storage(account, Identity(Login(managed=False)), Calls(SystemClock()))


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.soak.races", description=__doc__)
    parser.add_argument("--updates", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder, leash() as held:
        emulator = server.start(Wanted(Path(folder)), held)
        try:
            outcome = race(emulator.connection_string, asked.updates, asked.processes, asked.threads)
        finally:
            emulator.stop()
    print(json.dumps(asdict(outcome)))
    return 1 if outcome.lost or outcome.updates < asked.updates else 0


if __name__ == "__main__":
    sys.exit(main())
