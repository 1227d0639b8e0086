"""The scenes of the exhaustive driver: each capture flow in each of its situations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from shared.errors import Conflict, Refused
from shared.flows.approving import approve
from shared.flows.asking import ask_backup, ask_rebuild, shards_with_points
from shared.flows.draining import drain
from shared.flows.expiring import expire
from shared.flows.holding import ask_hold
from shared.flows.pausing import ask_pause, ask_resume
from shared.flows.reaping import reap
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.flows.retrying import ask_retry, failed_job
from shared.messages import REAP, REQUESTS, SHARDS, VMS, VmKey, request_text, shard_text
from shared.model.draining import CallKind
from shared.model.identity import DiskUid, ResourceId, Shard, VmUid
from shared.model.spending import Hour, Spending
from shared.ports import World
from tests.world.catalogue import rules
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.scheduler import Invocation, Killed, Process
from tests.world.seeded import Run
from tests.world.steps import Call, Calm, Phase
from tests.world.twins.azure import DiskTruth, Fair, Fate, VmTruth, disk_place, vm_place
from tests.world.twins.queues import POISON

SHARD = Shard("sub-one", "northeu")
RULES = rules()


def machine(number: int, disks: int, value: str) -> VmTruth:
    name = f"vm-{number}"
    made = tuple(
        DiskTruth(disk_place("sub-one", "app", f"{name}-{lun}"), DiskUid(f"disk-{number}-{lun}"), lun or None)
        for lun in range(disks)
    )
    place = vm_place("sub-one", "app", name)
    return VmTruth(place, VmUid(f"uid-{number}"), name, "northeu", {"backup": value}, made)


FIRST, SECOND = machine(1, 2, "gold"), machine(2, 1, "gold")


class Failing(Fair):
    """Snapshots made now fail in the end."""

    def fate(self, snapshot: ResourceId) -> Fate:
        return Fate(timedelta(seconds=5), fails=True)


@dataclass
class DeathAfter:
    """The process dies once the last of several calls of one kind took effect."""

    world: Run
    verb: str
    left: int = 3

    def step(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        self.left -= call.verb == self.verb and phase is Phase.AFTER
        if not self.left:
            self.world.host.kill(invocation.process)
            raise Killed


def created(world: Run) -> None:
    for vm in (FIRST, SECOND):
        world.stage.azure.write(vm)


def registered(world: Run) -> None:
    """Both machines are registered; their first captures are wanted."""
    created(world)
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id)))
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(SECOND.id)))


def started(world: Run) -> None:
    """The first captures are sent, and ready in Azure by now."""
    registered(world)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    pass_time(world, timedelta(seconds=30))


def complete(world: Run) -> None:
    started(world)
    perform(world, lambda ports: drain(ports, RULES, SHARD))


def slot_has_come(world: Run) -> None:
    """A slot of both machines has come, its window as well."""
    complete(world)
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-03T12:31:00+00:00"))


def slots_were_missed(world: Run) -> None:
    """The app was down over three slots."""
    complete(world)
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-04T00:45:00+00:00"))


def half_sent(world: Run) -> None:
    """A drainer died after its snapshots were accepted; its claim and its lease have run out."""
    registered(world)
    world.stage.steps.interference = DeathAfter(world, "snapshots.create")
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    world.stage.steps.interference = Calm()
    pass_time(world, timedelta(minutes=10))


def failed_in_azure(world: Run) -> None:
    """The first attempt was accepted, and failed later."""
    world.stage.azure.weather = Failing()
    started(world)
    world.stage.azure.weather = Fair()


def untagged(world: Run) -> None:
    registered(world)
    world.stage.azure.write(replace(FIRST, tags={}))


def missed_once(world: Run) -> None:
    complete(world)
    world.stage.azure.delete(FIRST)
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id, FIRST.uid, SHARD)))
    pass_time(world, timedelta(minutes=11))


def made_again(world: Run) -> None:
    complete(world)
    world.stage.azure.delete(FIRST)
    disks = tuple(replace(disk, uid=DiskUid(f"new-{disk.uid}")) for disk in FIRST.disks)
    world.stage.azure.write(replace(FIRST, uid=VmUid("uid-9"), disks=disks))


def asked_for(world: Run) -> None:
    complete(world)
    pass_time(world, timedelta(minutes=7))
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    perform(world, lambda ports: world.life.asked.append(ask_backup(ports, record.machine.row, "person-1").id))


class Endless(Fair):
    """Snapshots made now never become ready."""

    def fate(self, snapshot: ResourceId) -> Fate:
        return Fate(None)


def half_of_a_set(world: Run) -> None:
    """One disk of two was accepted; the other is free again soon enough to belong to it."""
    registered(world)
    world.stage.azure.refusals[FIRST.disks[1].id] = Conflict("AnotherOperationInProgress", "busy", 409)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    world.stage.azure.refusals.clear()
    pass_time(world, timedelta(minutes=3))


def torn_set(world: Run) -> None:
    """The same, and the other disk is free again too late."""
    half_of_a_set(world)
    pass_time(world, timedelta(minutes=20))


def never_ready(world: Run) -> None:
    """A day ago snapshots were accepted that never became ready."""
    world.stage.azure.weather = Endless()
    started(world)
    world.stage.azure.weather = Fair()
    pass_time(world, timedelta(hours=25))


def retry_asked(world: Run) -> None:
    """Both machines' first captures were given up, for disks that Azure refuses; a person mended it and asks again."""
    registered(world)
    for vm in (FIRST, SECOND):
        world.stage.azure.refusals[vm.disks[0].id] = Refused("InvalidParameter", "no", 400)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    world.stage.azure.refusals.clear()
    pass_time(world, timedelta(minutes=20))

    def ask(ports: World) -> None:
        asked = ask_retry(ports, *failed_job(ports, FIRST.name), "person-1")
        world.life.asked.append(asked.id)

    perform(world, ask)


