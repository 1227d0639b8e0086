"""An attacker with rights that he should not have: tags of VMs, tags of snapshots, forged messages, rows of our tables.

A sequence is drawn from its seed: a small fleet with a week of points, some moves, days of honest timers in between.
The truth is judged at every deletion: nothing before its floor, nothing foreign, and of a machine that exists and asked
for protection within the orphans' time never the newest of its points. `python -m tests.world.attacks --sequences N`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from shared.errors import BadInput, CloudError, LostRace, Unknown
from shared.flows.expiring import expire
from shared.flows.reaping import reap
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.messages import REAP, REQUESTS, VMS, VmKey, parse_request, parse_vm, request_text
from shared.model.identity import EVERYWHERE, DiskUid, ResourceId, VmUid
from shared.model.machine import Machine, Status
from shared.model.point import Part, Point, PointState, Removal
from shared.model.request import Asked, Progress, Request
from shared.model.transition import Held
from tests.fleet import DAY, LAST_SLOT, NOW, RULES, SHARD, Fleet, capture
from tests.flows.deleting import HOUR, OWNER, Estate
from tests.world.stage import stage
from tests.world.twins.azure import SnapshotTruth
from tests.world.twins.rows import Rows
from tests.world.twins.witness import Witness

MACHINES = 2
AGES = (8, 3, 0)  # days; the first has passed its week when it begins
FLOOR = timedelta(hours=24)
ORPHAN = timedelta(days=90)
LONGEST = 4  # moves of one sequence
PAUSES = (HOUR, 6 * HOUR, DAY, 4 * DAY, 30 * DAY, 100 * DAY)
VALUES = ("off", "bronze", "silver", "gold", "no such plan", "", "ON")
STAMPS = ("20200101T0000Z", "soon", "", "20990101T0000Z")


class Watch(Witness):
    """Judges every deletion by what was true before anybody meddled."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.deleted = 0
        self.judge: Callable[[SnapshotTruth], list[str]] = lambda _: []

    def snapshot_deleted(self, snapshot: SnapshotTruth, asked_at: datetime) -> None:
        self.deleted += 1
        self.broken += self.judge(snapshot)


