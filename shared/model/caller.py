"""Who calls the API, as the token says that the authority has signed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_SUBSCRIPTION = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Role(StrEnum):
    """Roles of the app registration, given to people and programs in Entra: nobody may do anything without one.

    Followed by `/` and a subscription's id, a role holds in that subscription only. Whoever may ask for something or
    approve it sees what there is, where they may.
    """

    READ = "Tagback.Read"
    REQUEST = "Tagback.Request"
    APPROVE = "Tagback.Approve"


class Use(StrEnum):
    """What a request does, by which it is counted."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or program by object id, with the app roles that it was given; some may be of no meaning here."""

    oid: str
    roles: frozenset[str]

    def has(self, role: Role) -> bool:
        """Whether it has the role anywhere."""
        scopes = (one.removeprefix(f"{role}/") for one in self.roles if one.startswith(f"{role}/"))
        return role in self.roles or any(_SUBSCRIPTION.fullmatch(scope) for scope in scopes)

    def may(self, role: Role, subscription: str) -> bool:
        """Whether it has the role in a subscription."""
        return role in self.roles or f"{role}/{subscription}" in {_folded(one) for one in self.roles}

    @property
    def sees_all(self) -> bool:
        """Whether it may see every subscription."""
        return any(role in self.roles for role in Role)

    def sees(self, subscription: str) -> bool:
        """Whether it may see what is in a subscription."""
        return any(self.may(role, subscription) for role in Role)


def _folded(role: str) -> str:
    """The id of a subscription is the same however it is written; a role's own name is not."""
    name, separator, subscription = role.partition("/")
    return f"{name}{separator}{subscription.lower()}"
