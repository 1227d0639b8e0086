"""Tells the custom topic what machines' rows carry, and clears what was told. Called by the drainer.

Rows carry their events since the transition that they tell of. A drainer that is killed between telling and clearing
tells them again, under the same ids.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from shared.decide.events import Change, told, untold, with_events
from shared.errors import CloudError, LostRace
from shared.flows.casework import Case
from shared.flows.slicing import Slice
from shared.model.machine import Machine
from shared.model.transition import Held, Transition, Write

log = logging.getLogger("tagback")

PAUSE = timedelta(minutes=15)  # until the topic is tried again after it refused or could not be reached


def publish(slice_: Slice, cases: Sequence[Case]) -> None:
    """Publish the outboxes whose time has come. What cannot be told now stays in its row."""
    telling = [ready for case in cases if _is_due(slice_, case.machine.row) and (ready := _alarmed(slice_, case))]
    events = [event for case in telling for event in case.machine.row.outbox]
    if not slice_.rules.topic:
        _write(slice_, [(case, untold(case.machine.row)) for case in telling])
        return
    try:
        if events:
            slice_.world.events.publish(events)
    except CloudError as error:
        log.warning("events.untold events=%d because=%r", len(events), str(error))
        later = slice_.now() + PAUSE
        _write(slice_, [(case, replace(case.machine.row, next_publish=later)) for case in telling])
        return
    _write(slice_, [(case, told(case.machine.row, events)) for case in telling])


def _alarmed(slice_: Slice, case: Case) -> Case | None:
    """The case with the alarm that is due today in its outbox, before anybody is told; None when a race was lost."""
    row = case.machine.row
    after = with_events(Change(row, row, (), ()), slice_.now()) if slice_.rules.topic else row
    if after.alarmed_at == row.alarmed_at:
        return case
    try:
        write = Write(after, case.machine.etag)
        [etag] = slice_.world.ledger.commit(Transition(slice_.shard, row.uid, (write,)))
    except LostRace:
        return None
    return replace(case, machine=Held(after, etag))


def _is_due(slice_: Slice, machine: Machine) -> bool:
    return machine.next_publish is not None and machine.next_publish <= slice_.now()


def _write(slice_: Slice, rows: Sequence[tuple[Case, Machine]]) -> None:
    """Nothing but the outbox changes; a row that somebody else changed meanwhile tells its events once more."""
    for case, machine in rows:
        with suppress(LostRace):
            write = Write(machine, case.machine.etag)
            slice_.world.ledger.commit(Transition(slice_.shard, machine.uid, (write,)))
