"""Pages of resources as ARM lists answer them, with nextLink and what a fault rule makes of them.

Used by every list route.
"""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from local.simulator.answers import ArmError, Reply, encode
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

STALE_SECONDS = 15 * 60.0


Render = Callable[[Resource], bytes]


def listed(world: "World", call: "Call", scope: str, kind: str, render: Render | None = None) -> Reply:
    """Answer the resources of a type in a scope, oldest first, a page at a time."""
    size = world.page
    write = render or (lambda member: member.rendered(call.now))
    after = _after(call)
    if is_stale(call):
        return joined([write(member) for member in _as_of(world, scope, kind, call.now - STALE_SECONDS)])
    members = world.store.page(scope, kind, after, size + 1)
    more, members = len(members) > size, members[:size]
    link = next_link(call, members[-1].sequence) if more else None
    return joined([write(member) for member in members], link)


def in_capitals(member: Resource, body: bytes) -> bytes:
    """Write a member as lists of a whole subscription show it: the group of its id in capitals, and of ids below it.

    Recorded for disks, snapshots and machines, 138 of 138 elements; other members of theirs keep their letter case.
    """
    above, mark, below = member.id.partition("/providers/")
    start, group = above.rsplit("/", 1)
    written = f"{start}/{group.upper()}{mark}{below}"
    return body.replace(b'"id":' + encode(member.id)[:-1], b'"id":' + encode(written)[:-1])


def is_stale(call: "Call") -> bool:
    """Tell whether a fault rule shows the past."""
    return call.fault is not None and call.fault.effect.get("list") == "stale"


def members_of(world: "World", call: "Call", scope: str, kind: str) -> list[Resource]:
    """Return all resources of a type in a scope, for lists without pages."""
    if is_stale(call):
        return _as_of(world, scope, kind, call.now - STALE_SECONDS)
    return world.store.all_of(scope, kind)


def joined(bodies: list[bytes], link: str | None = None) -> Reply:
    """Answer encoded documents as a list; they are not decoded again."""
    tail = b"]}" if link is None else b'],"nextLink":' + encode(link) + b"}"
    return Reply(200, b'{"value":[' + b",".join(bodies) + tail)


def paged(call: "Call", bodies: list[bytes], size: int) -> Reply:
    """Answer a page of what is made for one call, where nothing is kept that a page could go on from."""
    start = _after(call)
    more = len(bodies) > start + size
    return joined(bodies[start : start + size], next_link(call, start + size) if more else None)


def _after(call: "Call") -> int:
    token = call.query.get("$skiptoken")
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except ValueError as error:
        raise ArmError(400, "InvalidSkipToken", f"The skip token '{token}' is invalid.") from error


def next_link(call: "Call", sequence: int) -> str:
    """Return where the next page is."""
    token = base64.urlsafe_b64encode(str(sequence).encode()).decode()
    kept = [(name, value) for name, value in call.query.items() if name != "$skiptoken"]
    query = "&".join(f"{name}={quote(value)}" for name, value in [*kept, ("$skiptoken", token)])
    return f"{call.base_url}{quote(call.path)}?{query}"


def _as_of(world: "World", scope: str, kind: str, then: float) -> list[Resource]:
    """Return who was there then: born before, and not yet gone."""
    living = [member for member in world.store.all_of(scope, kind) if member.born <= then]
    dead = [
        grave
        for grave in world.store.graves
        if world.store.belonged(grave, scope, kind) and grave.born <= then < (grave.gone or 0)
    ]
    return sorted([*living, *dead], key=lambda member: member.sequence)
