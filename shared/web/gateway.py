"""Calls a WSGI application with one request that function_app.py received, and gives back its whole answer.

`azure.functions.WsgiMiddleware` would do, but it raises for every status from 500 on, so that a problem document never
reaches the caller. This one decides nothing and hides nothing.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from shared.web.api import Application


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as the Functions host hands it over; `url` is the whole address."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """The application's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(application: Application, ask: Ask) -> Reply:
    """The application's answer to one request."""
    told: list[tuple[int, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        told.append((int(status.split()[0]), dict(headers)))

    body = b"".join(application(environ_of(ask), start_response))
    status, headers = told[-1]
    return Reply(status, headers, body)


def environ_of(ask: Ask) -> dict[str, Any]:
    """The request as PEP 3333 says it."""
    url = _split(ask.url)
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in ask.headers.items()}
    content_type = headers.pop("HTTP_CONTENT_TYPE", "")
    headers.pop("HTTP_CONTENT_LENGTH", None)
    secure = url.scheme == "https"
    return {
        **headers,
        "REQUEST_METHOD": ask.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(ask.body)),
        "SERVER_NAME": url.hostname or "localhost",
        "SERVER_PORT": str(url.port or (443 if secure else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if secure else "http",
        "wsgi.input": io.BytesIO(ask.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _split(url: str) -> SplitResult:
    """The parts of an address; of one that cannot be an address, those of a place where nothing is."""
    try:
        found = urlsplit(url)
        return found if found.port is None or found.hostname else urlsplit("https://localhost/")
    except ValueError:
        return urlsplit("https://localhost/")
