"""Messages that nobody can serve: every one is set aside and shown, and the good ones go on (fault F12)."""

from __future__ import annotations

import base64
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueServiceClient

from tests.counts import Count
from tests.e2e.night import Night, night

# Sampled here; `make soak` asks for ten thousand.
MESSAGES = int(os.environ.get("POISON_MESSAGES", "1000"))
TOGETHER = 100  # are sent at once: a busy machine takes its time over thousands, and seems to be stuck
QUEUES = ("vms", "shards", "requests")
LONGEST = 48_000  # what is left of the 64 KiB of a message once it is in base64


def garbage(chance: random.Random, number: int) -> str:
    """A message that no version of the app has ever sent: each one different."""
    kinds = (
        lambda: f"{{'not json' {number}",
        lambda: json.dumps({"vm": number}),
        lambda: json.dumps({"vm": "/subscriptions/x", "number": number}),
        lambda: json.dumps([[[number]]]),
        lambda: f"{number}|{'é' * chance.randrange(1, 400)}\u202e\U0001f4a9",
        lambda: str(number) + "x" * chance.randrange(1, LONGEST),
        lambda: json.dumps({"shard": f"a|b|{number}"}),
        lambda: f"{number}" + "[" * 20_000,
    )
    return chance.choice(kinds)()


def send(played: Night, numbers: range) -> Counter[str]:
    """Put garbage into every queue, half of it in base64; how much went where."""
    chance, sent = random.Random(numbers.start), Counter[str]()
    with QueueServiceClient.from_connection_string(played.stack.azurite.connection_string) as service:
        for name in QUEUES:
            with suppress(ResourceExistsError):
                service.create_queue(name)
        for number in numbers:
            name, text = QUEUES[number % len(QUEUES)], garbage(chance, number)
            wrapped = base64.b64encode(text.encode()).decode() if chance.random() < 0.5 else text
            with service.get_queue_client(name) as queue:
                queue.send_message(wrapped.encode("utf-8", "replace").decode())
            sent[name] += 1
    return sent


def test_a_flood_of_garbage_ends_in_sight_and_the_good_messages_pass(
    tmp_path: Path, counted: Callable[[Count, int], None]
) -> None:
    with night(tmp_path, ["web-1", "data-1"]) as played:
        sent: Counter[str] = Counter()
        for first in range(0, MESSAGES, TOGETHER):
            numbers = range(first, min(first + TOGETHER, MESSAGES))
            at = played.scenario.start + timedelta(seconds=first // TOGETHER)
            played.conductor.stage.at(at, "garbage", lambda numbers=numbers: sent.update(send(played, numbers)))  # type: ignore[misc]
        played.conductor.run(played.end)
        assert sum(sent.values()) == MESSAGES
        kept = Counter(str(row["queue"]) for row in played.observer.rows() if row.get("PartitionKey") == "poisoned")
        assert kept == sent
        _, findings = played.judged()
        assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
        assert findings["S2"].checked >= 1
    counted(Count.POISON, kept.total())
