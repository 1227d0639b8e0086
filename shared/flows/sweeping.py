"""The guarantee behind the events: every few minutes, poke what is due and ask about what looks different.

Called by the timer. A list never changes anything by itself: questions go to the queue `vms`, a GET answers them. It
also lets go of requests and poisoned messages that are too old to matter.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from shared.decide.questions import questions
from shared.flows.freezing import notice
from shared.flows.pausing import tell
from shared.flows.restoring import overdue
from shared.messages import REQUESTS, SHARDS, VMS, VmKey, request_text, shard_text
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine, Sighting
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

FORGOTTEN_AFTER = timedelta(days=30)  # answered requests, and messages that nobody could serve


def sweep(world: World, rules: Rules) -> None:
    """Poke the shards that have something due, then compare every subscription's inventory with the ledger."""
    rows = {shard: _rows(world, shard) for shard in world.ledger.shards()}
    now = world.clock.now()
    for shard, machines in rows.items():
        if _has_work(machines, now):
            world.queue.send(SHARDS, shard_text(shard))
    for request in overdue(world.requests.unsettled(), now):
        world.queue.send(REQUESTS, request_text(request.id))
    seen = _inventory(world, rules)
    asked = sum(_ask(world, rules, shard, rows.get(shard, {}), seen.get(shard, {})) for shard in sorted({*rows, *seen}))
    machines_seen = sum(len(machines) for machines in seen.values())
    notice(world, (machine for machines in rows.values() for machine in machines.values()))
    tell(world, rules)
    world.requests.forget(now - FORGOTTEN_AFTER)
    world.poisoned.forget(now - FORGOTTEN_AFTER)
    log.info("sweep.done shards=%d machines=%d questions=%d", len({*rows, *seen}), machines_seen, asked)


def _rows(world: World, shard: Shard) -> dict[VmUid, Machine]:
    return {held.row.uid: held.row for held in world.ledger.machines(shard)}


def _has_work(machines: dict[VmUid, Machine], now: datetime) -> bool:
    return any(machine.wanted_at and machine.wanted_at <= now for machine in machines.values())


def _inventory(world: World, rules: Rules) -> dict[Shard, dict[VmUid, Sighting]]:
    seen: dict[Shard, dict[VmUid, Sighting]] = {}
    for page in world.inventory.fleet(sorted(rules.subscriptions)):
        for sighting in page:
            if sighting.shard.subscription in rules.subscriptions:
                seen.setdefault(sighting.shard, {})[sighting.uid] = sighting
    return seen


def _ask(world: World, rules: Rules, shard: Shard, rows: dict[VmUid, Machine], seen: dict[VmUid, Sighting]) -> int:
    asked = questions(rows, seen, rules, world.clock.now())
    for question in asked:
        key = VmKey(question.id, question.uid, shard) if question.uid else VmKey(question.id)
        world.queue.send(VMS, key.text())
        log.info("vm.asked id=%s because=%r", question.id, question.because)
    return len(asked)
