"""Who calls the API, as the token says that the authority has signed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Roles of the app registration, given to people and programs in Entra: nobody may do anything without one."""

    REQUEST = "Tagback.Request"
    APPROVE = "Tagback.Approve"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or program by object id, with the app roles that it was given; some may be of no meaning here."""

    oid: str
    roles: frozenset[str]
