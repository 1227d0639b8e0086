"""No vulnerability is known of a version that the locks name: what `make audit` asks, where osv.dev answers.

What has to be so everywhere is tried on a stand-in for osv.dev: that it is asked about every locked version, and that
one advisory is as little good news as silence. `make test` installs pip-audit, in an environment of its own.
"""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.package.build import LOCKS
from tests.package.test_locks import DEV, ROOT, locked, recipe

PIP_AUDIT = ROOT / ".venv-clients" / "audit" / "bin" / "pip-audit"
SECONDS_TO_ANSWER = 5
SECONDS_IN_ALL = 300
# Known since 2019: whoever has no word against it is not the database that we mean to ask.
VULNERABLE = {"version": "2.10", "package": {"name": "jinja2", "ecosystem": "PyPI"}}
ADVISORY = {
    "id": "PYSEC-0000-1",
    "summary": "made for a test",
    "affected": [{"package": {"name": "click", "ecosystem": "PyPI"}, "ranges": []}],
}

pytestmark = pytest.mark.skipif(not PIP_AUDIT.exists(), reason="pip-audit is not there: `make test` installs it")


@dataclass
class Database:
    """A stand-in for osv.dev: which package it knows something against, and what it was asked."""

    against: str = ""
    asked: set[tuple[str, str]] = field(default_factory=set)
    url: str = ""

    def answer(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        name = question["package"]["name"]
        self.asked.add((name, question["version"]))
        return {"vulns": [ADVISORY]} if name == self.against else {}


@contextmanager
def database(against: str = "") -> Iterator[Database]:
    made = Database(against)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps(made.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def audit(cache: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    """What `make audit` runs, with its findings as JSON; TimeoutExpired where it takes too long."""
    [command] = [line for line in recipe("audit", *settings) if "/pip-audit " in line]
    options = ["-f", "json", "--timeout", str(SECONDS_TO_ANSWER), "--cache-dir", str(cache)]
    words = [*shlex.split(command), *options]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS_IN_ALL)


def findings(ran: subprocess.CompletedProcess[str]) -> list[tuple[str, str]] | None:
    """Each advisory with whom it is against; None where it did not come to an end."""
    try:
        document = json.loads(ran.stdout)
    except ValueError:
        return None
    return [(one["name"], advisory["id"]) for one in document["dependencies"] for advisory in one.get("vulns", [])]


def unanswered(url: str) -> str:
    """Why the database cannot be asked from here; empty where it can."""
    question = urllib.request.Request(url, json.dumps(VULNERABLE).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(question, timeout=SECONDS_TO_ANSWER) as answer:
            return "" if json.load(answer).get("vulns") else "it has no word against a version that is known to be bad"
    except (OSError, ValueError, AttributeError) as error:
        return str(error)


def everything_locked() -> set[tuple[str, str]]:
    """Every version of every lock, but for what is only installed on Windows, where nothing of this runs."""
    locks = (*LOCKS.values(), DEV)
    text = "\n".join((ROOT / lock).read_text(encoding="utf-8") for lock in locks)
    elsewhere = set(re.findall(r"^([a-z0-9-]+)==([^ ;]+) ; .*(?:win32|Windows)", text, re.MULTILINE))
    return {pair for lock in locks for pair in locked(lock).items()} - elsewhere


def test_nothing_is_known_against_what_is_locked(tmp_path: Path) -> None:
    [command] = [line for line in recipe("audit") if "/pip-audit " in line]
    words = shlex.split(command)
    silent = unanswered(words[words.index("--osv-url") + 1])
    if silent:
        pytest.xfail(f"osv.dev cannot be asked from here, so vulnerabilities were not looked up: {silent}")
    try:
        ran = audit(tmp_path)
    except subprocess.TimeoutExpired:
        pytest.xfail(f"osv.dev took longer than {SECONDS_IN_ALL} seconds, so vulnerabilities were not looked up")
    found = findings(ran)
    if found is None:
        pytest.xfail(f"osv.dev stopped answering, so vulnerabilities were not looked up: {ran.stderr[-300:]}")
    assert found == []


def test_every_locked_version_is_asked_about_and_one_advisory_is_enough(tmp_path: Path) -> None:
    with database(against="click") as osv:
        ran = audit(tmp_path, f"OSV={osv.url}")
    assert osv.asked == everything_locked()
    assert (ran.returncode, set(findings(ran) or ())) == (1, {("click", ADVISORY["id"])})


def test_silence_is_no_good_news_to_make_audit_and_none_of_its_findings(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
    ran = audit(tmp_path, f"OSV={url}")
    assert ran.returncode == 1
    assert findings(ran) is None
    assert "refused" in unanswered(url)


def test_who_knows_nothing_against_a_bad_version_is_not_the_database() -> None:
    with database() as osv:
        assert "no word" in unanswered(osv.url)
    with database(against="jinja2") as osv:
        assert unanswered(osv.url) == ""
