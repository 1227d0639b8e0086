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
from shared.errors import Forbidden, TooMany
from shared.flows.approving import approve
from shared.model.brake import Brake, Stops
from shared.model.caller import Caller, Role, Use
from shared.model.identity import EVERYWHERE
from shared.model.point import Removal
from shared.model.request import Asked, PoisonedMessage, Progress, Request
from shared.model.rules import Mode
from shared.web import dashboard
from shared.web.api import application, routes
from shared.web.door import Door, shut, uncounted
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
READERS = "whoever has any role, of what they may see; or the platform's key where the app was told that it is enough"
# Method and path → the role that it takes, or who may read.
ROWS: Mapping[tuple[str, str], Role | str] = {
    ("GET", "/api/status"): READERS,
    ("GET", "/api/jobs"): READERS,
    ("GET", "/api/report"): READERS,
    ("GET", "/api/drills"): READERS,
    ("GET", "/api/points/<group>/<vm>"): READERS,
    ("GET", "/api/explain/<group>/<vm>"): READERS,
    ("GET", "/api/requests/<id>"): READERS,
    ("GET", "/api/approvals"): READERS,
    ("GET", "/api/plan"): READERS,
    ("GET", "/api/"): READERS,
    ("GET", "/api/pages/vm/<group>/<vm>"): READERS,
    ("GET", "/api/pages/jobs"): READERS,
    ("GET", "/api/pages/report"): READERS,
    ("GET", "/api/pages/style.css"): KEYED,
    ("POST", "/api/requests"): Role.REQUEST,
    ("POST", "/api/approvals"): Role.APPROVE,
}
BODIES: Mapping[str, object] = {"/api/requests": {"asked": "backup", "vm": "web-1"}, "/api/approvals": {"all": True}}
READS = {path: row for (method, path), row in ROWS.items() if method == "GET"}
WRITES = {path: role for (method, path), role in ROWS.items() if method == "POST" and isinstance(role, Role)}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND")


@dataclass(frozen=True)
class Bearer:
    """Whom a token speaks of, in which roles it lets them in here, and what they see: subscriptions of two.

    None where it proves nothing.
    """

    token: Callable[[], str]
    holds: frozenset[Role] = frozenset()
    sees: frozenset[str] = frozenset()
    proves: bool = True


def says(**changes: object) -> Callable[[], str]:
    return lambda: signed(claims(NOW.timestamp(), **changes))


def given(*roles: str, holds: tuple[Role, ...] = (), sees: tuple[str, ...] = ()) -> Bearer:
    return Bearer(says(roles=list(roles)), frozenset(holds), frozenset(sees))


