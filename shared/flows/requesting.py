"""Takes up what people asked for: called for every message of the queue `requests`.

A request for a point only becomes an operation in the ledger; the shard's drainer does the work.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from shared.decide.brakes import stopped
from shared.decide.capture import opened
from shared.decide.protection import plan_of
from shared.decide.vaulting import opened as intended
from shared.errors import LostRace, Unknown
from shared.flows.cancelling import cancelled
from shared.flows.casework import TRIES, Case, saved
from shared.flows.drilling import drill
from shared.flows.emptying import recorded
from shared.flows.holding import held
from shared.flows.pausing import braked
from shared.flows.rebuilding import rebuild
from shared.flows.restoring import carry_on
from shared.flows.retrying import retried
from shared.messages import SHARDS, shard_text
from shared.model.brake import Stops
from shared.model.identity import EVERYWHERE
from shared.model.operation import Kind, Operation
from shared.model.plan import Plan
from shared.model.point import Origin
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Rules
from shared.model.vault import VaultTask
from shared.ports import World

log = logging.getLogger("tagback")


def run(world: World, rules: Rules, request_id: str) -> None:
    """Turn a request into an operation, or refuse it with the reason. Repeating it changes nothing."""
    request = world.requests.find(request_id)
    if request is None:
        raise Unknown(f"no request has the id {request_id}")
    if request.asked in (Asked.RESTORE, Asked.UNDO, Asked.TIDY, Asked.DRILL):
        carry_on(world, rules, request)
        if request.asked is Asked.DRILL and request.progress is Progress.ASKED and _is_over(world, request_id):
            drill(world, rules)
        return
    if request.progress is Progress.ASKED and request.asked is Asked.REBUILD:
        rebuild(world, rules, request)
    elif request.progress is Progress.ASKED:
        settled = ANSWERS[request.asked](world, rules, request)
        world.requests.settle(settled)
        log.info("request.%s id=%s because=%r", settled.progress, settled.id, settled.because)
    for shard in world.ledger.shards() if request.shard == EVERYWHERE else [request.shard]:
        world.queue.send(SHARDS, shard_text(shard))


def _is_over(world: World, request_id: str) -> bool:
    """Whether a drill has come to its end, so that the next one may begin."""
    now = world.requests.find(request_id)
    return now is not None and now.progress is not Progress.ASKED


def _answered(world: World, rules: Rules, request: Request) -> Request:
    if pause := stopped(world.brakes.now(), Stops.CAPTURES):
        return replace(request, progress=Progress.REFUSED, because=pause)
    for turn in range(TRIES):
        now = world.clock.now()
        record = world.ledger.record(request.shard, request.uid)
        if record is None:
            return replace(request, progress=Progress.REFUSED, because="the machine is not registered")
        case = Case.of(record)
        plan = plan_of(case.machine.row, rules, now)
        if plan is None:
            return replace(request, progress=Progress.REFUSED, because=f"no plan takes it: {case.machine.row.because}")
        wanted = _wanted(case, request, plan, now)
        try:
            if wanted[0].id not in {held.row.id for held in case.operations}:
                saved(world, rules, case, wanted, now)
            because = " and ".join(WORDS[one.kind] for one in wanted)
            return replace(request, progress=Progress.TAKEN, because=because, operation=wanted[0].id)
        except LostRace:
            if turn == TRIES - 1:
                raise
    raise AssertionError("unreachable")


ANSWERS = {
    Asked.BACKUP: _answered,
    Asked.RETRY: retried,
    Asked.HOLD: held,
    Asked.CANCEL: cancelled,
    Asked.PAUSE: braked,
    Asked.RESUME: braked,
    Asked.DELETE_DATA: recorded,
}


WORDS = {Kind.CAPTURE: "it is being captured", Kind.BACK_UP: "Azure Backup is asked for a backup"}


def _wanted(case: Case, request: Request, plan: Plan, now: datetime) -> list[Operation]:
    """A point by every engine of the plan; the first one answers for the request."""
    machine, because = case.machine.row, f"asked for by {request.by}"
    slot = request.at.replace(second=0, microsecond=0)
    captured = [opened(machine, slot, Origin.REQUEST, because, now, plan.engine)] if plan.takes_snapshots else []
    vault = machine.protection.vault if machine.protection else None
    backup = intended(machine, Kind.BACK_UP, because, VaultTask(vault), request.at)
    backed_up = [replace(backup, origin=Origin.REQUEST, next_look=now)] if plan.vault else []
    return [*captured, *backed_up]
