"""`python -m tests.simulator.replay [SESSION-GLOB]`: replay, print the score table and what still differs."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.simulator.replay.echo import Echo
from tests.simulator.replay.player import Result, play, symbols_for
from tests.simulator.replay.recordings import REALDATA
from tests.simulator.replay.runs import replay, sessions
from tests.simulator.replay.scores import (
    details,
    fallen,
    raised,
    read_floors,
    read_reasons,
    table,
    unmatched,
    write_floors,
)


def main() -> int:
    """Run and report; 1 when a session fell below its floor, 2 when there is nothing to replay."""
    options = parser().parse_args()
    chosen = sessions(options.sessions)
    if not chosen:
        print(f"no session matches {options.sessions!r} below {REALDATA}", file=sys.stderr)
        return 2
    if options.echo:
        results = [
            play(each, symbols_for(each, renamed=options.renamed), Echo(each, renamed=options.renamed))
            for each in chosen
        ]
    else:
        with tempfile.TemporaryDirectory() as folder:
            results = replay(chosen, Path(folder), renamed=options.renamed)
    return _report(results, options)


def parser() -> argparse.ArgumentParser:
    """Return what there is to choose."""
    found = argparse.ArgumentParser(prog="python -m tests.simulator.replay", description=__doc__)
    found.add_argument("sessions", nargs="?", default="*", help="glob on session names")
    found.add_argument("--renamed", action="store_true", help="give every resource and group another name")
    found.add_argument("--details", action="store_true", help="print every step")
    found.add_argument("--report", type=Path, help="write what differs, grouped by route")
    found.add_argument("--raise-floors", action="store_true", help="write floors where more matched than before")
    found.add_argument("--echo", action="store_true", help="play against the recording itself instead of the simulator")
    return found


def _report(results: list[Result], options: argparse.Namespace) -> int:
    if options.details:
        for result in results:
            print(f"{result.session}\n{details(result)}")
    differing = unmatched(results, read_reasons())
    refused = "\n".join(f"{each.session}: {line}" for each in results for line in each.refused)
    text = f"{table(results)}\n\nWhat differs, by route\n{differing}\n\nRefused while setting up\n{refused}\n"
    if options.report:
        options.report.write_text(text, encoding="utf-8")
    print(text if not options.details else table(results))
    floors = read_floors()
    if options.raise_floors:
        write_floors(raised(floors, results))
    below = fallen(floors, results)
    print("\n".join(below))
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
