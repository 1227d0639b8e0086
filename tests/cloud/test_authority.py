"""Bearer tokens: only what our tenant's authority has signed, for this app, for now, lets anybody in."""

from __future__ import annotations

import base64
import hmac
import json
import ssl
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.warnings import InsecureKeyLengthWarning

from shared.cloud import authority as module
from shared.cloud.authority import LARGEST_DOCUMENT, LARGEST_TOKEN, App, Authority
from shared.errors import CloudError, Refused, Unproven
from tests.cloud.authorities import AUDIENCE, TENANT, Published, authority, claims, key, published, signed
from tests.contract.clouds import SimulatedClock
from tests.fleet import NOW
from tests.simulator.running import Running
from tests.world.scheduler import Scheduler
from tests.world.steps import EventLog, Steps
from tests.world.twins.process import ClockTwin

SECONDS = NOW.timestamp()
HOUR = 3600


@pytest.fixture
def said() -> Iterator[Published]:
    with authority() as running:
        yield running


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler(1, NOW)


@pytest.fixture
def check(said: Published, scheduler: Scheduler) -> Iterator[Authority]:
    clock = ClockTwin(scheduler, Steps(scheduler, EventLog(NOW)))
    with closing(Authority(App(said.url, TENANT, frozenset({AUDIENCE, "client-id"})), clock)) as ours:
        yield ours


