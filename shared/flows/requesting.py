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
from shared.errors import LostRace, Unknown
from shared.flows.casework import TRIES, Case, saved
from shared.flows.holding import held
from shared.flows.pausing import braked
from shared.flows.rebuilding import rebuild
from shared.flows.restoring import carry_on
from shared.flows.retrying import retried
from shared.messages import SHARDS, shard_text
from shared.model.brake import Stops
from shared.model.identity import EVERYWHERE
from shared.model.operation import Operation
from shared.model.point import Origin
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")


def run(world: World, rules: Rules, request_id: str) -> None:
    """Turn a request into an operation, or refuse it with the reason. Repeating it changes nothing."""
    request = world.requests.find(request_id)
    if request is None:
        raise Unknown(f"no request has the id {request_id}")
    if request.asked in (Asked.RESTORE, Asked.UNDO):
        carry_on(world, rules, request)
        return
    if request.progress is Progress.ASKED and request.asked is Asked.REBUILD:
        rebuild(world, rules, request)
    elif request.progress is Progress.ASKED:
        settled = ANSWERS[request.asked](world, rules, request)
        world.requests.settle(settled)
        log.info("request.%s id=%s because=%r", settled.progress, settled.id, settled.because)
    for shard in world.ledger.shards() if request.shard == EVERYWHERE else [request.shard]:
        world.queue.send(SHARDS, shard_text(shard))


def _answered(world: World, rules: Rules, request: Request) -> Request:
    if pause := stopped(world.brakes.now(), Stops.CAPTURES):
        return replace(request, progress=Progress.REFUSED, because=pause)
    for turn in range(TRIES):
        now = world.clock.now()
        record = world.ledger.record(request.shard, request.uid)
        if record is None:
            return replace(request, progress=Progress.REFUSED, because="the machine is not registered")
        case = Case.of(record)
        if plan_of(case.machine.row, rules, now) is None:
            return replace(request, progress=Progress.REFUSED, because=f"no plan takes it: {case.machine.row.because}")
        wanted = _wanted(case, request, now)
        try:
            if wanted.id not in {held.row.id for held in case.operations}:
                saved(world, rules, case, [wanted], now)
            return replace(request, progress=Progress.TAKEN, because="it is being captured", operation=wanted.id)
        except LostRace:
            if turn == TRIES - 1:
                raise
    raise AssertionError("unreachable")


ANSWERS = {
    Asked.BACKUP: _answered,
    Asked.RETRY: retried,
    Asked.HOLD: held,
    Asked.PAUSE: braked,
    Asked.RESUME: braked,
}


def _wanted(case: Case, request: Request, now: datetime) -> Operation:
    slot = request.at.replace(second=0, microsecond=0)
    return opened(case.machine.row, slot, Origin.REQUEST, f"asked for by {request.by}", now)
