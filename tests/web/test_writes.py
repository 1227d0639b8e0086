"""What changes something over HTTP: nobody gets in without a token and its role; whoever does is refused as on the
command line."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from shared.cli.wishes import COMMANDS
from shared.errors import BadInput, Unavailable, Unproven
from shared.flows.request_kinds import KINDS
from shared.model.caller import Caller, Role
from shared.model.operation import State
from shared.model.rules import Rules
from shared.ports import World
from shared.web.api import application
from shared.web.door import Door, shut
from shared.web.writes import LARGEST_BODY, WRITES
from tests.cli.running import answer, run
from tests.fleet import LAST_SLOT, SHARD, Fleet, capture, machine, usual_fleet
from tests.web.test_api import Reply

TOKENS = {
    "ann": Caller("ann", frozenset({"Tagback.Request"})),
    "bob": Caller("bob", frozenset({"Tagback.Approve", "Another.Role"})),
    "eve": Caller("eve", frozenset()),
    "boss": Caller("boss", frozenset(Role)),
}


def door(token: str) -> Caller:
    if token not in TOKENS:
        raise Unproven("this is no token")
    return TOKENS[token]


def post(
    fleet: Fleet, document: object, authorization: str = "Bearer ann", path: str = "/api/requests", **changes: Any
) -> Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": authorization,
        "wsgi.input": io.BytesIO(body),
        **{name: value for name, value in changes.items() if name.isupper()},
    }
    setup_testing_defaults(environ)
    told: list[Any] = []
    opened = changes.get("opened", fleet.open)
    chosen: Door = changes.get("door", door)

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        told[:] = [int(status.split()[0]), dict(headers)]
        return lambda _: None

    answered = validator(application(opened, chosen))(environ, start_response)
    try:
        sent = b"".join(answered)
    finally:
        answered.close()  # type: ignore[attr-defined] # PEP 3333: whoever consumes an answer closes it
    return Reply(told[0], told[1], sent)


BACKUP = {"asked": "backup", "vm": "web/web-1"}


def fleet_with_a_failed_job() -> Fleet:
    fleet = usual_fleet()
    broken = machine(7, "web-7")
    fleet.put(broken, capture(broken, LAST_SLOT, State.NEEDS_PERSON))
    fleet.stage.azure.groups.add(SHARD)
    fleet.stage.azure.subscriptions = [SHARD.subscription]
    return fleet


ASKED: dict[str, Mapping[str, str]] = {
    "backup": {"vm": "web-1"},
    "retry": {"job": "web-7"},
    "hold": {"vm": "web-1", "until": "forever"},
    "rebuild": {"subscription": SHARD.subscription.upper(), "region": SHARD.region},
    "pause": {"what": "deletes", "because": "an audit"},
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_asked_for_is_filed_under_the_tokens_own_name(asked: str) -> None:
    fleet = fleet_with_a_failed_job()
    reply = post(fleet, {"asked": asked, **ASKED[asked]})
    assert reply.status == 202
    found = fleet.stage.requests.asked[reply.document["id"]]
    assert (found.asked.value, found.by) == (asked, "ann")
    assert [message.queue for message in fleet.stage.queues.messages.values()] == ["requests"]


def test_every_wish_of_the_command_line_that_is_a_request_is_a_kind() -> None:
    assert {command.name for command in COMMANDS} - {"approve"} <= set(KINDS)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"asked": "backup", "vm": "jump"}, ["backup", "jump"]),
        ({"asked": "retry", "job": "web-1"}, ["retry", "web-1"]),
        ({"asked": "hold", "vm": "web-1", "until": "tomorrow"}, ["hold", "web-1", "--until", "tomorrow"]),
        ({"asked": "hold", "vm": "jump", "until": "forever"}, ["hold", "jump", "--until", "forever"]),
        ({"asked": "delete-data", "vm": "jump", "because": "x"}, ["delete-data", "jump", "--because", "x"]),
        ({"asked": "pause", "what": "all", "because": " "}, ["pause", "all", "--because", " "]),
        ({"asked": "resume", "what": "all"}, ["resume", "all"]),
        ({"asked": "backup", "vm": "nobody"}, ["backup", "nobody"]),
    ],
)
def test_it_refuses_what_the_command_line_refuses_and_in_its_words(document: dict[str, str], words: list[str]) -> None:
    fleet = usual_fleet()
    reply, result = post(fleet, document), run(fleet, *words, "--output", "json")
    said = answer(result)
    assert (reply.status, result.exit_code) in ((400, 2), (404, 3))
    assert reply.document.get("problems", [reply.document["detail"]]) == said["problems"]
    assert not fleet.stage.requests.asked


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic ann", "ann", "Bearer nobody", "Token ann"])
def test_without_a_token_nobody_is_let_in(authorization: str) -> None:
    fleet = usual_fleet()
    for path in WRITES:
        reply = post(fleet, BACKUP, authorization, path, QUERY_STRING="code=a-function-key", HTTP_X_FUNCTIONS_KEY="x")
        assert (reply.status, reply.headers["Content-Type"]) == (401, "application/problem+json")
        assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert not fleet.stage.requests.asked


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("who", TOKENS)
def test_each_route_takes_its_role_and_no_other(path: str, who: str) -> None:
    reply = post(usual_fleet(), {}, f"Bearer {who}", path)
    assert (reply.status == 403) is (WRITES[path].role not in TOKENS[who].roles)
    if reply.status == 403:
        assert WRITES[path].role in reply.document["detail"]


def test_an_app_that_was_told_of_no_tenant_lets_nobody_in() -> None:
    for path in WRITES:
        reply = post(usual_fleet(), BACKUP, path=path, door=shut)
        assert reply.status == 403
        assert "TAGBACK_API_AUDIENCE" in reply.document["detail"]


def test_nothing_is_opened_or_read_before_the_bearer_is_known() -> None:
    def fail() -> tuple[World, Rules]:
        raise AssertionError

    assert post(usual_fleet(), b"{", "Bearer nobody", opened=fail).status == 401
    assert post(usual_fleet(), b"{", "Bearer eve", opened=fail).status == 403


def test_an_authority_that_does_not_answer_lets_nobody_in() -> None:
    def deaf(_: str) -> Caller:
        raise Unavailable("timeout", "the authority does not answer")

    fleet = usual_fleet()
    assert post(fleet, BACKUP, door=deaf).status == 503
    assert not fleet.stage.requests.asked


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "asked: None is no kind of request; allowed: backup"),
        ({"asked": ["backup"]}, "asked: ['backup'] is no kind of request"),
        ({"asked": "approve", "vm": "web-1"}, "asked: 'approve' is no kind of request"),
        ({"asked": "backup"}, "vm is missing"),
        ({"asked": "backup", "vm": "web-1", "by": "boss"}, "'by' is no field of backup; allowed: vm"),
        ({"asked": "backup", "vm": 1}, "vm is not a text"),
        ({"asked": "backup", "vm": None}, "vm is not a text"),
        ({"asked": "rebuild", "subscription": "x", "region": "y"}, "x|y: nothing of ours is there; allowed: "),
        ([], "the body is not a JSON object"),
        (b"{", "the body is not JSON"),
        (b"[" * 60_000, "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b"", "the body is not JSON"),
    ],
)
def test_a_body_that_cannot_be_understood_is_a_bad_request(document: object, problem: str) -> None:
    fleet = usual_fleet()
    reply = post(fleet, document)
    assert reply.status == 400
    assert any(one.startswith(problem) for one in reply.document["problems"])
    assert not fleet.stage.requests.asked


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"CONTENT_TYPE": "text/plain"}, "the body is text/plain; allowed: application/json"),
        ({"CONTENT_TYPE": ""}, "the body is of no type; allowed: application/json"),
        ({"CONTENT_LENGTH": str(LARGEST_BODY + 1)}, "the body is larger than 65536 bytes"),
        ({"CONTENT_LENGTH": ""}, "the body is not JSON"),
    ],
)
def test_a_body_of_another_kind_or_size_is_a_bad_request(changes: dict[str, str], problem: str) -> None:
    reply = post(usual_fleet(), BACKUP, **changes)
    assert (reply.status, reply.document["problems"]) == (400, [problem])


def test_the_type_of_a_body_may_say_its_characters() -> None:
    assert post(usual_fleet(), BACKUP, CONTENT_TYPE="Application/JSON; charset=utf-8").status == 202


def test_bad_settings_are_the_apps_own_fault() -> None:
    def fail() -> tuple[World, Rules]:
        raise BadInput(["TAGBACK_SWEEP: bad"])

    assert post(usual_fleet(), BACKUP, opened=fail).status == 500
