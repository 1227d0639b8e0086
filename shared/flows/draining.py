"""Drains one shard: the only flow that starts captures. Called for every message of the queue `shards`.

One drainer per shard holds a lease, for politeness; safety rests on ETags and on names that repeat. A slice is short
and may be killed at any instant: whoever comes next looks before acting.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from shared.errors import LostRace
from shared.flows.capturing import Errand, take_up
from shared.flows.confirming import confirm
from shared.flows.pruning import is_due, prune
from shared.flows.publishing import publish
from shared.flows.sending import send
from shared.flows.slicing import Slice
from shared.messages import SHARDS, shard_text
from shared.model.identity import Shard, VmUid
from shared.model.rules import Rules
from shared.ports import Record, World

log = logging.getLogger("tagback")

BATCH = 20  # machines whose intents are recorded and audited together before the first of their acts
MARGIN = timedelta(seconds=60)  # the lease outlives the slice by the longest call
SOON = timedelta(minutes=15)  # what is wanted within this time is worth another message
FASTEST = timedelta(seconds=60)  # a delayed message is only a faster look


def drain(world: World, rules: Rules, shard: Shard) -> None:
    """Work on what is due in a shard for one slice, and hand back once if more is due soon."""
    now = world.clock.now()
    until = now + rules.drain_for
    lease = world.leases.take(shard, world.chance.token(), now, until + MARGIN)
    if lease is None:
        log.info("shard.held shard=%s because=%r", shard, "another drainer has the lease")
        return
    try:
        _work(Slice(world, rules, shard, until, until + MARGIN))
    finally:
        world.leases.give_back(lease)
    _hand_back(world, shard)


def _work(slice_: Slice) -> None:
    """Every machine at most once per slice, so that a machine that stays due cannot hold up the others."""
    taken: set[VmUid] = set()
    while not slice_.is_over():
        due = slice_.world.ledger.due(slice_.shard, slice_.world.clock.now())
        batch = [record for record in due if record.machine.row.uid not in taken][:BATCH]
        if not batch:
            return
        taken |= {record.machine.row.uid for record in batch}
        _pass(slice_, batch)


def _pass(slice_: Slice, batch: list[Record]) -> None:
    """Record every intent of the batch, audit them, act, record what came of it; see what has become ready; tell."""
    errands = [errand for record in batch if (errand := _intended(slice_, record))]
    publish(slice_, confirm(slice_, send(slice_, errands)))


def _intended(slice_: Slice, record: Record) -> Errand | None:
    try:
        if is_due(slice_, record.machine.row):
            record = prune(slice_, record)
        return take_up(slice_, record)
    except LostRace:
        log.info("vm.raced vm=%s because=%r", record.machine.row.name, "somebody else changed it first")
        return None


def _hand_back(world: World, shard: Shard) -> None:
    now = world.clock.now()
    due = world.ledger.due(shard, now + SOON)
    if due:
        world.queue.send(SHARDS, shard_text(shard), _delay(due[0].machine.row.wanted_at, now))


def _delay(wanted: datetime | None, now: datetime) -> timedelta:
    return min(max((wanted or now) - now, timedelta(seconds=1)), FASTEST)
