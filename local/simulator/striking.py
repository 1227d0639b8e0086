"""What a fault rule does around one call: before its handler, and to the answer.

Used by the front. Rules and when they fire are in faults.py; what they do to operations, lists of the past and events
stands with these.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local.simulator import refusals
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.clock import http_date
from local.simulator.faults import ON_LISTS, ON_READS, ON_WRITES, Fault

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World


def strike(world: "World", call: "Call") -> Fault | None:
    """Return the rule that fires for a call."""
    if not world.faults.rules:
        return None
    kinds = ON_LISTS if call.route.lists else ON_READS if call.method in ("GET", "HEAD") else ON_WRITES
    subject = {"operation": call.route.action, "resource": call.subject, "principal": call.principal.oid}
    if world.faults.look_at_sources():
        subject["source"] = _source(call.raw)
    fault = world.faults.strike(subject, kinds, call.now)
    if fault is not None and fault.effect.get("list") == "expire" and not _continues(call):
        fault.fired -= 1
        return None
    return fault


def _source(raw: bytes) -> str:
    """Return the id that a body says it is made from."""
    try:
        return str(json.loads(raw)["properties"]["creationData"]["sourceResourceId"])
    except (ValueError, KeyError, TypeError):
        return ""


def _continues(call: "Call") -> bool:
    return "$skiptoken" in call.query or b"kipToken" in call.raw


async def before(world: "World", call: "Call", fault: Fault) -> Reply | None:
    """Hold the call, or answer in its handler's place; None lets it go on."""
    effect = fault.effect
    if "delay_s" in effect:
        await asyncio.sleep(float(effect["delay_s"]))
        call.now = world.settle()
    if "skew_s" in effect:
        call.now += float(effect["skew_s"])
    if effect.get("cut") == "before":
        return Reply(0)
    if effect.get("list") == "expire":
        return ArmError(400, "InvalidSkipToken", "The skip token is invalid or has expired.").reply()
    return refusals.injected(fault) if "status" in effect else None


def after(call: "Call", fault: Fault, reply: Reply) -> bool:
    """Change the answer; False where the rule had nothing to change, which then did not fire."""
    effect = fault.effect
    if effect.keys() <= {"lro"} and reply.operation is None:
        fault.fired -= 1
        return False
    if "skew_s" in effect:
        reply.headers["Date"] = http_date(call.now)
    if reply.body and reply.status < 300:
        if effect.get("list") in LISTS:
            _spoil_list(reply, str(effect["list"]))
        if effect.get("list") == "abroad":
            reply.body = encode({**json.loads(reply.body), "nextLink": _abroad(call)})
        if "answer" in effect:
            reply.body = encode(TWISTS[str(effect["answer"])](json.loads(reply.body)))
    return True


LISTS = ("empty", "short", "duplicate")


def _spoil_list(reply: Reply, effect: str) -> None:
    """Empty, halve or double a page; Resource Graph does so with its rows before it makes pages."""
    document = json.loads(reply.body)
    found = document.get("value") if isinstance(document, dict) else None
    if not isinstance(found, list):
        return
    if effect != "duplicate":
        document.pop("nextLink", None)
    changed = {"empty": [], "short": found[: len(found) // 2], "duplicate": [*found, *found[:1]]}
    reply.body = encode({**document, "value": changed[effect]})


def _abroad(call: "Call") -> str:
    """The page once more, at another host: nothing that Azure answers, but what somebody between might (threat T7).

    The other host is this very one under its other name, so that the log tells who follows.
    """
    names = ("127.0.0.1", "localhost")
    here, there = names if names[0] in call.base_url else reversed(names)
    return call.base_url.replace(here, there) + call.target


def _everywhere(change: Callable[[Document], Document], value: Any) -> Any:
    if isinstance(value, dict):
        return change({name: _everywhere(change, part) for name, part in value.items()})
    return [_everywhere(change, part) for part in value] if isinstance(value, list) else value


def _upper(document: Document) -> Document:
    """Write the group of every id in upper case, as compute lists do (recorded)."""
    found = document.get("id")
    if not isinstance(found, str) or not found.startswith("/subscriptions/"):
        return document
    parts = found.split("/")
    parts[3:5] = [part.upper() for part in parts[3:5]]
    return {**document, "id": "/".join(parts)}


TWISTS: Mapping[str, Callable[[Any], Any]] = {
    "extra-fields": lambda value: _everywhere(lambda found: {**found, "neverHeardOf": {"since": "2031"}}, value),
    "null-tags": lambda value: _everywhere(lambda found: {**found, "tags": None} if "id" in found else found, value),
    "upper-case-ids": lambda value: _everywhere(_upper, value),
    "unknown-enum": lambda value: _everywhere(
        lambda found: {**found, "provisioningState": "Unheard"} if "provisioningState" in found else found, value
    ),
}
