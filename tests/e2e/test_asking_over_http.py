"""Asking over HTTP on the running stack: the host's key, the authority's token, and the command line that has both."""

from __future__ import annotations

import base64
import json
import os
import shlex
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import ROOT, Stack, Wanted, running
from shared.web.api import routes
from shared.web.dashboard import STYLE

SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000001"
PAUSE = json.dumps({"asked": "pause", "what": "captures", "because": "an audit"}).encode()
PATIENCE = 60.0


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running(Wanted([SUBSCRIPTION], run=tmp_path, settings={"TAGBACK_API_READ": "role"})) as up:
        yield up


def environment(stack: Stack) -> dict[str, str]:
    """What a shell has that sourced the stack's `env`."""
    lines = (stack.wanted.run / "env").read_text().splitlines()
    words = [shlex.split(line)[1].partition("=") for line in lines]
    return {**os.environ, **{name: value for name, _, value in words}}


def tagback(given: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("tagback")), *words]
    return subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, check=False)


def token(given: dict[str, str], resource: str, stack: Stack) -> str:
    address = f"{given['IDENTITY_ENDPOINT']}?resource={resource}&api-version=2019-08-01&client_id=ann"
    asked = urllib.request.Request(address, headers={"X-IDENTITY-HEADER": given["IDENTITY_HEADER"]})
    with urllib.request.urlopen(asked, context=ssl.create_default_context(cafile=str(stack.ca))) as answer:
        return str(json.loads(answer.read())["access_token"])


def post(given: dict[str, str], headers: dict[str, str]) -> int:
    return answered(given, "requests", {"Content-Type": "application/json", **headers}, PAUSE)


def answered(
    given: dict[str, str], route: str, headers: dict[str, str], body: bytes | None = None, method: str | None = None
) -> int:
    address = f"{given['TAGBACK_API_ENDPOINT']}/api/{route}"
    asked = urllib.request.Request(address, body, headers, method=method)
    try:
        with urllib.request.urlopen(asked) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def opened(given: dict[str, str], headers: dict[str, str]) -> set[str]:
    """Every route that answers anything but a refusal, by whatever method."""
    found = set()
    for rule in routes().iter_rules():
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            body = None if method in ("GET", "HEAD") else PAUSE
            sent = {"Content-Type": "application/json", **headers}
            place = rule.rule.replace("<group>", "web").replace("<vm>", "web-1").replace("<id>", "x")
            if answered(given, place.removeprefix("/api/"), sent, body, method) not in (401, 405):
                found.add(rule.rule)
    return found


def forged(token: str) -> dict[str, str]:
    """What a proxy in front would add, and what a browser sends by itself."""
    claims = [{"typ": "roles", "val": "Tagback.Request"}]
    return {
        "X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"userId": "ann", "claims": claims}).encode()).decode(),
        "X-MS-CLIENT-PRINCIPAL-ID": "ann",
        "X-MS-TOKEN-AAD-ACCESS-TOKEN": token,
        "X-Forwarded-Authorization": f"Bearer {token}",
        "X-HTTP-Method-Override": "GET",
        "Cookie": f"Authorization=Bearer {token}",
    }


def test_a_key_and_a_token_of_the_authority_are_both_needed_and_the_command_line_has_them(stack: Stack) -> None:
    given = environment(stack)
    key = {"x-functions-key": given["TAGBACK_API_KEY"]}
    good, other = token(given, "api://tagback", stack), token(given, "https://management.azure.com/", stack)
    assert post(given, {}) == 401
    assert post(given, key) == 401
    assert post(given, {"Authorization": f"Bearer {good}"}) == 401
    assert post(given, {**key, "Authorization": f"Bearer {other}"}) == 401
    assert post(given, {**key, "Authorization": f"Bearer {good[:-8]}AAAAAAAA"}) == 401
    assert post(given, {**key, "Authorization": f"Bearer {good}"}) == 202
    assert answered(given, "status", key) == 401, "the stack was told that reading takes a role as well"
    assert opened(given, forged(good)) == set()
    assert opened(given, {**key, **forged(good)}) == {STYLE}
    assert answered(given, "status", {**key, "Authorization": f"Bearer {good}"}) == 200
    assert tagback(given, "approve").returncode == 0
    assert tagback(given, "approve", "--all").returncode == 3, "asked of the API, which says that nothing waits"
    until = time.monotonic() + PATIENCE
    while "captures are paused by ann" not in (said := tagback(given, "status").stdout):
        assert time.monotonic() < until, said
