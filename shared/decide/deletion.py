"""Whether what was marked may be deleted now: the last word, asked right before the act, from fresh facts alone.

Called by flows/reaping.py. The law is the table CLAUSES: every row can only stop a deletion, and says why; what no row
stops is deleted. Dates come from deletion_dates.py, what Azure itself must show from deletion_evidence.py, budgets from
deletion_budgets.py, the brake from deletion_brake.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.decide.deletion_dates import Going, Standing
from shared.decide.deletion_verdicts import Delete, Frozen, Held, NeedsApproval, NotOurs, Verdict, WaitUntil
from shared.decide.naming import is_ours
from shared.decide.tag_values import FOREVER
from shared.model.point import Part, Point
from shared.model.snapshot import SnapshotSeen

COOLING_OFF = timedelta(hours=72)  # as long as a vault lock lets people think it over [reliability A1]
FRESH = timedelta(minutes=15)  # a list that was begun earlier does not say what is held
CLOCKS_APART = timedelta(minutes=10)
DAILY = timedelta(days=1)
SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Look:
    """What Azure itself showed of one part; `seen` is None when a GET found nothing."""

    part: Part
    seen: SnapshotSeen | None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the verdict on one point depends on.

    `now` is the earlier of our clock and Azure's, `clocks_apart` how far they differ. `listed_at` is when the provider
    list began that `looks` come from. `machine_held_until` is the hold on the VM itself. `left_at` is since when the
    machine does not ask for protection. `halted` says who paused deletions or why nothing may be written here, `burst`
    why the mass brake is on; both empty when nothing is. `room` is what the budget has left for its kind, and `paid`
    that the budget was charged already. `not_before` is what Azure's own dates say. `last`: our rows know of no newer
    complete point; `outlived`: Azure shows one, whole. `asks`: Azure shows the machine, and asking for protection.
    `left`: our rows say that the machine does not ask for protection, or does not exist.
    `approved` says which two people agreed to this very deletion; empty when nobody did.
    `elsewhere` says that it moved to another shard and has no newer point there; empty when not.
    """

    now: datetime
    clocks_apart: timedelta
    owner: str
    standing: Standing
    marked_at: datetime
    wait: timedelta
    listed_at: datetime
    looks: tuple[Look, ...]
    room: int
    paid: bool = False
    machine_held_until: datetime | None = None
    left_at: datetime | None = None
    halted: str = ""
    burst: str = ""
    not_before: datetime | None = None
    last: bool = False
    outlived: bool = True
    asks: bool = False
    elsewhere: str = ""
    approved: str = ""
    left: bool = True

    @property
    def point(self) -> Point:
        return self.standing.point

    @property
    def going(self) -> Going | None:
        return self.standing if isinstance(self.standing, Going) else None

    @property
    def unplanned(self) -> bool:
        return self.going is not None and not self.going.planned


Clause: TypeAlias = Callable[[Facts], Verdict | None]


def verdict(facts: Facts, clauses: Iterable[Clause] | None = None) -> Verdict:
    """The first clause that stops it, or Delete. `clauses` is for tests that take one of them away."""
    for clause in CLAUSES.values() if clauses is None else clauses:
        stopped = clause(facts)
        if stopped is not None:
            return stopped
    return Delete(facts.standing.because)


def _is_ours(facts: Facts) -> Verdict | None:
    """Our row, our owner tag, the same VM and the very disk: all of them, on every part that is there."""
    for look in facts.looks:
        if look.seen is not None and not is_ours(look.seen, facts.point, look.part, facts.owner):
            return NotOurs(
                f"{look.part.id.name} does not carry our tags for this machine and disk, or is of another disk"
            )
    return None


def _may_ever_go(facts: Facts) -> Verdict | None:
    return None if facts.going else WaitUntil(facts.now + DAILY, facts.standing.because)


def _date_has_passed(facts: Facts) -> Verdict | None:
    if facts.going is None or facts.now >= facts.going.at:
        return None
    return WaitUntil(facts.going.at, f"kept until {facts.going.at:%Y-%m-%d %H:%M}Z: {facts.going.because}")


def _azures_date_has_passed(facts: Facts) -> Verdict | None:
    if facts.not_before is None or facts.now >= facts.not_before:
        return None
    return WaitUntil(facts.not_before, f"Azure's own dates keep it until {facts.not_before:%Y-%m-%d %H:%M}Z")


