"""Which scopes this process was denied: one gate per resource group and per subscription, for each kind of call.

Used by `arm.py` around every request. After a denied call the whole scope is left alone, whoever asks: a fleet of
machines without permission costs a few calls, and not one per machine. It recovers by itself when a role is granted.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from shared.decide import gate as decide
from shared.decide.gate import Gate
from shared.errors import Denied
from shared.ports import Clock

log = logging.getLogger("tagback")

CODE = "AuthorizationFailed"  # a linked check or a policy speaks of one resource, not of the scope
SAID = "the permission is missing for the whole of"
Scope: TypeAlias = "tuple[str, str, str]"  # verb, subscription, group; the subscription's own has no group
_RESOURCE = re.compile(r"^/subscriptions/([^/]+)/resourcegroups/([^/]+)(/providers/.+)?$")


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about: `verb` keeps reads, writes and deletes apart."""

    verb: str
    subscription: str
    group: str
    resource: str

    @property
    def scopes(self) -> Iterator[tuple[Scope, str]]:
        """The scopes around it, each with what the request touches inside it."""
        yield (self.verb, self.subscription, self.group), self.resource
        yield (self.verb, self.subscription, ""), self.group


def target(method: str, url: str) -> Target | None:
    """What a request is about; None where it is about no resource in a group."""
    found = _RESOURCE.match(unquote(urlsplit(url).path).lower().rstrip("/"))
    if found is None:
        return None
    verb = {"GET": "read", "HEAD": "read", "DELETE": "delete"}.get(method.upper(), "write")
    return Target(verb, found[1], found[2], found[3] or "")


class Gates:
    """Every gate of this process. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gates: dict[Scope, Gate] = {}
        self._said: dict[Scope, str] = {}
        self._lock = threading.Lock()

    def admit(self, about: Target) -> None:
        """Denied while a scope around the target is shut; otherwise the call counts as sent."""
        with self._lock:
            now = self._clock.now()
            for scope, _ in about.scopes:
                wait = decide.wait(self._gates.get(scope, Gate()), now)
                if wait:
                    raise Denied(CODE, f"{SAID} {_name(scope)}; Azure said: {self._said.get(scope, '')}", 403)
            for scope, _ in about.scopes:
                self._gates[scope] = decide.let_through(self._gates.get(scope, Gate()), now)

    def denied(self, about: Target, said: str) -> None:
        """The call was answered with a 403 for want of a role, in these words."""
        with self._lock:
            now = self._clock.now()
            for scope, inside in about.scopes:
                before = self._gates.get(scope, Gate())
                after = self._gates[scope] = decide.denied(before, inside, now)
                self._said[scope] = said
                if after.is_shut and not before.is_shut:
                    log.warning("scope.denied verb=%s scope=%s because=%r", scope[0], _name(scope), said)

    def passed(self, about: Target) -> None:
        """The call was answered by the service itself, so it was permitted."""
        with self._lock:
            for scope, _ in about.scopes:
                before = self._gates.pop(scope, None)
                self._said.pop(scope, None)
                if before and before.is_shut:
                    log.warning(
                        "scope.permitted verb=%s scope=%s because=%r", scope[0], _name(scope), "a call got through"
                    )


def _name(scope: Scope) -> str:
    return "/".join(filter(None, scope[1:]))
