"""Who calls the API, as the token says that the authority has signed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Roles of the app registration, given to people and programs in Entra: nobody may do anything without one.

    Followed by `/` and a subscription's id, a role holds in that subscription only.
    """

    REQUEST = "Tagback.Request"
    APPROVE = "Tagback.Approve"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or program by object id, with the app roles that it was given; some may be of no meaning here."""

    oid: str
    roles: frozenset[str]

    def has(self, role: Role) -> bool:
        """Whether it has the role anywhere."""
        return role in self.roles or any(one.startswith(f"{role}/") for one in self.roles)

    def may(self, role: Role, subscription: str) -> bool:
        """Whether it has the role in a subscription."""
        return role in self.roles or f"{role}/{subscription}" in {_folded(one) for one in self.roles}


def _folded(role: str) -> str:
    """The id of a subscription is the same however it is written; a role's own name is not."""
    name, separator, subscription = role.partition("/")
    return f"{name}{separator}{subscription.lower()}"
