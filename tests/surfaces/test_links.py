"""A link in an answer leads the product nowhere else, and its token goes nowhere at all.

The real pipeline, over TLS, against a server that answers whatever link it is told to. Every name that the process
looks up and every address that it connects to is written down.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.credentials import AccessToken
from azure.core.rest import HttpRequest

from shared.cloud.arm import Arm
from shared.cloud.clock import SystemClock
from shared.cloud.holdings import AzureHoldings
from shared.cloud.pace import HeardPace, Lane
from shared.cloud.snapshots import Recovery
from shared.cloud.vaults import operation_of
from shared.errors import CloudError
from shared.model.draining import CallKind
from tests.surfaces.hostile import links

TOKEN = "the-token-that-must-not-leave"
LANE = Lane("s", "", CallKind.READ)


class Credential:
    """Gives the token to whoever asks in our name."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(TOKEN, 4102444800)


@dataclass
class Liar:
    """A server that calls itself ARM: what it answers, and what it was asked."""

    link: str = ""
    redirect: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def own(self) -> str:
        return f"localhost:{self.port}"


def handler(liar: Liar) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            liar.asked.append((self.path, self.headers.get("Authorization", "")))
            body = json.dumps({"value": [], "nextLink": liar.link}).encode()
            self.send_response(307 if liar.redirect else 200)
            for name, value in (("Location", liar.redirect), ("Content-Type", "application/json")):
                if value:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


@pytest.fixture(scope="module")
def liar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Liar, Path]]:
    authority = trustme.CA()
    ca = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    told = Liar()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(told))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield told, ca
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every name looked up and every address connected to, but for our own server's."""
    seen: list[str] = []
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def looked_up(host: Any, *rest: Any, **named: Any) -> Any:
        if host != "localhost":
            seen.append(f"name {host}")
            raise socket.gaierror(f"not looked up: {host}")
        return look_up(host, *rest, **named)

    def connected(self: socket.socket, address: Any) -> None:
        if address[0] not in ("127.0.0.1", "::1"):
            seen.append(f"address {address}")
        connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket.socket, "connect", connected)
    return seen


@pytest.fixture
def arm(liar: tuple[Liar, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    told, ca = liar
    told.link, told.redirect = "", ""
    told.asked.clear()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
    clock = SystemClock()
    with closing(Arm(f"https://{told.own}", Credential(), clock, HeardPace(clock, 0.3))) as made:
        yield made


def test_a_hostile_link_to_the_next_page_is_refused_and_nothing_leaves(
    arm: Arm, liar: tuple[Liar, Path], reached: list[str]
) -> None:
    told, _ = liar
    hostile = links(told.own)
    assert len(hostile) >= 300
    followed = []
    for link in hostile:
        told.link = link
        told.asked.clear()
        try:
            list(AzureHoldings(arm, Recovery("tagback-{region}", "me")).shards("s"))
            followed.append(link)
        except CloudError:
            pass
        assert len(told.asked) == 1, link
        assert told.asked[0][1] == f"Bearer {TOKEN}"
    assert reached == []
    assert followed == []


def test_a_hostile_operation_url_is_refused_before_a_token_is_added(
    arm: Arm, liar: tuple[Liar, Path], reached: list[str]
) -> None:
    told, _ = liar
    for link in links(told.own):
        with pytest.raises(CloudError):
            arm.send(LANE, HttpRequest("GET", link))
    assert (told.asked, reached) == ([], [])


def test_of_a_hostile_link_to_an_operation_nothing_but_its_last_word_is_used(
    arm: Arm, liar: tuple[Liar, Path], reached: list[str]
) -> None:
    """What a vault answers to a write names the operation, and we ask our own host about it."""
    told, _ = liar
    vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
    hostile = links(told.own)
    for link in hostile:
        told.asked.clear()
        name = operation_of({"Azure-AsyncOperation": link})
        assert operation_of({"location": link}) == name
        arm.get(LANE, f"{vault}/backupOperations/{name}", "2026-10-01")
        [(path, _)] = told.asked
        assert path.startswith(f"{vault}/backupOperations/"), link
        assert path.count("/") == vault.count("/") + 2, link
    assert len(hostile) >= 300
    assert reached == []


def test_a_redirect_is_an_answer_and_is_not_followed(arm: Arm, liar: tuple[Liar, Path], reached: list[str]) -> None:
    told, _ = liar
    for target in ("https://evil.example/", f"https://{told.own}/elsewhere", "http://169.254.169.254/"):
        told.redirect = target
        told.asked.clear()
        with pytest.raises(CloudError):
            arm.get(LANE, "/subscriptions/s", "2022-12-01")
        assert [path for path, _ in told.asked if path.startswith("/elsewhere")] == []
    assert reached == []


def test_our_own_link_is_followed(arm: Arm, liar: tuple[Liar, Path], reached: list[str]) -> None:
    told, _ = liar
    assert arm.send(LANE, HttpRequest("GET", f"https://{told.own}/more?page=2"))["value"] == []
    assert [path for path, _ in told.asked] == ["/more?page=2"]
    assert reached == []
