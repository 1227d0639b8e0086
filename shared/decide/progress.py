"""How far an operation came: its parts counted, its age, and what it waits for, in words.

Called by flows/show.py for jobs and points. The ledger knows parts, not bytes: a percentage is of parts that are ready.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.model.operation import Operation, State
from shared.model.point import PartState, Point


@dataclass(frozen=True, slots=True)
class Headway:
    """`ready` of `parts` parts can be restored from. `age` runs from the intent to the end, or to now."""

    ready: int
    parts: int
    age: timedelta
    because: str

    @property
    def percent(self) -> int:
        """Whole percents, rounded down: 100 is said only when every part is ready."""
        return 100 * self.ready // self.parts if self.parts else 0


ENDED = {
    State.SUCCEEDED: "done",
    State.GAVE_UP: "given up",
    State.SKIPPED: "skipped",
    State.SUPERSEDED: "superseded",
}


def headway(operation: Operation, point: Point | None, now: datetime) -> Headway:
    """How far an operation came; `point` is the one that it makes, None while none is planned."""
    states = Counter(part.state for part in point.live_parts) if point else Counter[PartState]()
    parts, ready = sum(states.values()), states[PartState.READY]
    age = max((operation.ended_at or now) - operation.intended_at, timedelta(0))
    return Headway(ready, parts, age, _because(operation, states))


def _because(operation: Operation, states: Counter[PartState]) -> str:
    if operation.state in ENDED:
        return ENDED[operation.state]
    if operation.state in (State.FAILED, State.NEEDS_PERSON):
        again = f"tried again at {operation.next_look:%Y-%m-%d %H:%M}Z" if operation.next_look else "tried again"
        return again if operation.state is State.FAILED else f"waits for a person; {again}"
    if not states:
        return "its parts are not planned yet"
    unsent = states[PartState.PLANNED] + states[PartState.UNKNOWN]
    if unsent:
        return f"{unsent} of {sum(states.values())} parts are still to be sent"
    return f"Azure is making {states[PartState.STARTED]} of {sum(states.values())} parts"
