"""Each clause about a token refuses something that no other clause refuses; a good token passes all of them."""

from __future__ import annotations

import pytest

from shared.decide import bearer
from shared.decide.bearer import CLAUSES, Expected, Refused, judged
from shared.model.caller import Caller
from tests.cloud.authorities import AUDIENCE, ISSUER, TENANT, claims
from tests.decide.plans import NOW

SECONDS = NOW.timestamp()
EXPECTED = Expected(ISSUER, frozenset({AUDIENCE}), TENANT)
REFUSED: dict[str, dict[str, object]] = {
    "issuer": {"iss": "https://elsewhere/"},
    "tenant": {"tid": "another"},
    "audience": {"aud": "api://another"},
    "expiry": {"exp": SECONDS},
    "beginning": {"nbf": SECONDS + 121},
    "bearer": {"oid": None},
    "roles": {"roles": {"Tagback.Approve": True}},
}


def test_a_good_token_names_its_bearer() -> None:
    assert judged(claims(SECONDS), EXPECTED, NOW) == Caller("person-1", frozenset({"Tagback.Request"}))


TOLD = {
    "issuer": f"it was not issued by {ISSUER}",
    "tenant": "it is of another tenant",
    "audience": "it is meant for another audience",
    "expiry": "it has expired",
    "beginning": "it is not valid yet",
    "bearer": "it names no object id",
    "roles": "its roles are no list",
}


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_refusal_says_what_is_wrong_with_the_token(clause: str) -> None:
    assert judged(claims(SECONDS, **REFUSED[clause]), EXPECTED, NOW) == Refused(TOLD[clause])


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [None, True, "soon", [1], float("nan"), float("inf"), -float("inf"), 1e300, 10**400])
def test_a_time_that_is_none_refuses(name: str, value: object) -> None:
    assert isinstance(judged(claims(SECONDS, **{name: value}), EXPECTED, NOW), Refused)


@pytest.mark.parametrize(
    ("changes", "let_in"),
    [
        ({"exp": SECONDS + 1}, True),
        ({"exp": SECONDS + 0.5}, True),
        ({"nbf": SECONDS + 120}, True),
        ({"iat": SECONDS + 120}, True),
        ({"iat": SECONDS + 121}, False),
        ({"oid": "p"}, True),
        ({"oid": "p" * 128}, True),
        ({"oid": "p" * 129}, False),
        ({"oid": ""}, False),
        ({"oid": "a b"}, False),
        ({"oid": "a\n"}, False),
        ({"oid": "pérson"}, False),
        ({"oid": 7}, False),
        ({"aud": [AUDIENCE]}, False),
        ({"roles": ["Tagback.Request", 7]}, False),
    ],
)
def test_at_the_edge_of_each_clause(changes: dict[str, object], let_in: bool) -> None:
    assert isinstance(judged(claims(SECONDS, **changes), EXPECTED, NOW), Caller) is let_in


def test_a_token_without_roles_has_none() -> None:
    assert judged(claims(SECONDS, roles=None), EXPECTED, NOW) == Caller("person-1", frozenset())


@pytest.mark.parametrize("clause", CLAUSES)
def test_each_clause_refuses_and_nothing_else_would(clause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = claims(SECONDS, **REFUSED[clause])
    verdict = judged(bad, EXPECTED, NOW)
    assert isinstance(verdict, Refused)
    assert verdict.because
    monkeypatch.setattr(bearer, "CLAUSES", {name: one for name, one in CLAUSES.items() if name != clause})
    try:
        assert not isinstance(judged(bad, EXPECTED, NOW), Refused)
    except (AssertionError, KeyError):
        assert clause in ("roles", "bearer"), "what these let through cannot be made a caller"
