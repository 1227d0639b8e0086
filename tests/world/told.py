"""The promise about events: every change of a status is told at least once, always under the same id.

Its own reading of which changes are news shares nothing with `shared/decide/events.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.model.brake import Brake, Braking
from shared.model.event import Event
from shared.model.machine import Machine, Status
from shared.model.operation import Operation, State
from shared.model.point import Point, PointState
from shared.model.transition import Transition
from tests.world.twins.rows import Kept

PROMISE = "events"
SILENT = (Status.PENDING,)

OF_BRAKES = {
    "Tagback.Work.Paused",
    "Tagback.Work.Resumed",
    "Tagback.Deletions.Frozen",
    "Tagback.Deletions.Unfrozen",
}
Require = Callable[[bool, str, str], None]


class Told:
    """What was promised to be told, and what was."""

    def __init__(self, require: Require) -> None:
        self._require = require
        self._promised: dict[str, Event] = {}
        self._brakes: set[tuple[str, str, str]] = set()
        self.heard: set[str] = set()

    def committed(self, transition: Transition, before: Sequence[Kept | None]) -> None:
        """A transition's news stand in the outbox of its machine's row; nothing leaves it untold."""
        row, was = _machine(transition, before)
        if row is None:
            return
        new = {event.id: event for event in row.outbox}
        old = {event.id: event for event in was.outbox} if was else {}
        for event in old.values():
            kept = event.id in new or event.id in self.heard
            self._require(kept, PROMISE, f"{event.type} of {row.uid} was forgotten before it was told")
        for event in new.values():
            known = self._promised.setdefault(event.id, event)
            self._require(known == event, PROMISE, f"the id {event.id} stands for two events")
        fresh = [event.type.value.rpartition(".")[2].lower() for id_, event in new.items() if id_ not in old]
        for wanted in _news(transition, before, row, was):
            self._require(wanted in fresh, PROMISE, f"nobody will be told that {row.uid} is {wanted}: {fresh}")

    def published(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.type.value in OF_BRAKES:
                self._braked(event)
                continue
            known = self._promised.get(event.id)
            self._require(known == event, PROMISE, f"{event.type} {event.id} is told otherwise than its row says")
            self.heard.add(event.id)

    def _braked(self, event: Event) -> None:
        what = (event.type.value, event.details["stops"], event.details["since"])
        self._require(what in self._brakes, PROMISE, f"{what} is told and no brake is so")
        self.heard.add("|".join(what))

    def brakes_changed(self, after: Braking) -> None:
        """People are to be told of every brake that is put on, and again when it is released."""
        self._brakes |= {_of_brake(brake) for brake in after.brakes}

    def lost(self) -> None:
        """The ledger is gone, and with it what was not told yet."""
        self._promised.clear()

    def check(self) -> None:
        """At rest: nothing waits to be told."""
        for event in self._promised.values():
            self._require(event.id in self.heard, PROMISE, f"{event.type} of {event.subject} was never told")
        for what in sorted(self._brakes):
            heard = "|".join(what) in self.heard or "|".join(_end_of(what)) in self.heard
            self._require(heard, PROMISE, f"nobody was ever told: {what}")


def _of_brake(brake: Brake) -> tuple[str, str, str]:
    """Type, what is stopped, since when: as its event says it."""
    names = ("Work.Paused", "Work.Resumed") if brake.by else ("Deletions.Frozen", "Deletions.Unfrozen")
    name = names[0] if brake.released_at is None else names[1]
    return f"Tagback.{name}", brake.stops.value, brake.since.isoformat(timespec="seconds")


def _end_of(what: tuple[str, str, str]) -> tuple[str, str, str]:
    """The release of a brake: where nobody could be told of it sooner, that tells of it as well."""
    type_, stops, since = what
    return type_.replace("Work.Paused", "Work.Resumed").replace("Frozen", "Unfrozen"), stops, since


def _machine(transition: Transition, before: Sequence[Kept | None]) -> tuple[Machine | None, Machine | None]:
    for write, old in zip(transition.writes, before, strict=False):
        if isinstance(write.row, Machine):
            return write.row, old.row if old and isinstance(old.row, Machine) else None
    return None, None


def _news(transition: Transition, before: Sequence[Kept | None], row: Machine, was: Machine | None) -> list[str]:
    """The changes that people want to hear of, as the last word of an event's type."""
    wanted = []
    status = was.status if was else Status.EXCLUDED
    if row.status is not status and row.status not in SILENT:
        wanted.append(row.status.value)
    for write, old in zip(transition.writes, before, strict=False):
        earlier = old.row if old else None
        match write.row:
            case Point() if (
                write.row.complete
                and not write.row.rebuilt_at
                and not (isinstance(earlier, Point) and earlier.state in (PointState.COMPLETE, PointState.DELETING))
            ):
                wanted.append("completed")
            case Operation() if write.row.state in (State.NEEDS_PERSON, State.GAVE_UP):
                if not (isinstance(earlier, Operation) and earlier.state is write.row.state):
                    wanted.append(write.row.state.value.replace("-", ""))
            case _:
                continue
    return wanted
