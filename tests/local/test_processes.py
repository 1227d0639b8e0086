"""Parts of the stack: one clear line when they fail, nothing left when they end, one stack per folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.process import Command, Part, PartFailed, leash
from local.runfolder import announce, claimed, write_environment

STUBBORN = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print('ready', child.pid, flush=True)\n"
    "time.sleep(600)\n"
)
READY = re.compile(r"^ready (\d+)$", re.MULTILINE)


def python(program: str, folder: Path) -> Command:
    return Command("part", [sys.executable, "-c", program], folder / "logs" / "part.log", {})


def alive(pid: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(found.strip()) and not found.startswith("Z")


def is_dead_soon(pid: int) -> bool:
    """A killed process of a group that was waited for may need a moment more than its leader."""
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def test_a_part_ends_with_all_it_started_when_the_block_ends(tmp_path: Path) -> None:
    with leash() as held:
        part = Part(python(STUBBORN.replace("SIG_IGN", "SIG_DFL"), tmp_path), held)
        child = int(part.await_lines(READY, 1)[0].group(1))
        assert alive(child)
    assert not part.running()
    assert is_dead_soon(child)


def test_killing_a_part_takes_what_it_started_along(tmp_path: Path) -> None:
    with leash() as held:
        part = Part(python(STUBBORN, tmp_path), held)
        child = int(part.await_lines(READY, 1)[0].group(1))
        part.kill()
        assert is_dead_soon(child)


def test_a_part_that_ends_before_it_is_ready_says_its_last_words(tmp_path: Path) -> None:
    with leash() as held:
        part = Part(python("import sys; print('starting'); sys.exit('port 7071 is in use')", tmp_path), held)
        with pytest.raises(PartFailed, match=r"^part ended with code 1 before it was ready: port 7071 is in use$"):
            part.await_lines(READY, 1)


def test_a_program_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    command = Command("part", [str(tmp_path / "nothing")], tmp_path / "part.log", {})
    with leash() as held, pytest.raises(PartFailed, match=r"^part cannot start: '.*nothing' is not there$"):
        Part(command, held)


def test_kill_9_of_the_owner_ends_the_parts(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal\n"
        "from tests.local.test_processes import READY, STUBBORN, Part, leash, python\n"
        "with leash() as held:\n"
        f"    part = Part(python(STUBBORN.replace('SIG_IGN', 'SIG_DFL'), pathlib.Path({str(tmp_path)!r})), held)\n"
        "    print(part.pid, part.await_lines(READY, 1)[0].group(1), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 8
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if alive(pid)]


def test_a_second_stack_in_the_same_folder_is_refused_by_name(tmp_path: Path) -> None:
    with (
        claimed(tmp_path),
        pytest.raises(PartFailed, match=rf"^a local stack already runs here \(process {os.getpid()}\)$"),
        claimed(tmp_path),
    ):
        pass


def test_what_a_dead_stack_left_is_removed_and_so_is_ours_at_the_end(tmp_path: Path) -> None:
    announce(tmp_path, "host", {"pid": 999999, "url": "http://127.0.0.1:1"})
    with claimed(tmp_path):
        assert not (tmp_path / "host.json").exists()
        announce(tmp_path, "host", {"pid": os.getpid(), "url": "http://127.0.0.1:2"})
    assert not (tmp_path / "host.json").exists()


def test_the_environment_file_survives_a_shell_with_its_quotes(tmp_path: Path) -> None:
    value = "a 'quoted' value; with $signs"
    write_environment(tmp_path, {"SOME_SETTING": value})
    shown = subprocess.run(
        ["bash", "-c", f'source {tmp_path}/env && printf %s "$SOME_SETTING"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == value