def ledger_lost(world: Run) -> None:
    """Every table is deleted while a capture is under way; an operator has asked for the ledger to be made anew."""
    slot_has_come(world)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    pass_time(world, timedelta(minutes=1))
    world.loss.strike()
    perform(world, lambda ports: world.life.asked.append(ask_rebuild(ports, SHARD, "person-1").id))


def pause_asked(world: Run) -> None:
    """A slot of both machines has come; somebody asks that everything stop, and that it go on hours later."""
    slot_has_come(world)
    world.stage.queues.messages.clear()
    perform(world, lambda ports: world.life.asked.append(ask_pause(ports, "all", "an audit", "person-1").id))


def paused(world: Run) -> None:
    """The same, and it is stopped."""
    pause_asked(world)
    perform(world, lambda ports: run_request(ports, RULES, world.life.asked[0]))


def resumed_later(world: Run) -> None:
    def ask() -> None:
        world.life.asked.append(ask_resume(world.stage.world, "all", "", "person-2").id)

    def start() -> None:
        world.stage.scheduler.spawn(Invocation("cli", Process("cli")), ask)

    world.stage.scheduler.at(world.stage.scheduler.now + timedelta(hours=3), start)


def pause_arrives(world: Run) -> None:
    request_arrives(world)
    resumed_later(world)


def poked_and_resumed_later(world: Run) -> None:
    shard_poked(world)
    resumed_later(world)


def resume_asked(world: Run) -> None:
    """What was paused over a slot is to go on."""
    paused(world)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    world.life.asked.clear()
    perform(world, lambda ports: world.life.asked.append(ask_resume(ports, "all", "", "person-2").id))


def hold_asked(world: Run) -> None:
    """Somebody asks that what a machine has is never deleted."""
    complete(world)
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    row = record.machine.row
    perform(world, lambda ports: world.life.asked.append(ask_hold(ports, row, "forever", None, "person-1").id))


