"""What Resource Graph has noticed so far: every change becomes visible after a lag of its own. Queried by graph.py."""

import heapq
import itertools
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.simulator.answers import Document
from local.simulator.chance import Chance
from local.simulator.ids import parse
from local.simulator.store import Resource

SUBSCRIPTION = "microsoft.resources/subscriptions"
GROUP = "microsoft.resources/subscriptions/resourcegroups"
HIDDEN = ("microsoft.authorization/", "microsoft.eventgrid/eventsubscriptions", "microsoft.resources/deployments")
STALE_SECONDS = 15 * 60.0
ROWS_KEPT = 20_000  # of some kilobytes each
UNSEEN_KEPT = 1_000


@dataclass(slots=True, eq=False)
class Entry:
    """One resource as Resource Graph sees it."""

    resource: Resource
    rank: tuple[int, float]
    body: bytes
    row: Document | None = None


Undo = tuple[float, str, str, Entry | None]


class GraphIndex:
    """Visible entries by type and key, and the changes not yet visible."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._visible: dict[str, dict[str, Entry]] = {}
        self._coming: list[tuple[float, int, Resource, tuple[int, float], bytes | None]] = []
        self._order = itertools.count()
        self._past: deque[Undo] = deque()
        self._kept_rows = 0
        self.fixed_lag: float | None = None
        self.version = 0

    def changed(self, resource: Resource, at: float) -> None:
        """Follow a change of the store."""
        if resource.type.startswith(HIDDEN):
            return
        gone = resource.gone is not None
        rank = (resource.sequence, float("inf") if gone else float(resource.revision))
        body = None if gone else resource.body
        heapq.heappush(self._coming, (at + self._lag(resource, rank), next(self._order), resource, rank, body))
        if len(self._coming) > UNSEEN_KEPT:
            self.advance(at)

    def _lag(self, resource: Resource, rank: tuple[int, float]) -> float:
        """Seconds until a change shows: most within 5 s, one in twenty up to 30 s (95 % below 30 s is documented)."""
        if self.fixed_lag is not None:
            return self.fixed_lag
        share = self._chance.share(f"lag {resource.key} {rank}")
        return 1 + 4 * share if share < 0.95 else 5 + (share - 0.95) * 500

    def advance(self, now: float) -> None:
        """Make visible what is due."""
        while self._coming and self._coming[0][0] <= now:
            at, _, resource, rank, body = heapq.heappop(self._coming)
            kind = self._visible.setdefault(_graph_type(resource), {})
            old = kind.get(resource.key)
            if old is not None and old.rank >= rank:
                continue
            self.version += 1
            self._past.append((at, _graph_type(resource), resource.key, old))
            if old is not None and old.row is not None:
                old.row = None
                self._kept_rows -= 1
            while self._past[0][0] < at - STALE_SECONDS:
                self._past.popleft()
            if body is None:
                kind.pop(resource.key, None)
            else:
                kind[resource.key] = Entry(resource, rank, body)

    def entries(self, kinds: frozenset[str] | None, now: float, stale: bool) -> Iterator[Entry]:
        """Return the visible entries of the given types (all, for None), or as they were a while ago."""
        self.advance(now)
        undone = self._undone(now - STALE_SECONDS) if stale else {}
        for kind, members in self._visible.items():
            if kinds is None or kind in kinds:
                for key, entry in members.items():
                    if (kind, key) not in undone:
                        yield entry
        for (kind, _), old in undone.items():
            if old is not None and (kinds is None or kind in kinds):
                yield old

    def _undone(self, since: float) -> dict[tuple[str, str], Entry | None]:
        """Return, for everything changed since, what was visible before."""
        before: dict[tuple[str, str], Entry | None] = {}
        for at, kind, key, old in reversed(self._past):
            if at < since:
                break
            before[kind, key] = old
        return before

    def row(self, entry: Entry, tenant: str) -> Document:
        """Return an entry as a row of its table."""
        if entry.row is not None:
            return entry.row
        row = _row(entry, tenant)
        if self._kept_rows < ROWS_KEPT:
            self._kept_rows += 1
            entry.row = row
        return row


def _graph_type(resource: Resource) -> str:
    return GROUP if resource.type == "microsoft.resources/resourcegroups" else resource.type


def _row(entry: Entry, tenant: str) -> Document:
    """Write a row as recorded: type in lower case, absent values null or empty."""
    document: dict[str, Any] = json.loads(entry.body)
    resource_id = document.get("id") or entry.resource.id
    parsed = parse(resource_id)
    row = {
        "id": resource_id,
        "name": document.get("name") or document.get("displayName") or parsed.name,
        "type": _graph_type(entry.resource),
        "tenantId": tenant,
        "kind": document.get("kind", ""),
        "location": document.get("location", ""),
        "resourceGroup": parsed.group.lower(),
        "subscriptionId": parsed.subscription,
        "managedBy": document.get("managedBy", ""),
        "sku": document.get("sku"),
        "plan": document.get("plan"),
        "properties": document.get("properties", {}),
        "tags": document.get("tags"),
        "identity": document.get("identity"),
        "zones": document.get("zones"),
        "extendedLocation": document.get("extendedLocation"),
    }
    if entry.resource.type == SUBSCRIPTION:
        row["properties"] = {name: value for name, value in document.items() if name not in ("id", "tags")}
    power = (entry.resource.notes or {}).get("power")
    if power is not None and entry.resource.type == "microsoft.compute/virtualmachines":
        view = {"powerState": {"code": f"PowerState/{power}", "displayStatus": f"VM {power}", "level": "Info"}}
        row["properties"] = {**row["properties"], "extended": {"instanceView": view}}
    return row
