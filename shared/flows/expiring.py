"""Marks what retention says may go, a day ahead and with the reason, and pokes the shards in which something is due.

Called by the timer. It reads only the rows of machines that say that their points want a look, and it changes
nothing but our own rows: what is marked is deleted by the reaper, later, after another look at everything.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.decide.naming import stamp
from shared.decide.removal import next_expiry, owner_of, remarked
from shared.errors import LostRace
from shared.flows.casework import Case, saved
from shared.flows.emptying import is_agreed
from shared.flows.tidying import tidy
from shared.messages import REAP, shard_text
from shared.model.identity import Shard
from shared.model.machine import Machine
from shared.model.point import Point
from shared.model.rules import Mode, Rules
from shared.model.transition import Held
from shared.ports import World

log = logging.getLogger("tagback")

BATCH = 20  # machines whose rows are read together
TURN = 640  # machines that may wait for each other: as many as fill a batch of every slice of a large ledger


def expire(world: World, rules: Rules) -> None:
    """Mark in every shard where we may act, for as long as a slice may last; what is left over comes next time."""
    until = world.clock.now() + rules.drain_for
    tidy(world)
    for shard in world.ledger.shards():
        if rules.subscriptions.get(shard.subscription) is not Mode.ENFORCE:
            continue
        if _reviewed(world, rules, shard, until) or is_agreed(world.approvals.of(shard)):
            world.queue.send(REAP, shard_text(shard))


def _reviewed(world: World, rules: Rules, shard: Shard, until: datetime) -> bool:
    """Go through the machines whose points want a look; whether anything of the shard is for the reaper now."""
    now, due = world.clock.now(), False
    for turn in turns(world.ledger.expiring(shard, now), now):
        for batch in world.ledger.with_points(shard, turn, BATCH):
            if world.clock.now() >= until:
                log.warning(
                    "expire.unfinished shard=%s because=%r", shard, "its time was over; it goes on with the next timer"
                )
                return True
            for record, points in batch:
                due = _marked(world, rules, Case.of(record, points)) or due
    return due


def turns(machines: Iterable[Held[Machine]], now: datetime) -> Sequence[Sequence[Held[Machine]]]:
    """The machines whose points want a look, the longest overdue first, as many at a time as may wait for each other.

    Within a turn those come together that are cheap to read together, so no machine waits for more than one of them.
    """
    overdue = [(one.row.next_expiry, one) for one in machines if one.row.next_expiry and one.row.next_expiry <= now]
    waiting = [one for _, one in sorted(overdue, key=lambda each: (each[0], each[1].row.uid))]
    return [waiting[start : start + TURN] for start in range(0, len(waiting), TURN)]


def _marked(world: World, rules: Rules, case: Case) -> bool:
    """Bring one machine's marks in line with the law; whether the reaper is to look at it now."""
    machine, now = case.machine.row, world.clock.now()
    owner = owner_of(machine, rules, now)
    changed = remarked(case.known_points, owner, rules, now)
    if changed or next_expiry(case.known_points, owner, rules) != machine.next_expiry:
        try:
            case = saved(world, rules, case, [*(changed or [machine])], now)
        except LostRace:
            return False
    _tell(machine, changed)
    return any(point.removal and point.removal.next_look <= now for point in case.known_points)


def _tell(machine: Machine, changed: Sequence[Point]) -> None:
    for point in changed:
        if point.removal:
            due = stamp(point.removal.next_look)
            because = point.removal.because
            log.info("point.marked vm=%s slot=%s due=%s because=%r", machine.name, stamp(point.slot), due, because)
        else:
            log.info("point.unmarked vm=%s slot=%s because=%r", machine.name, stamp(point.slot), "it stays after all")
