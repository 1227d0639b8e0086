"""A functions host with an ordinary app, and Azurite, moved through time together by the conductor.

The app knows of no clock but Python's own: it is what any function app might be.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy

from local.azurite.server import Azurite, Wanted, start
from local.clock.conductor import Conductor
from local.clock.followers import AzuriteClock, HostClock
from local.process import Command, Leash, Part, leash

START = datetime(2032, 6, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
READY = re.compile(r'^\{"ready": ?true.*\}$', re.MULTILINE)

APP = """
import datetime, json, os, time
import azure.functions as func
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

app = func.FunctionApp()

def note(what):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(json.dumps([what, datetime.datetime.now(datetime.UTC).isoformat()]) + "\\n")

@app.timer_trigger(schedule="0 */15 * * * *", arg_name="timer")
def tick(timer: func.TimerRequest) -> None:
    note("tick")

@app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
def work(message: func.QueueMessage) -> None:
    text = message.get_body().decode()
    if text.startswith("pace"):
        for number in range(int(text.split()[1])):
            if number % 10 == 0:
                time.sleep(1)  # a bucket of ten a second, emptied at once
            note("call")
    elif text == "lease":
        blob = BlobClient.from_connection_string(os.environ["AzureWebJobsStorage"], "leases", "one")
        blob.acquire_lease(60)
        note("leased")
        while True:
            time.sleep(20)
            try:
                blob.acquire_lease(60)
            except HttpResponseError:
                note("held")
            else:
                break
        note("free")
    else:
        note(text)
"""


class Running:
    """The app with its host, its storage, and the clock of both."""

    def __init__(self, folder: Path, held: Leash) -> None:
        self.notes_file = folder / "notes.jsonl"
        self.notes_file.write_text("")
        (folder / "function_app.py").write_text(APP)
        (folder / "host.json").write_text('{"version": "2.0"}')
        self.azurite: Azurite = start(Wanted(folder / "azurite", now=START), held)
        settings = {"AzureWebJobsStorage": self.azurite.connection_string, "NOTES": str(self.notes_file)}
        ahead = (START - datetime.now(UTC)).total_seconds()
        words = ["-m", "local.clock", "--ahead", repr(ahead), "--", "-m", "local.host", "--port", "0"]
        command = Command("host", [sys.executable, *words, "--app", str(folder)], folder / "host.log", settings, ROOT)
        ready = json.loads(Part(command, held).await_lines(READY, 1)[0].group())
        self.conductor = Conductor([AzuriteClock(self.azurite.clock_url), HostClock(ready["url"])], START)

    def send(self, text: str, delay: int = 0) -> None:
        policy = TextBase64EncodePolicy()
        with QueueServiceClient.from_connection_string(
            self.azurite.connection_string, message_encode_policy=policy
        ) as service:
            queue = service.get_queue_client("work", message_encode_policy=policy)
            queue.send_message(text, visibility_timeout=delay)

    def notes(self, *which: str) -> list[tuple[str, datetime]]:
        entries = (json.loads(line) for line in self.notes_file.read_text().splitlines())
        return [(what, datetime.fromisoformat(at)) for what, at in entries if not which or what in which]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with leash() as held:
        started = Running(tmp_path, held)
        with (
            QueueServiceClient.from_connection_string(started.azurite.connection_string) as queues,
            BlobServiceClient.from_connection_string(started.azurite.connection_string) as blobs,
        ):
            queues.create_queue("work")
            blobs.create_container("leases").upload_blob("one", b"")
        yield started
        started.conductor.close()


def test_two_days_pass_in_seconds_with_every_timer_run_on_time(running: Running) -> None:
    began = time.monotonic()
    running.conductor.run(START + timedelta(days=2))
    assert time.monotonic() - began < 40
    ticks = [at for _, at in running.notes("tick")]
    expected = [START + timedelta(minutes=15) * number for number in range(1, 2 * 96 + 1)]
    late = [at - due for at, due in zip(ticks, expected, strict=False)]
    assert len(ticks) in (len(expected), len(expected) - 1), "the last one falls on the horizon itself"
    assert max(late) < timedelta(seconds=2)
    assert min(late) >= -timedelta(seconds=1)


def test_hidden_messages_and_leases_follow(running: Running) -> None:
    for minutes in (5, 20, 50):
        running.send(f"after {minutes} min", delay=minutes * 60)
    running.send("lease")
    running.conductor.run(START + timedelta(hours=1))
    seen = {what: at - START for what, at in running.notes() if what != "tick"}
    for minutes in (5, 20, 50):
        assert timedelta(minutes=minutes) <= seen[f"after {minutes} min"] < timedelta(minutes=minutes + 1)
    lease = [what for what, _ in running.notes("leased", "held", "free")]
    assert lease in (["leased", "held", "held", "free"], ["leased", "held", "held", "held", "free"])


def test_a_bucket_of_ten_a_second_costs_jumps_and_not_seconds(running: Running) -> None:
    running.send("pace 1200")
    began = time.monotonic()
    running.conductor.run(START + timedelta(minutes=4))
    wall = time.monotonic() - began
    calls = [at for _, at in running.notes("call")]
    assert len(calls) == 1200
    assert timedelta(seconds=119) <= calls[-1] - calls[0] < timedelta(seconds=150)
    assert 119 <= running.conductor.statistics.jumps < 200
    assert wall < 60, "half of the virtual time at most; a quiet machine needs 5 s"
