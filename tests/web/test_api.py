"""The API's read routes: the command line's answers over HTTP, and a problem document for everything that fails."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from shared.errors import BadInput, Conflict, Denied, LostRace, Throttled, Unavailable
from shared.model.request import Progress
from shared.model.rules import Rules
from shared.ports import World
from shared.web.api import ROUTES, application
from tests.cli.running import answer, run
from tests.fleet import Fleet, machine, place, usual_fleet

OTHER_SUBSCRIPTION = "99999999-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def ask(fleet: Fleet, path: str, method: str = "GET") -> Reply:
    return ask_with(fleet.open, path, method)


def ask_with(open_world: Callable[[], tuple[World, Rules]], path: str, method: str = "GET") -> Reply:
    """One request through the validator of PEP 3333, as a strict server would make it."""
    path, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(),
    }
    setup_testing_defaults(environ)
    told: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
        told[:] = [int(status.split()[0]), dict(headers)]
        return lambda _: None

    answered = validator(application(open_world))(environ, start_response)
    try:
        body = b"".join(answered)
    finally:
        answered.close()  # type: ignore[attr-defined] # PEP 3333: whoever consumes an answer closes it
    return Reply(told[0], told[1], body)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/status", ["status"]),
        ("/api/jobs", ["jobs"]),
        ("/api/report", ["report"]),
        ("/api/drills", ["drill"]),
        ("/api/plan", ["plan"]),
        ("/api/plan?vm=web/web-1&untag=backup", ["plan", "web/web-1", "--untag", "backup"]),
        ("/api/plan?vm=jump&tag=backup%3Dsilver&enforce=true", ["plan", "jump", "--tag", "backup=silver", "--enforce"]),
        ("/api/points/web/web-1", ["points", "web/web-1"]),
        ("/api/explain/web/WEB-1", ["explain", "web/web-1"]),
    ],
)
def test_the_api_answers_what_the_command_line_prints(path: str, words: list[str]) -> None:
    fleet = usual_fleet()
    reply = ask(fleet, path)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.document == answer(run(fleet, *words, "--output", "json"))


def test_a_request_can_be_watched() -> None:
    fleet = usual_fleet()
    request_id = answer(run(fleet, "backup", "web-1", "--output", "json"))["id"]
    reply = ask(fleet, f"/api/requests/{request_id}")
    assert reply.document == {
        "id": request_id,
        "asked": "backup",
        "vm_uid": machine(1, "web-1").uid,
        "by": "oid-of-the-asker",
        "at": "2026-11-20T12:00:00Z",
        "progress": "asked",
        "because": "",
        "job": None,
        "outcome": None,
    }
    asked = fleet.stage.requests.asked[request_id]
    fleet.stage.requests.asked[request_id] = replace(asked, progress=Progress.TAKEN, operation="request-1-disk")
    assert ask(fleet, f"/api/requests/{request_id}").document["job"] == f"{asked.uid}|request-1-disk"


@pytest.mark.parametrize("path", ["/api/status", "/api/nothing"])
def test_every_answer_forbids_sniffing_storing_and_framing(path: str) -> None:
    headers = ask(usual_fleet(), path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "path",
    [
        "/api/nothing",
        "/api/points/web",
        "/api/points/web/nobody",
        "/api/requests/none",
        "/api/explain/web/n\u00f6body",
        "/api//status",
        "/",
    ],
)
def test_what_is_not_there_is_a_404_problem(path: str) -> None:
    reply = ask(usual_fleet(), path)
    assert (reply.status, reply.headers["Content-Type"]) == (404, "application/problem+json")
    assert (reply.document["status"], reply.document["title"], reply.document["instance"]) == (404, "Not Found", path)


def test_a_wrong_method_is_told_the_right_ones() -> None:
    reply = ask(usual_fleet(), "/api/status", "POST")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
    assert reply.document["detail"] == "allowed here: GET, HEAD"


def test_head_has_the_headers_of_get_and_no_body() -> None:
    fleet = usual_fleet()
    head, get = ask(fleet, "/api/jobs", "HEAD"), ask(fleet, "/api/jobs")
    assert (head.status, head.headers, head.body) == (200, get.headers, b"")


def test_an_ambiguous_name_lists_the_candidates() -> None:
    fleet = usual_fleet()
    fleet.put(replace(machine(9, "web-1"), id=place("web", "web-1", OTHER_SUBSCRIPTION)))
    reply = ask(fleet, "/api/points/web/web-1")
    assert reply.status == 400
    assert len(reply.document["problems"]) == 3


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Denied("AuthorizationFailed", "no"), 502),
        (Conflict("OperationNotAllowed", "no"), 502),
        (Unavailable("ConnectionError", "no"), 503),
        (Throttled("TooManyRequests", "no", timedelta(seconds=17)), 503),
        (LostRace("rows changed"), 409),
        (BadInput(["TAGBACK_PLANS: no such file", "TAGBACK_SWEEP: bad"]), 500),
        (ZeroDivisionError("a secret"), 500),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_failure_is_a_problem_document(error: Exception, status: int) -> None:
    def fail() -> tuple[World, Rules]:
        raise error

    reply = ask_with(fail, "/api/status")
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert "secret" not in reply.body.decode()
    if isinstance(error, BadInput):
        assert reply.document["problems"] == list(error.problems)
    assert reply.headers.get("Retry-After") == ("17" if isinstance(error, Throttled) else None)


def test_bytes_that_are_no_utf8_do_no_harm() -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/\xff", "wsgi.url_scheme": "http", "HTTP_HOST": "x"}
    statuses: list[str] = []
    list(application(usual_fleet().open)(environ, lambda status, _: statuses.append(status)))
    assert statuses == ["404 Not Found"]


def test_only_get_routes_exist_and_all_lie_under_api() -> None:
    assert [path for path in ROUTES if not path.startswith("/api/")] == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("vm=web-1&plans=x", "'plans' is no parameter; allowed: vm, tag, untag, enforce"),
        ("enforce=yes", "enforce: allowed: true or false"),
        ("vm=web-1&tag=backup", "'backup' is no tag; allowed: NAME=VALUE"),
        ("tag=backup%3Doff", "tags change on VMs: name at least one"),
    ],
)
def test_a_proposal_that_cannot_be_judged_is_a_bad_request(query: str, problem: str) -> None:
    reply = ask(usual_fleet(), f"/api/plan?{query}")
    assert (reply.status, problem in reply.document["problems"]) == (400, True)
