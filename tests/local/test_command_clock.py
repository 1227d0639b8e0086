"""`python -m local.clock -- …` runs a command line at the running stack's present instant."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

INSTANT = datetime(2033, 3, 3, 3, 3, tzinfo=UTC)
SAY_NOW = "import datetime, sys; print(datetime.datetime.now(datetime.UTC).isoformat()); sys.exit(7)"


class Simulator(BaseHTTPRequestHandler):
    """As much of the simulator as the command line asks: its clock."""

    def do_GET(self) -> None:
        body = json.dumps({"now": INSTANT.isoformat(), "next": None, "busy": False, "activity": 0}).encode()
        self.send_response(200 if self.path == "/_sim/clock" else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Simulator) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / "simulator.json").write_text(
            json.dumps({"pid": 1, "url": f"http://127.0.0.1:{server.server_port}"})
        )
        yield tmp_path
        server.shutdown()


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "local.clock", *words], capture_output=True, text=True, check=False)


def test_a_file_runs_at_the_stacks_instant_and_its_exit_code_is_passed_on(run: Path, tmp_path: Path) -> None:
    program = tmp_path / "say_now.py"
    program.write_text(SAY_NOW)
    done = command("--run", str(run), "--", str(program))
    assert done.returncode == 7, done.stderr
    assert INSTANT <= datetime.fromisoformat(done.stdout.strip()) < INSTANT + timedelta(seconds=30)


def test_a_module_gets_its_own_arguments(run: Path) -> None:
    done = command("--run", str(run), "--", "-m", "json.tool", "--help")
    assert done.returncode == 0, done.stderr
    assert "--sort-keys" in done.stdout


def test_a_console_script_runs_by_its_name(run: Path) -> None:
    done = command("--run", str(run), "--", "pytest", "--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "pytest")


def test_an_unknown_console_script_is_bad_input(run: Path) -> None:
    done = command("--run", str(run), "--", "no-such-script")
    assert (done.returncode, done.stderr) == (2, "local.clock: no console script named 'no-such-script'\n")


def test_without_a_running_stack_it_says_so_in_one_line(tmp_path: Path) -> None:
    done = command("--run", str(tmp_path), "--", "tagback", "status")
    assert done.returncode == 5
    assert done.stderr.startswith("local.clock: the local stack is not running (`make up` starts it)")
    assert done.stderr.count("\n") == 1


def test_a_stack_that_is_gone_is_said_in_one_line_too(tmp_path: Path) -> None:
    (tmp_path / "simulator.json").write_text('{"pid": 1, "url": "http://127.0.0.1:1"}')
    done = command("--run", str(tmp_path), "--", "tagback", "status")
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)


def test_a_part_can_be_started_far_ahead_of_the_machine(tmp_path: Path) -> None:
    program = tmp_path / "say_now.py"
    program.write_text(SAY_NOW)
    before = datetime.now(UTC)
    done = command("--ahead", "864000", "--", str(program))
    shown = datetime.fromisoformat(done.stdout.strip())
    assert timedelta(days=10) <= shown - before < timedelta(days=10, seconds=60)
