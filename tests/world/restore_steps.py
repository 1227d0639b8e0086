"""What scenes of restores and drills have in common: a restore is asked for, carried on, undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from shared.flows.ordering import ask_restore, ask_undo
from shared.flows.requesting import run as run_request
from shared.messages import REQUESTS, request_text
from shared.model.identity import VmUid
from shared.model.request import Asked, Progress, Request
from shared.model.restore import RestoreOrder
from shared.ports import World
from tests.world.exhaustive import pass_time, perform
from tests.world.scenes import RULES, SHARD
from tests.world.seeded import Run


def request_of(world: Run, asked: Asked) -> Request:
    """The one request of a kind."""
    [found] = [one for one in world.stage.requests.asked.values() if one.asked is asked]
    return found


def restore_asked(world: Run, uid: VmUid, order: RestoreOrder) -> None:
    record = world.stage.ledger.held(SHARD, uid)
    assert record is not None
    machine = record.machine.row
    perform(world, lambda ports: _let_go(ask_restore(ports, machine, order, "person-1")))


def undo_asked(world: Run) -> None:
    done = request_of(world, Asked.RESTORE)
    perform(world, lambda ports: _let_go(ask_undo(ports, done.id, "person-1")))


def _let_go(_: Request) -> None:
    return


def carried(world: Run, asked: Asked, slices: int, pause: timedelta) -> None:
    """So many slices of a request, with a pause after each."""
    for _ in range(slices):
        perform(world, lambda ports: _slice(ports, request_of(world, asked).id))
        pass_time(world, pause)


def _slice(ports: World, request_id: str) -> None:
    run_request(ports, RULES, request_id)


def arriving(name: str, asked: Asked) -> Callable[[Run], None]:
    """The message of the next slice."""

    def arrives(world: Run) -> None:
        request = request_of(world, asked)
        assert request.progress is Progress.ASKED, f"{name} is over already: {request}"
        world.stage.queues.put(REQUESTS, request_text(request.id), timedelta(0))

    return arrives