class Slow(Fair):
    """Snapshots made now are ready in an hour."""

    def fate(self, snapshot: ResourceId) -> Fate:
        return Fate(timedelta(hours=1))


def crowded(world: Run) -> None:
    """Three snapshots of each disk of a machine are not ready yet, as many as may be, and another is asked for."""
    world.stage.azure.weather = Slow()
    registered(world)
    for _ in range(3):
        perform(world, lambda ports: drain(ports, RULES, SHARD))
        pass_time(world, timedelta(minutes=6))
        record = world.stage.ledger.held(SHARD, FIRST.uid)
        assert record is not None
        row = record.machine.row
        perform(world, lambda ports, row=row: run_request(ports, RULES, ask_backup(ports, row, "person-1").id))  # type: ignore[misc]
    world.stage.azure.weather = Fair()


def told_to_wait(world: Run) -> None:
    """What the process was told by Azure lets it create nothing for a while yet."""
    registered(world)
    known = world.host.processes[0].closed_until
    known[SHARD, CallKind.SNAPSHOT] = world.stage.scheduler.now + timedelta(seconds=40)


def operator_asks(world: Run) -> None:
    """Somebody asks that whatever has points be made anew, from a process of their own."""

    def ask() -> None:
        for shard in shards_with_points(world.stage.world, RULES):
            ask_rebuild(world.stage.world, shard, "person-1")

    world.host.invoke("ask", world.host.processes[0], ask, lambda failure: None)


def about_to_be_lengthened(world: Run) -> None:
    """The first captures are ready, and their rows and tags are stamped for a day less than their plan keeps them."""
    started(world)
    for rows in world.stage.ledger.rows[SHARD].values():
        for key, held in rows.points.items():
            short = held.row.birth_keep_until - timedelta(days=1)
            rows.points[key] = replace(held, row=replace(held.row, birth_keep_until=short, keep_until=short))


def long_ago(world: Run) -> None:
    """What was done is so long ago that it may leave the ledger."""
    complete(world)
    pass_time(world, timedelta(days=40))


def _drained_at(world: Run, moment: str) -> None:
    """The slot that began before this moment is captured and complete."""
    world.stage.scheduler.run(datetime.fromisoformat(moment))
    for _ in range(2):
        perform(world, lambda ports: drain(ports, RULES, SHARD))
        pass_time(world, timedelta(seconds=30))


def aged(world: Run) -> None:
    """Both machines have two points, and the older one's two days are over tomorrow."""
    complete(world)
    _drained_at(world, "2026-06-03T12:31:00+00:00")
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-04T08:00:00+00:00"))


def marked(world: Run) -> None:
    """What was marked is due, and newer points were gained meanwhile."""
    aged(world)
    perform(world, lambda ports: expire(ports, RULES))
    _drained_at(world, "2026-06-05T06:31:00+00:00")
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-05T08:00:00+00:00"))


def deleting(world: Run) -> None:
    """Azure has done what was asked of it."""
    marked(world)
    perform(world, lambda ports: reap(ports, RULES, SHARD))
    pass_time(world, timedelta(minutes=10))
    assert world.stage.azure.deleted


def approved(world: Run) -> None:
    """A machine left days ago; its older point is more than the day's budget allows, and two people agreed to it."""
    aged(world)
    world.stage.azure.delete(FIRST)
    for _ in range(2):
        perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id, FIRST.uid, SHARD)))
        pass_time(world, timedelta(minutes=11))
    pass_time(world, timedelta(hours=26))
    perform(world, lambda ports: expire(ports, RULES))
    pass_time(world, timedelta(hours=73))
    hour = world.stage.scheduler.now.replace(minute=0, second=0, microsecond=0)
    world.stage.budgets.rows[SHARD] = Spending(SHARD, (Hour(hour, 0, 10),), "full")
    perform(world, lambda ports: reap(ports, RULES, SHARD))
    for person in ("person-1", "person-2"):
        perform(world, partial(_agreed, person))
    pass_time(world, timedelta(minutes=61))
    assert world.stage.approvals.kept[SHARD].approvals[0].by == "person-2"


