"""Who may use which route: every route of the app by every bearer, over real tokens. What is not said is denied.

The routes are the application's own, so one that is new fails here until it has its row.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from shared.cloud.authority import App, Authority
from shared.errors import Forbidden
from shared.flows.approving import approve
from shared.model.caller import Caller, Role
from shared.model.identity import EVERYWHERE
from shared.model.point import Removal
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Mode
from shared.web import dashboard
from shared.web.api import application, routes
from shared.web.door import Door, shut
from shared.web.scopes import within
from tests.cloud.authorities import AUDIENCE, TENANT, authority, claims, key, signed
from tests.fleet import LAST_SLOT, NOW, RULES, SHARD, SUBSCRIPTION, Fleet, machine, place, point, usual_fleet
from tests.reference import indexed
from tests.web.test_api import Reply
from tests.web.test_dashboard import Elements
from tests.world.scheduler import Scheduler
from tests.world.steps import EventLog, Steps
from tests.world.twins.process import ClockTwin

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = "99999999-2222-3333-4444-555555555555"
KEYED = "whoever has the platform's key"
# Method and path → the role that it takes, or that it only reads and the platform's key is enough.
ROWS: Mapping[tuple[str, str], Role | str] = {
    ("GET", "/api/status"): KEYED,
    ("GET", "/api/jobs"): KEYED,
    ("GET", "/api/report"): KEYED,
    ("GET", "/api/drills"): KEYED,
    ("GET", "/api/points/<group>/<vm>"): KEYED,
    ("GET", "/api/explain/<group>/<vm>"): KEYED,
    ("GET", "/api/requests/<id>"): KEYED,
    ("GET", "/api/approvals"): KEYED,
    ("GET", "/api/plan"): KEYED,
    ("GET", "/api/"): KEYED,
    ("GET", "/api/pages/vm/<group>/<vm>"): KEYED,
    ("GET", "/api/pages/jobs"): KEYED,
    ("GET", "/api/pages/report"): KEYED,
    ("GET", "/api/pages/style.css"): KEYED,
    ("POST", "/api/requests"): Role.REQUEST,
    ("POST", "/api/approvals"): Role.APPROVE,
}
BODIES: Mapping[str, object] = {"/api/requests": {"asked": "backup", "vm": "web-1"}, "/api/approvals": {"all": True}}
WRITES = {path: role for (method, path), role in ROWS.items() if method == "POST" and isinstance(role, Role)}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND")


@dataclass(frozen=True)
class Bearer:
    """Whom a token speaks of, and in which roles it lets them in; none where it proves nothing."""

    token: Callable[[], str]
    holds: frozenset[Role] = frozenset()
    proves: bool = True


def says(**changes: object) -> Callable[[], str]:
    return lambda: signed(claims(NOW.timestamp(), **changes))


def given(*roles: str, holds: tuple[Role, ...] = ()) -> Bearer:
    return Bearer(says(roles=list(roles)), frozenset(holds))


EVERY_ROLE = [*Role, *(f"{role}/{SUBSCRIPTION}" for role in Role)]
SECONDS = NOW.timestamp()
BEARERS: Mapping[str, Bearer] = {
    "nobody": Bearer(lambda: "", proves=False),
    "without a role": given(),
    "one who may ask": given(Role.REQUEST, holds=(Role.REQUEST,)),
    "one who may approve": given(Role.APPROVE, holds=(Role.APPROVE,)),
    "one who may both": given(*Role, "Another.Role", holds=tuple(Role)),
    "one who may ask here": given(f"{Role.REQUEST}/{SUBSCRIPTION.upper()}", holds=(Role.REQUEST,)),
    "one who may approve here": given(f"{Role.APPROVE}/{SUBSCRIPTION}", holds=(Role.APPROVE,)),
    "one who may both elsewhere": given(*(f"{role}/{ELSEWHERE}" for role in Role)),
    "roles that look alike": given(*(f"{role}{end}" for role in Role for end in ("s", "/", "/*", "/.*", " ", "/all"))),
    "roles in other letters": given(*(role.lower() for role in EVERY_ROLE), *(role.upper() for role in EVERY_ROLE)),
    "roles of another app": given(*(f"Other.{role}" for role in EVERY_ROLE)),
    "expired": Bearer(says(roles=EVERY_ROLE, exp=int(SECONDS)), proves=False),
    "not valid yet": Bearer(says(roles=EVERY_ROLE, nbf=int(SECONDS) + 3600), proves=False),
    "for another audience": Bearer(says(roles=EVERY_ROLE, aud="api://another"), proves=False),
    "of another tenant": Bearer(says(roles=EVERY_ROLE, tid=ELSEWHERE), proves=False),
    "of another issuer": Bearer(says(roles=EVERY_ROLE, iss=f"https://sts.windows.net/{ELSEWHERE}/"), proves=False),
    "signed by another": Bearer(lambda: signed(claims(SECONDS, roles=EVERY_ROLE), by=key(7), name="one"), proves=False),
}


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """The product's own: nothing of it is replaced."""
    clock = ClockTwin(scheduler := Scheduler(1, NOW), Steps(scheduler, EventLog(NOW)))
    with authority() as said, closing(Authority(App(said.url, TENANT, frozenset({AUDIENCE})), clock)) as ours:
        yield ours.caller


