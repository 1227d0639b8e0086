"""Judges what was marked and is due: called for every message of the queue `reap`, the only way to a deletion.

Each slice looks at everything afresh and asks decide/deletion.py for a verdict on every point that is due; removing.py
carries the verdicts out. A kill at any instant is followed by another look, and nothing that may not go by then goes.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide.deletion import DAILY, verdict
from shared.decide.deletion_dates import Going, Standing
from shared.decide.deletion_verdicts import Delete, Frozen, Held, NeedsApproval, NotOurs, Verdict, WaitUntil
from shared.decide.naming import stamp
from shared.decide.removal import asking, frozen, judged, owner_of, put_off, remarked
from shared.errors import CloudError
from shared.flows.casework import Case, key
from shared.flows.emptying import empty
from shared.flows.expiring import turns
from shared.flows.removing import Doom, Sentence, remove
from shared.flows.slicing import Slice, slice_under
from shared.flows.surveying import Survey, survey
from shared.messages import REAP, shard_text
from shared.model.identity import Shard
from shared.model.point import Point, PointState
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

BATCH = 20  # machines whose claims are recorded and audited together before the first of their deletions
SOON = timedelta(seconds=30)
UNSEEN = timedelta(minutes=15)
HOURLY = timedelta(hours=1)


def reap(world: World, rules: Rules, shard: Shard) -> None:
    """Work on what is due in a shard for one slice, and hand back once if that was not enough."""
    with slice_under(world.reaper_leases, world, rules, shard) as slice_:
        if slice_ is None:
            log.info("reap.held shard=%s because=%r", shard, "another reaper has the lease")
            return
        empty(slice_)
        finished = _work(slice_)
    if not finished:
        world.queue.send(REAP, shard_text(shard), SOON)


def _work(slice_: Slice) -> bool:
    """Judge every machine with something due, once; whether all of them had their turn."""
    machines = [*slice_.world.ledger.machines(slice_.shard)]
    waiting = turns(machines, slice_.now())
    if not waiting:
        return True
    try:
        seen = survey(slice_, [held.row for held in machines])
    except CloudError as error:
        log.warning("reap.blind shard=%s because=%r", slice_.shard, str(error))
        return True
    for batch in (each for turn in waiting for each in slice_.world.ledger.with_points(slice_.shard, turn, BATCH)):
        if slice_.is_over():
            return False
        seen.hear_brakes()
        remove(seen, [_sentence(seen, Case.of(record, points)) for record, points in batch])
    return True


def _sentence(seen: Survey, case: Case) -> Sentence:
    """What is decided about one machine's points: its row as the slice began, where another since is a lost race."""
    rules, now = seen.slice_.rules, seen.slice_.now()
    owner = owner_of(case.machine.row, rules, now)
    changed = {key(point): point for point in remarked(case.known_points, owner, rules, now)}
    points = [changed.get(key(point), point) for point in case.known_points]
    decided = [
        _decided(seen, case, standing) for standing in judged(points, owner, rules) if _is_due(standing.point, now)
    ]
    for point in (one for one in decided if isinstance(one, Point)):
        changed[key(point)] = point
    return Sentence(case, tuple(changed.values()), tuple(one for one in decided if isinstance(one, Doom)))


def _is_due(point: Point, now: datetime) -> bool:
    return point.removal is not None and point.removal.next_look <= now


def _decided(seen: Survey, case: Case, standing: Standing) -> Doom | Point:
    """The point on its way out, or put off with what stands in its way."""
    machine, point, now = case.machine.row, standing.point, seen.slice_.now()
    assert point.removal is not None
    try:
        facts = seen.facts(machine, case.known_points, standing, point.removal)
    except CloudError as error:
        return put_off(point, now + UNSEEN, f"its parts could not be looked at: {error}")
    there = tuple(look.part for look in facts.looks if look.seen is not None)
    if facts.paid and not there and isinstance(standing, Going):
        return Doom(standing, (), charged=True)
    answer = verdict(facts)
    log.info(
        "point.judged vm=%s slot=%s verdict=%s because=%r",
        machine.name,
        stamp(point.slot),
        type(answer).__name__,
        answer.because,
    )
    if isinstance(answer, Delete) and isinstance(standing, Going):
        beyond = facts.unplanned and bool(facts.approved) and (bool(facts.burst) or facts.room <= 0)
        charged = facts.paid or standing.remains or beyond
        if not charged:
            seen.take(standing.planned)
        if beyond:
            standing = replace(standing, because=f"{standing.because}; {facts.approved}")
        return Doom(standing, there, charged, again=point.state is PointState.DELETING)
    return _put_off(point, answer, now)


def _put_off(point: Point, answer: Verdict, now: datetime) -> Point:
    match answer:
        case WaitUntil(until, because):
            return put_off(point, max(until, now + SOON), because)
        case Held(until, because):
            return put_off(point, until, f"held: {because}")
        case Frozen(because):
            return frozen(point, now + HOURLY, because)
        case NeedsApproval(because):
            return asking(point, now + HOURLY, because)
        case NotOurs(because):
            return frozen(point, now + DAILY, because)
        case Delete(because):
            return put_off(point, now + DAILY, because)
        case other:
            assert_never(other)
