"""The machines of other shards, as far as they bear on what may be deleted in one: called by flows/surveying.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.decide.deletion_brake import braked
from shared.decide.protection import hold_of
from shared.flows.slicing import Slice
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine, Status
from shared.model.rules import Rules


def neighbours(slice_: Slice, machines: list[Machine]) -> list[Machine]:
    """The machines of all other shards; only read where one of this shard has left."""
    if all(machine.left_at is None for machine in machines):
        return []
    ledger = slice_.world.ledger
    return [held.row for shard in ledger.shards() if shard != slice_.shard for held in ledger.machines(shard)]


def moved(others: Iterable[Machine]) -> Mapping[VmUid, Machine]:
    """The machines that ask for protection in other shards, or did; of several rows the one that did so last."""
    asking = [one for one in others if one.left_at or one.status not in (Status.EXCLUDED, Status.GONE)]
    order = sorted(asking, key=lambda one: (one.left_at is None, one.left_at or one.as_of))
    return {machine.uid: machine for machine in order}


def held(others: Iterable[Machine], rules: Rules) -> Mapping[VmUid, datetime]:
    """Until when the tags of machines that live in other shards hold them."""
    living = ((one.uid, hold_of(one, rules)) for one in others if one.status is not Status.GONE)
    return {uid: hold for uid, hold in living if hold}


def bursts(here: Shard, machines: list[Machine], others: list[Machine]) -> Mapping[VmUid, str]:
    """The machines that left together with too many others of their shard, or of their subscription."""
    beside = [machine for machine in others if machine.shard.subscription == here.subscription]
    of_subscription = braked([*machines, *beside], f"subscription {here.subscription}")
    return {**of_subscription, **braked(machines, f"shard {here}")}