WAITING = Removal(NOW - timedelta(days=4), NOW, "beyond the budget", planned=False, frozen=True, asks=True)


def fleet() -> Fleet:
    """A machine that can be backed up, and a deletion that waits for two people."""
    made = usual_fleet()
    leaver = replace(machine(8, "leaver-1"), frozen="1 deletion waits")
    made.put(leaver, replace(point(leaver), removal=WAITING))
    return made


def ask(of: Fleet, door: Door, method: str, path: str, bearer: str = "", **more: Any) -> Reply:
    body = json.dumps(BODIES.get(path, {}) if "document" not in more else more.pop("document")).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        **({"HTTP_AUTHORIZATION": f"Bearer {bearer}"} if bearer else {}),
        **more,
    }
    told: list[Any] = []
    answer = application(of.open, door)(environ, lambda status, headers: told.append((status, dict(headers))))
    sent = b"".join(answer)
    [(status, headers)] = told
    return Reply(int(status.split()[0]), headers, sent)


def filled(path: str, of: Fleet) -> str:
    if "<id>" in path:
        of.world.requests.add(Request("r1", Asked.BACKUP, SHARD, machine(1, "web-1").uid, "ann", NOW, Progress.ASKED))
    return path.replace("<id>", "r1").replace("<group>", "web").replace("<vm>", "web-1")


def known() -> set[tuple[str, str]]:
    return {(method, rule.rule) for rule in routes().iter_rules() for method in rule.methods or ()}


def test_every_route_of_the_app_has_its_row_and_every_row_its_route() -> None:
    assert {(method, path) for method, path in known() if method != "HEAD"} == set(ROWS)
    assert {path for method, path in known() if method == "HEAD"} == {path for method, path in ROWS if method == "GET"}


def test_the_platform_asks_for_a_key_before_any_of_them_and_there_is_no_other_way_in() -> None:
    triggers = [function.get_trigger() for function in indexed()]
    [http] = [each.get_dict_repr() for each in triggers if each and each.type == "httpTrigger"]
    assert (str(http["authLevel"]).lower().rpartition(".")[2], http["route"]) == ("function", "{*path}")


@pytest.mark.parametrize("who", BEARERS)
@pytest.mark.parametrize("path", WRITES)
def test_a_write_is_for_its_role_and_nobody_else(door: Door, path: str, who: str) -> None:
    of, bearer = fleet(), BEARERS[who]
    reply = ask(of, door, "POST", path, bearer.token())
    if not bearer.proves:
        assert reply.status == 401
    elif WRITES[path] not in bearer.holds:
        assert reply.status == 403
    else:
        assert reply.status == 202
    changed = bool(of.stage.requests.asked) or bool(of.world.approvals.of(SHARD).approvals)
    assert changed is (reply.status == 202)


@pytest.mark.parametrize("who", BEARERS)
@pytest.mark.parametrize("path", [path for (method, path), row in ROWS.items() if row is KEYED])
def test_a_read_says_the_same_to_everybody_who_has_the_key(door: Door, path: str, who: str) -> None:
    of = fleet()
    path = filled(path, of)
    plain, borne = ask(of, door, "GET", path), ask(of, door, "GET", path, BEARERS[who].token())
    assert (plain.status, plain.body) == (200, borne.body)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", sorted({path for _, path in ROWS}))
def test_a_method_that_no_row_names_does_nothing_even_for_those_who_may_all(door: Door, path: str, method: str) -> None:
    if (method, path) in known():
        return
    of = fleet()
    token = BEARERS["one who may both"].token()
    place = filled(path, of)
    before = dict(of.stage.requests.asked)
    assert ask(of, door, method, place, token, document=BODIES.get("/api/requests")).status == 405
    assert of.stage.requests.asked == before


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/admin", "/admin/host/status", "/api/requests/", "/api/status/x", "/api/../api/requests"]
)
def test_what_is_no_route_opens_nothing(door: Door, path: str) -> None:
    of = fleet()
    assert ask(
        of, door, "POST", path, BEARERS["one who may both"].token(), document=BODIES["/api/requests"]
    ).status in (
        404,
        405,
    )
    assert not of.stage.requests.asked


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "header",
    [
        "HTTP_X_MS_CLIENT_PRINCIPAL",
        "HTTP_X_MS_CLIENT_PRINCIPAL_ID",
        "HTTP_X_MS_TOKEN_AAD_ACCESS_TOKEN",
        "HTTP_X_FORWARDED_AUTHORIZATION",
        "HTTP_X_FUNCTIONS_KEY",
        "HTTP_COOKIE",
        "HTTP_PROXY_AUTHORIZATION",
    ],
)
def test_nothing_but_the_bearer_is_believed(door: Door, path: str, header: str) -> None:
    """Least of all what a browser sends by itself: so nobody else's page can make it ask for anything."""
    token = BEARERS["one who may both"].token()
    of = fleet()
    for said in (token, f"Bearer {token}", SimpleCookie({"Authorization": token}).output(header="").strip()):
        assert ask(of, door, "POST", path, **{header: said}).status == 401
    assert not of.stage.requests.asked


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", ""])
def test_a_form_of_another_site_asks_for_nothing(door: Door, path: str, media: str) -> None:
    """These are what a page may send without asking first; the answer to a question before is 405 and allows nobody."""
    token = BEARERS["one who may both"].token()
    foreign = {"HTTP_ORIGIN": "https://evil.example", "CONTENT_TYPE": media}
    assert ask(fleet(), door, "POST", path, token, **foreign).status == 400
    preflight = ask(fleet(), door, "OPTIONS", path, HTTP_ORIGIN="https://evil.example")
    assert preflight.status == 405
    assert [name for name in preflight.headers if name.lower().startswith("access-control")] == []