def unsigned(what: dict[str, object], head: dict[str, object], signature: bytes = b"x") -> str:
    parts = [json.dumps(head).encode(), json.dumps(what).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_a_good_token_says_who_calls_and_what_they_may(check: Authority) -> None:
    caller = check.caller(signed(claims(SECONDS, oid="Person-1", roles=["a", "b"])))
    assert (caller.oid, caller.roles) == ("person-1", frozenset({"a", "b"}))


def test_a_token_of_the_newer_form_has_its_own_issuer_and_audience(check: Authority, said: Published) -> None:
    newer = claims(SECONDS, ver="2.0", iss=f"{said.url}/{TENANT}/v2.0", aud="client-id", roles=None)
    assert check.caller(signed(newer)).roles == frozenset()
    with pytest.raises(Unproven, match="issued by"):
        check.caller(signed({**newer, "ver": "1.0"}))


BAD: dict[str, dict[str, object]] = {
    "another issuer": {"iss": "https://sts.windows.net/22222222-2222-2222-2222-222222222222/"},
    "no issuer": {"iss": None},
    "an issuer that begins alike": {"iss": f"https://sts.windows.net/{TENANT}"},
    "another tenant": {"tid": "22222222-2222-2222-2222-222222222222"},
    "no tenant": {"tid": None},
    "for Resource Manager": {"aud": "https://management.azure.com/"},
    "for several apps": {"aud": [AUDIENCE, "api://other"]},
    "for nobody": {"aud": None},
    "an audience that begins alike": {"aud": f"{AUDIENCE}/"},
    "expired": {"exp": int(SECONDS)},
    "without expiry": {"exp": None},
    "with words for an expiry": {"exp": "tomorrow"},
    "with a truth for an expiry": {"exp": True},
    "expiring beyond all calendars": {"exp": 1e300},
    "expiring never": {"exp": float("inf")},
    "not valid yet": {"nbf": int(SECONDS) + 121},
    "issued in the future": {"iat": int(SECONDS) + 121},
    "without a beginning": {"nbf": None},
    "without an object id": {"oid": None},
    "with an empty object id": {"oid": ""},
    "with a long object id": {"oid": "x" * 129},
    "with an object id of two lines": {"oid": "a\nb"},
    "with a number for an object id": {"oid": 7},
    "with roles that are a text": {"roles": "Tagback.Approve"},
    "with roles that are numbers": {"roles": [1]},
    "of an unknown form": {"ver": "3.0"},
    "without a form": {"ver": None},
}


@pytest.mark.parametrize("what", BAD)
def test_a_token_that_says_anything_else_lets_nobody_in(check: Authority, what: str) -> None:
    with pytest.raises(Unproven):
        check.caller(signed(claims(SECONDS, **BAD[what])))


def test_clocks_may_differ_a_little_at_the_beginning_and_not_at_the_end(check: Authority, scheduler: Scheduler) -> None:
    token = signed(claims(SECONDS, nbf=int(SECONDS) + 119, iat=int(SECONDS) + 119, exp=int(SECONDS) + 240))
    assert check.caller(token).oid == "person-1"
    scheduler.run(NOW + timedelta(seconds=239))
    assert check.caller(token).oid == "person-1"
    scheduler.run(NOW + timedelta(seconds=240))
    with pytest.raises(Unproven, match="expired"):
        check.caller(token)


def forged() -> dict[str, str]:
    good = claims(SECONDS)
    pem = key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unkeyed = unsigned(good, {"alg": "HS256", "kid": "one"}).rpartition(".")[0]
    mac = base64.urlsafe_b64encode(hmac.digest(pem, unkeyed.encode(), "sha256")).decode().rstrip("=")
    head, body, signature = signed(good).split(".")
    other_body = unsigned(claims(SECONDS, oid="person-2"), {}).split(".")[1]
    return {
        "unsigned": unsigned(good, {"alg": "none", "typ": "JWT", "kid": "one"}, b""),
        "unsigned, oddly spelt": unsigned(good, {"alg": "nOnE", "kid": "one"}, b""),
        "signed with the public key as a secret": f"{unkeyed}.{mac}",
        "signed by another algorithm of the same key": jwt.encode(good, key(), "PS256", {"kid": "one"}),
        "signed by another key of that name": signed(good, key(1)),
        "signed by a key that it brings along": signed(good, key(1), jwk=published("one", key(1))),
        "signed by a key from elsewhere": signed(good, key(1), jku="https://attacker.example/keys"),
        "of an unknown key": signed(good, key(1), "another"),
        "of no key": jwt.encode(good, key(), "RS256"),
        "with a critical header": signed(good, crit=["b64"], b64=True),
        "with another body": f"{head}.{other_body}.{signature}",
        "with half a signature": f"{head}.{body}.{signature[:20]}",
        "without a signature": f"{head}.{body}.",
        "too large": signed(claims(SECONDS, more="x" * LARGEST_TOKEN)),
        "empty": "",
        "words": "let me in",
        "dots": "...",
        "half of a character": "\ud800" + signed(good),
        "no object": unsigned([], {"alg": "RS256", "kid": "one"}),  # type: ignore[arg-type] # a forger's choice
        "deeply nested": f"{'[' * 4000}.{'[' * 4000}.x",
    }


@pytest.mark.parametrize("how", forged())
def test_a_forged_token_lets_nobody_in(check: Authority, how: str) -> None:
    with pytest.raises(Unproven):
        check.caller(forged()[how])


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 2000), to=st.characters())
def test_no_change_of_a_good_token_lets_anybody_else_in(at: int, to: str) -> None:
    good = signed(claims(SECONDS))
    place = at % len(good)
    changed = good[:place] + to + good[place + 1 :]
    with authority() as running:
        scheduler = Scheduler(1, NOW)
        clock = ClockTwin(scheduler, Steps(scheduler, EventLog(NOW)))
        with closing(Authority(App(running.url, TENANT, frozenset({AUDIENCE})), clock)) as ours:
            try:
                assert ours.caller(changed).oid == "person-1"
            except Unproven:
                return


def test_keys_are_read_once_and_again_when_they_rolled_over(
    check: Authority, said: Published, scheduler: Scheduler
) -> None:
    for _ in range(3):
        check.caller(signed(claims(SECONDS)))
    assert len(said.asked) == 2
    scheduler.run(NOW + timedelta(minutes=6))
    said.keys = [published("two", key(1))]
    assert check.caller(signed(claims(SECONDS), key(1), "two")).oid == "person-1"
    assert len(said.asked) == 4
    with pytest.raises(Unproven):
        check.caller(signed(claims(SECONDS)))


