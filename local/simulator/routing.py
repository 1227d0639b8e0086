"""Routes as data: method, template, RBAC action, handler and the evidence it is built on; found without regard to case.

Each provider module declares a tuple of them; the documentation is generated from the same tuples.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from local.simulator.answers import Reply

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

Handler = Callable[["World", "Call"], Reply]


class Evidence(StrEnum):
    """On what an answer rests, strongest first."""

    RECORDED = "recorded"
    SPECIFIED = "specified"
    DOCUMENTED = "documented"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Versions:
    """The api-versions a type accepts; what lies between the ends is accepted as well."""

    first: str
    last: str = "2028-12-31"

    def accept(self, version: str) -> bool:
        """Tell whether the version lies in the range."""
        return self.first <= version[:10] <= self.last


@dataclass(frozen=True, slots=True)
class Route:
    """One thing a client can ask for."""

    method: str
    template: str
    action: str
    handler: Handler
    evidence: Evidence
    source: str
    versions: Versions = Versions("2014-01-01")
    policies: tuple[str, ...] = ()
    lists: bool = False
    open_to_all: bool = False


class Match(NamedTuple):
    """A route and what its template's names stand for in a path."""

    route: Route
    names: Mapping[str, str]


@dataclass(slots=True)
class _Node:
    words: dict[str, "_Node"] = field(default_factory=dict)
    wild: "_Node | None" = None
    routes: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


class Routes:
    """All routes, as a tree of path segments; templates that begin with {scope} match below any id."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.all = tuple(routes)
        self._root = _Node()
        self._extensions = _Node()
        for route in self.all:
            self._enter(route)

    def _enter(self, route: Route) -> None:
        parts = [part for part in route.template.split("/") if part]
        node = self._root
        if parts[0] == "{scope}":
            node, parts = self._extensions, parts[1:]
        names = []
        for part in parts:
            if part.startswith("{"):
                names.append(part[1:-1])
                node.wild = node.wild or _Node()
                node = node.wild
            else:
                node = node.words.setdefault(part.lower(), _Node())
        node.routes[route.method] = (route, tuple(names))

    def find(self, method: str, segments: list[str]) -> Match | None:
        """Return the route of a path, given as unquoted segments."""
        lowered = [segment.lower() for segment in segments]
        for found, values in _walk(self._root, lowered, segments, 0):
            hit = found.routes.get(method)
            if hit is not None:
                return Match(hit[0], dict(zip(hit[1], values, strict=True)))
        for at in range(len(lowered) - 1, -1, -1):
            if lowered[at] == "providers":
                for found, values in _walk(self._extensions, lowered, segments, at):
                    hit = found.routes.get(method)
                    if hit is not None:
                        scope = "/" + "/".join(segments[:at])
                        return Match(hit[0], {"scope": scope, **dict(zip(hit[1], values, strict=True))})
        return None


def _walk(node: _Node, lowered: list[str], segments: list[str], at: int) -> Iterator[tuple[_Node, list[str]]]:
    if at == len(lowered):
        yield node, []
        return
    exact = node.words.get(lowered[at])
    if exact is not None:
        yield from _walk(exact, lowered, segments, at + 1)
    if node.wild is not None:
        for found, values in _walk(node.wild, lowered, segments, at + 1):
            yield found, [segments[at], *values]


def documented(routes: Iterable[Route]) -> list[dict[str, Any]]:
    """Return the routes as rows for the documentation."""
    return [
        {
            "method": route.method,
            "path": route.template,
            "action": route.action,
            "evidence": str(route.evidence),
            "source": route.source,
        }
        for route in routes
    ]
