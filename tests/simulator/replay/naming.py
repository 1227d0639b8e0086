"""Which names of a session its client chose, and other names for them. Pure; called by the player.

Renaming everything must not change the score: the simulator may not know recorded names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from tests.simulator.replay.forms import is_made, is_path
from tests.simulator.replay.recordings import Session
from tests.simulator.replay.scope import SUPPORTING, in_scope, is_set_up, provider_of

# segments after which the platform, not the client, says the name
_PLATFORM_WORDS = frozenset(
    [
        *("locations", "publishers", "artifacttypes", "offers", "skus", "versions", "types", "tags", "subscriptions"),
        *("providers", "topictypes", "operations", "operationstatuses", "operationresults", "operationsstatus"),
        *("diskoperations", "capsoperations", "deployments", "vmsizes", "usages", "loganalytics", "features"),
        *("backupfabrics", "backupconfig", "backupstorageconfig", "backupencryptionconfigs", "extendedinformation"),
        *("backupjobs", "backupoperations", "backupoperationresults", "operationstatus", "recoverypoints"),
    ]
)
_RESERVED = frozenset({"default", "current", "latest", "", "defaultpolicy", "enhancedpolicy", "hourlylogbackup"})
# names of other names: a protected machine's `vm;iaasvmcontainerv2;group;name`
JOINT = ";"


def client_names(session: Session) -> set[str]:
    """Every resource and group name in the session's requests and ids, in lower case."""
    found: set[str] = set()
    platform: set[str] = set()
    for exchange in session.exchanges:
        if in_scope(exchange) or is_set_up(exchange) or provider_of(exchange.target)[0] in SUPPORTING:
            found.update(_names_in(exchange.target.partition("?")[0]))
            for text in (*_paths(exchange.request), *_paths(exchange.body)):
                found.update(_names_in(text))
        platform.update(each.lower() for each in _types_in(exchange.request))
    return {name for name in found if name not in _RESERVED | platform and not is_made(name) and JOINT not in name}


def _types_in(value: Any) -> Iterator[str]:
    """The types of extensions that requests ask for: names of the platform, though clients take them as theirs."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str) and "publisher" in value:
            yield value["type"]
        for each in value.values():
            yield from _types_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _types_in(each)


def renaming(session: Session) -> dict[str, str]:
    """Another name for each, the same in every run, of about the same length."""
    return {name: _other(session.name, name) for name in sorted(client_names(session))}


def _other(salt: str, name: str) -> str:
    digest = hashlib.sha256(f"{salt}/{name}".encode()).hexdigest()
    return ("q" + digest)[: max(8, min(len(name), 40))]


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _paths(each)
    elif isinstance(value, list):
        for each in value:
            yield from _paths(each)
    elif isinstance(value, str) and is_path(value) and "/subscriptions/" in value.lower():
        yield value.partition("?")[0]


def _names_in(path: str) -> Iterator[str]:
    segments = [unquote(segment).lower() for segment in path.split("/") if segment]
    group_at = next((at for at, word in enumerate(segments) if word == "resourcegroups"), None)
    if group_at is None:
        return
    yield from segments[group_at + 1 : group_at + 2]
    pairs: list[str] = []
    for at, segment in enumerate(segments[group_at + 2 :], group_at + 2):
        if segment == "providers":
            pairs = []
        elif segments[at - 1] == "providers":
            continue
        else:
            pairs.append(segment)
            if len(pairs) == 2:
                if pairs[0] not in _PLATFORM_WORDS:
                    yield pairs[1]
                pairs = []
