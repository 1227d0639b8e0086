"""The promises, checked against the twins' truth whenever something changes; the product's word is never asked.

Checked as they happen: S2 (one answer per slot), S5, S6, S7, S9 and S11. What is born (S1, S5, S10, S12) is judged by
`births.py`, what is deleted (S3, S4) by `removals.py`, what only shows once everything has come to rest by `ending.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.model.brake import Braking
from shared.model.event import Event
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Machine, Status
from shared.model.operation import Operation, State
from shared.model.point import Origin, Part, PartState, Point, PointState
from shared.model.request import Asked
from shared.model.restore_point import RestorePointOrder
from shared.model.snapshot import SnapshotOrder
from shared.model.transition import Transition
from tests.world.births import Births, stamped
from tests.world.catalogue import ENFORCED, UNKNOWN, asked
from tests.world.drilled import Drilled
from tests.world.holds import Holds
from tests.world.plan_file import PlanFile
from tests.world.removals import Removals
from tests.world.scheduler import Invocation, Scheduler
from tests.world.steps import Bucket
from tests.world.told import Told
from tests.world.twins.azure import Azure, SnapshotTruth, VmTruth
from tests.world.twins.rows import Kept
from tests.world.twins.stores import RequestsTwin
from tests.world.twins.witness import Witness
from tests.world.vaulted import Vaulted

NO_TIME = timedelta(0)
MINUTE = timedelta(minutes=1)
TWICE = timedelta(minutes=10)
CLOCKS_DIFFER = timedelta(minutes=5)  # by so much the clocks of two processes may


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, where and when."""

    promise: str
    what: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.promise} at {self.at:%Y-%m-%d %H:%M:%S}: {self.what}"


