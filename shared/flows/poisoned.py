"""Keeps what could not be served, so that it is seen: called for every message of a poison queue."""

from __future__ import annotations

import logging

from shared.model.request import PoisonedMessage
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

LONGEST = 1000  # characters kept of a message: enough to tell what it was


def record(world: World, rules: Rules, queue: str, text: str) -> None:
    """Record a poisoned message; `tagback status` shows it."""
    world.poisoned.keep(PoisonedMessage(queue, text[:LONGEST], world.clock.now()))
    log.error("message.poisoned queue=%s text=%r", queue, text[:LONGEST])
