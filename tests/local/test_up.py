"""`make up` and `make demo` as a person meets them: one clear line for bad input, nothing left after Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from local.demo import __main__ as demo
from local.runfolder import claimed
from local.stack import RUN, Stack
from local.up import planned, ports, usage

ROOT = Path(__file__).parents[2]


def test_all_wrong_ports_are_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"HOST_PORT=http, QUEUE_PORT=70000$"):
        ports({"HOST_PORT": "http", "QUEUE_PORT": "70000", "TABLE_PORT": "10002"})


def test_ports_asked_for_are_taken() -> None:
    assert (ports({"HOST_PORT": "7071"}).host, ports({}).host) == (7071, 0)


def test_other_plans_than_the_shipped_ones_are_asked_for_by_their_file(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    with pytest.raises(ValueError, match=r"plans\.toml is no file$"):
        planned({"TAGBACK_PLANS": str(file)})
    file.touch()
    assert planned({"TAGBACK_PLANS": str(file)}) == {"TAGBACK_PLANS": str(file)}
    assert planned({}) == {}


@pytest.mark.parametrize(("module", "setting"), [("local.up", "HOST_PORT"), ("local.demo", "DAYS")])
def test_bad_input_is_exit_2_and_one_line(module: str, setting: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module], env={**os.environ, setting: "many"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{setting}=many" in done.stderr


def test_ctrl_c_in_the_middle_of_starting_leaves_nothing(tmp_path: Path) -> None:
    program = f"import pathlib, local.up; raise SystemExit(local.up.main(pathlib.Path({str(tmp_path)!r})))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT) as up:
        deadline = time.monotonic() + 60
        while not (tmp_path / "host.json").exists() and up.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        pids = [json.loads(path.read_text() or "{}").get("pid") for path in tmp_path.glob("*.json")]
        time.sleep(1)
        up.send_signal(signal.SIGINT)
        shown, _ = up.communicate(timeout=10)
    assert up.returncode == 0
    assert shown.endswith("stopped\n")
    assert len(pids) == 3
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid or os.getpid(), 0)


def test_who_starts_it_is_told_where_the_dashboard_is() -> None:
    wanted = SimpleNamespace(run=RUN)
    stack = SimpleNamespace(host_url="http://h:1", simulator_url="https://s:2", keys={"default": "k"}, wanted=wanted)
    assert "http://h:1/api/?code=k\n" in usage(cast(Stack, stack))


def test_a_demo_beside_a_running_stack_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with claimed(tmp_path):
        assert demo.main(tmp_path) == 1
    assert capsys.readouterr().err == f"demo: a local stack already runs here (process {os.getpid()})\n"
