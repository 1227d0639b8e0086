"""When the mass brake is to be told of: which freezes there are by the rows, and what of them was noted before.

Called by flows/freezing.py. The brake itself is deletion_brake.py's and needs none of this: here it is only noticed, so
that people are told once per freeze, and once more when it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.decide.deletion_brake import AT_ONCE, braked
from shared.model.brake import Brake, Braking, Stops
from shared.model.machine import Machine, Remembered


@dataclass(frozen=True, slots=True)
class Freeze:
    """Machines of a subscription that left in one go, the first at `since`, the last at `until`."""

    subscription: str
    since: datetime
    until: datetime
    because: str


def freezes(machines: Iterable[Machine | Remembered]) -> tuple[Freeze, ...]:
    """The freezes of all machines that the ledger knows, by subscription, oldest first."""
    by_subscription: dict[str, list[Machine | Remembered]] = {}
    for machine in machines:
        by_subscription.setdefault(machine.shard.subscription, []).append(machine)
    return tuple(one for name in sorted(by_subscription) for one in _of(name, by_subscription[name]))


def _of(subscription: str, machines: Sequence[Machine | Remembered]) -> list[Freeze]:
    because = dict(braked(machines, f"subscription {subscription}"))
    for shard in sorted({machine.shard for machine in machines}):
        because.update(braked([one for one in machines if one.shard == shard], f"shard {shard}"))
    found: list[Freeze] = []
    stopped = [(one.left_at, one.uid) for one in machines if one.left_at is not None and one.uid in because]
    for left_at, uid in sorted(stopped):
        if found and left_at - found[-1].until <= AT_ONCE:
            found[-1] = replace(found[-1], until=left_at, because=because[uid])
        else:
            found.append(Freeze(subscription, left_at, left_at, because[uid]))
    return found


def noticed(before: Braking, found: Sequence[Freeze], now: datetime) -> Braking:
    """The brakes with every freeze among them that is new, and without those that are over."""
    known = [brake for brake in before.brakes if brake.on and not brake.by]
    new = [one for one in found if not any(_is(brake, one) for brake in known)]
    fresh = [Brake(Stops.UNPLANNED, "", one.since, one.because, scope=one.subscription) for one in new]

    def as_now(brake: Brake) -> Brake:
        over = brake in known and not any(_is(brake, one) for one in found)
        return replace(brake, released_at=now, told=False) if over else brake

    return replace(before, brakes=(*map(as_now, before.brakes), *fresh))


def _is(brake: Brake, freeze: Freeze) -> bool:
    """Whether a brake was noted for this freeze: its first machines may be back by now."""
    return brake.scope == freeze.subscription and freeze.since - AT_ONCE <= brake.since <= freeze.until
