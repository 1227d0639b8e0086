"""Asking for something: a request row first, then the message that names it. The flow run_request does the work.

Called by the command line and the API. Whether a request is granted is decided where it is carried out, by what is true
then; a caller may first refuse what surely would be refused.
"""

from __future__ import annotations

import re

from shared.decide.brakes import stopped
from shared.decide.protection import plan_of
from shared.decide.standing import refusal
from shared.errors import BadInput, Unknown
from shared.messages import REQUESTS, request_text
from shared.model.brake import Stops
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Rules
from shared.ports import World

_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,64}")  # wider than the tokens we make, narrower than what a table key can be


def refuse_what_no_plan_takes(world: World, rules: Rules, machine: Machine) -> None:
    """BadInput with the reason when a request for this machine would surely be refused."""
    if pause := stopped(world.brakes.now(), Stops.CAPTURES):
        raise BadInput([f"{machine.name} cannot be backed up now: {pause}"])
    now = world.clock.now()
    if plan_of(machine, rules, now) is None:
        raise BadInput([f"{machine.name} cannot be backed up: {refusal(machine, rules, now)}"])


def filed(world: World, request: Request) -> Request:
    """Record a request, then send the message that names it."""
    world.requests.add(request)
    world.queue.send(REQUESTS, request_text(request.id))
    return request


def new_request(world: World, asked: Asked, shard: Shard, uid: VmUid, by: str) -> Request:
    """A request of this moment that nobody has served yet; `uid` is empty where it is about a whole shard."""
    return Request(
        id=world.chance.token(), asked=asked, shard=shard, uid=uid, by=by, at=world.clock.now(), progress=Progress.ASKED
    )


def ask_backup(world: World, machine: Machine, by: str) -> Request:
    """Ask for a recovery point of one machine now."""
    return filed(world, new_request(world, Asked.BACKUP, machine.shard, machine.uid, by))


def shards_with_points(world: World, rules: Rules) -> tuple[Shard, ...]:
    """The shards in which Azure holds recovery groups of ours, whatever the ledger remembers."""
    return tuple(shard for one in sorted(rules.subscriptions) for shard in world.holdings.shards(one))


def ask_rebuild(world: World, shard: Shard, by: str) -> Request:
    """Ask that the ledger of one shard be made anew from what Azure holds."""
    return filed(world, new_request(world, Asked.REBUILD, shard, VmUid(""), by))


def request(world: World, request_id: str) -> Request:
    """The request of this id; Unknown when there is none."""
    found = world.requests.find(request_id) if _REQUEST_ID.fullmatch(request_id) else None
    if found is None:
        raise Unknown(f"there is no request {request_id!r}")
    return found


def answering(world: World, asked: Request) -> Operation | None:
    """The operation that answers for a request; None before it is taken and after the ledger let it go."""
    record = world.ledger.record(asked.shard, asked.uid) if asked.uid else None
    held = record.operations if record else ()
    return next((one.row for one in held if one.row.id == asked.operation), None)
