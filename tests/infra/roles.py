"""infra/roles.json as values, and as the roles and assignments of a simulator's seed file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

INFRA = Path(__file__).resolve().parents[2] / "infra"
ROLES = INFRA / "roles.json"
PROVEN = ("recorded", "documented")


@dataclass(frozen=True, slots=True)
class Grant:
    """One action of one role."""

    role: str
    scope: str
    action: str
    because: str
    evidence: str
    source: str

    def __str__(self) -> str:
        return f"{self.role} {self.scope} {self.action}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who holds some grants, at the scopes that they name."""

    principal: str
    grants: tuple[Grant, ...]


def grants() -> tuple[Grant, ...]:
    """Every grant of the table."""
    document = json.loads(ROLES.read_text(encoding="utf-8"))
    return tuple(Grant(role, **row) for role, body in document["roles"].items() for row in body["grants"])


def of(role: str) -> tuple[Grant, ...]:
    """The grants of one role."""
    return tuple(grant for grant in grants() if grant.role == role)


def seeded(assignments: Iterable[Assignment], scopes: Mapping[str, str]) -> str:
    """The assignments as a simulator's seed reads them: a role for each principal and scope."""
    lines = []
    for assignment in assignments:
        for scope, place in scopes.items():
            actions = [grant.action for grant in assignment.grants if grant.scope == scope]
            if not actions:
                continue
            name = f"{assignment.principal} {scope} {place.rsplit('/', 1)[-1]}"
            lines.append(f'[[role]]\nname = "{name}"\nactions = {json.dumps(actions)}\n')
            lines.append(f'[[assignment]]\nprincipal = "{assignment.principal}"\nrole = "{name}"\nscope = "{place}"\n')
    return "\n".join(lines)
