"""Lets ended operations leave the ledger. Called by the drainer for each machine whose `next_prune` has come."""

from __future__ import annotations

import logging
from dataclasses import replace

from shared.decide.pruning import MOST, next_prune, outlived
from shared.flows.slicing import Slice
from shared.model.machine import Machine
from shared.model.transition import Held, Record, Transition, Write

log = logging.getLogger("tagback")


def is_due(slice_: Slice, machine: Machine) -> bool:
    """Whether something of the machine may have to leave."""
    return machine.next_prune is not None and machine.next_prune <= slice_.now()


def prune(slice_: Slice, record: Record) -> Record:
    """The record after what has outlived its use was removed. LostRace when somebody else was faster."""
    ledger, uid = slice_.world.ledger, record.machine.row.uid
    whole = ledger.record(slice_.shard, uid)
    if whole is None:
        return record
    now, machine = slice_.now(), whole.machine.row
    leaving = {one.id for one in outlived(machine, (held.row for held in whole.operations), now)}
    removed = tuple(held for held in whole.operations if held.row.id in leaving)
    staying = tuple(held for held in whole.operations if held.row.id not in leaving)
    after = replace(machine, next_prune=now if len(removed) == MOST else next_prune(held.row for held in staying))
    [etag] = ledger.commit(Transition(slice_.shard, uid, (Write(after, whole.machine.etag),), removed))
    log.info("vm.pruned vm=%s operations=%d because=%r", after.name, len(removed), "they ended long ago")
    return Record(Held(after, etag), tuple(held for held in staying if held.row.state.open))
