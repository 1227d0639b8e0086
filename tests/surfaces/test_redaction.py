"""No secret reaches a log line or a trace: fifty-one canaries, in the forms in which secrets come by."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.cloud import redaction
from shared.cloud.clock import SystemClock
from shared.cloud.telemetry import to_file
from shared.model.telemetry import Count, Level, Span

ROOT = Path(__file__).resolve().parents[2]
# In every form stands one canary of its own, at the place of `{}`.
FORMS = (
    "Authorization: Bearer {}", "authorization=Bearer {}", "{{'Authorization': 'Bearer {}'}}", "bearer {}",
    '{{"Authorization": "Bearer {}"}}', "Authorization: SharedKey account:{}", "Authorization: Basic {}",
    "token eyJ{}.payload.signature", "https://a.blob.core.windows.net/c?sv=1&sig={}", "https://a/c?sig={}&se=2026",
    "https://a/c?SIG={}", "https://app/runtime/webhooks/eventgrid?functionName=f&code={}", "https://app/api?code={}",
    "AccountKey={};EndpointSuffix=core", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}",
    "SharedAccessKeyName=Root;SharedAccessKey={}", "SharedAccessSignature={}", "InstrumentationKey={}",
    "x-functions-key: {}", '"x-functions-key": "{}"', "aeg-sas-key: {}", "aeg-sas-token: {}", "client_secret={}",
    "grant_type=x&client_secret={}&y=1", '{{"client_secret": "{}"}}', "password={}", "Password: {}", "pwd={}",
    '{{"adminPassword":1,"password":"{}"}}', "secret={}", "api_key={}", "api-key: {}", "apikey={}",
    '{{"access_token":"{}"}}', "access_token={}", "refresh_token={}", '"refresh_token": "{}"', "id_token={}",
    "https://login/cb?access_token={}&x=1", "IDENTITY_HEADER={}", "X-IDENTITY-HEADER: {}", "Cookie: {}",
    "Set-Cookie: {}; Secure", "https://user:{}@host/", "amqp://root:{}@host", "{}@contoso.example",
    "owner is {}@mail.contoso.example now", "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\n{}", '\\"password\\": \\"{}\\"', '{{"accessTokenString": "{}"}}',
)  # fmt: skip
CANARIES = [(form, f"canary{number:02}x{'9f3a' * 4}") for number, form in enumerate(FORMS)]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the root logger writes, from any logger of the process."""
    before, root, stream = logging.getLogRecordFactory(), logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(stream)
    level = root.level
    redaction.install()
    redaction.install()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(before)


def test_there_are_fifty_one() -> None:
    assert len(CANARIES) == 51
    assert len({canary for _, canary in CANARIES}) == 51


@pytest.mark.parametrize(("form", "canary"), CANARIES, ids=[form[:30] for form in FORMS])
def test_a_secret_is_in_no_line(form: str, canary: str, written: io.StringIO) -> None:
    text = form.format(canary)
    for name in ("tagback", "azure.core.pipeline", "urllib3.connectionpool", "a.library"):
        log = logging.getLogger(name)
        log.warning(text.replace("%", "%%"))
        log.warning("call.failed url=%s", text)
        log.warning("call.failed because=%r", text)
        log.warning("call.failed %s", {"headers": text})
        log.warning("call.failed body=%s", json.dumps({"error": text}))
    assert canary not in written.getvalue()
    assert redaction.GONE in written.getvalue()


def test_a_secret_is_in_no_span_and_in_no_figure(tmp_path: Path) -> None:
    telemetry = to_file(tmp_path / "told.jsonl", 1, SystemClock())
    for form, canary in CANARIES:
        text = form.format(canary)
        facts: dict[str, str | int] = {"resource": text, "status": 403, "headers": json.dumps({"headers": text})}
        moment = SystemClock().now()
        telemetry.spans([Span("1" * 32, "2" * 16, "3" * 16, f"GET {text}", moment, moment, facts, text)])
        telemetry.count(Count.FAILED, text)
        telemetry.level(Level.CALLS_LEFT, text, 1)
    telemetry.close()
    told = (tmp_path / "told.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in told.splitlines()]
    assert sum("trace" in line for line in lines) == 51
    assert {line["figure"] for line in lines if "figure" in line} == {Count.FAILED, Level.CALLS_LEFT}
    assert [canary for _, canary in CANARIES if canary in told] == []
    assert told.count(redaction.GONE) >= 4 * 51


@pytest.mark.parametrize(("form", "canary"), CANARIES, ids=[form[:30] for form in FORMS])
def test_a_secret_is_in_no_traceback(form: str, canary: str, written: io.StringIO) -> None:
    try:
        try:
            raise ValueError(form.format(canary))
        except ValueError as error:
            raise RuntimeError(f"call failed: {form.format(canary)}") from error
    except RuntimeError:
        logging.getLogger("a.library").exception("it broke")
    assert canary not in written.getvalue()
    assert "it broke\nTraceback" in written.getvalue()


def test_every_process_of_the_product_redacts_from_its_first_look_at_the_settings_on() -> None:
    code = (
        "import logging\nfrom shared import wiring\nfrom shared.errors import BadInput\n"
        "try:\n    wiring.from_environment()\nexcept BadInput:\n    pass\n"
        "logging.warning('AccountKey=canary')"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, check=True)
    assert ran.stderr == "WARNING:root:[redacted]\n"


@pytest.mark.parametrize(
    "line",
    [
        "sweep.done shards=3 machines=50 questions=2",
        "point.judged vm=web-1 slot=20261120T0200Z verdict=Delete because='kept until 2026-11-27 02:00Z'",
        "vm.asked id=/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/secretary",
        "event.told type=Tagback.Point.Completed subject=/subscriptions/s id=3f2a",
        "snapshot tb-0123456789abcdef0123456789abcdef of disk 7c9e6679-7425-40de-944b-e07fc1f90ae7",
        'message.poisoned queue=requests text=\'{"request": "eb723b9fba2743c2802b72fa91a1b464"}\'',
    ],
)
def test_what_we_say_ourselves_stays_as_it_is(line: str, written: io.StringIO) -> None:
    logging.getLogger("tagback").info("%s", line)
    assert written.getvalue() == line + "\n"


def test_a_line_whose_arguments_do_not_fit_is_written_all_the_same(written: io.StringIO) -> None:
    logging.getLogger("tagback").info("one %s two %s", "only one")
    assert written.getvalue() == "one %s two %s\n"


@pytest.mark.parametrize(
    "piece", ["x.", "a@", "//a:", "eyJ", "sig=", "?sig=", "password: ", "-----BEGIN PRIVATE KEY-----", "\\", " "]
)
def test_a_line_made_to_cost_time_costs_little(piece: str) -> None:
    long = piece * (redaction.LONGEST // len(piece))
    began = time.process_time()
    redaction.one_line(redaction.redacted(long))
    assert time.process_time() - began < 1


def test_a_line_that_is_too_long_is_cut(written: io.StringIO) -> None:
    logging.getLogger("tagback").info("%s", "x" * 100_000)
    assert len(written.getvalue()) == redaction.LONGEST + 1
