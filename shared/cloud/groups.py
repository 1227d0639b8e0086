"""The resource groups of machines, where an installation inherits their tags. Used by the inventory adapter.

In bulk it costs one query, for one machine one GET. A group that cannot be seen says nothing: it is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from shared.cloud.arm import Arm
from shared.cloud.graph import Graph
from shared.cloud.pace import Lane
from shared.errors import Denied, Missing
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.machine import GroupSeen

VERSION = "2024-11-01"
GROUP = "microsoft.resources/subscriptions/resourcegroups"
ALL = f"resourcecontainers | where type =~ '{GROUP}' | project id, tags, managedBy | order by id asc"

Place = tuple[str, str]


def place_of(resource: ResourceId) -> Place:
    """What tells a machine's group from all others."""
    return resource.subscription, resource.group


class Groups(Protocol):
    """The groups of machines."""

    def all(self, subscriptions: Sequence[str]) -> Mapping[Place, GroupSeen]:
        """Every group of the subscriptions by the bulk lens."""

    def of(self, machine: ResourceId) -> GroupSeen | None:
        """One machine's group by a GET."""


class UnreadGroups:
    """Where no tags are inherited, nothing is asked."""

    def all(self, subscriptions: Sequence[str]) -> Mapping[Place, GroupSeen]:
        return {}

    def of(self, machine: ResourceId) -> GroupSeen | None:
        return None


class ReadGroups:
    """The groups as Azure shows them."""

    def __init__(self, arm: Arm, graph: Graph) -> None:
        self._arm = arm
        self._graph = graph

    def all(self, subscriptions: Sequence[str]) -> Mapping[Place, GroupSeen]:
        found: dict[Place, GroupSeen] = {}
        for row in self._graph.rows(ALL, subscriptions):
            _, _, subscription, _, group, *_ = f"{row.get('id')}////".lower().split("/")
            found[subscription, group] = _seen(row)
        return found

    def of(self, machine: ResourceId) -> GroupSeen | None:
        # A group that is being deleted, or that we may not read, takes no machine the plan that its own tag names.
        with suppress(Missing, Denied):
            path = f"/subscriptions/{machine.subscription}/resourceGroups/{machine.group}"
            return _seen(self._arm.get(Lane(machine.subscription, "", CallKind.READ), path, VERSION))
        return None


def _seen(body: Mapping[str, Any]) -> GroupSeen:
    tags = {str(name): str(value) for name, value in (body.get("tags") or {}).items()}
    return GroupSeen(tags, str(body.get("managedBy") or ""))