@dataclass
class Siege:
    """One fleet under attack."""

    seed: int
    watch: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.estate = Estate(Fleet(stage(self.seed, NOW, self.watch)))
        self.azure = self.estate.stage.azure
        self.machines: dict[VmUid, Machine] = {}
        self.made: dict[VmUid, list[Point]] = {}
        for number in range(1, MACHINES + 1):
            self._protect(self.estate.machine(number))
        self.ours = {part.id: point for points in self.made.values() for point in points for part in point.parts}
        self.asked = dict.fromkeys(self.made, NOW)
        self.others = [self._foreign(number) for number in range(3)]
        self.watch.judge = self._wrong

    def _protect(self, machine: Machine) -> None:
        points = [self.estate.taken(machine, age) for age in AGES]
        for point in points:
            self._tag(point)
        operations = [replace(capture(machine, point.slot), ended_at=point.ended_at) for point in points[-3:]]
        self.machines[machine.uid], self.made[machine.uid] = machine, points
        self.estate.put(machine, *operations, *points)

    def _tag(self, point: Point) -> None:
        for part in point.parts:
            tags = {"tagback-attempt": "1", "tagback-parts": str(len(point.parts)), "tagback-engine": "disk"}
            self.azure.snapshots[part.id].tags.update(tags)

    def _foreign(self, number: int) -> ResourceId:
        """What a person made by hand in our recovery group, of a disk of ours or of another."""
        place = self.estate.fleet.world.snapshots.place(SHARD, f"by-hand-{number}")
        disk = self.chance.choice(
            [DiskUid("elsewhere"), *(disk.uid for one in self.machines.values() for disk in one.disks)]
        )
        self.azure.snapshots[place] = SnapshotTruth(place, disk, {}, LAST_SLOT, LAST_SLOT, fails=False, slow=False)
        return place

    def _wrong(self, snapshot: SnapshotTruth) -> list[str]:
        name, now = snapshot.id.name, self.estate.stage.scheduler.now
        if snapshot.id not in self.ours:
            return [f"{name} is not ours and is deleted"]
        early = [f"{name} is deleted before its floor"] if now < snapshot.born + FLOOR else []
        uid = self.ours[snapshot.id].uid
        newest = max(self.made[uid], key=lambda point: point.slot)
        protected = self.azure.living(uid) is not None and now < self.asked[uid] + ORPHAN
        last = protected and snapshot.id in {part.id for part in newest.parts}
        return early + ([f"{name} of the newest point of {uid} is deleted"] if last else [])

    # ---- what the attacker does --------------------------------------------------------------------------------

    def retag_machine(self) -> None:
        vm = self.chance.choice(list(self.azure.vms()))
        tags = {"backup": self.chance.choice(VALUES), "backup-keep": self.chance.choice(("1h", "last=1", "x", "9y"))}
        self.azure.write(replace(vm, tags={name: tags[name] for name in tags if self.chance.random() < 0.7}))

    def untag_everything(self) -> None:
        for vm in list(self.azure.vms()):
            self.azure.write(replace(vm, tags={}))

    def retag_snapshot(self) -> None:
        truth = self.chance.choice(list(self.azure.snapshots.values()))
        choice = self.chance.choice(("stamp", "slot", "owner", "clear", "steal"))
        model = self.chance.choice(list(self.azure.snapshots.values()))
        match choice:
            case "stamp":
                truth.tags["tagback-keep-until"] = self.chance.choice(STAMPS)
            case "slot":
                truth.tags["tagback-slot"] = self.chance.choice(STAMPS)
            case "owner":
                truth.tags["tagback-owner"] = self.chance.choice((OWNER, "another"))
            case "clear":
                truth.tags.clear()
            case _:
                truth.tags.update(model.tags)

    def forge_message(self) -> None:
        queue = self.estate.fleet.world.queue
        machine = self.chance.choice(list(self.machines.values()))
        place = self.chance.choice((machine.id, replace(machine.id, name="nobody"), replace(machine.id, group="x")))
        uid = self.chance.choice((machine.uid, None))
        queue.send(VMS, VmKey(place, uid, SHARD if uid else None).text())
        queue.send(REAP, self.chance.choice((str(SHARD), "a|b", "{")))

    def forge_request(self) -> None:
        """A request that nobody made, as a row, with its message: whatever a person could ask for without a token."""
        machine = self.chance.choice(list(self.machines.values()))
        kind = self.chance.choice(list(Asked))
        about = EVERYWHERE if kind in (Asked.PAUSE, Asked.RESUME) else SHARD
        uid = VmUid("") if kind in (Asked.PAUSE, Asked.RESUME, Asked.REBUILD) else machine.uid
        stage = self.estate.stage
        name = f"forged-{len(stage.requests.asked)}"
        asked = Request(name, kind, about, uid, "nobody", stage.scheduler.now, Progress.ASKED)
        words = self.chance.choice(("all", "deletes", "everything"))
        stage.requests.asked[name] = replace(asked, hold="2020-01-01", stops=words, reason="forged")
        self.estate.fleet.world.queue.send(REQUESTS, request_text(name))

    def edit_budget(self) -> None:
        """As if nothing had been deleted for long."""
        budgets = self.estate.stage.budgets.rows
        if SHARD in budgets:
            budgets[SHARD] = replace(budgets[SHARD], hours=())

    def edit_point(self) -> None:
        rows = self._rows()
        key = self.chance.choice(list(rows.points))
        point = rows.points[key].row
        past, now = LAST_SLOT - 400 * DAY, self.estate.stage.scheduler.now
        forged: dict[str, Callable[[], Point]] = {
            "dates": lambda: replace(point, keep_until=past, birth_keep_until=past),
            "no point": lambda: replace(point, state=PointState.INCOMPLETE, ended_at=past),
            "marked": lambda: replace(point, removal=Removal(past, past, "forged", remains=self.chance.random() < 0.5)),
            "withdrawn": lambda: replace(
                point,
                state=self.chance.choice((PointState.COMPLETE, PointState.DELETING)),
                birth_keep_until=past,
                rebuilt_at=self.chance.choice((None, past)),
                removal=Removal(past, past, "forged", planned=False, withdrawn=True, claimed_at=past),
            ),
            "approved": lambda: replace(
                point, removal=Removal(past, past, "approved by boss", planned=False, frozen=True, asks=True)
            ),
            "claimed": lambda: replace(
                point, state=PointState.DELETING, removal=Removal(past, now, "forged", claimed_at=past)
            ),
            "older": lambda: replace(point, ended_at=past, parts=tuple(replace(p, sent_at=past) for p in point.parts)),
            "other parts": lambda: replace(point, parts=self._stolen(point)),
        }
        rows.points[key] = Held(self.chance.choice(list(forged.values()))(), rows.points[key].etag)

    def forge_point(self) -> None:
        """A newer point that never was: of the parts of others, of none, or of names that lead nowhere."""
        rows = self._rows()
        point = self.chance.choice(list(rows.points.values())).row
        newer = replace(point, slot=LAST_SLOT + self.chance.choice((DAY, 40 * DAY)), removal=None)
        newer = replace(newer, parts=self.chance.choice((self._stolen(point), point.parts, ())))
        rows.put(replace(newer, state=PointState.COMPLETE), "forged")

    def remove_point(self) -> None:
        rows = self._rows()
        del rows.points[self.chance.choice(list(rows.points))]

    def edit_machine(self) -> None:
        rows = self._rows()
        assert rows.machine is not None
        past = NOW - 400 * DAY
        gone = replace(rows.machine.row, status=Status.GONE, left_at=past, absent_since=past)
        out = replace(rows.machine.row, tags={}, plan="", left_at=past, enrolled_at=None, settled=None)
        row = self.chance.choice((gone, out, rows.machine.row))
        rows.machine = Held(replace(row, next_expiry=past), rows.machine.etag)

    def _rows(self) -> Rows:
        ledger = self.estate.stage.ledger.rows[SHARD]
        return self.chance.choice([rows for rows in ledger.values() if rows.points] or list(ledger.values()))

    def _stolen(self, point: Point) -> tuple[Part, ...]:
        """The point's parts led to snapshots of others: by hand, of another machine, of an older point."""
        return tuple(replace(part, id=self.chance.choice(list(self.azure.snapshots))) for part in point.parts)

    # ---- and what goes on meanwhile ----------------------------------------------------------------------------

    def pass_time(self, duration: timedelta) -> None:
        """Time passes; the honest timer fires at its end and a day later; messages are served."""
        for pause in (duration, 25 * HOUR):
            stage = self.estate.stage
            stage.scheduler.run(stage.scheduler.now + pause)
            for vm in self.azure.vms():
                if vm.tags.get("backup", "off").lower() not in ("off", ""):
                    self.asked[vm.uid] = stage.scheduler.now
                    self._captured(self.machines[vm.uid], stage.scheduler.now)
            self._serve()
            expire(self.estate.fleet.world, RULES)
            self._serve()

    def _captured(self, machine: Machine, now: datetime) -> None:
        """A machine that asks has a new point, as it would have had."""
        rows = self.estate.stage.ledger.rows[SHARD][machine.uid]
        age = (LAST_SLOT - now) // DAY + 1
        point = self.estate.taken(machine, age)
        if point.slot > max(one.slot for one in self.made[machine.uid]):
            self._tag(point)
            self.made[machine.uid].append(point)
            self.ours |= {part.id: point for part in point.parts}
            rows.put(point, f"taken {now}")
            operation = replace(capture(machine, point.slot), ended_at=point.ended_at)
            rows.put(operation, f"taken {now}")

    def _serve(self) -> None:
        world, queues = self.estate.fleet.world, self.estate.stage.queues
        for message in list(queues.messages.values()):
            queues.delete(message)
            try:
                if message.queue == REAP:
                    reap(world, RULES, SHARD)
                elif message.queue == VMS:
                    reconcile(world, RULES, parse_vm(message.text))
                elif message.queue == REQUESTS:
                    run_request(world, RULES, parse_request(message.text))
            except (BadInput, CloudError, LostRace, Unknown):
                continue  # what no retry mends ends among the poisoned ones

    def play(self) -> None:
        """The whole sequence."""
        moves = (
            self.retag_machine,
            self.untag_everything,
            self.retag_snapshot,
            self.forge_message,
            self.forge_request,
            self.edit_budget,
            self.edit_point,
            self.forge_point,
            self.remove_point,
            self.edit_machine,
        )
        for _ in range(self.chance.randint(1, LONGEST)):
            rows = self.estate.stage.ledger.rows[SHARD]
            if any(one.points for one in rows.values()) and self.azure.snapshots:
                self.chance.choice(moves)()
            if self.chance.random() < 0.5:
                self.pass_time(self.chance.choice(PAUSES))
        self.pass_time(5 * DAY)
        agreed = [one for each in self.estate.stage.approvals.kept.values() for one in each.approvals]
        self.watch.broken += ["an approval came from nowhere"] * bool(agreed)


def besieged(seed: int) -> Watch:
    """What was deleted, and wrongly deleted, in the sequence of a seed."""
    siege = Siege(seed)
    siege.play()
    return siege.watch


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.world.attacks", description=__doc__)
    parser.add_argument("--sequences", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args(words)
    counts: Counter[str] = Counter()
    for seed in range(asked.first, asked.first + asked.sequences):
        watch = besieged(seed)
        counts["snapshots deleted"] += watch.deleted
        counts["sequences with deletions"] += watch.deleted > 0
        if watch.broken:
            counts["sequences with a wrong deletion"] += 1
            print(f"sequence {seed}: {watch.broken[0]}")
    print(f"{asked.sequences} sequences, {dict(counts)}")
    return 1 if counts["sequences with a wrong deletion"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
