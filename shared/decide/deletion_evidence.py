"""What Azure itself must show before our rows are believed: rows can be changed by whoever may write to our tables.

Called by flows/surveying.py with what the provider's own list shows; deletion.py turns the answers into clauses.
Nothing here makes a deletion possible, it only delays one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from shared.decide.deletion_dates import Going, Standing
from shared.decide.naming import BIRTH_KEEP_UNTIL, KEEP_UNTIL, STAMP, is_ours, is_ready
from shared.model.identity import ResourceId
from shared.model.point import Point
from shared.model.snapshot import SnapshotSeen


def not_before(seen: Sequence[SnapshotSeen], floor: timedelta, standing: Standing | None = None) -> datetime | None:
    """Before it Azure's own dates let nothing go: the floor from when Azure began each part, and the parts' stamps.

    `floor` is the plan's; for the last point of a machine the orphans' time, as it cannot have left before its birth.
    The stamps of remains count only where Azure shows a whole attempt: then it is a point, whatever our rows say. Of a
    lengthening that is withdrawn only the birth stamp counts that was put beside it; without one the later date stands.
    None where Azure shows no date.
    """
    going = standing if isinstance(standing, Going) else None
    whole = _whole_attempts(seen) if going and going.remains else None
    tags = (BIRTH_KEEP_UNTIL, KEEP_UNTIL) if going and going.withdrawn else (KEEP_UNTIL,)
    dates = [one.created + floor for one in seen if one.created]
    dates += [stamp for one in seen if (whole is None or _attempt(one) in whole) and (stamp := _stamp(one, tags))]
    return max(dates, default=None)


def outliving(standing: Standing, points: Iterable[Point]) -> list[Point]:
    """Our complete points that are kept when this one goes: newer ones, for remains also that of the same slot."""
    slot, remains = standing.point.slot, isinstance(standing, Going) and standing.remains
    ours = [one for one in points if one.complete and one.is_ours]
    return [one for one in ours if (one.slot > slot or (remains and one.slot == slot))]


def is_outlived(points: Sequence[Point], seen: Mapping[ResourceId, SnapshotSeen], owner: str) -> bool:
    """Whether Azure shows one of these points whole."""
    return any(_stands(point, seen, owner) for point in points)


def _stands(point: Point, seen: Mapping[ResourceId, SnapshotSeen], owner: str) -> bool:
    """Every part of the point is there, under its own name, ours and ready."""
    found = [(part, seen.get(part.id)) for part in point.live_parts]
    return bool(found) and all(one and is_ours(one, point, part, owner) and is_ready(one) for part, one in found)


def _whole_attempts(seen: Sequence[SnapshotSeen]) -> set[str]:
    """The attempts of which as many parts are ready as each part says there are."""
    ready = Counter(_attempt(one) for one in seen if is_ready(one))
    wanted = {_attempt(one): _tag(one, "tagback-parts") for one in seen}
    return {attempt for attempt, count in ready.items() if wanted[attempt] == str(count)}


def _attempt(seen: SnapshotSeen) -> str:
    return _tag(seen, "tagback-attempt")


def _stamp(seen: SnapshotSeen, names: Iterable[str]) -> datetime | None:
    """The first date on a part; None for texts that are none: the row's own date still counts."""
    for name in names:
        with suppress(ValueError):
            return datetime.strptime(_tag(seen, name), STAMP).replace(tzinfo=UTC)
    return None


def _tag(seen: SnapshotSeen, name: str) -> str:
    return {key.lower(): value for key, value in seen.tags.items()}.get(name, "")