class Promises(Witness):
    """Watches every change of the truth."""

    def __init__(self, plans: PlanFile) -> None:
        self.plans = plans
        self.violations: list[Violation] = []
        self.checked: Counter[str] = Counter()
        self.answers: dict[tuple[Shard, VmUid], dict[str, Operation]] = {}
        self.known_since: dict[tuple[Shard, VmUid], datetime] = {}
        self.adopted = 0
        self.told = Told(self.require)
        self._absences: dict[ResourceId, list[tuple[datetime, VmUid | None]]] = {}
        self._listed: dict[VmUid, datetime] = {}
        self._told: dict[tuple[int, Bucket], tuple[datetime, datetime, object]] = {}
        self._planned: dict[tuple[VmUid, datetime, int], datetime] = {}

    def watch(self, azure: Azure, scheduler: Scheduler, requests: RequestsTwin) -> None:
        self._azure = azure
        self._scheduler = scheduler
        self._requests = requests
        self.removals = Removals(azure, self.require, self.plans)
        self.departures = self.removals.departures
        self.drilled = Drilled(azure, requests, self.require)
        self.born = Births(azure, self.require, self.removals.born, self.plans)
        self.holds = Holds(azure, self.require)
        self.vaulted = Vaulted(azure, self.require)

    def require(self, holds: bool, promise: str, what: str) -> None:
        """Note that a promise was checked, and the violation when it does not hold; the first one ends the run."""
        self.checked[promise] += 1
        if not holds:
            self.violations.append(Violation(promise, what, self._scheduler.now))
            self._scheduler.halted = True

    def ledger_lost(self) -> None:
        """What the ledger answered for is forgotten with it; what is in Azure and in the audit log is not."""
        self.answers.clear()
        self.known_since.clear()
        self.told.lost()
        self.departures.lost()

    def snapshot_put(self, order: SnapshotOrder, there: SnapshotTruth | None, by: Invocation | None) -> None:
        self.born.snapshot_put(order, there, by)

    def restore_point_put(
        self, order: RestorePointOrder, made: SnapshotTruth, there: SnapshotTruth | None, by: Invocation | None
    ) -> None:
        self.born.restore_point_put(order, made, there, by)

    def snapshot_deleted(self, snapshot: SnapshotTruth, asked_at: datetime) -> None:
        self.holds.snapshot_deleted(snapshot, asked_at)
        self.removals.snapshot_deleted(snapshot, asked_at)

    def vault_written(self, vault: ResourceId, about: str) -> None:
        self.vaulted.written(vault, about)

    def vault_emptied(self, vault: ResourceId, vm: ResourceId) -> None:
        self.vaulted.emptied(vault, vm)

    def group_made(self, shard: Shard, by: Invocation | None) -> None:
        self.require(shard.subscription in ENFORCED, "S10", f"a group is made in {shard}")

    def machine_looked_at(self, vm: ResourceId, uid: VmUid | None) -> None:
        self._absences.setdefault(vm, []).append((self._scheduler.now, uid))
        if uid is not None:
            self.holds.machine_shown(uid, self._scheduler.now)

    def machine_listed(self, uid: VmUid, as_of: datetime) -> None:
        self._listed[uid] = as_of
        self.holds.machine_shown(uid, as_of)

    def audit_written(self, shard: Shard, at: datetime, lines: Sequence[str]) -> None:
        for line in lines:
            self.born.audited(line)
            self.removals.audited(line)
            self.vaulted.audited(line)

    def brakes_changed(self, before: Braking, after: Braking) -> None:
        self.told.brakes_changed(after)

    def events_published(self, events: Sequence[Event]) -> None:
        self.told.published(events)

    def told_to_wait(self, bucket: Bucket, until: datetime, by: Invocation | None) -> None:
        if by is not None:
            # The process is kept with it: what is gone for good gives its id to another.
            self._told[id(by.process), bucket] = (self._scheduler.now, until, by.process)

    def sent(self, bucket: Bucket, by: Invocation | None) -> None:
        """Calls that were in flight together with the refused one could not know; later ones do."""
        told = self._told.get((id(by.process), bucket)) if by else None
        if told is not None:
            in_flight = self._scheduler.now <= told[0]
            waited = self._scheduler.now >= told[1]
            self.require(in_flight or waited, "S9", f"{bucket[1]} of {bucket[0]} sent before {told[1]:%H:%M:%S}")

    def rows_committed(self, transition: Transition, before: Sequence[Kept | None]) -> None:
        conditions = [write.etag for write in transition.writes] + [held.etag for held in transition.removed]
        for condition, row in zip(conditions, before, strict=True):
            stands = (row.etag if row else None) == condition
            self.require(stands, "S11", f"a row of {transition.uid} was overwritten: {condition}")
        self.told.committed(transition, before)
        for write, old in zip(transition.writes, before, strict=False):
            was = old.row if old else None
            match write.row:
                case Machine():
                    self._machine(transition.shard, write.row, was if isinstance(was, Machine) else None)
                case Operation():
                    self._operation(transition.shard, write.row, was if isinstance(was, Operation) else None)
                case Point():
                    self._point(transition, write.row, was if isinstance(was, Point) else None)

    def _machine(self, shard: Shard, row: Machine, was: Machine | None) -> None:
        """What a row says of a machine was true at some time since whoever wrote it began to look (S7)."""
        worker = self._scheduler.current
        since = worker.invocation.began_at if worker else self._scheduler.now
        versions = self._azure.versions(row.uid, since)
        self.departures.machine_written(shard, row, was, since)
        self.drilled.machine_written(row, was)
        if was is None or _asking(was) != _asking(row):
            ahead = worker.invocation.process.skew if worker else NO_TIME  # slots before its own now are no longer due
            self.known_since[shard, row.uid] = self._scheduler.now + max(ahead, NO_TIME)
        here = [vm for vm in versions if vm is not None and vm.shard == shard]
        if row.status is Status.GONE and (was is None or was.status is not Status.GONE):
            vanished = len(here) < len(versions) or any(vm.id != row.id for vm in here)
            self.require(vanished and self._seen_absent(row), "S7", f"{row.uid} is called gone")
        if was is not None and was.enrolled_at and not row.enrolled_at and row.status is not Status.GONE:
            wanted = all(self._is_wanted(vm, since) for vm in here) and len(here) == len(versions)
            self.require(not wanted, "S7", f"{row.uid} is let go while it asks for protection")
        if row.enrolled_at and not (was and was.enrolled_at):
            self.require(any(_is_asking(vm) for vm in here), "S7", f"{row.uid} is enrolled and never asked for it")

    def _is_wanted(self, vm: VmTruth, since: datetime) -> bool:
        """Whether a machine certainly asks for protection, by a plan that was there all the time, and can have it."""
        wish = asked(vm.counted)
        if wish is None or wish is UNKNOWN or self.plans.was_missing(wish.plan, since, self._scheduler.now):
            return False
        return vm.id.subscription in ENFORCED and bool(vm.captured)

    def _seen_absent(self, row: Machine) -> bool:
        """Two GETs, ten minutes apart, found nothing of this machine under its id."""
        looks = [moment for moment, uid in self._absences.get(row.id, ()) if uid != row.uid]
        return bool(looks) and looks[-1] - looks[0] >= TWICE - CLOCKS_DIFFER

    def _operation(self, shard: Shard, row: Operation, was: Operation | None) -> None:
        if was is not None and was.state is State.GAVE_UP and row.state is State.INTENDED:
            asked = row.because.rpartition("(")[2].rstrip(")")
            request = self._requests.asked.get(asked)
            wanted = request is not None and request.asked is Asked.RETRY
            self.require(wanted, "S2", f"{row.id} of {row.uid} is opened again and nobody asked")
            self.answers[shard, row.uid].pop(row.id, None)
        elif was is not None and not was.state.open:
            self.require(row.state is was.state, "S2", f"{row.id} of {row.uid} was {was.state}, is now {row.state}")
        if not row.state.open and (was is None or was.state.open):
            answers = self.answers.setdefault((shard, row.uid), {})
            self.require(row.id not in answers, "S2", f"{row.id} of {row.uid} is answered twice")
            answers[row.id] = row
            self.require(bool(row.because), "S2", f"{row.id} of {row.uid} ends {row.state} without a reason")

    def _point(self, transition: Transition, row: Point, was: Point | None) -> None:
        self.require(row.keep_until >= row.birth_keep_until, "S5", f"{row.uid} {row.slot} is kept short of its stamp")
        if was is not None:
            kept = row.keep_until >= was.keep_until and row.birth_keep_until >= was.birth_keep_until
            self.require(kept, "S5", f"the date of {row.uid} {row.slot} was shortened")
            stands = row.complete or not was.complete or row.state is PointState.DELETING
            self.require(stands, "S6", f"{row.uid} {row.slot} is not complete any more")
        if row.vault is not None:
            self.vaulted.point_written(row)
            return
        self.adopted += _adopted(row, was)
        planned = self._planned.setdefault((row.uid, row.slot, row.attempt), self._known_at(transition))
        if row.state is PointState.COMPLETE and not (was and was.complete):
            self._complete(transition.shard, row, planned)
        self.removals.point_written(transition.shard, row, was, _machine_in(transition))
        self.holds.point_written(row, was)

    def _known_at(self, transition: Transition) -> datetime:
        """How old what the parts were planned by may be: the last GET, or a list that was late itself."""
        machine = _machine_in(transition)
        return min(machine.as_of, self._listed.get(transition.uid, machine.as_of))

    def _complete(self, shard: Shard, row: Point, planned: datetime) -> None:
        """Every disk that the machine had is there, ready, and of this very disk (S6)."""
        what = f"{row.uid} {row.slot:%m-%d %H:%M} attempt {row.attempt}"
        for part in row.live_parts:
            truth = self._azure.snapshots.get(part.id)
            ready = truth is not None and truth.ready(self._scheduler.now) and truth.source_uid == part.disk_uid
            self.require(ready, "S6", f"{what} is called complete without {part.id.name}")
            ours = truth is not None and truth.tags.get("tagback-vm") == row.uid
            self.require(ours, "S6", f"{what} holds a snapshot of another machine: {part.id.name}")
            said = stamped(truth.tags["tagback-keep-until"]) if truth and row.rebuilt_at is None else row.keep_until
            self.require(said > row.keep_until - MINUTE, "S5", f"{what}: {part.id.name} says {said}, less than its row")
        disks = {disk for part in row.live_parts for disk in self._inside(part)}
        versions = [vm for vm in self._azure.versions(row.uid, planned) if vm is not None]
        whole = bool(disks) and any(disks == set(vm.captured) for vm in versions)
        self.require(whole, "S6", f"{what} is called complete with {sorted(disks)}")
        # A person may have asked in the very minute of a slot, and been heard when a later slot had superseded it.
        answered = self.answers.get((shard, row.uid), {}).values() if row.origin is Origin.SLOT else ()
        doubled = [one for one in answered if one.slot == row.slot and one.slot_from and one.state is State.SUPERSEDED]
        self.require(not doubled, "S2", f"{what} is complete and superseded at once")

    def _inside(self, part: Part) -> set[str]:
        """The disks that a part really holds."""
        truth = self._azure.snapshots.get(part.id)
        return {disk.uid for disk in truth.inside} if truth and part.is_restore_point else {part.disk_uid}


def _machine_in(transition: Transition) -> Machine:
    return next(write.row for write in transition.writes if isinstance(write.row, Machine))


def _asking(row: Machine) -> tuple[object, ...]:
    return row.tags, row.group, row.enrolled_at, row.plan


def _adopted(row: Point, was: Point | None) -> int:
    """How many parts were found to be there after nobody knew."""
    unknown = {part.id for part in was.parts if part.state in (PartState.PLANNED, PartState.UNKNOWN)} if was else set()
    return sum(part.id in unknown and part.state is PartState.READY for part in row.parts)


def _is_asking(vm: VmTruth) -> bool:
    return asked(vm.counted) is not None and vm.id.subscription in ENFORCED
