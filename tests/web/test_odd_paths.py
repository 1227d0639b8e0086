"""Whatever stands in a path, the answer is a problem document that blames the path, never the app."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.cloud.rows import key
from shared.model.request import Request
from shared.model.rules import Rules
from shared.ports import World
from shared.ports.storage import Requests
from shared.web.api import application
from shared.web.gateway import Ask, Reply, call
from tests.fleet import machine, usual_fleet

ROUTES = (
    "/api/requests/{}",
    "/api/points/web/{}",
    "/api/points/{}/web-1",
    "/api/explain/{0}/{0}",
    "/api/nothing/{}",
    "/{}",
    "/api/pages/vm/{0}/{0}",
)
ODD = [
    "\0", "x#y", "x?y", "a\\b", "a/b", "//", ".", "..", " ", "", "%", "%2F", "\n", "\x7f", "\u202e", "\U0001f600",
    "x" * 600, "subscriptions", "/subscriptions/x", "'", "' or ''='", "r|m", "?",
]  # fmt: skip


class AsStrictAsTables:
    """The requests of a twin behind the keys that Azure Tables takes."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def add(self, request: Request) -> None:
        self._requests.add(request)

    def find(self, request_id: str) -> Request | None:
        key("r", request_id)
        return self._requests.find(request_id)

    def settle(self, request: Request) -> Request:
        return self._requests.settle(request)

    def unsettled(self) -> Sequence[Request]:
        return self._requests.unsettled()

    def expired(self, now: datetime) -> Sequence[Request]:
        return self._requests.expired(now)

    def forget(self, before: datetime) -> None:
        self._requests.forget(before)


def opening() -> Callable[[], tuple[World, Rules]]:
    world, rules = usual_fleet().open()
    strict = replace(world, requests=AsStrictAsTables(world.requests))
    return lambda: (strict, rules)


OPEN = opening()


def ask(path: str, method: str = "GET") -> Reply:
    return call(application(OPEN), Ask(method, f"https://tagback.example{path}", {}))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("text", ODD, ids=repr)
def test_a_name_that_nothing_can_have_is_not_found(route: str, text: str) -> None:
    reply = ask(route.format(quote(text, safe="")))
    assert (reply.status, reply.headers["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(reply.body)["status"] == 404


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ROUTES), st.text(max_size=40), st.sampled_from(["GET", "HEAD", "POST"]))
@example("/api/requests/{}", "\0", "GET")
def test_no_path_is_the_fault_of_the_app(route: str, text: str, method: str) -> None:
    for written in (quote(text, safe="", errors="replace"), quote(text, errors="replace")):
        assert ask(route.format(written), method).status < 500


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=30))
def test_no_bytes_are_the_fault_of_the_app(raw: bytes) -> None:
    assert ask("/api/requests/" + "".join(f"%{byte:02x}" for byte in raw)).status in (200, 404)


def test_a_group_may_be_called_as_ids_begin() -> None:
    fleet = usual_fleet()
    fleet.put(machine(9, "web-9", group="subscriptions"))
    reply = call(application(fleet.open), Ask("GET", "https://tagback.example/api/points/Subscriptions/WEB-9", {}))
    assert (reply.status, json.loads(reply.body)) == (200, [])


@pytest.mark.parametrize("url", ["https://x:99999/api/status", "https://[/api/status", "https://:80/api/status"])
def test_an_address_that_is_none_is_nowhere(url: str) -> None:
    assert call(application(OPEN), Ask("GET", url, {})).status == 404
