"""The guarantee behind the events: every few minutes, poke what is due and ask about what looks different.

Called by the timer. A list never changes anything by itself: questions go to the queue `vms`, a GET answers them. It
also lets go of requests and poisoned messages that are too old to matter.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.decide.questions import Question, loss, question, questions, remembered
from shared.flows.freezing import notice
from shared.flows.pausing import tell
from shared.flows.restoring import overdue
from shared.messages import REQUESTS, SHARDS, VMS, VmKey, request_text, shard_text
from shared.model.identity import Shard, VmUid
from shared.model.machine import Remembered
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

FORGOTTEN_AFTER = timedelta(days=30)  # answered requests, and messages that nobody could serve
Rows: TypeAlias = Mapping[VmUid, Remembered]
Seen: TypeAlias = dict[VmUid, Question | None]


@dataclass(slots=True)
class Roll:
    """A shard's rows, as much of them as a sweep needs, and when the first of them wants a drainer."""

    machines: dict[VmUid, Remembered]
    wanted_at: datetime | None


def sweep(world: World, rules: Rules) -> None:
    """Poke the shards that have something due, then compare every subscription's inventory with the ledger."""
    rolls = {shard: _roll(world, rules, shard) for shard in world.ledger.shards()}
    now = world.clock.now()
    for shard, roll in rolls.items():
        if roll.wanted_at and roll.wanted_at <= now:
            world.queue.send(SHARDS, shard_text(shard))
    for request in overdue(world.requests.unsettled(), now):
        world.queue.send(REQUESTS, request_text(request.id))
    rows = {shard: roll.machines for shard, roll in rolls.items()}
    seen = _inventory(world, rules, rows)
    asked = sum(_ask(world, shard, rows.get(shard, {}), seen.get(shard, {})) for shard in sorted({*rows, *seen}))
    for shard in sorted(rows):
        if shard.subscription in rules.subscriptions:
            _tell_of_loss(shard, rows[shard], seen.get(shard, {}))
    machines_seen = sum(len(machines) for machines in seen.values())
    notice(world, (machine for machines in rows.values() for machine in machines.values()))
    tell(world, rules)
    world.requests.forget(now - FORGOTTEN_AFTER)
    world.poisoned.forget(now - FORGOTTEN_AFTER)
    log.info("sweep.done shards=%d machines=%d questions=%d", len({*rows, *seen}), machines_seen, asked)


def _roll(world: World, rules: Rules, shard: Shard) -> Roll:
    roll, now = Roll({}, None), world.clock.now()
    for machine in (held.row for held in world.ledger.machines(shard)):
        roll.machines[machine.uid] = remembered(machine, rules, now)
        if machine.wanted_at:
            roll.wanted_at = min(roll.wanted_at or machine.wanted_at, machine.wanted_at)
    return roll


def _inventory(world: World, rules: Rules, rows: Mapping[Shard, Rows]) -> dict[Shard, Seen]:
    """Every machine that the lists show, with the question it raises. What it looks like is held for a page only."""
    seen: dict[Shard, Seen] = {}
    for page in world.inventory.fleet(sorted(rules.subscriptions)):
        for sighting in page:
            shard, uid = sighting.shard, sighting.uid
            if shard.subscription in rules.subscriptions:
                seen.setdefault(shard, {})[uid] = question(rows.get(shard, {}).get(uid), sighting, rules.prefix)
    return seen


def _tell_of_loss(shard: Shard, rows: Rows, seen: Seen) -> None:
    """People hear of a list that lost much: a right that was withdrawn looks like this, and so do machines deleted."""
    lost = loss(rows, seen)
    if lost.beyond_belief:
        because = "no list shows them any more; a few at a time are asked about, and no list takes anything away"
        log.warning("list.shrunk shard=%s missing=%d of=%d because=%r", shard, len(lost.missing), lost.of, because)


def _ask(world: World, shard: Shard, rows: Rows, seen: Seen) -> int:
    asked = questions(rows, seen, world.clock.now())
    for one in asked:
        key = VmKey(one.id, one.uid, shard) if one.uid else VmKey(one.id)
        world.queue.send(VMS, key.text())
        log.info("vm.asked id=%s because=%r", one.id, one.because)
    return len(asked)
