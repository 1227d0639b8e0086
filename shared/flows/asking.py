"""Asking for something: a request row first, then the message that names it. The flow run_request does the work.

Called by the command line. It judges nothing: whether a request can be granted is decided where it is carried out.
"""

from __future__ import annotations

from shared.errors import Unknown
from shared.messages import REQUESTS, request_text
from shared.model.machine import Machine
from shared.model.request import Asked, Progress, Request
from shared.ports import World


def ask_backup(world: World, machine: Machine, by: str) -> Request:
    """Ask for a recovery point of one machine now."""
    asked = Request(
        id=world.chance.token(),
        asked=Asked.BACKUP,
        shard=machine.shard,
        uid=machine.uid,
        by=by,
        at=world.clock.now(),
        progress=Progress.ASKED,
    )
    world.requests.add(asked)
    world.queue.send(REQUESTS, request_text(asked.id))
    return asked


def request(world: World, request_id: str) -> Request:
    """The request of this id; Unknown when there is none."""
    found = world.requests.find(request_id)
    if found is None:
        raise Unknown(f"there is no request {request_id!r}")
    return found
