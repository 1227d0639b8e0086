"""Who may do what over HTTP: the bearer of a token that proves who they are, with the role that it takes.

Used by writes.py and api.py before anything else is looked at. A function key changes nothing; it alone lets somebody
read only where the app was told so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from shared.errors import Forbidden, Unproven
from shared.model.caller import Caller, Role, Use

Door: TypeAlias = Callable[[str], Caller]
"""The bearer of a token; Unproven where it proves nothing."""

Keyed: TypeAlias = Callable[[], bool]
"""Whether the function key alone lets somebody read."""

Rate: TypeAlias = Callable[[str, Use], None]
"""Counts one request of a caller; TooMany where they have asked too often."""

KEYED = Caller("whoever has the function key", frozenset({Role.READ}))


def shut(_: str) -> Caller:
    """The door of an app that was not told whose tokens to believe."""
    raise Forbidden("nobody is known over HTTP here: TAGBACK_API_AUDIENCE and TAGBACK_API_TENANT are not set")


def keyed() -> bool:
    """The app of somebody's own machine: it is read by whoever has its key."""
    return True


def reading(door: Door, by_key: bool, authorization: str) -> Caller:
    """Who reads: of the function key, which the platform has checked, nobody knows whose it is."""
    return KEYED if by_key else admitted(door, authorization, *Role)


def uncounted(_: str, __: Use) -> None:
    """Everybody may ask as often as they like."""


def admitted(door: Door, authorization: str, *roles: Role) -> Caller:
    """Whoever the header proves to be calling, when they have one of the roles."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unproven("a bearer token is needed: Authorization: Bearer ...")
    caller = door(token.strip())
    if not any(caller.has(role) for role in roles):
        raise Forbidden(f"{caller.oid} has not been given the app role {' or '.join(roles)}")
    return caller
