"""The promises about deletions (S3, S4, S12, S14), judged at the instant of each from the truth about Azure.

What was complete is known from the rows as they were written, and from the snapshots themselves; whether a deletion was
right is worked out here, by the words of the promise. It shares nothing with `shared/decide`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Machine
from shared.model.point import Origin, Point, PointState
from tests.world.catalogue import ENFORCED, ORPHAN_KEEP, asked
from tests.world.departures import Departures
from tests.world.plan_file import PlanFile
from tests.world.twins.azure import Azure, SnapshotTruth

STAMP = "%Y%m%dT%H%MZ"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
CLOCKS_DIFFER = timedelta(minutes=5)
COOLING_OFF = timedelta(hours=72)
LEAST_UNPLANNED = 10

Require = Callable[[bool, str, str], None]
Key = tuple[VmUid, str]


@dataclass(frozen=True, slots=True)
class Whole:
    """A complete point as recorded: attempt, parts, until when the ledger keeps it; it is complete since `since`."""

    slot: datetime
    attempt: int
    parts: tuple[ResourceId, ...]
    keep_until: datetime
    of_plan: bool
    since: datetime


@dataclass
class Removals:
    """Watches what is deleted. `require` is how a broken promise is told."""

    azure: Azure
    require: Require
    plans: PlanFile = field(default_factory=PlanFile)
    whole: dict[Key, Whole] = field(default_factory=dict)
    gained: dict[Shard, list[datetime]] = field(default_factory=dict)
    claimed: dict[Shard, dict[Key, tuple[datetime, bool]]] = field(default_factory=dict)
    born: set[ResourceId] = field(default_factory=set)
    deleted: int = 0
    departures: Departures = field(init=False)
    _announced: set[str] = field(default_factory=set)
    _agreed: set[Key] = field(default_factory=set)  # to what two people agreed to no day's budget applies

    def __post_init__(self) -> None:
        self.departures = Departures(self.azure, self.require)

    def audited(self, line: str) -> None:
        told = json.loads(line)
        if told.get("event") in ("point.deleting", "point.deleted"):
            self._announced.update(told["parts"])
        if told.get("event") == "deletions.approved":
            words = (point.partition(" ") for point in told["points"])
            self._agreed |= {(VmUid(uid), datetime.fromisoformat(slot).strftime(STAMP)) for uid, _, slot in words}

    def point_written(self, shard: Shard, row: Point, was: Point | None, machine: Machine) -> None:
        """A point's row was committed together with its machine's."""
        key = (row.uid, row.slot.strftime(STAMP))
        if row.complete:
            if not (was and was.complete) and key not in self.whole:
                self.gained.setdefault(shard, []).append(self.azure.now())
            parts = tuple(part.id for part in row.live_parts)
            since = self.whole[key].since if key in self.whole else self.azure.now()
            self.whole[key] = Whole(row.slot, row.attempt, parts, row.keep_until, row.origin is Origin.SLOT, since)
        if row.state is PointState.DELETING and was is not None and was.complete:
            self._claimed(shard, key, row, machine)

    def plan_slots(self, uid: VmUid) -> list[datetime]:
        """The slots of all complete plan points that the machine ever had."""
        return sorted(point.slot for (owner, _), point in self.whole.items() if owner == uid and point.of_plan)

    def _claimed(self, shard: Shard, key: Key, row: Point, machine: Machine) -> None:
        now, planned = self.azure.now(), row.removal is not None and row.removal.planned
        claims = self.claimed.setdefault(shard, {})
        if key in claims:
            return
        claims[key] = (now, planned)
        alike = sum(
            moment > now - 23 * HOUR and one is planned and of not in self._agreed
            for of, (moment, one) in claims.items()
        )
        if planned:
            gained = sum(moment > now - 26 * HOUR for moment in self.gained.get(shard, ()))
            enough = alike <= -(-3 * gained // 2)
            self.require(enough, "S3", f"{alike} points of {shard} go as planned in a day that gained {gained}")
        else:
            if key not in self._agreed:
                self.departures.unplanned(shard, machine.uid)
            self.require(alike <= LEAST_UNPLANNED, "S3", f"{alike} points of {shard} go unplanned in a day")
            left = machine.left_at
            cooled = left is None or now >= left + COOLING_OFF - CLOCKS_DIFFER
            self.require(cooled, "S3", f"{key} goes before {machine.uid} has been gone for three days")

    def snapshot_deleted(self, truth: SnapshotTruth, asked_at: datetime) -> None:
        """Azure accepted a deletion, asked for at an instant."""
        self.deleted += 1
        name, now = truth.id.name, self.azure.now()
        self.require(
            truth.id in self.born and truth.id.subscription in ENFORCED, "S10", f"{name} is not ours to delete"
        )
        self.require(name in self._announced, "S12", f"{name} is deleted and the audit log does not say so")
        key = (VmUid(truth.tags["tagback-vm"]), truth.tags["tagback-slot"])
        point = self.whole.get(key)
        if point is not None and truth.id in point.parts:
            stamped = datetime.strptime(truth.tags["tagback-keep-until"], STAMP).replace(tzinfo=UTC)
            due = max(stamped, point.keep_until)
            unplanned = any(key in claims and not claims[key][1] for claims in self.claimed.values())
            if unplanned and (birth := truth.tags.get("tagback-birth-keep-until")):
                due = datetime.strptime(birth, STAMP).replace(tzinfo=UTC)
            self.require(now >= due - CLOCKS_DIFFER, "S3", f"{name} of {key} is deleted before {due}")
            if unplanned and now < max(stamped, point.keep_until) - CLOCKS_DIFFER:
                told = self._was_shortened(key[0], point, now - COOLING_OFF + CLOCKS_DIFFER)
                self.require(told, "S3", f"{name} of {key} goes before {point.keep_until}, shortened within three days")
            self._another_is_kept(key, point, now)
        else:
            self._is_a_remnant(key, truth, now)

    def _another_is_kept(self, key: Key, point: Whole, now: datetime) -> None:
        """A newer complete point stands, or the machine has not asked for anything for long (S4)."""
        newer = any(other.slot > point.slot for other in self._standing(key[0], now))
        self.require(newer or self._left_long_ago(key[0], now), "S4", f"{key} was the last complete point")

    def _was_shortened(self, uid: VmUid, point: Whole, until: datetime) -> bool:
        """Whether anything happened to a machine's plan since a point is complete, and before an instant."""
        lives = [moment for moment, _ in self.azure.lives.get(uid, ())]
        return any(point.since < moment <= until for moment in (*lives, *(one.since for one in self.plans.editions)))

    def _is_a_remnant(self, key: Key, truth: SnapshotTruth, now: datetime) -> None:
        """What belongs to no complete point goes a day later, when something better stands."""
        old = now >= truth.born + DAY - CLOCKS_DIFFER
        slot = datetime.strptime(key[1], STAMP).replace(tzinfo=UTC)
        better = any(other.slot >= slot for other in self._standing(key[0], now))
        right = old and (better or self._left_long_ago(key[0], now))
        self.require(right, "S3", f"{truth.id.name} of an attempt at {key} is deleted too early")

    def _standing(self, uid: VmUid, now: datetime) -> Iterator[Whole]:
        """The machine's complete points that can still be restored from."""
        for (owner, _), point in self.whole.items():
            found = [self.azure.snapshots.get(part) for part in point.parts]
            if owner == uid and all(truth is not None and truth.ready(now) for truth in found):
                yield point

    def _left_long_ago(self, uid: VmUid, now: datetime) -> bool:
        versions = self.azure.versions(uid, now - ORPHAN_KEEP + CLOCKS_DIFFER)
        return all(vm is None or asked(vm.counted) is None for vm in versions)
