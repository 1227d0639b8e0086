"""Every resource the simulator holds: one encoded document per id, with indexes for lists.

Providers read and write through it; whoever must know of changes (Resource Graph, locks, the journal) listens. It never
decides what a document says.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from local.simulator.answers import Document, encode
from local.simulator.ids import key_of, parse, scopes_of
from local.simulator.journal import Journal

Content = Mapping[int, str]
NO_CONTENT: Content = {}
EVERYTHING = "*"


@dataclass(slots=True, eq=False)
class Resource:
    """One resource: its document as bytes, and what the document does not say."""

    id: str
    key: str
    type: str
    sequence: int
    born: float
    body: bytes = b""
    gone: float | None = None
    revision: int = 0
    content: Content = field(default_factory=lambda: NO_CONTENT)
    copying: tuple[float, float] | None = None
    notes: Document | None = None

    def document(self) -> Document:
        """Return the document to work on; it changes nothing until it is written back."""
        found: Document = json.loads(self.body)
        return found

    def percent(self, now: float) -> float | None:
        """Return how much of a background copy is done; None where none runs."""
        if self.copying is None:
            return None
        start, end = self.copying
        return 100.0 if now >= end else round(max(0.0, (now - start) / (end - start)) * 100, 1)

    def rendered(self, now: float) -> bytes:
        """Return the document as of now."""
        percent = self.percent(now)
        if percent is None or percent >= 100:
            return self.body
        document = self.document()
        document["properties"]["completionPercent"] = percent
        return encode(document)


@dataclass(slots=True)
class Roll:
    """The resources of one type in one scope, oldest first."""

    members: list[Resource] = field(default_factory=list)
    gone: int = 0

    def drop(self) -> None:
        """Count a member that is gone and make room when most are."""
        self.gone += 1
        if self.gone > 32 and self.gone * 2 > len(self.members):
            self.members = [member for member in self.members if member.gone is None]
            self.gone = 0

    def after(self, sequence: int) -> Iterator[Resource]:
        """Return the living members born after this one."""
        start = bisect_right(self.members, sequence, key=lambda member: member.sequence)
        for at in range(start, len(self.members)):
            member = self.members[at]
            if member.gone is None:
                yield member


Listener = Callable[[Resource, float], None]


class Store:
    """Resources by lower-cased id."""

    def __init__(self, journal: Journal) -> None:
        self._living: dict[str, Resource] = {}
        self._rolls: dict[tuple[str, str], Roll] = {}
        self._types: dict[str, set[str]] = {}
        self._sequence = 0
        self._journal = journal
        self.graves: list[Resource] = []
        self.listeners: list[Listener] = []

    def recall(self) -> None:
        """Take back what the journal kept; asked once, when all listeners are there."""
        kept = sorted(self._journal.recall("resource"), key=lambda item: int(item[1]["sequence"]))
        for _, record in kept:
            self._admit(_revived(record), record["born"])

    def get(self, key: str) -> Resource | None:
        """Return the living resource of this key."""
        return self._living.get(key)

    def create(self, resource_id: str, document: Document, at: float, **known: Any) -> Resource:
        """Add a resource; the id must be free."""
        key = key_of(resource_id)
        kind = intern(str(document.get("type") or parse(resource_id).type or SUBSCRIPTION).lower())
        self._sequence += 1
        resource = Resource(resource_id, key, kind, self._sequence, at, encode(document), **known)
        self._admit(resource, at)
        return resource

    def _admit(self, resource: Resource, at: float) -> None:
        self._sequence = max(self._sequence, resource.sequence)
        if resource.gone is not None:
            self.graves.append(resource)
            return
        self._living[resource.key] = resource
        for name in self._names(resource):
            self._types.setdefault(name[0], set()).add(name[1])
            self._rolls.setdefault(name, Roll()).members.append(resource)
        self._changed(resource, at)

    @staticmethod
    def _names(resource: Resource) -> Iterator[tuple[str, str]]:
        tracked = resource.type.count("/") == 1 and not resource.type.startswith(UNTRACKED)
        for scope in scopes_of(resource.key):
            if scope != resource.key:
                yield scope, resource.type
                if tracked and scope.count("/") in (2, 4):
                    yield scope, EVERYTHING

    def write(self, resource: Resource, document: Document, at: float) -> None:
        """Replace a resource's document."""
        resource.body = encode(document)
        resource.revision += 1
        self._changed(resource, at)

    def touch(self, resource: Resource, at: float) -> None:
        """Keep a change beside the document (content, copy, notes)."""
        self._changed(resource, at)

    def remove(self, resource: Resource, at: float) -> None:
        """Remove a resource and everything below it."""
        for kind in self._types.get(resource.key, set()):
            for child in list(self._rolls[resource.key, kind].members):
                if child.gone is None:
                    self._bury(child, at)
        if resource.gone is None:
            self._bury(resource, at)

    def move(self, resource: Resource, new_id: str, at: float) -> None:
        """Give a resource and everything below it another id; what it is stays the same."""
        kinds = self._types.get(resource.key, set())
        below = [child for kind in kinds for child in self._rolls[resource.key, kind].after(0)]
        for member in [*below, resource]:
            moved_id = new_id + member.id[len(resource.id) :]
            document = member.document()
            if "id" in document:
                document["id"] = moved_id
            self._bury(member, at)
            self._sequence += 1
            moved = Resource(moved_id, key_of(moved_id), member.type, self._sequence, member.born, encode(document))
            moved.content, moved.copying, moved.notes = member.content, member.copying, member.notes
            self._admit(moved, at)

    def _bury(self, resource: Resource, at: float) -> None:
        resource.gone = at
        del self._living[resource.key]
        self.graves.append(resource)
        for name in self._names(resource):
            self._rolls[name].drop()
        self._changed(resource, at)

    def _changed(self, resource: Resource, at: float) -> None:
        for listener in self.listeners:
            listener(resource, at)
        if self._journal.keeps():
            self._journal.put("resource", f"{resource.sequence}", _record(resource))

    def page(self, scope: str, kind: str, after: int, size: int) -> list[Resource]:
        """Return up to `size` resources of a type in a scope, born after the given sequence."""
        roll = self._rolls.get((scope, kind))
        if roll is None:
            return []
        found = []
        for member in roll.after(after):
            found.append(member)
            if len(found) == size:
                break
        return found

    def all_of(self, scope: str, kind: str) -> list[Resource]:
        """Return all resources of a type in a scope."""
        roll = self._rolls.get((scope, kind))
        return list(roll.after(0)) if roll else []

    def belonged(self, resource: Resource, scope: str, kind: str) -> bool:
        """Tell whether a resource, living or gone, is one that a list of this scope and type shows."""
        return (scope, kind) in self._names(resource)

    def everything(self) -> Iterator[Resource]:
        """Return every living resource."""
        return iter(list(self._living.values()))


SUBSCRIPTION = "microsoft.resources/subscriptions"  # the one type whose documents do not name it (recorded)
UNTRACKED = ("microsoft.authorization/", "microsoft.resources/")


def _record(resource: Resource) -> Document:
    return {
        "id": resource.id,
        "type": resource.type,
        "sequence": resource.sequence,
        "born": resource.born,
        "gone": resource.gone,
        "revision": resource.revision,
        "body": resource.body.decode(),
        "content": {str(block): digest for block, digest in resource.content.items()},
        "copying": resource.copying,
        "notes": resource.notes,
    }


def _revived(record: Document) -> Resource:
    copying = record["copying"]
    return Resource(
        record["id"],
        key_of(record["id"]),
        intern(record["type"]),
        record["sequence"],
        record["born"],
        record["body"].encode(),
        record["gone"],
        record["revision"],
        {int(block): digest for block, digest in record["content"].items()},
        (copying[0], copying[1]) if copying else None,
        record["notes"],
    )
