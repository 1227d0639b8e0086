"""Notices that the mass brake is on, or off again, so that people are told once. Called by the sweep, with its rows.

Nothing rests on it but the telling: what may be deleted is judged from the rows themselves, by the reaper.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress

from shared.decide.freezing import freezes, noticed
from shared.errors import LostRace
from shared.model.machine import Machine, Remembered
from shared.ports import World

log = logging.getLogger("tagback")


def notice(world: World, machines: Iterable[Machine | Remembered]) -> None:
    """Note every freeze that is new, and the end of every one that is over; another sweep may be faster."""
    before = world.brakes.now()
    after = noticed(before, freezes(machines), world.clock.now())
    if after == before:
        return
    with suppress(LostRace):
        world.brakes.change(after)
        log.warning("deletions.frozen freezes=%d", sum(brake.on and not brake.by for brake in after.brakes))
