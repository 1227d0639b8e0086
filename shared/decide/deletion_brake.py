"""The mass brake: when much of a scope loses its protection at once, nothing unplanned of it is deleted.

Called by flows/reaping.py with the machines of a shard and of a subscription. It keeps no state: the dates on the rows
say it, so a machine that asks again loosens the brake by itself. Capturing goes on whatever it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from shared.model.identity import VmUid
from shared.model.machine import Machine, Remembered

AT_ONCE = timedelta(hours=1)
SHARE = 0.2
LEAST = 5


def braked(machines: Iterable[Machine | Remembered], scope: str) -> Mapping[VmUid, str]:
    """The machines of a scope that left together with too many others, each with the reason."""
    known = [*machines]
    left = sorted((machine.left_at, machine.uid) for machine in known if machine.left_at is not None)
    protected = [machine.enrolled_at for machine in known if machine.left_at is None and machine.enrolled_at]
    found: dict[VmUid, str] = {}
    first = 0
    for last, (until, _) in enumerate(left):
        while until - left[first][0] > AT_ONCE:
            first += 1
        together = left[first : last + 1]
        remaining = _protected_before(protected, left[first][0]) + len(left) - last - 1
        if len(together) >= LEAST and len(together) > SHARE * (len(together) + remaining):
            because = f"{len(together)} machines of {scope} lost their protection within an hour: is that wanted?"
            found.update((uid, because) for _, uid in together)
    return found


def _protected_before(enrolled: Iterable[datetime], moment: datetime) -> int:
    return sum(since <= moment for since in enrolled)