def _agreed(person: str, ports: World) -> None:
    approve(ports, [], person)


def nothing(world: Run) -> None:
    return


def request_arrives(world: Run) -> None:
    world.stage.queues.put(REQUESTS, request_text(world.life.asked[0]), timedelta(0))


def retry_taken(world: Run) -> None:
    retry_asked(world)
    perform(world, lambda ports: run_request(ports, RULES, world.life.asked[0]))


def shard_poked(world: Run) -> None:
    world.stage.queues.put(SHARDS, shard_text(SHARD), timedelta(0))


def _message(name: str, prepare: Callable[[Run], None], queue: str, text: str) -> Scene:
    def arrives(world: Run) -> None:
        world.stage.queues.put(queue, text, timedelta(0))

    return Scene(name, prepare, queue, arrives)


SCENES = (
    Scene("an event is received", nothing, "receive", created),
    _message("a machine is registered", created, VMS, VmKey(FIRST.id).text()),
    _message("a machine was untagged", untagged, VMS, VmKey(FIRST.id).text()),
    _message("a machine is gone", missed_once, VMS, VmKey(FIRST.id, FIRST.uid, SHARD).text()),
    _message("a machine was made again", made_again, VMS, VmKey(FIRST.id, FIRST.uid, SHARD).text()),
    Scene("a sweep finds what is new", created, "sweep", nothing),
    Scene("a sweep finds what is due", slot_has_come, "sweep", nothing),
    _message("first points are started", registered, SHARDS, shard_text(SHARD)),
    _message("points are confirmed", started, SHARDS, shard_text(SHARD)),
    _message("a slot begins", slot_has_come, SHARDS, shard_text(SHARD)),
    _message("missed slots are caught up", slots_were_missed, SHARDS, shard_text(SHARD)),
    _message("a killed drainer is followed", half_sent, SHARDS, shard_text(SHARD)),
    _message("a failed attempt is begun anew", failed_in_azure, SHARDS, shard_text(SHARD)),
    Scene("points are marked", aged, "expire", nothing),
    _message("marked points are deleted", marked, REAP, shard_text(SHARD)),
    _message("deleted points leave the ledger", deleting, REAP, shard_text(SHARD)),
    _message("what two people agreed to is deleted", approved, REAP, shard_text(SHARD)),
    Scene("a request is taken up", asked_for, REQUESTS, request_arrives),
    Scene("the ledger is made anew", ledger_lost, REQUESTS, request_arrives),
    Scene("all is paused", pause_asked, REQUESTS, pause_arrives),
    Scene("a slot comes while captures are paused", paused, SHARDS, poked_and_resumed_later),
    Scene("what was paused goes on", resume_asked, REQUESTS, request_arrives),
    _message("a slice waits for its turn", told_to_wait, SHARDS, shard_text(SHARD)),
    Scene("an operator asks", complete, "ask", operator_asks),
    _message("a date is lengthened", about_to_be_lengthened, SHARDS, shard_text(SHARD)),
    Scene("a hold is taken up", hold_asked, REQUESTS, request_arrives),
    _message("a capture waits for room", crowded, SHARDS, shard_text(SHARD)),
    _message("what nobody can serve is kept", nothing, f"{REQUESTS}{POISON}", "{"),
    _message("ended operations leave", long_ago, SHARDS, shard_text(SHARD)),
    _message("the rest of a set follows", half_of_a_set, SHARDS, shard_text(SHARD)),
    _message("a torn set is begun anew", torn_set, SHARDS, shard_text(SHARD)),
    _message("what never became ready is given up", never_ready, SHARDS, shard_text(SHARD)),
    Scene("a retry is taken up", retry_asked, REQUESTS, request_arrives),
    Scene("what was given up is begun anew", retry_taken, SHARDS, shard_poked),
)
