"""What a plan's vault part means: when its points are due, which of its start times a machine has, what it asks for.

Pure; used wherever a machine is measured by its vault.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time, timedelta

from shared.model.identity import VmUid
from shared.model.plan import Schedule, VaultPart

HALF = timedelta(minutes=30)
START_WINDOW = timedelta(hours=2)  # a backup starts within two hours of its schedule [VM-backup FAQ, azure-facts 5.12]
_MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def starts(part: VaultPart) -> tuple[time, ...]:
    """The start times that machines share, earliest first."""
    first = _MIDNIGHT + timedelta(hours=part.schedule.start.hour, minutes=part.schedule.start.minute)
    return tuple((first + HALF * turn).time() for turn in range(part.schedule.slots))


def start_of(part: VaultPart, uid: VmUid) -> time:
    """The start time of one machine: always the same one."""
    shared = starts(part)
    return shared[int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4], "big") % len(shared)]


def rhythm_of(part: VaultPart) -> Schedule:
    """When points of this part are due, as any schedule says it; the window is the service's own and the slots'."""
    window = START_WINDOW + HALF * (part.schedule.slots - 1)
    wanted = part.schedule
    if wanted.weekdays:
        days = ",".join(str((day + 1) % 7) for day in wanted.weekdays)
        line = f"{wanted.start.minute} {wanted.start.hour} * * {days}"
        return Schedule((), None, wanted.zone, window, line)
    return Schedule(tuple(sorted(times_of_day(part))), None, wanted.zone, window)


def times_of_day(part: VaultPart) -> tuple[time, ...]:
    """The local times at which the first of the part's slots begins a backup."""
    wanted = part.schedule
    if wanted.every is None:
        return (wanted.start,)
    begin = _MIDNIGHT + timedelta(hours=wanted.start.hour, minutes=wanted.start.minute)
    turns = range(-(-min(wanted.span, timedelta(days=1)) // wanted.every))
    return tuple((begin + wanted.every * turn).time() for turn in turns)