def _is_outlived(facts: Facts) -> Verdict | None:
    if facts.last or facts.outlived:
        return None
    because = "Azure does not show a newer complete point of the machine, whatever our rows say"
    return WaitUntil(facts.now + SOON, because)


def _machine_has_left(facts: Facts) -> Verdict | None:
    if not facts.asks or not ((facts.unplanned and facts.left) or facts.last):
        return None
    return WaitUntil(facts.now + SOON, "Azure shows its machine asking for protection, whatever our rows say")


def _has_not_moved(facts: Facts) -> Verdict | None:
    return Held(facts.now + DAILY, facts.elsewhere) if facts.unplanned and facts.elsewhere else None


def _was_announced(facts: Facts) -> Verdict | None:
    may = facts.marked_at + facts.wait
    return (
        None
        if facts.now >= may
        else WaitUntil(may, f"marked at {facts.marked_at:%Y-%m-%d %H:%M}Z, to be deleted later")
    )


def _has_cooled_off(facts: Facts) -> Verdict | None:
    since = max(facts.marked_at, facts.left_at or facts.marked_at)
    if not facts.unplanned or facts.now >= since + COOLING_OFF:
        return None
    return WaitUntil(since + COOLING_OFF, "nobody planned it at its birth: it waits 72 hours, in case it is a mistake")


def _is_not_held(facts: Facts) -> Verdict | None:
    return _hold(facts, facts.point.held_until, "the point is held")


def _machine_is_not_held(facts: Facts) -> Verdict | None:
    return _hold(facts, facts.machine_held_until, "its machine is held by a tag")


def _parts_are_not_held(facts: Facts) -> Verdict | None:
    until = max((look.held_until for look in facts.looks if look.held_until), default=None)
    return _hold(facts, until, "a part is held by a tag")


def _hold(facts: Facts, until: datetime | None, because: str) -> Verdict | None:
    if until is None or facts.now >= until:
        return None
    shown = "for ever" if until >= FOREVER else f"until {until:%Y-%m-%d %H:%M}Z"
    return Held(min(until, facts.now + DAILY), f"{because} {shown}")


def _nobody_reads_it(facts: Facts) -> Verdict | None:
    for look in facts.looks:
        if look.seen is not None and look.seen.disk_state.lower().startswith("activesas"):
            return Held(
                facts.now + DAILY, f"{look.part.id.name} is being read by a SAS: revoke the access to let it go"
            )
    return None


def _clocks_agree(facts: Facts) -> Verdict | None:
    if facts.clocks_apart <= CLOCKS_APART:
        return None
    return Frozen(f"our clock and Azure's are {facts.clocks_apart} apart; at most {CLOCKS_APART} is allowed")


def _look_is_fresh(facts: Facts) -> Verdict | None:
    fresh = facts.listed_at >= facts.marked_at and facts.now - facts.listed_at <= FRESH
    return None if fresh else WaitUntil(facts.now, "the list that tells what is held is too old: look again first")


def _nothing_is_halted(facts: Facts) -> Verdict | None:
    return Frozen(facts.halted) if facts.halted else None


def _brake_is_off(facts: Facts) -> Verdict | None:
    return NeedsApproval(facts.burst) if facts.unplanned and facts.burst and not facts.approved else None


def _budget_has_room(facts: Facts) -> Verdict | None:
    if facts.paid or facts.room > 0 or (facts.going is not None and facts.going.remains):
        return None
    if facts.unplanned:
        return (
            None
            if facts.approved
            else NeedsApproval(
                "today's unplanned deletions are used up; more of them need a second person, or another day"
            )
        )
    return WaitUntil(facts.now + SOON, "as many points went within a day as its new complete points allow")


CLAUSES: dict[str, Clause] = {
    "ours": _is_ours,
    "may ever go": _may_ever_go,
    "date": _date_has_passed,
    "Azure's date": _azures_date_has_passed,
    "outlived": _is_outlived,
    "machine asks": _machine_has_left,
    "lives elsewhere": _has_not_moved,
    "announced": _was_announced,
    "cooling-off": _has_cooled_off,
    "point held": _is_not_held,
    "machine held": _machine_is_not_held,
    "part held": _parts_are_not_held,
    "active access": _nobody_reads_it,
    "clocks": _clocks_agree,
    "fresh look": _look_is_fresh,
    "halted": _nothing_is_halted,
    "mass brake": _brake_is_off,
    "budget": _budget_has_room,
}