BOTH_PLACES = (SUBSCRIPTION, ELSEWHERE)
EVERY_ROLE = [*Role, *(f"{role}/{SUBSCRIPTION}" for role in Role)]
SECONDS = NOW.timestamp()
BEARERS: Mapping[str, Bearer] = {
    "nobody": Bearer(lambda: "", proves=False),
    "without a role": given(),
    "one who may read": given(Role.READ, holds=(Role.READ,), sees=BOTH_PLACES),
    "one who may ask": given(Role.REQUEST, holds=(Role.REQUEST,), sees=BOTH_PLACES),
    "one who may approve": given(Role.APPROVE, holds=(Role.APPROVE,), sees=BOTH_PLACES),
    "one who may all": given(*Role, "Another.Role", holds=tuple(Role), sees=BOTH_PLACES),
    "one who may read here": given(f"{Role.READ}/{SUBSCRIPTION.upper()}", holds=(Role.READ,), sees=(SUBSCRIPTION,)),
    "one who may ask here": given(
        f"{Role.REQUEST}/{SUBSCRIPTION.upper()}", holds=(Role.REQUEST,), sees=(SUBSCRIPTION,)
    ),
    "one who may approve here": given(f"{Role.APPROVE}/{SUBSCRIPTION}", holds=(Role.APPROVE,), sees=(SUBSCRIPTION,)),
    "one who may read here and there": given(
        *(f"{Role.READ}/{place}" for place in BOTH_PLACES), holds=(Role.READ,), sees=BOTH_PLACES
    ),
    "one who may all elsewhere": given(*(f"{role}/{ELSEWHERE}" for role in Role), sees=(ELSEWHERE,)),
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
    """One request; the function key is enough to read unless `keyed` says otherwise, `rate` counts."""
    keyed, rate, opened = more.pop("keyed", True), more.pop("rate", uncounted), more.pop("opened", of.open)
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
    answer = application(opened, door, lambda: keyed, rate)(
        environ, lambda status, headers: told.append((status, dict(headers)))
    )
    sent = b"".join(answer)
    [(status, headers)] = told
    return Reply(int(status.split()[0]), headers, sent)


def filled(path: str, of: Fleet) -> str:
    if "<id>" in path and "r1" not in of.stage.requests.asked:
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
def test_a_read_is_for_whoever_has_a_role_and_shows_what_they_may_see(door: Door, who: str) -> None:
    """With two subscriptions: of one that is not theirs nothing is told, not even that something is not shown."""
    of, bearer = reaching_far(), BEARERS[who]
    troubled(of)
    for path in (path for path, row in READS.items() if row is READERS):
        reply = ask(of, door, "GET", filled(path, of), bearer.token(), keyed=False)
        if not bearer.proves:
            assert reply.status == 401, path
        elif not bearer.sees:
            assert reply.status == 403, path
        elif "<" in path and SUBSCRIPTION not in bearer.sees:
            assert reply.status == 404, path
        else:
            assert reply.status == 200, path
        for subscription, name in ((SUBSCRIPTION, b"leaver-1"), (ELSEWHERE, b"far-1")):
            if subscription not in bearer.sees:
                assert name not in reply.body, path
                assert subscription.encode() not in reply.body, path


def troubled(of: Fleet) -> None:
    """A brake in either subscription, and a message of the far one that could not be served."""
    brakes = tuple(Brake(Stops.UNPLANNED, "", NOW, f"many left {place}", place) for place in BOTH_PLACES)
    of.world.brakes.change(replace(of.world.brakes.now(), brakes=brakes))
    of.world.poisoned.keep(PoisonedMessage("vms", f"/subscriptions/{ELSEWHERE}/far-1", NOW))


@pytest.mark.parametrize("who", BEARERS)
def test_what_tells_nothing_is_for_everybody_who_has_the_key(door: Door, who: str) -> None:
    for path, row in READS.items():
        if row is KEYED:
            assert ask(fleet(), door, "GET", path, BEARERS[who].token(), keyed=False).status == 200


def test_where_a_role_is_asked_for_and_nobody_is_known_nothing_is_shown() -> None:
    for path, row in READS.items():
        if row is READERS:
            of = fleet()
            assert ask(of, shut, "GET", filled(path, of), BEARERS["one who may all"].token(), keyed=False).status == 403


def test_nothing_is_opened_before_the_reader_is_known(door: Door) -> None:
    def fail() -> Any:
        raise AssertionError

    for who, status in (("nobody", 401), ("without a role", 403)):
        reply = ask(fleet(), door, "GET", "/api/status", BEARERS[who].token(), keyed=False, opened=fail)
        assert reply.status == status


def test_a_read_says_the_same_to_everybody_where_the_key_is_enough(door: Door) -> None:
    of = fleet()
    for path in READS:
        place = filled(path, of)
        plain = ask(of, door, "GET", place)
        assert plain.status == 200
        for who in ("without a role", "one who may all", "one who may read here", "expired"):
            assert ask(of, door, "GET", place, BEARERS[who].token()).body == plain.body


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", sorted({path for _, path in ROWS}))
def test_a_method_that_no_row_names_does_nothing_even_for_those_who_may_all(door: Door, path: str, method: str) -> None:
    if (method, path) in known():
        return
    of = fleet()
    token = BEARERS["one who may all"].token()
    place = filled(path, of)
    before = dict(of.stage.requests.asked)
    assert ask(of, door, method, place, token, document=BODIES.get("/api/requests")).status == 405
    assert of.stage.requests.asked == before


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/admin", "/admin/host/status", "/api/requests/", "/api/status/x", "/api/../api/requests"]
)
def test_what_is_no_route_opens_nothing(door: Door, path: str) -> None:
    of = fleet()
    assert ask(of, door, "POST", path, BEARERS["one who may all"].token(), document=BODIES["/api/requests"]).status in (
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
    token = BEARERS["one who may all"].token()
    of = fleet()
    for said in (token, f"Bearer {token}", SimpleCookie({"Authorization": token}).output(header="").strip()):
        assert ask(of, door, "POST", path, **{header: said}).status == 401
        assert ask(of, door, "GET", "/api/status", keyed=False, **{header: said}).status == 401
    assert not of.stage.requests.asked


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", ""])
def test_a_form_of_another_site_asks_for_nothing(door: Door, path: str, media: str) -> None:
    """These are what a page may send without asking first; the answer to a question before is 405 and allows nobody."""
    token = BEARERS["one who may all"].token()
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
FAR_GROUP = f"/subscriptions/{ELSEWHERE}/resourceGroups/rescue"
FAR_ACCOUNT = f"{FAR_GROUP}/providers/Microsoft.Storage/storageAccounts/stage1"
BOTH = replace(RULES, subscriptions={SUBSCRIPTION: Mode.ENFORCE, ELSEWHERE: Mode.ENFORCE})
HERE_ONLY = Caller("ann", frozenset({f"{role}/{SUBSCRIPTION}" for role in Role}))


@pytest.mark.parametrize(("method", "path"), ROWS)
def test_whoever_asks_too_often_is_turned_away_for_as_long_as_it_takes(door: Door, method: str, path: str) -> None:
    if ROWS[method, path] is KEYED:
        return
    of, use = fleet(), Use.WRITE if method == "POST" else Use.READ
    told: list[tuple[str, Use]] = []

    def full(caller: str, use: Use) -> None:
        told.append((caller, use))
        raise TooMany(f"{caller} asks too often", timedelta(seconds=2.1))

    def opened() -> Any:
        raise AssertionError

    place = filled(path, of)
    token = BEARERS["one who may all"].token()
    reply = ask(of, door, method, place, token, keyed=False, rate=full, opened=opened)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "3")
    assert reply.headers["Content-Type"] == "application/problem+json"
    [(caller, counted)] = told
    assert counted is use
    assert caller == claims(SECONDS)["oid"]
    for stranger in ("nobody", "expired"):
        assert ask(of, door, method, place, BEARERS[stranger].token(), keyed=False, rate=full).status == 401
    assert len(told) == 1, "who has proven nothing takes nothing from anybody"


def test_whoever_reads_by_the_key_is_one_caller(door: Door) -> None:
    told: list[tuple[str, Use]] = []
    ask(fleet(), door, "GET", "/api/status", rate=lambda caller, use: told.append((caller, use)))
    assert told == [("whoever has the function key", Use.READ)]


@pytest.mark.parametrize(
    "document",
    [
        {"asked": "pause", "what": "all", "because": "leaving"},
        {"asked": "backup", "vm": "far-1"},
        {"asked": "hold", "vm": "far-1", "until": "forever"},
        {"asked": "restore", "vm": "far-1"},
        {"asked": "restore", "vm": "web-1", "mode": "disks", "group": FAR_GROUP},
        {"asked": "restore", "vm": "web-1", "mode": "disks", "staging": FAR_ACCOUNT},
        {"asked": "restore", "vm": "web-1", "mode": "new", "as": "web-2", "subnet": f"{NETWORK}/subnets/x"},
        {"asked": "restore", "vm": "web-1", "mode": "files", "to": "far-1"},
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
