"""What must hold once faults have stopped and everything has come to rest (S2, S8), against the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Machine, Status
from shared.model.operation import Kind, Operation, State
from shared.model.point import Origin, Point
from shared.model.request import Progress
from tests.world.catalogue import ENFORCED, FOREIGN, UNKNOWN, WISHES, Asked, Kept, asked, local_periods
from tests.world.holds import is_unreadable
from tests.world.plan_file import is_unreadable_keep, newest_held, tagged
from tests.world.promises import Promises
from tests.world.removals import STAMP
from tests.world.slots import slots_between
from tests.world.stage import Stage
from tests.world.twins.azure import VmTruth

TO_NOTICE = timedelta(hours=1)
TO_COMPLETE = timedelta(hours=1)
TO_SETTLE = timedelta(hours=26)
TO_HEAR = timedelta(hours=30)  # a tag that is there so long before a slot is known, whatever was in the way
LEFT_OVER = timedelta(minutes=20)


class Ending:
    """Judges the world as it stands now. `told` are the requests whose askers were told that they are taken care of."""

    def __init__(self, stage: Stage, promises: Promises, told: Sequence[str] = ()) -> None:
        self._stage = stage
        self._promises = promises
        self._told = told
        self._now = stage.scheduler.now

    def check(self) -> None:
        """Every promise about rest."""
        for vm in self._stage.azure.vms():
            if vm.id.subscription != FOREIGN and self._since(vm) + TO_NOTICE < self._now:
                self._living(vm)
        for shard, machines in self._stage.ledger.rows.items():
            for uid in machines:
                self._remembered(shard, uid)
        self._nothing_left_over()
        self._promises.told.check()
        self._promises.drilled.check()

    def _since(self, vm: VmTruth) -> datetime:
        """Since when the machine is as it is."""
        return self._stage.azure.lives[vm.uid][-1][0]

    def _asked_since(self, vm: VmTruth) -> datetime:
        """Since when it asks for what it asks for, at this place, with something to capture."""
        since = self._now
        for moment, version in reversed(self._stage.azure.lives[vm.uid]):
            same = version is not None and version.shard == vm.shard and asked(version.counted) == asked(vm.counted)
            if not same or version is None or bool(version.captured) != bool(vm.captured):
                break
            since = moment
        wish = asked(vm.counted)
        return max(since, self._promises.plans.stands_since(wish.plan)) if wish else since

    def _living(self, vm: VmTruth) -> None:
        record = self._stage.ledger.held(vm.shard, vm.uid)
        if record is None:
            self._promises.require(False, "S8", f"{vm.uid} at {vm.id} was never registered")
            return
        row, wish = record.machine.row, asked(vm.counted)
        self._promises.require(row.id == vm.id, "S8", f"{vm.uid} is remembered at {row.id}, is at {vm.id}")
        expected = self._expected(vm, wish)
        self._promises.require(
            row.status in expected, "S8", f"{vm.uid} is {row.status} ({row.because}), not {expected}"
        )
        if wish is not None and wish is not UNKNOWN and vm.id.subscription in ENFORCED and vm.captured:
            self._slots_answered(vm, row, wish)
        self._promises.vaulted.ended(vm, wish, self._asked_since(vm), row)

    def _expected(self, vm: VmTruth, wish: Asked | None) -> set[Status]:
        if wish is None:
            return {Status.EXCLUDED}
        if wish is UNKNOWN:
            return {Status.UNPROTECTED, Status.DEGRADED}
        if vm.id.subscription not in ENFORCED or not vm.captured:
            return {Status.UNPROTECTED}
        if self._asked_since(vm) + timedelta(hours=30) > self._now:
            return {Status.PENDING, Status.PROTECTED, Status.DEGRADED, Status.UNPROTECTED}
        moved_in_vain = "backup-at" in vm.counted and wish.plan not in ("bronze", "silver")
        puzzling = moved_in_vain or is_unreadable(vm.counted) or is_unreadable_keep(vm.counted)
        return {Status.DEGRADED if vm.unsupported or puzzling else Status.PROTECTED}

    def _slots_answered(self, vm: VmTruth, row: Machine, wish: Asked) -> None:
        """Every slot since the product knew has its one answer, and the newest one a complete point."""
        known = self._promises.known_since.get((vm.shard, vm.uid), self._now)
        since = max(self._asked_since(vm), known)
        until = self._now - wish.window - TO_COMPLETE
        owed = list(slots_between(wish.wish, since, until))
        for slot in owed:
            answers = [one for one in self._answers(vm.shard, vm.uid) if _covers(one, slot)]
            asked_for = [one for one in self._answers(vm.shard, vm.uid) if _is_of_same_instant(one, slot)]
            what = f"slot {slot:%Y-%m-%d %H:%M} of {vm.uid} ({wish.plan}, known since {known:%d %H:%M})"
            answered = bool(answers or asked_for)
            self._promises.require(answered, "S2", f"{what} has no answer; open: {self._open(vm)}")
            states = [one.state for one in answers]
            self._promises.require(len(answers) < 2, "S2", f"{what} has several answers: {states}")
        if owed:
            self._complete(vm, owed[-1])

    def _answers(self, shard: Shard, uid: VmUid) -> Iterator[Operation]:
        answers = self._promises.answers.get((shard, uid), {}).values()
        return (one for one in answers if one.kind is Kind.CAPTURE)

    def _open(self, vm: VmTruth) -> list[str]:
        record = self._stage.ledger.held(vm.shard, vm.uid)
        operations = record.operations if record else ()
        return [f"{held.row.id} {held.row.state} {held.row.because}" for held in operations if held.row.state.open]

    def _complete(self, vm: VmTruth, slot: datetime) -> None:
        """In the truth: snapshots of every disk that the machine had at some time since the slot, all ready."""
        attempts = self._promises.born.attempts.get((vm.uid, slot.strftime(STAMP)), {})
        versions = [version for version in self._stage.azure.versions(vm.uid, slot) if version is not None]
        wanted = [{str(uid) for uid in version.captured} for version in versions]
        made = [{disk for disk, place in parts.items() if self._stands(place)} for parts in attempts.values()]
        whole = any(one >= set(disks) for one in made for disks in wanted)
        self._promises.require(whole, "S8", f"newest slot {slot:%m-%d %H:%M} of {vm.uid} is not complete: {made}")

    def _stands(self, place: ResourceId) -> bool:
        truth = self._stage.azure.snapshots.get(place)
        return truth is not None and truth.ready(self._now)

    def _remembered(self, shard: Shard, uid: VmUid) -> None:
        rows = list(self._stage.ledger.rows[shard][uid])
        vm = self._stage.azure.living(uid)
        here = vm is not None and vm.shard == shard
        for held in rows:
            match held.row:
                case Machine() if not here:
                    gone = held.row.status is Status.GONE
                    self._promises.require(gone, "S8", f"{uid} does not exist and is {held.row.status}")
                case Operation() if _is_overdue(held.row, self._now):
                    what = f"{held.row.id} of {uid} is still {held.row.state}: {held.row.because}"
                    self._promises.require(False, "S8", what)
                case _:
                    continue
        whole = [held.row for held in rows if isinstance(held.row, Point) and held.row.complete]
        points = [point for point in whole if point.vault is None]
        self._kept_long_enough(points, self._promises.removals.plan_slots(uid))
        self._due_ones_are_marked(shard, uid, points)

    def _due_ones_are_marked(self, shard: Shard, uid: VmUid, points: list[Point]) -> None:
        """Whatever is still there well after its date is the newest of all, or says what keeps it (S8).

        A tag keeps as many of the newest as it says, which no row says.
        """
        newest = max(1, *map(newest_held, self._tags_since(uid, self._now - TO_SETTLE)))
        for point in sorted(points, key=lambda one: one.slot)[:-newest]:
            overdue = shard.subscription in ENFORCED and point.keep_until < self._now - TO_SETTLE
            explained = point.removal is not None and bool(point.removal.because)
            what = f"{uid} {point.slot:%m-%d %H:%M} is there since {point.keep_until} and nothing says why"
            self._promises.require(explained or not overdue, "S8", what)

    def _kept_long_enough(self, points: list[Point], plan_slots: list[datetime]) -> None:
        """The first complete plan point of each local day, week and month is kept as long as its class says (S5)."""
        for point in points:
            whole = self._promises.removals.whole.get((point.uid, point.slot.strftime(STAMP)))
            keeps = self._promises.plans.kept_between(point.plan, point.slot, whole.since if whole else self._now)
            earlier = [slot for slot in plan_slots if slot < point.slot]
            tags = self._tags_since(point.uid, point.slot - TO_HEAR)
            both = ((keep, tagged(keep, one)) for keep in keeps for one in tags)
            age = min(max(_owed(point, keep, earlier) for keep in either) for either in both)
            what = f"{point.uid} {point.slot:%m-%d %H:%M} ({point.plan}) is kept until {point.keep_until}"
            self._promises.require(point.keep_until >= point.slot + age, "S5", f"{what}, not for {age}")

    def _tags_since(self, uid: VmUid, since: datetime) -> list[Mapping[str, str]]:
        """Every set of tags that a machine had from an instant on; none where it did not exist."""
        return [vm.counted if vm else {} for vm in self._stage.azure.versions(uid, since)]

    def _nothing_left_over(self) -> None:
        for message in self._stage.queues.messages.values():
            fresh = message.sent_at > self._now - LEFT_OVER
            self._promises.require(fresh, "S8", f"a message is left over in {message.queue}: {message.text}")
        for asked_for in self._told:
            request = self._stage.requests.asked.get(asked_for)  # only what was answered is ever forgotten
            answered = request is None or request.progress is not Progress.ASKED
            self._promises.require(answered, "S8", f"request {asked_for} was never answered")


ZONES = {
    "bronze": "UTC",
    "silver": "Europe/Berlin",
    "gold": "UTC",
    "vaulted": "UTC",
    "whole": "UTC",
    "entire": "UTC",
    "twice": "America/New_York",
}


def _is_overdue(operation: Operation, now: datetime) -> bool:
    """Whether work that somebody began should have ended; what waits for two people waits for ever."""
    waits_for_people = operation.kind is Kind.EMPTY and operation.state is State.NEEDS_PERSON
    return operation.state.open and not waits_for_people and operation.slot < now - TO_SETTLE


def _is_of_same_instant(operation: Operation, slot: datetime) -> bool:
    """Whether somebody asked for a point in the very minute of a slot: there is one point for both."""
    return operation.origin is not Origin.SLOT and operation.slot == slot


def _is_regular(point: Point) -> bool:
    """Whether the slot lies where the plan has it: a machine's own start time may bring its own zone."""
    return point.slot in slots_between(WISHES[point.plan].wish, point.slot - timedelta(days=1), point.slot)


def _owed(point: Point, keep: Kept, earlier: list[datetime]) -> timedelta:
    """How long a point is kept at least by one edition of its plan."""
    regular = point.origin is Origin.SLOT and _is_regular(point)
    return max([keep.shortest, *(_earned(point, keep, earlier) if regular else [])])


def _earned(point: Point, kept: Kept, earlier: list[datetime]) -> list[timedelta]:
    """The ages of the classes whose period has no earlier complete plan point, in the zone of the point's plan."""
    zone = ZONES[point.plan]
    passed = [local_periods(slot, zone) for slot in earlier]
    mine = local_periods(point.slot, zone)
    return [
        age for letter, age in kept.ages.items() if letter in mine and all(mine[letter] != p[letter] for p in passed)
    ]


def _covers(operation: Operation, slot: datetime) -> bool:
    """Whether an operation is the answer for a plan's slot."""
    if operation.state is State.SUPERSEDED and operation.slot_from is not None:
        return operation.slot_from <= slot <= operation.slot
    return operation.origin is Origin.SLOT and operation.slot == slot
