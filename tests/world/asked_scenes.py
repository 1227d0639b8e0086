"""The scenes of what people ask for: points, retries, holds, pauses, and a ledger made anew."""

from __future__ import annotations

from datetime import timedelta

from shared.errors import Refused
from shared.flows.asking import ask_backup, ask_rebuild, shards_with_points
from shared.flows.draining import drain
from shared.flows.holding import ask_hold
from shared.flows.pausing import ask_pause, ask_resume
from shared.flows.requesting import run as run_request
from shared.flows.retrying import ask_retry, failed_job
from shared.messages import REQUESTS, SHARDS, request_text
from shared.ports import World
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.scenes import FIRST, RULES, SECOND, SHARD, complete, registered, shard_poked, slot_has_come
from tests.world.scheduler import Invocation, Process
from tests.world.seeded import Run


def asked_for(world: Run) -> None:
    complete(world)
    pass_time(world, timedelta(minutes=7))
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    perform(world, lambda ports: world.life.asked.append(ask_backup(ports, record.machine.row, "person-1").id))


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


def retry_taken(world: Run) -> None:
    retry_asked(world)
    perform(world, lambda ports: run_request(ports, RULES, world.life.asked[0]))


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


def request_arrives(world: Run) -> None:
    world.stage.queues.put(REQUESTS, request_text(world.life.asked[0]), timedelta(0))


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


def operator_asks(world: Run) -> None:
    """Somebody asks that whatever has points be made anew, from a process of their own."""

    def ask() -> None:
        for shard in shards_with_points(world.stage.world, RULES):
            ask_rebuild(world.stage.world, shard, "person-1")

    world.host.invoke("ask", world.host.processes[0], ask, lambda failure: None)


ASKED = (
    Scene("a request is taken up", asked_for, REQUESTS, request_arrives),
    Scene("the ledger is made anew", ledger_lost, REQUESTS, request_arrives),
    Scene("all is paused", pause_asked, REQUESTS, pause_arrives),
    Scene("a slot comes while captures are paused", paused, SHARDS, poked_and_resumed_later),
    Scene("what was paused goes on", resume_asked, REQUESTS, request_arrives),
    Scene("an operator asks", complete, "ask", operator_asks),
    Scene("a hold is taken up", hold_asked, REQUESTS, request_arrives),
    Scene("a retry is taken up", retry_asked, REQUESTS, request_arrives),
    Scene("what was given up is begun anew", retry_taken, SHARDS, shard_poked),
)
