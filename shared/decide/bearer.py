"""Whether a token lets its bearer in: judged from its claims, once the authority's signature on them was checked.

Called by cloud/authority.py. The rule is a table of clauses, each of which can only refuse; what a claim lacks, or says
in a form that nobody expects, refuses as well. Signatures and keys are the adapter's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from shared.model.caller import Caller

Claims: TypeAlias = Mapping[str, object]

CLOCKS_DIFFER = timedelta(minutes=2)  # a token may be so much younger than our clock; it is never older than it says
LONGEST_ID = 128


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say: of our tenant, issued by its authority, for this app."""

    issuer: str
    audiences: frozenset[str]
    tenant: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why it lets nobody in."""

    because: str


Clause: TypeAlias = Callable[[Claims, Expected, datetime], str]


def judged(claims: Claims, expected: Expected, now: datetime) -> Caller | Refused:
    """Who calls, or the first reason why the token says nothing of that."""
    for clause in CLAUSES.values():
        because = clause(claims, expected, now)
        if because:
            return Refused(because)
    roles = claims.get("roles", [])
    assert isinstance(roles, list)
    return Caller(str(claims["oid"]).lower(), frozenset(roles))


def _issuer(claims: Claims, expected: Expected, _: datetime) -> str:
    return "" if claims.get("iss") == expected.issuer else f"it was not issued by {expected.issuer}"


def _tenant(claims: Claims, expected: Expected, _: datetime) -> str:
    return "" if claims.get("tid") == expected.tenant else "it is of another tenant"


def _audience(claims: Claims, expected: Expected, _: datetime) -> str:
    """One audience: a token that serves several apps could be handed on by any of them."""
    audience = claims.get("aud")
    return "" if isinstance(audience, str) and audience in expected.audiences else "it is meant for another audience"


def _expiry(claims: Claims, _: Expected, now: datetime) -> str:
    ends = _instant(claims.get("exp"))
    return "" if ends is not None and now < ends else "it has expired"


def _beginning(claims: Claims, _: Expected, now: datetime) -> str:
    begins = [_instant(claims.get(name)) for name in ("nbf", "iat")]
    begun = all(one is not None and one <= now + CLOCKS_DIFFER for one in begins)
    return "" if begun else "it is not valid yet"


def _bearer(claims: Claims, _: Expected, now: datetime) -> str:
    oid = claims.get("oid")
    named = (
        isinstance(oid, str) and 0 < len(oid) <= LONGEST_ID and oid.isascii() and oid.isprintable() and " " not in oid
    )
    return "" if named else "it names no object id"


def _roles(claims: Claims, _: Expected, now: datetime) -> str:
    roles = claims.get("roles", [])
    return "" if isinstance(roles, list) and all(isinstance(role, str) for role in roles) else "its roles are no list"


CLAUSES: Mapping[str, Clause] = {
    "issuer": _issuer,
    "tenant": _tenant,
    "audience": _audience,
    "expiry": _expiry,
    "beginning": _beginning,
    "bearer": _bearer,
    "roles": _roles,
}


def _instant(value: object) -> datetime | None:
    """Seconds since 1970 as an instant; None for what is no such number, or lies beyond all calendars."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
