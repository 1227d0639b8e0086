"""What must be known before anything of a shard may be deleted: looked up afresh by each slice of the reaper.

Called by flows/reaping.py. An empty, short or failing list proves nothing: a part that it does not show gets a GET.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.decide.approvals import agreed, deletion_of, used
from shared.decide.brakes import stopped
from shared.decide.deletion import Facts, Look
from shared.decide.deletion_budgets import WINDOW, Room, room, spent
from shared.decide.deletion_dates import REMAINS_KEPT, Going, Standing
from shared.decide.deletion_evidence import is_outlived, not_before, outliving
from shared.decide.protection import hold_of
from shared.decide.registration import registered
from shared.decide.removal import doomed, owner_of
from shared.decide.restore_points import as_part
from shared.decide.tag_values import held_until
from shared.errors import CloudError, LostRace, Throttled
from shared.flows.neighbours import bursts, held, moved, neighbours
from shared.flows.part_calls import find_part
from shared.flows.slicing import Slice
from shared.model.approval import Approvals, Deletion
from shared.model.brake import Stops
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, VmUid
from shared.model.machine import Machine, Sighting
from shared.model.operation import Kind, State
from shared.model.point import Part, PartState, Point, Removal
from shared.model.rules import Mode
from shared.model.snapshot import SnapshotSeen
from shared.model.spending import Spending
from shared.model.telemetry import Level

SETTLED = timedelta(minutes=4)  # a list begun so long after a deletion was accepted shows whether it was done
NO_ROOM = Throttled("Paced", "no read was free in this slice", timedelta(minutes=1))


@dataclass(slots=True)
class Survey:
    """A shard as it was looked at from `listed_at` on. `ahead` is by how much our clock is before Azure's.

    `elsewhere` are the machines that ask, or asked, in other shards; `held_elsewhere` those held by a tag there. `room`
    shrinks as points are judged; `spending` is the row that it was computed from.
    """

    slice_: Slice
    listed_at: datetime
    apart: timedelta
    ahead: timedelta
    seen: dict[ResourceId, SnapshotSeen]
    burst: Mapping[VmUid, str]
    elsewhere: Mapping[VmUid, Machine]
    held_elsewhere: Mapping[VmUid, datetime]
    spending: Spending
    room: Room
    approvals: Approvals
    halted: str = "nobody has asked yet whether deletions are paused"
    _collections: set[ResourceId] = field(default_factory=set, init=False)

    def now(self) -> datetime:
        """The earlier of our time and Azure's."""
        return self.slice_.now() - self.ahead

    def facts(self, machine: Machine, points: Iterable[Point], standing: Standing, removal: Removal) -> Facts:
        """Everything that the verdict on one marked point depends on. A CloudError where it cannot be looked up.

        `points` are all points of the machine that our rows know. What Azure shows of a machine's restore points is
        looked up once, later than `listed_at` says.
        """
        self._see_restore_points(points)
        planned = not isinstance(standing, Going) or standing.planned
        remains = isinstance(standing, Going) and standing.remains
        newer = outliving(standing, points)
        outlived = is_outlived(newer, self.seen, self.slice_.rules.owner)
        looks = tuple(self._look(part, removal, outlived) for part in doomed(standing.point))
        return Facts(
            now=self.now(),
            clocks_apart=self.apart,
            owner=self.slice_.rules.owner,
            standing=standing,
            marked_at=removal.marked_at,
            wait=self.slice_.rules.delete_wait,
            listed_at=self.listed_at - self.ahead,
            looks=looks,
            room=self.room.planned if planned else self.room.unplanned,
            paid=removal.claimed_at is not None,
            machine_held_until=self._machine_held_until(machine),
            left_at=machine.left_at,
            halted=self.halted,
            burst=self.burst.get(machine.uid, ""),
            not_before=not_before(_shown(looks), self._floor(standing.point, remains, not newer), standing),
            last=not newer,
            outlived=outlived,
            asks=self._asks(machine, not newer),
            left=not owner_of(machine, self.slice_.rules, self.slice_.now()).living,
            elsewhere=self._elsewhere(machine, points, standing.point),
            approved=self._approved(standing.point, removal),
        )

    def _see_restore_points(self, points: Iterable[Point]) -> None:
        """What the machine's collections show: no list has the restore points of several machines [azure-facts 3.4]."""
        parts = {part.id.top for point in points for part in point.parts if part.is_restore_point}
        for collection in sorted(parts - self._collections):
            if not self.slice_.admitted(CallKind.READ):
                raise NO_ROOM
            for one in self.slice_.world.restore_points.of(collection):
                self.seen[one.id] = as_part(one, self.slice_.rules.prefix)
            self._collections.add(collection)

    def _elsewhere(self, machine: Machine, points: Iterable[Point], point: Point) -> str:
        """Where the machine of a last point moved to; empty once it has a newer one there, or has left it for long."""
        moved = self.elsewhere.get(machine.uid)
        outlived = any(other.complete and other.is_ours and other.slot > point.slot for other in points)
        if moved is None or outlived or (moved.last_point is not None and moved.last_point > point.slot):
            return ""
        if moved.left_at is None:
            return f"its machine lives on in {moved.shard} and has no newer complete point there yet"
        until = moved.left_at + self.slice_.rules.orphan_keep
        return f"its machine lived on in {moved.shard} until {moved.left_at:%Y-%m-%d}" if self.now() < until else ""

    def _approved(self, point: Point, removal: Removal) -> str:
        marked = Deletion(point.uid, point.slot, point.engine, removal.marked_at)
        return agreed(self.approvals, marked, self.slice_.now())

    def _floor(self, point: Point, remains: bool, last: bool) -> timedelta:
        """The least age of a point of this plan, of the last one of its machine, or of what never became a point."""
        rules = self.slice_.rules
        if last:
            return rules.orphan_keep
        plan = rules.plans.by_name.get(point.plan)
        return plan.keep_floor if plan and not remains else REMAINS_KEPT

    def _asks(self, machine: Machine, last: bool) -> bool:
        """Whether the newest inventory shows the machine asking for protection; before its last point goes, a GET."""
        world, rules, now = self.slice_.world, self.slice_.rules, self.slice_.now()
        if last and not self.slice_.admitted(CallKind.READ):
            raise NO_ROOM
        found = world.inventory.look(machine.id) if last else self.slice_.sighted(machine.uid)
        if not isinstance(found, Sighting) or found.uid != machine.uid:
            return False
        return owner_of(registered(machine, found, rules, now), rules, now).living

    def _look(self, part: Part, removal: Removal, outlived: bool) -> Look:
        """As the list shows it; by a GET when the list shows nothing, or a hold.

        That a deletion was done the list may say by itself where it shows a newer point of the machine, and so is not
        empty or cut off.
        """
        shown = self.seen.get(part.id)
        prefix = self.slice_.rules.prefix
        done = outlived and part.state is PartState.DELETING and self.listed_at >= removal.next_look - SETTLED
        if shown is None and done:
            return Look(part, None)
        if shown is None or held_until(shown.tags, prefix) is not None:
            if not self.slice_.admitted(CallKind.READ):
                raise NO_ROOM
            shown = find_part(self.slice_.world, self.slice_.rules, part.id)
        return Look(part, shown, held_until(shown.tags, prefix) if shown else None)

    def _machine_held_until(self, machine: Machine) -> datetime | None:
        """By its own tags as the ledger has them here and where it moved, or as the newest inventory shows them."""
        sighted = self.slice_.sighted(machine.uid)
        newest = held_until(sighted.tags, self.slice_.rules.prefix) if sighted else None
        holds = (hold_of(machine, self.slice_.rules), newest, self.held_elsewhere.get(machine.uid))
        return max((hold for hold in holds if hold), default=None)

    def hear_brakes(self) -> None:
        """Ask whether a person has paused deletions; before each batch, so that it is heard within moments."""
        self.halted = _halted(self.slice_) or stopped(self.slice_.world.brakes.now(), Stops.DELETES)

    def take(self, planned: bool) -> None:
        """One point less may go."""
        left = self.room
        self.room = replace(left, planned=left.planned - 1) if planned else replace(left, unplanned=left.unplanned - 1)

    def strike(self, points: Iterable[Point]) -> None:
        """What is gone need not be agreed to any more. What cannot be struck out now ages out."""
        gone = {one for point in points if (one := deletion_of(point))}
        before, shard = self.approvals, self.slice_.shard
        after = used(before, gone, self.slice_.now())
        if gone & {one for approval in before.approvals for one in approval.deletions}:
            with suppress(LostRace, CloudError):
                self.slice_.world.approvals.change(shard, after)
                self.approvals = self.slice_.world.approvals.of(shard)

    def pay(self, planned: int, unplanned: int) -> None:
        """Charge the shard's budget, before anything is claimed. LostRace when somebody else charged it meanwhile."""
        budgets, shard = self.slice_.world.budgets, self.slice_.shard
        budgets.spend(spent(self.spending, planned, unplanned, self.slice_.now()))
        self.spending = budgets.spending(shard)