@pytest.mark.parametrize("route", dashboard.PAGES)
def test_every_page_runs_nothing_sends_nothing_and_is_framed_by_nobody(door: Door, route: str) -> None:
    of = fleet()
    reply = ask(of, door, "GET", filled(route, of))
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    rules = dict(re.findall(r"([a-z-]+) ([^;]+)", reply.headers["Content-Security-Policy"]))
    assert rules == {
        "default-src": "'none'",
        "style-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    page = Elements(reply.body.decode())
    assert set(page.tags) & {"script", "form", "input", "button", "iframe", "object", "embed", "meta-refresh"} == set()
    assert page.handlers == []
    assert "Set-Cookie" not in reply.headers


def test_requests_beyond_what_an_instance_takes_are_turned_away_by_the_platform() -> None:
    """`maxConcurrentRequests` run, as many again wait, and what is beyond gets a 429 [documented]."""
    http = json.loads((ROOT / "host.json").read_text())["extensions"]["http"]
    assert (http["maxConcurrentRequests"], http["maxOutstandingRequests"]) == (100, 200)


NETWORK = f"/subscriptions/{ELSEWHERE}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub"
BOTH = replace(RULES, subscriptions={SUBSCRIPTION: Mode.ENFORCE, ELSEWHERE: Mode.ENFORCE})
HERE_ONLY = Caller("ann", frozenset({f"{role}/{SUBSCRIPTION}" for role in Role}))


@pytest.mark.parametrize(
    "document",
    [
        {"asked": "pause", "what": "all", "because": "leaving"},
        {"asked": "backup", "vm": "far-1"},
        {"asked": "hold", "vm": "far-1", "until": "forever"},
        {"asked": "restore", "vm": "far-1"},
        {"asked": "restore", "vm": "web-1", "mode": "new", "as": "web-2", "subnet": f"{NETWORK}/subnets/x"},
    ],
    ids=lambda document: " ".join(map(str, document.values())),
)
def test_a_role_in_one_subscription_asks_for_nothing_in_another_nor_everywhere(document: dict[str, str]) -> None:
    of = reaching_far()
    here = ask(of, lambda _: HERE_ONLY, "POST", "/api/requests", "x", document=document)
    assert (here.status, of.stage.requests.asked) == (403, {})
    everywhere = Caller("ann", frozenset(Role))
    assert ask(of, lambda _: everywhere, "POST", "/api/requests", "x", document=document).status == 202


def test_a_role_in_one_subscription_approves_nothing_when_anything_lies_in_another() -> None:
    of = reaching_far()
    reply = ask(of, lambda _: HERE_ONLY, "POST", "/api/approvals", "x")
    assert (reply.status, of.world.approvals.of(SHARD).approvals) == (403, ())
    named = ask(of, lambda _: HERE_ONLY, "POST", "/api/approvals", "x", document={"vm": ["leaver-1"]})
    assert named.status == 202


def test_what_turns_up_elsewhere_while_an_approval_is_judged_is_not_approved() -> None:
    of = reaching_far()
    with pytest.raises(Forbidden):
        approve(within(of.world, HERE_ONLY), [], "ann")
    far = replace(SHARD, subscription=ELSEWHERE)
    assert of.world.approvals.of(far).approvals == ()


def reaching_far() -> Fleet:
    """As the other fleet, with a machine of another subscription of which a deletion waits too."""
    of = replace(fleet(), rules=BOTH)
    shard, id = replace(SHARD, subscription=ELSEWHERE), place("web", "far-1", ELSEWHERE)
    far = replace(machine(9, "far-1"), id=id, shard=shard, frozen="1 deletion waits")
    older = point(far, LAST_SLOT - timedelta(days=1))
    of.put(far, point(far), replace(older, removal=WAITING))
    return of


def test_an_app_without_a_tenant_is_shut_to_every_bearer() -> None:
    for path in WRITES:
        for bearer in BEARERS.values():
            assert ask(fleet(), shut, "POST", path, bearer.token()).status in (401, 403)


def test_what_is_about_every_subscription_names_none() -> None:
    assert EVERYWHERE.subscription == "all"
    assert not HERE_ONLY.may(Role.REQUEST, EVERYWHERE.subscription)
