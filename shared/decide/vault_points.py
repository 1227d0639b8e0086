"""Recovery points of a vault as points of the ledger. The vault makes and expires them; the ledger only tells of them.

Called by vault_recording.py. A point leaves the ledger when the vault lists it no more and its date has passed: what is
missing from a list before that stays, because absence proves nothing. What a vault lists after its date stays as well:
it keeps everything of a stopped item, and the newest point of any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shared.decide.retention import Neighbour, kept
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.plan import Plan
from shared.model.point import Consistency, Engine, Origin, Point, PointState
from shared.model.vault import PointSeen, VaultPoint

CONSISTENCY = {
    "appconsistent": Consistency.APPLICATION,
    "filesystemconsistent": Consistency.FILE_SYSTEM,
}
"""What Azure Backup calls it → what we call it; CrashConsistent, like every kind that is not here, promises the
least [azure-facts 5.9]."""


def recorded(
    machine: Machine, plan: Plan | None, vault: ResourceId, seen: Iterable[PointSeen], known: Sequence[Point]
) -> list[Point]:
    """The points that the ledger does not have, or has otherwise. A new one has the model that the machine has now."""
    own = {point.slot: point for point in known if point.engine is Engine.VAULT}
    neighbours = [Neighbour(one.slot, one.keep_until) for one in own.values() if one.complete]
    found = []
    for one in sorted(seen, key=lambda each: each.at):
        point = _point(machine, plan, vault, one, neighbours)
        before = own.get(point.slot)
        if before is None or _is_told_otherwise(point, before, one.expires):
            found.append(_retold(point, before, one.expires) if before else replace(point, model=machine.model))
            neighbours.append(Neighbour(point.slot, point.keep_until))
    return found


def _is_told_otherwise(point: Point, before: Point, named: datetime | None) -> bool:
    known = (before.vault, before.consistency, before.keep_until)
    return known != (point.vault, point.consistency, named or before.keep_until)


def _retold(point: Point, before: Point, named: datetime | None) -> Point:
    """What is told of a point may change, but never the model that it came with.

    The date that its vault names is taken as it is: one that was reckoned holds for no point that was asked for, which
    is kept as it was asked. One that is reckoned now never replaces a later one.
    """
    if named:
        return replace(point, model=before.model)
    birth, until = max(point.birth_keep_until, before.birth_keep_until), max(point.keep_until, before.keep_until)
    return replace(point, birth_keep_until=birth, keep_until=until, model=before.model)


def _point(
    machine: Machine, plan: Plan | None, vault: ResourceId, seen: PointSeen, neighbours: Sequence[Neighbour]
) -> Point:
    slot = seen.at.replace(second=0, microsecond=0)
    earned, until, because = "", seen.expires or slot, "its vault says so"
    if seen.expires is None and plan and plan.vault:
        part = plan.vault
        earlier = [one for one in neighbours if one.slot != slot]
        reckoned = kept(slot, Origin.SLOT, part.keep, earlier, part.schedule.zone)
        earned, until = reckoned.earned, reckoned.until
        because = f"{reckoned.because}; its vault keeps it by policy, this date is reckoned"
    elif seen.expires is None:
        because = "its vault keeps it by its policy, which names no date"
    return Point(
        uid=machine.uid,
        slot=slot,
        engine=Engine.VAULT,
        origin=Origin.SLOT,
        attempt=1,
        state=PointState.COMPLETE,
        consistency=CONSISTENCY.get(seen.kind.lower(), Consistency.CRASH),
        plan=plan.name if plan else machine.plan,
        parts=(),
        birth_keep_until=until,
        keep_until=until,
        earned=earned,
        because=because,
        ended_at=seen.at,
        vault=VaultPoint(vault, seen.name, seen.at, seen.tiers),
    )


def expired(seen: Iterable[PointSeen], known: Iterable[Point], now: datetime) -> list[Point]:
    """The points that the vault lists no more, their date having passed."""
    listed = {one.name for one in seen}
    return [one for one in due(known, now) if one.vault and one.vault.name not in listed]


def due(known: Iterable[Point], now: datetime) -> Iterator[Point]:
    """The points of vaults whose date has passed, by which their vault may have let them go."""
    return (point for point in known if point.engine is Engine.VAULT and point.keep_until <= now)


def leaving(known: Iterable[Point], gone: Iterable[Point]) -> datetime | None:
    """The first date of the points of vaults that stay known; None where there are none."""
    left = [*gone]
    return min((one.keep_until for one in known if one.engine is Engine.VAULT and one not in left), default=None)
