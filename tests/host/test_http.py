"""HTTP triggers, their keys, and the admin routes."""

import pytest

from tests.host.harness import HostProcess, Store


def test_a_request_arrives_whole_and_the_response_goes_back(host: HostProcess) -> None:
    headers = {"x-functions-key": host.keys["default"], "X-Mine": "a"}
    answer = host.call("/api/Hello/bob?a=1&b=&a=2", "POST", b"body", headers)
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json
    assert (told["name"], told["query"], told["body"]) == ("bob", {"a": "1,2"}, "body")
    assert told["headers"] == {"x-functions-key": host.keys["default"], "x-mine": "a"}


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/api/hello", "GET", 201),
        ("/api/hello/", "GET", 201),
        ("/api/hello/b0b", "DELETE", 404),
        ("/api/hello/bob", "DELETE", 404),
        ("/other", "GET", 404),
        ("/", "GET", 200),
    ],
)
def test_routes_and_methods_decide(host: HostProcess, path: str, method: str, status: int) -> None:
    assert host.call(path, method, None, {"x-functions-key": host.keys["default"]}).status == status


FUNCTION, ANONYMOUS, ADMIN = "/api/hello", "/api/open", "/api/secret"


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        (FUNCTION, None, 401),
        (FUNCTION, "wrong", 401),
        (FUNCTION, "default", 201),
        (FUNCTION, "master", 201),
        (FUNCTION, "eventgrid_extension", 401),
        (ANONYMOUS, None, 200),
        (ANONYMOUS, "wrong", 200),
        (ADMIN, None, 401),
        (ADMIN, "default", 401),
        (ADMIN, "master", 200),
        ("/admin/functions", None, 401),
        ("/admin/functions", "default", 401),
        ("/admin/functions", "eventgrid_extension", 401),
        ("/admin/functions", "master", 200),
        ("/admin/host/ping", None, 200),
    ],
)
def test_a_level_is_met_exactly_or_by_the_master_key(
    host: HostProcess, path: str, key: str | None, status: int
) -> None:
    code = "" if key is None else f"?code={host.keys.get(key, 'wrong')}"
    assert host.call(path + code).status == status


def test_a_bare_string_is_text_and_json_with_a_body_is_a_response(host: HostProcess) -> None:
    assert host.call("/api/open?say=plain").text == "plain"
    answer = host.call('/api/open?say={"body":"made","statusCode":203,"headers":{"X-A":"1"}}'.replace('"', "%22"))
    assert (answer.status, answer.text, answer.headers["X-A"]) == (203, "made", "1")


def test_headers_and_cookies_of_a_response_arrive(host: HostProcess) -> None:
    answer = host.call(f"/api/secret?code={host.keys['master']}")
    assert answer.headers["X-Made"] == "1"
    assert answer.headers["Set-Cookie"] == "a=b; HttpOnly; Path=/"


def test_a_failing_function_is_an_empty_500(host: HostProcess) -> None:
    answer = host.call("/api/broken")
    assert (answer.status, answer.text) == (500, "")


def test_a_wsgi_app_behind_a_catch_all_route_gets_what_no_other_route_takes(host: HostProcess) -> None:
    answer = host.call("/api/any/where?q=1", "PUT", b"!")
    assert (answer.status, answer.text) == (418, "PUT q=1!")
    assert answer.headers["X-Path"] == "/api/any/where"


def test_a_disabled_function_is_found_with_the_master_key_only(host: HostProcess) -> None:
    assert host.call("/api/switched_off").status == 404
    assert host.call(f"/api/switched_off?code={host.keys['master']}").text == "on"


def test_admin_lists_functions_and_says_which_is_disabled(host: HostProcess) -> None:
    listed = {function["name"]: function for function in host.admin("/admin/functions").json}
    assert list(listed) == host.ready["functions"]
    assert listed["switched_off"]["isDisabled"] is True
    assert listed["hello"]["isDisabled"] is False
    bindings = host.admin("/admin/functions/hello").json["config"]["bindings"]
    assert {binding["name"]: binding.get("route") for binding in bindings} == {
        "req": "hello/{name:alpha?}",
        "$return": None,
    }


def test_admin_status_names_the_function_that_is_in_error(host: HostProcess) -> None:
    status = host.admin("/admin/host/status").json
    assert status["state"] == "Running"
    assert status["errors"] == ["The 'in_error' function is in error: '%MISSING%' does not resolve to a value."]


def test_admin_starts_functions_by_hand(host: HostProcess, store: Store) -> None:
    assert host.admin("/admin/functions/on_work", "POST", {"input": "by hand"}).status == 202
    assert store.seen(body="b'by hand'")["count"] is None
    assert host.admin("/admin/functions/hourly", "POST", {"input": ""}).status == 202
    assert store.seen(timer="hourly")["past_due"] is False
    event = '{"id": "manual", "eventTime": "2026-11-20T02:00:00Z", "data": {}}'
    assert host.admin("/admin/functions/on_event", "POST", {"input": event}).status == 202
    assert store.seen(event="manual")


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [("nobody", {"input": ""}, 404), ("on_work", None, 400), ("on_event", {"input": "{"}, 400)],
)
def test_admin_refuses_what_it_cannot_start(host: HostProcess, name: str, body: object, status: int) -> None:
    assert host.admin(f"/admin/functions/{name}", "POST", body).status == status
