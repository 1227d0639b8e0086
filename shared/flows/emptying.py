"""A person's wish that a vault delete everything it has of a machine: filed, approved by two people, then carried out.

Asked for here, recorded for requesting.py, approved in approving.py, and begun by the reaper, the only one who may
delete. What becomes of it is seen by the drainer's next look at the vault. A refusal ends it: it needs approval anew.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from shared.decide.approvals import agreed
from shared.decide.brakes import stopped
from shared.decide.capture import closed
from shared.decide.emptying import deletion_of, item_obstacle, obstacle, waits, wished
from shared.errors import BadInput, CloudError, LostRace, OutcomeUnknown, Throttled, Unavailable
from shared.flows.asking import filed, new_request
from shared.flows.casework import TRIES, Case, saved, saved_if_mine
from shared.flows.setbacks import setback
from shared.flows.slicing import Slice
from shared.messages import SHARDS, shard_text
from shared.model.approval import Approvals
from shared.model.brake import Stops
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.machine import Machine, Sighting
from shared.model.operation import Operation, State
from shared.model.point import Engine, Point
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Rules
from shared.model.vault import ItemSeen
from shared.ports import World

log = logging.getLogger("tagback")


def ask_delete(world: World, rules: Rules, machine: Machine, because: str, by: str) -> Request:
    """Ask for it; BadInput with the reason when it would surely be refused."""
    no = obstacle(machine, rules, world.clock.now())
    problems = [f"the backups of {machine.name} are not deleted: {no}"] if no else []
    problems += [] if because.strip() else ["because is empty: say why"]
    if problems:
        raise BadInput(problems)
    asked = new_request(world, Asked.DELETE_DATA, machine.shard, machine.uid, by)
    return filed(world, replace(asked, reason=because.strip()))


def recorded(world: World, rules: Rules, request: Request) -> Request:
    """The request settled: a deletion waits for two people, or the reason why not. Nothing is deleted by it."""
    for turn in range(TRIES):
        record = world.ledger.record(request.shard, request.uid)
        if record is None:
            return _refused(request, "the machine is not registered")
        case, now = Case.of(record), world.clock.now()
        operation = wished(case.machine.row, request)
        known = {held.row.id for held in case.operations}
        if operation.id not in known:
            if any(waits(held.row) for held in case.operations):
                return _refused(request, "such a deletion waits for approval already")
            if no := obstacle(case.machine.row, rules, now):
                return _refused(request, no)
        try:
            if operation.id not in known:
                saved(world, rules, case, [operation], now)
            because = f"two people have to agree: `tagback approve {case.machine.row.name}`"
            return replace(request, progress=Progress.TAKEN, because=because, operation=operation.id)
        except LostRace:
            if turn == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _refused(request: Request, because: str) -> Request:
    return replace(request, progress=Progress.REFUSED, because=because)


def is_agreed(approvals: Approvals) -> bool:
    """Whether two people agreed to a deletion of this kind lately: a point of a vault is never deleted by itself."""
    return any(one.engine is Engine.VAULT for each in approvals.approvals if each.by for one in each.deletions)


def empty(slice_: Slice) -> None:
    """Begin what two people agreed to, each after another look at everything."""
    approvals = slice_.world.approvals.of(slice_.shard)
    if not is_agreed(approvals):
        return
    for uid in sorted({one.uid for each in approvals.approvals if each.by for one in each.deletions}):
        record = slice_.world.ledger.record(slice_.shard, uid)
        for operation in [held.row for held in record.operations if waits(held.row)] if record else []:
            words = agreed(approvals, deletion_of(operation), slice_.now())
            if record and words and not slice_.is_over():
                _judged(slice_, Case.of(record, slice_.world.ledger.points(slice_.shard, uid)), operation, words)


def _judged(slice_: Slice, case: Case, operation: Operation, words: str) -> None:
    world, now = slice_.world, slice_.now()
    if pause := stopped(world.brakes.now(), Stops.DELETES):
        log.info("vault.kept vm=%s because=%r", case.machine.row.name, pause)
        return
    try:
        machine = _as_it_is(slice_, case.machine.row)
        no = obstacle(machine, slice_.rules, now) or item_obstacle(_item(slice_, operation, machine))
    except CloudError as error:
        log.warning("vault.unread vm=%s because=%r", case.machine.row.name, str(error))
        return
    if no:
        saved_if_mine(world, slice_.rules, case, [closed(operation, State.SKIPPED, no, now)])
        return
    _begun(slice_, case, replace(operation, because=f"{operation.because}; {words}"))


def _as_it_is(slice_: Slice, machine: Machine) -> Machine:
    """The machine with its tags by a GET, where it is still there."""
    seen = slice_.world.inventory.look(machine.id)
    fresh = isinstance(seen, Sighting) and seen.uid == machine.uid
    return replace(machine, tags=dict(seen.tags)) if fresh and isinstance(seen, Sighting) else machine


def _item(slice_: Slice, operation: Operation, machine: Machine) -> ItemSeen | None:
    vault = operation.task.vault if operation.task else None
    items = slice_.world.vault_items.items(vault) if vault else ()
    return next((one for one in items if one.vm == machine.id), None)


def _begun(slice_: Slice, case: Case, operation: Operation) -> None:
    """Recorded, audited, then asked of the vault; a refusal is the end of it."""
    world, now, machine = slice_.world, slice_.now(), case.machine.row
    task = operation.task
    assert task is not None
    assert task.vault is not None
    if not slice_.admitted(CallKind.DELETE):
        return
    claimed = replace(
        operation,
        state=State.STARTED,
        attempts=operation.attempts + 1,
        started_at=now,
        next_look=slice_.claim_ends,
        task=replace(task, sent_at=now),
    )
    after = saved_if_mine(world, slice_.rules, case, [claimed])
    if after is None:
        return
    kept = [point for point in case.known_points if point.engine is Engine.VAULT]
    line = {"event": "vault.delete", "vm": machine.uid, "vault": str(task.vault), "operation": operation.id}
    slice_.audit([{**line, "points": len(kept), "because": operation.because}])
    rows = _asked_of(slice_, task.vault, after, operation, claimed)
    saved_if_mine(world, slice_.rules, after, rows)
    log.info("vault.deleted vm=%s vault=%s because=%r", machine.name, task.vault.name, rows[0].because)
    world.queue.send(SHARDS, shard_text(slice_.shard))


def _asked_of(
    slice_: Slice, vault: ResourceId, case: Case, operation: Operation, claimed: Operation
) -> list[Operation | Point]:
    """What becomes of the claimed operation by the vault's answer; as it was where the vault surely heard nothing."""
    try:
        tracking = slice_.world.vault_items.delete(vault, case.machine.row.id)
    except OutcomeUnknown as error:
        return [replace(claimed, because=f"{claimed.because}; the answer was lost: {error}")]
    except (Throttled, Unavailable):
        return [replace(operation, attempts=claimed.attempts)]
    except CloudError as error:
        return setback(case, claimed, error, slice_.now())
    assert claimed.task is not None
    return [replace(claimed, task=replace(claimed.task, tracking=tracking))]
