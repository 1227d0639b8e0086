"""An authority of the tests' own: a key that signs whatever it is told, and the documents that publish it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

TENANT = "11111111-1111-1111-1111-111111111111"
AUDIENCE = "api://tagback"
ISSUER = f"https://sts.windows.net/{TENANT}/"


@cache
def key(number: int = 0, size: int = 2048) -> rsa.RSAPrivateKey:
    """A key of the tests; making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


def published(name: str, of: rsa.RSAPrivateKey, **changes: object) -> dict[str, object]:
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    return {**json.loads(algorithm.to_jwk(of.public_key())), "kid": name, "use": "sig", **changes}


def claims(now: float, **changes: object) -> dict[str, object]:
    """What a good token says; a change to None leaves the claim out."""
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "tid": TENANT,
        "ver": "1.0",
        "oid": "person-1",
        "roles": ["Tagback.Request"],
    }
    times = {"iat": int(now), "nbf": int(now), "exp": int(now) + 3600}
    return {name: value for name, value in {**good, **times, **changes}.items() if value is not None}


def signed(what: dict[str, Any], by: rsa.RSAPrivateKey | None = None, name: str = "one", **headers: Any) -> str:
    return jwt.encode(what, by or key(), "RS256", {"kid": name, **headers})


@dataclass
class Published:
    """What the authority's documents say, and how often they were asked for."""

    url: str = ""
    keys: list[dict[str, object]] = field(default_factory=lambda: [published("one", key())])
    changes: dict[str, object] = field(default_factory=dict)
    body: bytes | None = None
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> bytes:
        self.asked.append(path)
        if self.body is not None:
            return self.body
        if path.endswith("/keys"):
            return json.dumps({"keys": self.keys}).encode()
        issuer = f"{self.url}/{TENANT}/v2.0" if "/v2.0/" in path else ISSUER
        return json.dumps({"issuer": issuer, "jwks_uri": f"{self.url}/{TENANT}/keys", **self.changes}).encode()


@contextmanager
def authority() -> Iterator[Published]:
    """One that listens on a free port."""
    said = Published()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = said.answer(self.path)
            self.send_response(said.status)
            self.send_header("Content-Length", str(len(body)))
            if said.status in (301, 302):
                self.send_header("Location", f"{said.url}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        said.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield said
        finally:
            server.shutdown()
            thread.join()
