"""The promise about holds (S14): nothing that somebody holds goes once the product could have seen the hold.

A hold on a snapshot is a tag on it, seen by whoever lists the recovery group; a hold on a machine is a tag on the VM,
known from the moment at which a list or a GET first showed the VM with it. The forms of a hold are read here anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from shared.model.identity import ResourceId, VmUid
from shared.model.point import Point
from tests.world.twins.azure import Azure, SnapshotTruth

PROMISE = "S14"
LOOKED_BEFORE = timedelta(minutes=15)
WRITES_TAKE = timedelta(hours=1)  # at most, from the tag to the row, where a call hangs
CLOCKS_DIFFER = timedelta(minutes=5)
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)

Require = Callable[[bool, str, str], None]


def ends(tags: Mapping[str, str]) -> datetime | None:
    """When the hold in these tags is over; None without one. What is no date holds for ever."""
    text = _said(tags)
    if text is None:
        return None
    day = _day(text)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) if day else FOR_EVER


def is_unreadable(tags: Mapping[str, str]) -> bool:
    """Whether a hold is there and says neither a day nor for ever."""
    text = _said(tags)
    return text is not None and text != "forever" and _day(text) is None


def _said(tags: Mapping[str, str]) -> str | None:
    return next((value for name, value in tags.items() if name.lower() == "backup-hold"), None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass
class Holds:
    """Watches what is held. `shown` is when the product first saw the hold that a machine has now, and since when."""

    azure: Azure
    require: Require
    shown: dict[VmUid, tuple[datetime, datetime]] = field(default_factory=dict)

    def machine_shown(self, uid: VmUid, as_of: datetime) -> None:
        """The product was shown the machine as it was at an instant."""
        since = self._held_since(uid)
        if since is not None and as_of >= since and self.shown.get(uid, (None,))[0] != since:
            self.shown[uid] = (since, self.azure.now())

    def _held_since(self, uid: VmUid) -> datetime | None:
        """Since when the machine has the hold that it has now."""
        since, now = None, self.azure.living(uid)
        for moment, vm in reversed(self.azure.lives.get(uid, [])):
            if now is None or vm is None or ends(vm.tags) is None or ends(vm.tags) != ends(now.tags):
                break
            since = moment
        return since

    def snapshot_deleted(self, truth: SnapshotTruth, asked_at: datetime) -> None:
        """Azure accepted its deletion, asked for at an instant."""
        until, since = ends(truth.tags), self.azure.holds.get(truth.id)
        stands = until is not None and since is not None and until > asked_at + CLOCKS_DIFFER
        late = stands and since is not None and asked_at - since > LOOKED_BEFORE + CLOCKS_DIFFER
        self.require(not late, PROMISE, f"{truth.id.name} is deleted, held since {since}")
        uid = VmUid(truth.tags["tagback-vm"])
        vm, (began, seen) = self.azure.living(uid), self.shown.get(uid, (None, asked_at))
        until = ends(vm.tags) if vm else None
        known = until is not None and until > asked_at + CLOCKS_DIFFER and began == self._held_since(uid)
        late = known and asked_at - seen > LOOKED_BEFORE + CLOCKS_DIFFER
        self.require(not late, PROMISE, f"{truth.id.name} is deleted, and {uid} was seen to be held at {seen}")

    def _was_let_go(self, place: ResourceId) -> bool:
        """Whether somebody took its hold away after the product may have put it there."""
        since = self.azure.released.get(place)
        return since is not None and self.azure.now() - since < WRITES_TAKE

    def point_written(self, row: Point, was: Point | None) -> None:
        """Azure first: whatever the ledger says is held carries the hold as a tag."""
        if row.held_until is None or row.rebuilt_at or (was is not None and was.held_until == row.held_until):
            return
        for part in row.live_parts:
            truth = self.azure.snapshots.get(part.id)
            tagged = truth is None or ends(truth.tags) is not None or self._was_let_go(part.id)
            self.require(tagged, PROMISE, f"{part.id.name} is said to be held until {row.held_until}, and is not")
