"""What is kept of a look at a machine's vault: how the machine stands with it, and when the next look is due.

Called by flows/protecting.py after vaulting.py has chosen the next step.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide.schedule import next_slot, slots_back_from
from shared.decide.vault_plan import rhythm_of
from shared.decide.vault_wish import Undecided, Unwanted, Want, Wanted, late_at, taken_up
from shared.decide.vaulting import Begin, Rest, Step, View
from shared.model.machine import Machine
from shared.model.plan import VaultPart
from shared.model.vault import AT_REST, ItemState, Protection, Standing

DAY = timedelta(days=1)
WEEK = 7 * DAY
GRID = timedelta(minutes=5)  # looks fall on it together, so that one reading of a vault serves many machines
AFTER_SLOT = timedelta(hours=1)
MISSING = timedelta(minutes=45)


def observed(
    machine: Machine, want: Want, view: View, step: Step, now: datetime, leaving: datetime | None = None
) -> Protection:
    """How the machine stands with its vault after this look, and when the next one is due.

    `leaving` is the first date of its points in vaults, after which the vault may have let one go; None without any.
    """
    item, known = view.item, machine.protection
    state = _standing(want, view)
    fresh = Protection(state, "", now)
    points = [] if item and item.soft_deleted else [one.last_point for one in (item, known) if one]
    last = max((at for at in points if at), default=None)
    seen = replace(
        known or fresh,
        state=state,
        because=step.operation.because if isinstance(step, Begin) else step.because,
        problem=step.problem if isinstance(step, Rest) else "",
        since=known.since if known and known.state is state else now,
        asked=taken_up(known, want),
        vault=item.vault if item else (known.vault if known else None),
        policy=item.policy if item else "",
        last_point=last,
    )
    return replace(seen, next_look=_next_look(seen, want, now, leaving))


def _standing(want: Want, view: View) -> Standing:
    item = view.item
    if item is None:
        return Standing.WANTED if isinstance(want, Wanted) else Standing.NONE
    if not view.ours:
        return Standing.ELSEWHERE
    if item.soft_deleted:
        return Standing.DELETED
    if item.state in AT_REST:
        return Standing.STOPPED
    return Standing.PENDING if item.state is ItemState.PENDING else Standing.PROTECTED


def _next_look(seen: Protection, want: Want, now: datetime, leaving: datetime | None) -> datetime | None:
    match want:
        case Undecided():
            return None
        case Unwanted():
            return _seldom(seen, now, leaving)
        case Wanted():
            return _soon(seen, want, now)
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(want)


def _seldom(seen: Protection, now: datetime, leaving: datetime | None) -> datetime | None:
    """Where nobody asks for a vault: as long as one is stopped, or a point is left that may leave the ledger."""
    if seen.state is Standing.STOPPED:
        return on_grid(now + WEEK)
    return on_grid(max(now + WEEK, leaving)) if leaving else None


def _soon(seen: Protection, want: Wanted, now: datetime) -> datetime:
    if seen.state is Standing.ELSEWHERE:
        return on_grid(now + DAY)
    if not seen.holds:
        return on_grid(now + AFTER_SLOT)
    return on_grid(_watched(seen, want.part, now))


def _watched(seen: Protection, part: VaultPart, now: datetime) -> datetime:
    """After the next slot; sooner while the last one's point is missing; and when its absence becomes a fault."""
    rhythm = rhythm_of(part)
    newest = next(slots_back_from(rhythm, now))
    got = seen.last_point is not None and seen.last_point >= newest
    expected = got or newest <= seen.since
    look = next_slot(rhythm, now) + AFTER_SLOT if expected else max(now + MISSING, newest + AFTER_SLOT)
    late = late_at(part, seen)
    return min(look, late + GRID) if late + GRID > now else look


def on_grid(moment: datetime) -> datetime:
    """The first instant of the grid at or after a moment."""
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole + GRID * -(-(moment - whole) // GRID)
