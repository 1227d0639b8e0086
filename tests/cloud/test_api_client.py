"""`tagback approve` whole: a token from the authority, over HTTP, checked by the API, and the answers to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from shared.cloud.api import ApiClient
from shared.cloud.authority import App, Authority
from shared.cloud.call import Calls
from shared.cloud.identity import Identity, Login
from shared.errors import BadInput, Denied, Forbidden, Refused, TagbackError, Unavailable, Unknown
from shared.model.account import Api
from shared.web.api import Application, application
from tests.cloud.authorities import AUDIENCE, TENANT
from tests.contract.clouds import SimulatedClock
from tests.flows.deleting import HOUR, Estate
from tests.flows.test_approving import left, mass_opt_out
from tests.simulator.running import Running


class Silent(WSGIRequestHandler):
    def log_message(self, *words: object) -> None:
        return


@contextmanager
def served(app: Application) -> Iterator[str]:
    """The application on a free port."""
    with make_server("127.0.0.1", 0, app, handler_class=Silent) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def check(identity: Identity, simulated: Running, simulator_clock: SimulatedClock) -> Iterator[Authority]:
    with closing(Authority(App(simulated.url, TENANT, frozenset({AUDIENCE})), simulator_clock)) as ours:
        yield ours


def post(url: str, who: str, clock: SimulatedClock, path: str, document: dict[str, object]) -> dict[str, object]:
    """As `tagback` does for whoever is logged in."""
    api = Api(frozenset({"11111111-1111-1111-1111-111111111119", AUDIENCE}), TENANT, url, "key")
    with (
        closing(Identity(Login(managed=True, client_id=who))) as person,
        closing(ApiClient(api, person, Calls(clock))) as client,
    ):
        return dict(client.post(path, document))


def test_two_people_with_the_role_let_deletions_go_and_nobody_else_can(
    check: Authority, simulator_clock: SimulatedClock
) -> None:
    estate = Estate()
    _, old = mass_opt_out(estate)
    every: dict[str, object] = {"all": True}
    with served(application(estate.fleet.open, check.caller)) as url:

        def approve(who: str) -> dict[str, object]:
            return post(url, who, simulator_clock, "/api/approvals", every)

        with pytest.raises(Forbidden, match=r"role Tagback\.Approve"):
            approve("eve")
        first = approve("ann")
        assert (len(list(first["asked"])), first["needs_approval"]) == (6, True)  # type: ignore[call-overload] # a list
        with pytest.raises(Forbidden, match="another person"):
            approve("ann")
        second = approve("bob")
        assert (len(list(second["approved"])), second["needs_approval"]) == (6, False)  # type: ignore[call-overload]
    estate.pass_time(2 * HOUR)
    assert left(estate, old) == 0


def test_what_is_asked_for_over_http_carries_the_tokens_name(check: Authority, simulator_clock: SimulatedClock) -> None:
    estate = Estate()
    estate.put(estate.machine())
    with served(application(estate.fleet.open, check.caller)) as url:
        answer = post(url, "eve", simulator_clock, "/api/requests", {"asked": "backup", "vm": "web-1"})
        assert estate.stage.requests.asked[str(answer["id"])].by == "eve"
        with pytest.raises(BadInput, match="no kind of request"):
            post(url, "eve", simulator_clock, "/api/requests", {"asked": "nothing"})
        with pytest.raises(Unknown):
            post(url, "ann", simulator_clock, "/api/approvals", {"vm": ["web-1"]})


ANSWERS: dict[int, type[TagbackError]] = {401: Denied, 403: Forbidden, 404: Unknown, 409: Refused, 429: Unavailable}


@pytest.mark.parametrize("status", [*ANSWERS, 500, 503, 302])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"detail": "no"}'])
def test_every_answer_but_success_is_an_error_of_ours(
    status: int, body: bytes, identity: Identity, simulator_clock: SimulatedClock
) -> None:
    def app(environ: object, start_response: object) -> list[bytes]:
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Location", "/else")]
        start_response(f"{status} Said", headers)  # type: ignore[operator] # PEP 3333
        return [body]

    with served(app) as url, pytest.raises(ANSWERS.get(status, Unavailable if status >= 500 else Refused)):
        post(url, "ann", simulator_clock, "/api/approvals", {"all": True})


def test_a_token_is_not_sent_in_the_clear(identity: Identity, simulator_clock: SimulatedClock) -> None:
    with pytest.raises(BadInput, match="must be https"):
        post("http://tagback.example", "ann", simulator_clock, "/api/approvals", {"all": True})
