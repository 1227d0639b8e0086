"""What others had and did in the recorded subscriptions: resources of providers that are not simulated, tags put on
groups between two reads by the tenant's own automation. Pure; called by the player.

Neither is an answer of the platform: it is the estate a session met, and is there before the simulator is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulator.replay.forms import path_of
from tests.simulator.replay.recordings import MANAGEMENT_HOST, Exchange, Session
from tests.simulator.replay.scope import counted, in_scope, is_supporting
from tests.simulator.replay.templates import Wish

_GROUP = re.compile(r"^/subscriptions/[^/]+/resourcegroups/[^/]+$")
_GROUP_TAGS = re.compile(r"^(/subscriptions/[^/]+/resourcegroups/[^/]+)/providers/microsoft\.resources/tags/default$")
_RESOURCE = re.compile(r"^(/subscriptions/[^/]+/resourcegroups/[^/]+/providers/[^/]+/[^/]+/[^/]+(?:/[^/]+/[^/]+)*)$")
_ON_RESOURCE = re.compile(
    r"^(.*/resourcegroups/[^/]+/providers/.+?)/providers/microsoft\.(?:resources/tags|authorization)"
)
_SHOWN = frozenset(
    {"id", "name", "type", "location", "tags", "sku", "kind", "identity", "managedBy", "zones", "plan", "properties"}
)


def changes_by_others(session: Session) -> dict[int, Wish]:
    """The tags somebody else put on a group before an exchange read them, by the number of that exchange."""
    found: dict[int, Wish] = {}
    known: dict[str, Any] = {}
    for exchange in session.exchanges:
        if exchange.host != MANAGEMENT_HOST:
            continue
        path = path_of(exchange.target)
        tagged = _GROUP_TAGS.match(path)
        if exchange.method != "GET":
            known.pop(tagged.group(1) if tagged else path, None)
        if not _GROUP.match(path) or not isinstance(exchange.body, dict) or exchange.status >= 300:
            continue
        tags = exchange.body.get("tags")
        if path in known and known[path] != tags and exchange.method == "GET":
            found[exchange.number] = _retagged(exchange.body["id"], tags)
        known[path] = tags
    return found


def _retagged(identity: str, tags: Any) -> Wish:
    target = f"{identity}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01"
    return Wish(target, {"operation": "Replace", "properties": {"tags": tags or {}}}, "PATCH")


def foreign(session: Session) -> list[dict[str, Any]]:
    """Resources that answers show or requests lean on, of providers that are neither compared nor simulated."""
    found: dict[str, dict[str, Any]] = {}
    for exchange in session.exchanges:
        if not in_scope(exchange):
            continue
        for body in _elements(exchange):
            _note(found, str(body.get("id", "")), body)
        owner = _ON_RESOURCE.match(path_of(exchange.target))
        if owner is not None and exchange.status < 300:
            _note(found, _as_written(exchange.target, owner.group(1)), {})
    return [each for each in found.values() if each["type"]]


def made_by_the_way(session: Session) -> list[tuple[int, dict[str, Any]]]:
    """What a session itself makes of other providers, with the tags it asks for, in order and by number."""
    found: list[tuple[int, dict[str, Any]]] = []
    for exchange in session.exchanges:
        body = exchange.body if isinstance(exchange.body, dict) else {}
        made = exchange.method == "PUT" and exchange.status < 300 and exchange.host == MANAGEMENT_HOST
        if made and not in_scope(exchange) and isinstance(body.get("id"), str):
            tags = exchange.request.get("tags") if isinstance(exchange.request, dict) else None
            one: dict[str, dict[str, Any]] = {}
            _note(one, body["id"], {**body, **({"tags": tags} if tags else {})})
            found.extend((exchange.number, each) for each in one.values())
    return found


def _elements(exchange: Exchange) -> Iterator[Mapping[str, Any]]:
    body = exchange.body if isinstance(exchange.body, dict) else {}
    for name in ("value", "data"):
        for each in body.get(name) or [] if isinstance(body.get(name), list) else []:
            if isinstance(each, dict) and isinstance(each.get("id"), str):
                yield each


def _note(found: dict[str, dict[str, Any]], identity: str, body: Mapping[str, Any]) -> None:
    key = path_of(identity)
    if (
        not _RESOURCE.match(key)
        or counted(key)
        or is_supporting(key)
        or "/providers/" in key.split("/providers/", 1)[1]
    ):
        return
    words = identity.split("/providers/", 1)[1].split("/")
    plain = {"id": identity, "name": words[-1], "type": "/".join([words[0], *words[1::2]])}
    if "location" not in body:
        plain["location"] = "eastus"
    shown = {name: value for name, value in body.items() if name in _SHOWN and value not in (None, "")}
    identities = shown.get("identity")
    if isinstance(identities, dict) and identities.get("tenantId") == body.get("tenantId"):
        shown["identity"] = {name: each for name, each in identities.items() if name != "tenantId"}
    if key not in found or len(shown) > len(found[key]):
        found[key] = {**plain, **shown}


def _as_written(target: str, key: str) -> str:
    path = target.partition("?")[0]
    return re.sub(r"/+", "/", path)[: len(key)]
