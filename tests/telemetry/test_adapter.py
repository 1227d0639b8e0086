"""Telemetry by OpenTelemetry's own library: to a file, to Azure Monitor's endpoint, to nobody where it is missing."""

from __future__ import annotations

import gzip
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.credentials import AccessToken

from shared.cloud.clock import SystemClock
from shared.cloud.identity import Identity, Login
from shared.cloud.telemetry import to_azure, to_file
from shared.decide import traces
from shared.model.operation import Operation
from shared.model.telemetry import Call, Count, Level, Span
from shared.settings import DEFAULTS
from tests.fleet import NOW, capture, machine

ROOT = Path(__file__).resolve().parents[2]
KIBIBYTE = 1024
SHARE = float(DEFAULTS["TAGBACK_TELEMETRY_SHARE"])
SNAPSHOT = "/subscriptions/s/resourcegroups/tagback-westeurope/providers/microsoft.compute/snapshots/tb-"


def told_of(operation: Operation) -> list[Span]:
    """What is told of the daily point of a machine with two disks, as the night of tests/e2e shows it."""
    trace = traces.trace_of(operation.uid, operation.id)
    calls = [Call("PUT", SNAPSHOT + str(disk) * 32, 202, NOW, NOW + timedelta(seconds=1)) for disk in (1, 2)]
    whole = traces.whole(operation)
    assert whole is not None
    return [*(traces.called(trace, call) for call in calls), whole]


class Collector:
    """What Azure Monitor's endpoint would be sent, and with whose token."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.bearers: set[str] = set()

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        return [each for body in self.bodies for each in json.loads(body)]


@contextmanager
def collecting(folder: Path) -> Iterator[tuple[str, Collector]]:
    """A connection string that leads to a collector, whose certificate `folder` is given an authority for."""
    collector, authority = Collector(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            collector.bodies.append(body)
            collector.bearers.add(self.headers["Authorization"])
            count = len(json.loads(body))
            answer = json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        endpoint = f"https://127.0.0.1:{server.server_address[1]}/"
        yield f"InstrumentationKey={'0' * 8}-0000-4000-8000-{'0' * 12};IngestionEndpoint={endpoint}", collector
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


class Somebody(Identity):
    """An identity with a token at hand."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("for-" + scopes[0], 2**40)


def test_a_file_gets_a_line_for_each_span_and_figure(tmp_path: Path) -> None:
    telemetry = to_file(tmp_path / "told.jsonl", 1, SystemClock())
    telemetry.spans(told_of(capture(machine(1, "web-1"))))
    telemetry.count(Count.DONE, "capture")
    telemetry.count(Count.DONE, "capture")
    telemetry.level(Level.POINT_AGE, "s|westeurope", 90.5)
    telemetry.close()
    lines = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text(encoding="utf-8").splitlines()]
    spans, figures = [one for one in lines if "trace" in one], [one for one in lines if "figure" in one]
    assert [one["name"] for one in spans] == ["PUT snapshots", "PUT snapshots", "capture"]
    assert spans[0] == {
        "trace": "060e4a90b98e06b51718d4087b4d370d",
        "span": spans[0]["span"],
        "parent": spans[2]["span"],
        "name": "PUT snapshots",
        "at": "2026-11-20T12:00:00.000Z",
        "ms": 1000,
        "resource": "tb-" + "1" * 32,
        "status": 202,
    }
    assert {"figure": "operations.done", "value": 2, "about": "capture"} in figures
    assert {"figure": "point.age", "value": 90.5, "about": "s|westeurope"} in figures


def test_a_job_of_a_machine_with_two_disks_takes_less_than_a_kibibyte_in_a_file(tmp_path: Path) -> None:
    telemetry = to_file(tmp_path / "told.jsonl", 1, SystemClock())
    telemetry.spans(told_of(capture(machine(1, "web-1"))))
    telemetry.close()
    assert 400 < (tmp_path / "told.jsonl").stat().st_size <= KIBIBYTE


def test_azure_monitor_is_sent_less_than_a_kibibyte_for_a_job_at_the_usual_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted as it is charged: the bytes of the envelopes, unpacked."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    jobs = [capture(machine(number, "web-1")) for number in range(1_000)]
    with collecting(tmp_path) as (connection, collector):
        telemetry = to_azure(connection, Somebody(Login(managed=False)), SHARE, SystemClock())
        for job in jobs:
            telemetry.spans(told_of(job))
        telemetry.count(Count.DONE, "capture")
        telemetry.level(Level.POINT_AGE, "s|westeurope", 90.5)
        telemetry.close()
    spans = [each for each in collector.envelopes if each["data"]["baseType"] != "MetricData"]
    told = {each["tags"]["ai.operation.id"] for each in spans}
    assert len(spans) == 3 * len(told)
    assert 0.8 * SHARE < len(told) / len(jobs) < 1.2 * SHARE
    size = sum(len(body) for body in collector.bodies) / len(jobs)
    assert 50 < size <= KIBIBYTE
    assert collector.bearers == {"Bearer for-https://monitor.azure.com//.default"}
    figures = [each["data"]["baseData"]["metrics"][0] for each in collector.envelopes if each not in spans]
    assert {(each["name"], each["value"]) for each in figures} == {("operations.done", 1), ("point.age", 90.5)}


def test_without_the_library_the_product_is_as_it_is_without_telemetry() -> None:
    code = """
import sys
for name in ("opentelemetry", "azure.monitor"):
    sys.modules[name] = None
from shared import wiring
from shared.ports.telemetry import Silent
from shared.cloud.ledger import TableLedger
world, rules = wiring.from_environment()
assert isinstance(world.telemetry, Silent) and isinstance(world.ledger, TableLedger)
with world.telemetry.woken("vms", "{}", None):
    pass
"""
    environment = {"AzureWebJobsStorage__accountName": "example", "TAGBACK_TELEMETRY": "told.jsonl"}
    environment["TAGBACK_SUBSCRIPTIONS"] = "00000000-0000-0000-0000-000000000001"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.startswith("telemetry.off because=")
    assert "tagback[telemetry]" in ran.stderr
    assert not (ROOT / "told.jsonl").exists()


def test_an_installation_that_was_not_asked_loads_no_telemetry() -> None:
    code = "import sys; from shared import wiring; wiring.from_environment(); "
    code += "print([name for name in sys.modules if name.startswith(('opentelemetry', 'azure.monitor'))])"
    environment = {"AzureWebJobsStorage__accountName": "example"}
    environment["TAGBACK_SUBSCRIPTIONS"] = "00000000-0000-0000-0000-000000000001"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
