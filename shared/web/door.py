"""Who may change something over HTTP: the bearer of a token that proves who they are, with the role that it takes.

Used by writes.py before anything else is looked at. A function key opens no door here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from shared.errors import Forbidden, Unproven
from shared.model.caller import Caller, Role

Door: TypeAlias = Callable[[str], Caller]
"""The bearer of a token; Unproven where it proves nothing."""


def shut(_: str) -> Caller:
    """The door of an app that was not told whose tokens to believe."""
    raise Forbidden("nothing can be asked for over HTTP here: TAGBACK_API_AUDIENCE and TAGBACK_API_TENANT are not set")


def admitted(door: Door, authorization: str, role: Role) -> Caller:
    """Whoever the header proves to be calling, when they have the role."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unproven("a bearer token is needed: Authorization: Bearer ...")
    caller = door(token.strip())
    if not caller.has(role):
        raise Forbidden(f"{caller.oid} has not been given the app role {role}")
    return caller
