"""The way from the Functions host to the WSGI application and back: whole answers, failures included."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest

from shared.errors import Denied
from shared.model.rules import Rules
from shared.ports import World
from shared.web.api import StartResponse, application
from shared.web.gateway import Ask, call, environ_of
from tests.fleet import usual_fleet

ROOT = Path(__file__).parents[2]
HEADERS = {"Host": "tagback.example:8443", "Content-Type": "application/json", "X-Forwarded-For": "10.0.0.1"}


def test_an_answer_comes_through_whole() -> None:
    reply = call(application(usual_fleet().open), Ask("GET", "http://localhost:7071/api/status?x=1", {}))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert len(json.loads(reply.body)["machines"]) == 3


def test_a_failure_comes_through_as_its_problem_document() -> None:
    def fail() -> tuple[World, Rules]:
        raise Denied("AuthorizationFailed", "no")

    reply = call(application(fail), Ask("GET", "https://tagback.example/api/status", HEADERS))
    assert (reply.status, reply.headers["Content-Type"]) == (502, "application/problem+json")


def test_the_application_sees_the_request_as_it_was_made() -> None:
    seen: dict[str, Any] = {}

    def mirror(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        seen.update(environ)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [environ["wsgi.input"].read()]

    url = "https://tagback.example:8443/api/points/gr%C3%BCn/vm%201?deep=yes"
    assert call(mirror, Ask("POST", url, HEADERS, b"{}")).body == b"{}"
    assert seen["PATH_INFO"].encode("latin-1").decode() == "/api/points/gr\u00fcn/vm 1"
    assert {name: seen[name] for name in ("REQUEST_METHOD", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT")} == {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": "deep=yes",
        "SERVER_NAME": "tagback.example",
        "SERVER_PORT": "8443",
    }
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"], seen["HTTP_X_FORWARDED_FOR"]) == (
        "application/json",
        "2",
        "10.0.0.1",
    )


@pytest.mark.parametrize(
    ("url", "scheme", "port"),
    [("http://h/api/status", "http", "80"), ("https://h/api/status", "https", "443"), ("/api/status", "http", "80")],
)
def test_what_an_address_leaves_out_is_filled_in(url: str, scheme: str, port: str) -> None:
    environ = environ_of(Ask("GET", url, {}))
    assert (environ["wsgi.url_scheme"], environ["SERVER_PORT"]) == (scheme, port)


def test_the_environ_is_as_the_standard_demands() -> None:
    environ = environ_of(Ask("GET", "http://h/api/status", {**HEADERS, "Content-Length": "0"}))
    answered = validator(application(usual_fleet().open))(environ, lambda *_: lambda _: None)
    assert b"".join(answered)
    answered.close()  # type: ignore[attr-defined] # PEP 3333: whoever consumes an answer closes it


def test_every_method_that_is_announced_reaches_the_api() -> None:
    """Asked of a fresh process: an app can be indexed only once."""
    script = (
        "import function_app;"
        "[one] = [f for f in function_app.app.get_functions() if f.get_function_name() == 'api'];"
        "print(*(str(getattr(m, 'value', m)) for m in one.get_trigger().get_dict_repr()['methods']))"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    reply = call(application(usual_fleet().open), Ask("DELETE", "https://tagback.example/api/status", {}))
    assert set(reply.headers["Allow"].split(", ")) <= set(answer.stdout.split())
