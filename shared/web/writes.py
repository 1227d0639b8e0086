"""The routes that change something: each takes a token with a role, and a JSON object. Used by api.py.

Nothing of the request is looked at before its bearer is known. What a route does is a flow's; this decides nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from shared.errors import BadInput
from shared.flows import approving, request_kinds
from shared.model.caller import Caller, Role, Use
from shared.model.rules import Rules
from shared.ports import World
from shared.web.door import Door, Rate, admitted
from shared.web.scopes import admit, within

LOG = logging.getLogger("tagback.web")
LARGEST_BODY = 64 * 1024
Body: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Written:
    """What is answered to a write: 202 where the work is still to be done."""

    status: HTTPStatus
    document: object


@dataclass(frozen=True, slots=True)
class Write:
    """One route: the role that it takes, and what it does for whom."""

    role: Role
    run: Callable[[World, Rules, Body, Caller], Written]


def request(world: World, rules: Rules, body: Body, caller: Caller) -> Written:
    """Ask for something: `{"asked": KIND, ...}`; the answer's `id` is watched under `/api/requests/ID`."""
    asked = request_kinds.ask(within(world, caller), rules, body, caller.oid)
    LOG.info("web.asked id=%s asked=%s by=%s", asked.id, asked.asked, caller.oid)
    return Written(HTTPStatus.ACCEPTED, {"id": asked.id})


def approval(world: World, _: Rules, body: Body, caller: Caller) -> Written:
    """Agree to deletions that wait for two people, `{"vm": [NAME, ...]}` or `{"all": true}`: what somebody else asked
    for is approved (200), what nobody asked for is asked for (202), one's own question is refused (403)."""
    vms = body.get("vm", [])
    if not isinstance(vms, list) or not all(isinstance(vm, str) for vm in vms):
        raise BadInput(["vm is not a list of texts"])
    if set(body) - {"vm", "all"} or body.get("all", False) not in (True, False) or bool(vms) == bool(body.get("all")):
        raise BadInput(["either vm names VMs, or all is true; there are no other fields"])
    for one in approving.meant(world, vms):
        admit(caller, Role.APPROVE, one.machine.shard)
    answer = approving.approve(within(world, caller), vms, caller.oid)
    return Written(HTTPStatus.OK if answer["approved"] else HTTPStatus.ACCEPTED, answer)


WRITES: Mapping[str, Write] = {
    "/api/requests": Write(Role.REQUEST, request),
    "/api/approvals": Write(Role.APPROVE, approval),
}


def write(
    path: str, environ: Mapping[str, Any], door: Door, rate: Rate, open_world: Callable[[], tuple[World, Rules]]
) -> Written:
    """The answer to a write."""
    route = WRITES[path]
    caller = admitted(door, str(environ.get("HTTP_AUTHORIZATION", "")), route.role)
    rate(caller.oid, Use.WRITE)
    body = _body(environ)
    world, rules = open_world()
    return route.run(world, rules, body, caller)


def _body(environ: Mapping[str, Any]) -> Body:
    """The JSON object that was sent; BadInput for anything else."""
    media = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    if media != "application/json":
        raise BadInput([f"the body is {media or 'of no type'}; allowed: application/json"])
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        raise BadInput([f"the body is larger than {LARGEST_BODY} bytes"])
    try:
        document = json.loads(environ["wsgi.input"].read(int(length)))
    except (ValueError, RecursionError) as error:
        raise BadInput(["the body is not JSON"]) from error
    if not isinstance(document, dict):
        raise BadInput(["the body is not a JSON object"])
    return document
