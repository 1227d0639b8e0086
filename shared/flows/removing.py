"""Carries verdicts out: charges the budget, records the claims, writes the audit log, deletes, records what came of it.

Called by flows/reaping.py. In this order, so that a kill anywhere leaves a budget too small, never a deletion that
nobody can explain.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from shared.decide.deletion import DAILY, FRESH
from shared.decide.deletion_dates import Going
from shared.decide.naming import stamp
from shared.decide.removal import accepted, begun, doomed, frozen, put_off, spared, without
from shared.errors import (
    Blocked,
    CloudError,
    Conflict,
    Denied,
    LostRace,
    Missing,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
)
from shared.flows.casework import Case, saved, saved_if_mine
from shared.flows.setbacks import gravest
from shared.flows.surveying import Survey
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.point import Part, PartState, Point

log = logging.getLogger("tagback")

TO_VANISH = timedelta(minutes=5)
STALE = Unavailable("Stale", "the look at what is held had grown too old before the deletion could be sent")
AGAIN: tuple[tuple[type[CloudError], timedelta, str], ...] = (
    (Blocked, DAILY, "held by Azure"),
    (Denied, timedelta(hours=1), "a permission is missing"),
    (Refused, DAILY, "Azure refuses its deletion"),
    (Missing, timedelta(hours=1), "what it belongs to was not there"),
    (OutcomeUnknown, timedelta(minutes=15), "the answer was lost"),
    (Conflict, timedelta(minutes=15), "another operation is running on it"),
    (Unavailable, timedelta(minutes=15), "Azure did not answer"),
    (Throttled, timedelta(minutes=5), "Azure asked for fewer calls"),
)
ASKS_PERSON = (Denied, Refused)

Answers = dict[ResourceId, ResourceId | CloudError | None]


@dataclass(frozen=True, slots=True)
class Doom:
    """A point on its way out, with those of its parts that are still there. `charged`: it costs no budget any more.

    `again`: it was claimed before, by somebody who may have asked Azure for it and died.
    """

    standing: Going
    parts: tuple[Part, ...]
    charged: bool
    again: bool = False

    @property
    def point(self) -> Point:
        return self.standing.point


@dataclass(frozen=True, slots=True)
class Sentence:
    """What was decided about one machine: points that change without being deleted, and those on their way out."""

    case: Case
    changed: tuple[Point, ...]
    dooms: tuple[Doom, ...]


def remove(seen: Survey, sentences: Sequence[Sentence]) -> None:
    """Carry out what was decided about some machines."""
    if not _paid(seen, [doom for sentence in sentences for doom in sentence.dooms]):
        sentences = [replace(sentence, dooms=tuple(d for d in sentence.dooms if d.charged)) for sentence in sentences]
    claimed = [after for sentence in sentences if (after := _claimed(seen, sentence))]
    seen.slice_.audit([_line(sentence.case.machine.row, doom) for sentence in claimed for doom in sentence.dooms])
    parts = [part for sentence in claimed for doom in sentence.dooms for part in doom.parts]
    calls = [partial(_delete, seen, part) for part in parts]
    answers: Answers = dict(zip((part.id for part in parts), seen.slice_.each(CallKind.DELETE, calls), strict=True))
    for sentence in claimed:
        _record(seen, sentence, answers)
    seen.strike(doom.point for sentence in claimed for doom in sentence.dooms if not doom.parts)


def _paid(seen: Survey, dooms: Sequence[Doom]) -> bool:
    """Whether the budget could be charged for all of them."""
    due = [doom.standing.planned for doom in dooms if not doom.charged]
    if not due:
        return True
    try:
        seen.pay(sum(due), len(due) - sum(due))
    except LostRace:
        log.info("reap.raced shard=%s because=%r", seen.slice_.shard, "somebody else charged the budget first")
        return False
    return True


def _claimed(seen: Survey, sentence: Sentence) -> Sentence | None:
    """The same sentence with its rows recorded; None when somebody else changed them first, or nothing changed."""
    now = seen.slice_.now()
    dooms = tuple(
        replace(doom, standing=replace(doom.standing, point=begun(doom.standing, now))) for doom in sentence.dooms
    )
    rows = [*sentence.changed, *(doom.point for doom in dooms if doom.parts or not doom.charged)]
    latest = {(row.slot, row.engine): row for row in rows}
    if not latest:
        return sentence if dooms else None
    try:
        case = saved(seen.slice_.world, seen.slice_.rules, sentence.case, list(latest.values()), now)
    except LostRace:
        log.info("vm.raced vm=%s because=%r", sentence.case.machine.row.name, "somebody else changed it first")
        return None
    return Sentence(case, (), dooms)


def _delete(seen: Survey, part: Part) -> ResourceId:
    if seen.slice_.now() - seen.listed_at > FRESH:
        raise STALE
    seen.slice_.world.deletions.delete(seen.slice_.shard, part.id)
    return part.id


def _record(seen: Survey, sentence: Sentence, answers: Answers) -> None:
    """What came of one machine's deletions: gone, on their way, or put off with the reason."""
    if not sentence.dooms:
        return
    case, rows = sentence.case, list[Point]()
    for doom in sentence.dooms:
        if doom.parts:
            rows.append(_after(seen, doom, answers))
        elif doom.point.complete:
            rows.append(replace(without(doom.point, doomed(doom.point)), removal=None))
        else:
            case = case.without_point(doom.point)
            log.info("point.deleted vm=%s slot=%s", case.machine.row.name, stamp(doom.point.slot))
    if not case.leaving:
        saved_if_mine(seen.slice_.world, seen.slice_.rules, case, rows)
        return
    try:
        saved(seen.slice_.world, seen.slice_.rules, case, [_poorer(case), *rows], seen.slice_.now())
    except LostRace:
        log.info("vm.raced vm=%s because=%r", case.machine.row.name, "looked at again before long")


def _poorer(case: Case) -> Machine:
    """The machine whose newest complete point may have left."""
    complete = [point.slot for point in case.known_points if point.complete and point.is_ours]
    return replace(case.machine.row, last_point=max(complete, default=None))


def _after(seen: Survey, doom: Doom, answers: Answers) -> Point:
    now = seen.slice_.now()
    given = [(part, answers.get(part.id)) for part in doom.parts]
    going = [part for part, answer in given if isinstance(answer, ResourceId | OutcomeUnknown)]
    errors = [answer for _, answer in given if isinstance(answer, CloudError)]
    point = accepted(doom.point, going)
    if not doom.again and not going and not any(part.state is PartState.DELETING for part in doomed(point)):
        point = spared(point)
    if not errors:
        unsent = any(answer is None for _, answer in given)
        return put_off(point, now if unsent else now + TO_VANISH, doom.standing.because)
    error = gravest(errors)
    pause, what = next((pause, what) for kind, pause, what in AGAIN if isinstance(error, kind))
    until = now + max(pause, error.after if isinstance(error, Throttled) else timedelta(0))
    because = f"{what}: {error}"
    log.warning("point.kept vm=%s slot=%s because=%r", point.uid, stamp(point.slot), because)
    return frozen(point, until, because) if isinstance(error, ASKS_PERSON) else put_off(point, until, because)


def _line(machine: Machine, doom: Doom) -> dict[str, object]:
    return {
        "event": "point.deleting" if doom.parts else "point.deleted",
        "vm": doom.point.uid,
        "name": machine.name,
        "slot": stamp(doom.point.slot),
        "planned": doom.standing.planned,
        "remains": doom.standing.remains,
        "because": doom.standing.because,
        "parts": [part.id.name for part in doom.parts or doomed(doom.point)],
    }
