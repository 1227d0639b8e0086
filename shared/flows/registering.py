"""Looks at one VM afresh and writes what is wanted of it: called for every message of the queue `vms`.

It never captures anything; it records the wish for a first point and pokes the shard.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from shared.decide.drawing import DRILL
from shared.decide.enrolment import UNPROTECTED, ends_unprotected, first_capture
from shared.decide.protection import plan_of
from shared.decide.registration import gone, may_be_gone, missed, registered
from shared.errors import Conflict, Denied, LostRace, Unknown
from shared.flows.asking import request
from shared.flows.casework import TRIES, Case, closing, saved
from shared.messages import SHARDS, VmKey, shard_text
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine, Sighting, Status
from shared.model.operation import State
from shared.model.request import Progress
from shared.model.rules import Rules
from shared.model.transition import Held, Row
from shared.ports import World

log = logging.getLogger("tagback")


def reconcile(world: World, rules: Rules, key: VmKey) -> None:
    """Answer one question about a VM by a GET, and record what follows."""
    if key.id.subscription not in rules.subscriptions:
        log.warning("vm.ignored id=%s because=%r", key.id, "its subscription is not among TAGBACK_SUBSCRIPTIONS")
        return
    try:
        found = world.inventory.look(key.id, gives_way=True)
    except (Denied, Conflict) as error:
        # Neither passes within the minutes that a message lives; the sweep asks again.
        log.warning("vm.unread id=%s because=%r", key.id, str(error))
        return
    if isinstance(found, Sighting) and _is_target_of_drill(world, found):
        log.info("vm.ignored id=%s because=%r", key.id, "it is the machine of a drill, which goes on")
        return
    if isinstance(found, Sighting):
        register(world, rules, found)
    if key.uid and key.shard and not (isinstance(found, Sighting) and found.uid == key.uid):
        miss(world, rules, key)


def _is_target_of_drill(world: World, seen: Sighting) -> bool:
    """Whether an open drill has declared this machine as its own; a tag alone says nothing."""
    request_id = next((value for name, value in seen.tags.items() if name.lower() == DRILL), "")
    try:
        asked = request(world, request_id) if request_id else None
    except Unknown:
        return False
    declared = asked.restore.machine.lower() if asked and asked.restore else ""
    return asked is not None and asked.progress is Progress.ASKED and declared == str(seen.id)


def register(world: World, rules: Rules, sighting: Sighting) -> Case | None:
    """Bring the machine's rows in line with a GET; None when a newer look was recorded already."""
    for turn in range(TRIES):
        now = world.clock.now()
        case = _case(world, sighting.shard, sighting.uid)
        if case and case.machine.row.as_of > sighting.as_of:
            return None
        try:
            machine = registered(case.machine.row if case else None, sighting, rules, now)
            return _recorded(world, rules, case, machine, now)
        except LostRace:
            if turn == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def miss(world: World, rules: Rules, key: VmKey) -> None:
    """Record that a GET found nothing of a machine; at the second time, well apart, it is gone.

    Only where the machine itself was looked for: a message may name any id, and a machine may have moved meanwhile.
    """
    now = world.clock.now()
    case = _case(world, key.shard, key.uid) if key.shard and key.uid else None
    if case is None or case.machine.row.status is Status.GONE or case.machine.row.id != key.id:
        return
    machine = case.machine.row
    if machine.absent_since is None:
        saved(world, rules, case, [missed(machine, now)], now)
        log.info("vm.missed vm=%s id=%s because=%r", machine.name, machine.id, "a GET answered 404; asked again later")
    elif may_be_gone(machine, now) and world.inventory.enabled(machine.shard.subscription):
        saved(world, rules, case, [gone(machine), *_closed(case, "the machine is gone", now)], now)
        log.info("vm.gone vm=%s id=%s because=%r", machine.name, machine.id, "404 twice, ten minutes apart")


def _case(world: World, shard: Shard, uid: VmUid) -> Case | None:
    record = world.ledger.record(shard, uid)
    if record is None:
        return None
    closing = any(held.row.state.open for held in record.operations)
    return Case.of(record, world.ledger.points(shard, uid) if closing else ())


def _recorded(world: World, rules: Rules, before: Case | None, machine: Machine, now: datetime) -> Case:
    case = before or Case(Held(machine, ""), ())
    plan = plan_of(machine, rules, now)
    changed: list[Row] = [machine]
    if plan is None:
        changed += _closed(case, UNPROTECTED, now)
    elif first := first_capture(machine, [held.row for held in case.operations], plan, now):
        changed.append(first)
    after = saved(world, rules, case, changed, now)
    row = after.machine.row
    log.info("vm.registered vm=%s plan=%s status=%s because=%r", row.name, row.plan or "-", row.status, row.because)
    if row.wanted_at and row.wanted_at <= now:
        world.queue.send(SHARDS, shard_text(row.shard))
    return after


def _closed(case: Case, because: str, now: datetime) -> Sequence[Row]:
    """The open operations ended as skipped; those that Azure has accepted whole still come to their end."""
    waiting = [operation for operation in case.open if ends_unprotected(operation)]
    return [row for operation in waiting for row in closing(case, operation, State.SKIPPED, because, now)]