def _shown(looks: Iterable[Look]) -> list[SnapshotSeen]:
    return [look.seen for look in looks if look.seen is not None]


def survey(slice_: Slice, machines: Iterable[Machine]) -> Survey:
    """Look at everything afresh. A CloudError when it cannot be looked at: then nothing is deleted."""
    world, shard = slice_.world, slice_.shard
    known = [*machines]
    listed_at = slice_.now()
    if not slice_.admitted(CallKind.READ):
        raise NO_ROOM
    azure_now = world.deletions.azure_now(shard)
    difference = slice_.now() - azure_now
    seen = {snapshot.id: snapshot for snapshot in world.holdings.snapshots(shard)}
    spending, others = world.budgets.spending(shard), neighbours(slice_, known)
    with_points = sum(machine.last_point is not None for machine in known)
    surveyed = Survey(
        slice_=slice_,
        listed_at=listed_at,
        apart=abs(difference),
        ahead=max(difference, timedelta(0)),
        seen=seen,
        burst=bursts(shard, known, others),
        elsewhere=moved(others),
        held_elsewhere=held(others, slice_.rules),
        spending=spending,
        approvals=world.approvals.of(shard),
        room=room(spending, _gains(slice_), with_points, slice_.now()),
    )
    for about, points in (("planned", surveyed.room.planned), ("unplanned", surveyed.room.unplanned)):
        world.telemetry.level(Level.DELETIONS_LEFT, f"{about} {shard}", points)
    return surveyed


def _halted(slice_: Slice) -> str:
    """Why nothing may be deleted in this shard, whatever it is; empty when it may."""
    mode = slice_.rules.subscriptions.get(slice_.shard.subscription)
    return "" if mode is Mode.ENFORCE else "its subscription is not one in which Tagback may act"


def _gains(slice_: Slice) -> list[datetime]:
    """When points of the shard became complete, as far as it counts and the ledger still tells."""
    ended = (held.row for held in slice_.world.ledger.operations(slice_.shard, slice_.now() - WINDOW))
    done = (one for one in ended if one.kind is Kind.CAPTURE and one.state is State.SUCCEEDED)
    return [one.ended_at for one in done if one.ended_at]
