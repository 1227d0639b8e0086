"""`python -m local.clock -- tagback status`: runs a command line at the present instant of the running stack.

The clock of this one process is put where the stack's clock stands and runs on from there; exit codes are the
command's own. Without a running stack it says so and exits 5. With `--ahead SECONDS` no stack is asked: that is how
local.stack starts a part in the middle of virtual time. It never moves the stack's clock.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from local.clock.followers import FollowerFailed, SimulatorClock

RUN = Path(__file__).parent.parent / ".run"
BAD_INPUT = 2
UNREACHABLE = 5


def present(run: Path) -> datetime:
    """The virtual instant of the stack that left its address in this folder."""
    try:
        url = json.loads((run / "simulator.json").read_text())["url"]
        clock = SimulatorClock(url, run / "tls" / "ca.pem" if url.startswith("https") else None)
    except (OSError, ValueError, KeyError) as problem:
        raise FollowerFailed(f"nothing readable in {run} ({problem})") from problem
    try:
        return clock.now()
    finally:
        clock.close()


def follow(words: list[str]) -> None:
    """Run a console script, `-m module`, or a Python file in this process."""
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        return
    sys.argv = words
    if words[0].endswith(".py"):
        runpy.run_path(words[0], run_name="__main__")
        return
    found = [entry for entry in importlib.metadata.entry_points(group="console_scripts") if entry.name == words[0]]
    if not found:
        print(f"local.clock: no console script named '{words[0]}'", file=sys.stderr)
        sys.exit(BAD_INPUT)
    sys.exit(found[0].load()())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.clock", description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=RUN, help="folder of the running stack (default: local/.run)")
    parser.add_argument("--ahead", type=float, metavar="SECONDS", help="stand so far ahead of the machine's clock")
    parser.add_argument("words", nargs="+", metavar="command", help="console script, `-m module` or file.py, after --")
    given = parser.parse_args()
    try:
        now = present(given.run) if given.ahead is None else datetime.now(UTC) + timedelta(seconds=given.ahead)
    except FollowerFailed as problem:
        print(f"local.clock: the local stack is not running (`make up` starts it): {problem}", file=sys.stderr)
        sys.exit(UNREACHABLE)
    with time_machine.travel(now, tick=True):
        follow(given.words)


if __name__ == "__main__":
    main()
