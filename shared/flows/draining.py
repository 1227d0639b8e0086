"""Drains one shard: the only flow that starts captures. Called for every message of the queue `shards`.

One drainer per shard holds a lease, for politeness; safety rests on ETags and on names that repeat. A slice is short
and may be killed at any instant: whoever comes next looks before acting.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from shared.decide.brakes import stopped
from shared.errors import LostRace, Refused
from shared.flows.capturing import Errand, take_up
from shared.flows.confirming import confirm
from shared.flows.protecting import protect
from shared.flows.pruning import is_due, prune
from shared.flows.publishing import publish
from shared.flows.sending import send
from shared.flows.slicing import Slice, slice_under
from shared.flows.vault_desk import Desk
from shared.messages import SHARDS, shard_text
from shared.model.brake import Stops
from shared.model.identity import Shard
from shared.model.rules import Rules
from shared.model.transition import Record
from shared.ports import World

log = logging.getLogger("tagback")

BATCH = 20  # machines whose intents are recorded and audited together before the first of their acts
SOON = timedelta(minutes=15)  # what is wanted within this time is worth another message
AT_ONCE = timedelta(seconds=1)
# What falls due within it is worked on together, and what stays due although it was taken waits as long: the least that
# is billed is a second, and a large ledger is asked slice by slice.
TOGETHER = timedelta(seconds=60)
TOO_LARGE = frozenset({"PropertyValueTooLarge", "EntityTooLarge", "TransactionTooLarge"})  # what no table row can hold


def drain(world: World, rules: Rules, shard: Shard) -> None:
    """Work on what is due in a shard for one slice, and hand back once if more is due soon.

    While captures are paused only what was begun is brought to its end, by the sweep's rhythm.
    """
    with slice_under(world.leases, world, rules, shard) as slice_:
        if slice_ is None:
            log.info("shard.held shard=%s because=%r", shard, "another drainer has the lease")
            return
        slice_.paused = stopped(world.brakes.now(), Stops.CAPTURES)
        _work(slice_)
    if not slice_.paused:
        _hand_back(slice_)


def _work(slice_: Slice) -> None:
    """What is due is read once and worked through, so that a machine that stays due cannot hold up the others.

    A row that changed since is a lost race. It is read again by the next slice, like what has become due meanwhile.
    """
    desk = Desk(slice_)
    due = slice_.world.ledger.due(slice_.shard, slice_.now())
    for start in range(0, len(due), BATCH):
        if slice_.is_over():
            return
        _pass(slice_, desk, due[start : start + BATCH])


def _pass(slice_: Slice, desk: Desk, batch: Sequence[Record]) -> None:
    """Record every intent of the batch, audit them, act, record what came of it; see what has become ready; tell."""
    errands = [errand for record in protect(slice_, desk, batch) if (errand := _intended(slice_, record))]
    publish(slice_, confirm(slice_, send(slice_, errands)))


def _intended(slice_: Slice, record: Record) -> Errand | None:
    try:
        if is_due(slice_, record.machine.row):
            record = prune(slice_, record)
        return take_up(slice_, record)
    except LostRace:
        log.info("vm.raced vm=%s because=%r", record.machine.row.name, "somebody else changed it first")
        return None
    except Refused as error:
        if error.code not in TOO_LARGE:
            raise
        log.error("vm.unrecordable vm=%s because=%r", record.machine.row.name, str(error))
        return None


def _hand_back(slice_: Slice) -> None:
    """Ask for the next slice: at once when time ran out, else when it is wanted, and not before more may have come.

    What becomes due earlier by then is poked by whoever makes it so.
    """
    now = slice_.now()
    wanted = slice_.world.ledger.next_wanted(slice_.shard, now + SOON)
    if wanted is not None:
        soonest = AT_ONCE if slice_.is_over() else TOGETHER
        slice_.world.queue.send(SHARDS, shard_text(slice_.shard), max(wanted - now, soonest))
