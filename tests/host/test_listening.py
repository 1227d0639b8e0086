"""Whoever asks a listener what its queue holds is answered, also in the instant in which it takes all it may."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from azure.storage.queue import QueueMessage

from local.host.activity import Activity
from local.host.clock import Clock
from local.host.options import QueueOptions
from local.host.queue_listener import Holds, QueueListener
from local.host.queue_processor import QueueProcessor

LONG = 60.0
PATIENCE = 30.0


class Gated(QueueListener):
    """A listener whose one message comes when the gate opens, and is then worked on for long."""

    def __init__(self) -> None:
        options = QueueOptions(batch_size=1, new_batch_threshold=0)
        trigger = SimpleNamespace(queue=None)
        busy = SimpleNamespace(
            trigger=trigger, options=options, activity=Activity(Clock()), process=lambda message: asyncio.sleep(LONG)
        )
        super().__init__(cast(QueueProcessor, busy))
        self.fetching, self.gate = asyncio.Event(), asyncio.Event()

    async def _receive(self) -> list[QueueMessage]:
        self.fetching.set()
        await self.gate.wait()
        return [QueueMessage(content="work")]


async def asked(during: bool) -> Holds:
    """What a listener answers that is asked while it fetches its last message, or once it has it."""
    listener = Gated()
    running = asyncio.ensure_future(listener.run())
    await listener.fetching.wait()
    if not during:
        listener.gate.set()
        await asyncio.sleep(0.05)
    question = asyncio.ensure_future(listener.polled())
    await asyncio.sleep(0.05)
    listener.gate.set()
    try:
        return await asyncio.wait_for(question, PATIENCE)
    finally:
        running.cancel()


@pytest.mark.parametrize("during", [True, False], ids=["while fetching", "afterwards"])
def test_a_listener_that_becomes_full_answers_who_asked_meanwhile(during: bool) -> None:
    assert asyncio.run(asked(during)) in (Holds.HIDDEN, Holds.NOTHING)
