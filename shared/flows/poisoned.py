"""Keeps what could not be served, so that it is seen: called for every message of a poison queue.

Whoever asked for something in a message that failed is answered: their request is refused, and says what to do.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from shared.errors import BadInput
from shared.messages import REQUESTS, parse_request
from shared.model.request import PoisonedMessage, Progress, Request
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

GIVEN_UP = "its message failed too often; `tagback status` shows it. Look at `tagback jobs` before you ask again"


def record(world: World, rules: Rules, queue: str, text: str) -> None:
    """Record a poisoned message; `tagback status` shows it."""
    world.poisoned.keep(PoisonedMessage(queue, text, world.clock.now()))
    log.error("message.poisoned queue=%s text=%r", queue, text)
    asked = _asked(world, text) if queue == REQUESTS else None
    if asked and asked.progress is Progress.ASKED and asked.order is None:  # the sweep takes restores up again
        world.requests.settle(replace(asked, progress=Progress.REFUSED, because=GIVEN_UP))


def _asked(world: World, text: str) -> Request | None:
    """The request that a message named, as far as it named one."""
    try:
        return world.requests.find(parse_request(text))
    except (BadInput, ValueError):
        return None
