"""The SDKs' way out of the process: what the environment says of proxies, authorities and logins."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from azure.core.rest import HttpRequest

from shared.cloud.transport import transport


class Heard(BaseHTTPRequestHandler):
    """Answers 200 and remembers what it was asked."""

    asked: list[tuple[str, Mapping[str, str]]]

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    Heard.asked = []
    with HTTPServer(("127.0.0.1", 0), Heard) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening
        listening.shutdown()


def got(url: str, authorization: str = "Bearer ours") -> int:
    with transport(5, 5) as way:
        status: int = way.send(HttpRequest("GET", url, headers={"Authorization": authorization})).status_code
    return status


def test_a_proxy_that_the_environment_names_is_gone_through(
    server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    assert got("http://management.example/subscriptions") == 200
    assert Heard.asked[0][0] == "http://management.example/subscriptions"


def test_a_host_that_the_environment_excepts_is_gone_to_directly(
    server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert got(f"http://127.0.0.1:{server.server_port}/direct") == 200


def test_a_login_in_a_file_never_replaces_our_token(
    server: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logins = tmp_path / "netrc"
    logins.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(logins))
    got(f"http://127.0.0.1:{server.server_port}/")
    assert Heard.asked[0][1]["Authorization"] == "Bearer ours"


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authorities_that_the_environment_names_are_believed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    assert transport(5, 5).connection_config.verify is True
    monkeypatch.setenv(name, "/etc/authorities.pem")
    assert transport(5, 5).connection_config.verify == "/etc/authorities.pem"