def test_who_makes_up_keys_makes_nobody_ask_for_them_all_day(check: Authority, said: Published) -> None:
    for number in range(20):
        with pytest.raises(Unproven):
            check.caller(signed(claims(SECONDS), key(1), f"made-up-{number}"))
    assert len(said.asked) == 2


def test_old_keys_are_believed_for_half_a_day(check: Authority, said: Published, scheduler: Scheduler) -> None:
    check.caller(signed(claims(SECONDS)))
    said.keys = []
    scheduler.run(NOW + timedelta(hours=12))
    with pytest.raises(Unproven):
        check.caller(signed(claims(SECONDS, exp=int(SECONDS) + 24 * HOUR)))


WEAK: dict[str, dict[str, object]] = {
    "short": published("weak", key(9, 1024)),
    "for encryption": published("weak", key(), use="enc"),
    "symmetric": {"kid": "weak", "kty": "oct", "k": "c2VjcmV0"},
    "broken": {"kid": "weak", "kty": "RSA", "n": "AQAB"},
    "nameless": {name: value for name, value in published("weak", key()).items() if name != "kid"},
}


@pytest.mark.parametrize("how", WEAK)
def test_a_key_that_is_none_is_passed_over(check: Authority, said: Published, how: str) -> None:
    said.keys = [WEAK[how], published("one", key())]
    assert check.caller(signed(claims(SECONDS))).oid == "person-1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)  # the test signs with it on purpose
        token = signed(claims(SECONDS), key(9, 1024) if how == "short" else key(), "weak")
    with pytest.raises(Unproven):
        check.caller(token)


def break_status(said: Published) -> None:
    said.status = 404


def redirect(said: Published) -> None:
    said.status = 302


def lead_away(said: Published) -> None:
    said.changes = {"jwks_uri": "http://169.254.169.254/keys"}


def lead_nowhere(said: Published) -> None:
    said.changes = {"jwks_uri": ""}


def swell(said: Published) -> None:
    said.body = b'{"issuer": "' + b"x" * LARGEST_DOCUMENT + b'"}'


def garble(said: Published) -> None:
    said.body = b"<html>"


def listed(said: Published) -> None:
    said.body = b"[]"


@pytest.mark.parametrize("harm", [break_status, redirect, lead_away, lead_nowhere, swell, garble, listed])
def test_an_authority_that_cannot_be_read_lets_nobody_in(check: Authority, said: Published, harm: object) -> None:
    harm(said)  # type: ignore[operator] # each is called like this
    with pytest.raises(CloudError) as failed:
        check.caller(signed(claims(SECONDS)))
    if harm is lead_away:
        assert isinstance(failed.value, Refused)
    assert not [path for path in said.asked if "elsewhere" in path]


def test_the_simulators_authority_signs_tokens_that_pass_unpatched(
    simulated: Running, simulator_clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(simulated.ca))

    def token(resource: str) -> str:
        address = f"{simulated.url}/msi/token?resource={quote(resource)}&client_id=Person-7&api-version=2019-08-01"
        asked = urllib.request.Request(address, headers={"X-IDENTITY-HEADER": "x"})
        context = ssl.create_default_context(cafile=str(simulated.ca))
        with urllib.request.urlopen(asked, context=context) as answer:
            return str(json.loads(answer.read())["access_token"])

    app = App(simulated.url, TENANT, frozenset({AUDIENCE}))
    with closing(Authority(app, simulator_clock)) as ours:
        assert ours.caller(token(AUDIENCE)).oid == "person-7"
        with pytest.raises(Unproven, match="audience"):
            ours.caller(token("https://management.azure.com/"))


def test_in_the_public_cloud_it_is_the_public_authority() -> None:
    clock = ClockTwin(scheduler := Scheduler(1, NOW), Steps(scheduler, EventLog(NOW)))
    with closing(Authority(App("", TENANT, frozenset({AUDIENCE})), clock)) as ours:
        assert ours._origin == module.PUBLIC  # the only way to see it without leaving the machine
