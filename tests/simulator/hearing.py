"""A webhook for tests: hears what Event Grid delivers and answers as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Heard:
    """One request a webhook got."""

    method: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class Webhook:
    """Where to deliver, what came, and which statuses to answer next."""

    url: str = ""
    validates: bool = True
    heard: list[Heard] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def notified(self) -> list[Heard]:
        """What came apart from handshakes."""
        return [one for one in self.heard if one.headers.get("aeg-event-type") == "Notification"]

    def respond(self, one: Heard) -> tuple[int, dict[str, str], bytes]:
        """Answer as Functions do, or as told."""
        self.heard.append(one)
        if one.method == "OPTIONS":
            return 200, {"WebHook-Allowed-Origin": "eventgrid.azure.net"} if self.validates else {}, b""
        if one.headers.get("aeg-event-type") == "SubscriptionValidation":
            code = one.body[0]["data"]["validationCode"] if self.validates else "wrong"
            return 200, {}, json.dumps({"validationResponse": code}).encode()
        return (self.answers.pop(0) if self.answers else 202), {}, b""


def _handler(webhook: Webhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _hear(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, body = webhook.respond(Heard(self.command, headers, json.loads(raw) if raw else None))
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self._hear()

        def do_OPTIONS(self) -> None:
            self._hear()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def listening(port: int = 0) -> Iterator[Webhook]:
    """Run a webhook until the block ends."""
    webhook = Webhook()
    with ThreadingHTTPServer(("127.0.0.1", port), _handler(webhook)) as server:
        webhook.url = (
            f"http://127.0.0.1:{server.server_port}/runtime/webhooks/eventgrid?functionName=on_event&code=secret"
        )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield webhook
        finally:
            server.shutdown()
            thread.join()


def until(true: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)
