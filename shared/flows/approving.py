"""Two people's word on deletions that nobody planned: more than a day's budget allows, or of what a vault has.

Called by the API, with an approver whose token was checked, and by the command line to show what waits. Agreeing
deletes nothing: the reaper looks at everything again and honours it where nothing else stands in the way.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.decide import approvals as decide
from shared.decide import emptying
from shared.decide.approvals import Answer, deletion_of
from shared.errors import Forbidden, LostRace, Unknown
from shared.flows.casework import TRIES
from shared.flows.lookup import machines, named
from shared.flows.show import Json, instant
from shared.model.approval import Approvals, Deletion
from shared.model.identity import Shard
from shared.model.machine import Machine
from shared.model.point import PointState
from shared.ports import World

log = logging.getLogger("tagback")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A deletion that waits for people: of a point, or of everything that a vault has of a machine."""

    machine: Machine
    deletion: Deletion
    because: str


def waiting(world: World, seen: Iterable[Machine]) -> tuple[Waiting, ...]:
    """The deletions of some machines that two people may agree to."""
    known = [*seen]
    points = (
        (machine, held.row)
        for machine in known
        if machine.frozen
        for held in world.ledger.points(machine.shard, machine.uid)
    )
    of_points = [
        Waiting(machine, deletion, point.removal.because)
        for machine, point in points
        if point.removal and point.removal.asks and point.state is not PointState.DELETING
        if (deletion := deletion_of(point))
    ]
    return (*of_points, *_of_vaults(world, known))


def _of_vaults(world: World, seen: Sequence[Machine]) -> list[Waiting]:
    by_uid = {machine.uid: machine for machine in seen}
    shards = sorted({machine.shard for machine in seen})
    operations = (held.row for shard in shards for held in world.ledger.operations(shard))
    return [
        Waiting(by_uid[one.uid], emptying.deletion_of(one), one.because)
        for one in operations
        if emptying.waits(one) and one.uid in by_uid
    ]


def meant(world: World, vms: Sequence[str]) -> tuple[Waiting, ...]:
    """What waits of these VMs, of every one where none is named; Unknown where nothing does."""
    seen = machines(world)
    chosen = [named(seen, vm) for vm in vms] if vms else seen
    found = waiting(world, chosen)
    if not found:
        whose = f" of {', '.join(machine.name for machine in chosen)}" if vms else ""
        raise Unknown(f"no deletion{whose} waits for approval; `tagback approve` lists those that do")
    return found


def approve(world: World, vms: Sequence[str], by: str) -> Json:
    """Agree to what another person asked for, and ask for the rest. Forbidden where all of it is one's own question."""
    found = meant(world, vms)
    answers = [_answered(world, shard, found, by) for shard in sorted({one.machine.shard for one in found})]
    agreed, asked, own = ([one for answer in answers for one in part(answer)] for part in PARTS)
    if not agreed and not asked:
        raise Forbidden("you asked for these deletions yourself: another person has to approve them")
    return {
        "approved": _shown(found, agreed),
        "asked": _shown(found, asked),
        "own": _shown(found, own),
        "needs_approval": bool(asked or own),
    }


PARTS: tuple[Callable[[Answer], Sequence[Deletion]], ...] = (
    lambda answer: answer.agreed,
    lambda answer: answer.asked,
    lambda answer: answer.own,
)


def _answered(world: World, shard: Shard, found: Sequence[Waiting], by: str) -> Answer:
    wanted = [one.deletion for one in found if one.machine.shard == shard]
    for turn in range(TRIES):
        answer = decide.answered(world.approvals.of(shard), wanted, by, world.clock.now())
        if not (answer.agreed or answer.asked):
            return answer
        try:
            _audit(world, shard, answer, by)
            world.approvals.change(shard, answer.after)
            log.info("deletions.agreed shard=%s agreed=%d asked=%d by=%s", shard, *_counts(answer), by)
            return answer
        except LostRace:
            if turn == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _counts(answer: Answer) -> tuple[int, int]:
    return len(answer.agreed), len(answer.asked)


def _audit(world: World, shard: Shard, answer: Answer, by: str) -> None:
    now = world.clock.now()
    lines = [_line("deletions.approved", answer.agreed, by, now), _line("deletions.asked", answer.asked, by, now)]
    world.audit.append(shard, now, [line for line in lines if line])


def _line(event: str, deletions: Sequence[Deletion], by: str, now: datetime) -> str:
    points = [f"{one.uid} {instant(one.slot)}" for one in deletions]
    at = now.isoformat(timespec="seconds")
    return json.dumps({"at": at, "event": event, "by": by, "points": points}) if points else ""


def _shown(found: Sequence[Waiting], deletions: Sequence[Deletion]) -> list[Json]:
    chosen = set(deletions)
    return [
        {"vm": one.machine.name, "slot": instant(one.deletion.slot), "marked_at": instant(one.deletion.marked_at)}
        for one in found
        if one.deletion in chosen
    ]


def listed(world: World) -> list[Json]:
    """Every deletion that waits for approval: why, and whether somebody asked for it or two have agreed already."""
    found = waiting(world, machines(world))
    now = world.clock.now()
    known = {shard: world.approvals.of(shard) for shard in {one.machine.shard for one in found}}
    return [_listed(one, known[one.machine.shard], now) for one in found]


def _listed(one: Waiting, approvals: Approvals, now: datetime) -> Json:
    fresh = decide.used(approvals, (), now).approvals
    asked = next((each for each in fresh if one.deletion in each.deletions), None)
    return {
        "vm": one.machine.name,
        "id": str(one.machine.id),
        "slot": instant(one.deletion.slot),
        "because": one.because,
        "asked_by": asked.asked_by if asked else None,
        "asked_at": instant(asked.asked_at) if asked else None,
        "approved_by": (asked.by or None) if asked else None,
        "approved_at": instant(asked.at) if asked else None,
    }
