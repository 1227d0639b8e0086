"""The stages of a drill that no other restore has: its network, the trial of its machine, and the verdict.

Called by restoring.py. The verdict is written into the row of the machine that was drilled before anything is removed,
and nothing but the drill's own request remembers how far it came: it may be dropped at any instant.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from shared.decide import isolation, probing
from shared.decide.probing import Finding, Seen
from shared.errors import LostRace
from shared.flows.casework import TRIES, Case, saved
from shared.flows.errand import Errand, Impossible, Later, Outcome, Passed
from shared.flows.making import made
from shared.messages import SHARDS, shard_text
from shared.model.drill import Drill, Probing, Trial
from shared.model.request import Request
from shared.model.rules import Rules
from shared.model.span import told
from shared.ports import World

log = logging.getLogger("tagback")


def make_rules(errand: Errand) -> Outcome:
    return made(errand, [isolation.rules(errand.drawing)])


def make_network(errand: Errand) -> Outcome:
    return made(errand, [isolation.network(errand.drawing)])


def probe(errand: Errand) -> Outcome:
    """Whether the machine runs and its agent is ready."""
    machine = errand.find(errand.restore.machine)
    if machine is None:
        return Impossible("the restored machine was removed while it was tried")
    if errand.restore.probing is None:
        errand = _with(errand, Probing(errand.now()))
    return _judged(errand, probing.booted(machine))


def command(errand: Errand) -> Outcome:
    """Whether what is run inside the machine ends as it should."""
    trial, place = _trial(errand), probing.command_place(errand.restore.machine)
    if not trial.command:
        return Passed(_proven(errand))
    seen = errand.find(place)
    if seen is None:
        body = probing.command_body(trial, errand.request.shard.region)
        errand.audit("drill.commanding", id=place)
        errand.write(partial(errand.world.builder.make, errand.request.shard, place, body))
        seen = {}
    outcome = _judged(errand, probing.commanded(seen, trial))
    return Passed(_proven(outcome.errand)) if isinstance(outcome, Passed) else outcome


def _judged(errand: Errand, finding: Finding) -> Outcome:
    """What follows from a look: on with the evidence, another look, or the end of the trial."""
    trial, so_far = _trial(errand), errand.restore.probing
    assert so_far is not None, "a trial begins with its first look"
    match finding.seen:
        case Seen.PROVEN:
            return Passed(_with(errand, replace(so_far, seen=(*so_far.seen, finding.words))))
        case Seen.REFUTED:
            return Impossible(finding.words)
        case Seen.NOT_YET if probing.out_of_time(trial, so_far.since, errand.now()):
            allowed = told(errand.now() - so_far.since)
            return Impossible(f"{finding.words}, {allowed} after it was made")
        case Seen.NOT_YET:
            return Later(errand)


def _proven(errand: Errand) -> Errand:
    assert errand.restore.probing is not None, "a trial begins with its first look"
    return _with(errand, replace(errand.restore.probing, proven_at=errand.now()))


def _with(errand: Errand, how_far: Probing) -> Errand:
    return errand.with_restore(replace(errand.restore, probing=how_far))


def _trial(errand: Errand) -> Trial:
    assert errand.order.trial is not None, "no drill is begun without one"
    return errand.order.trial


def verdict(errand: Errand) -> Outcome:
    """The machine's row says what came of its drill."""
    given = verdict_of(errand)
    errand.audit("drill.judged", proven=given.proven, because=given.because, slot=errand.restore.slot.isoformat())
    remember(errand.world, errand.slice_.rules, errand.request, given)
    return Passed(errand)


def verdict_of(errand: Errand) -> Drill:
    """What came of a drill: it was proven unless it turned back."""
    restore, now = errand.restore, errand.now()
    ended = restore.probing.proven_at if restore.probing and restore.probing.proven_at else now
    took = ended - restore.started_at
    slot = f"{restore.slot:%Y-%m-%d %H:%M}Z"
    because = f"the point of {slot} was restored and tried in {told(took)}"
    if restore.undoing:
        because = f"the point of {slot} could not be proven: {restore.because}"
    return Drill(
        request=errand.request.id,
        slot=restore.slot,
        started_at=restore.started_at,
        at=ended,
        proven=not restore.undoing,
        because=because,
        seen=restore.probing.seen if restore.probing else (),
        took_seconds=int(took.total_seconds()),
        lost_seconds=restore.lost_seconds,
    )


def not_begun(world: World, rules: Rules, request: Request, because: str) -> None:
    """The machine's row says why no drill of it could even begin."""
    now = world.clock.now()
    words = f"no drill of it could begin: {because}"
    remember(world, rules, request, Drill(request.id, None, request.at, now, proven=False, because=words))


def remember(world: World, rules: Rules, request: Request, given: Drill) -> None:
    """Write a verdict into the row of the machine that was drilled; once, however often it is given."""
    for turn in range(TRIES):
        record = world.ledger.record(request.shard, request.uid)
        if record is None:
            return
        row = record.machine.row
        if row.drill is not None and row.drill.request == given.request:
            return
        after = replace(row, drill=given, proof=given if given.proven else row.proof)
        try:
            kept = saved(world, rules, Case.of(record), [after], world.clock.now()).machine.row
        except LostRace:
            if turn == TRIES - 1:
                raise
        else:
            _tell(kept.name, given)
            if kept.outbox:
                world.queue.send(SHARDS, shard_text(kept.shard))
            return


def _tell(name: str, given: Drill) -> None:
    if given.proven:
        log.info("drill.proven vm=%s id=%s because=%r", name, given.request, given.because)
    else:
        log.warning("drill.failed vm=%s id=%s because=%r", name, given.request, given.because)
