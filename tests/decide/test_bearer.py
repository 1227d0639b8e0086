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
