"""Every fault of the list against every flow: how often they met. `python -m tests.world.matrix` writes docs/world.md.

Worlds in which everything goes wrong, with much to do, and the scenes of the exhaustive driver are lived through
together. A cell stays empty only where the table of reasons says why the two can never meet.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from tests.world.circumstances import FROM, LASTING, STRIKING, twice, under
from tests.world.encounters import FLOWS, Encounters, flow_here
from tests.world.every_scene import SCENES
from tests.world.exhaustive import FAULT_OF, Blow, Harm, Scene, applies, play
from tests.world.options import Options
from tests.world.scheduler import Invocation
from tests.world.seeded import Run, run
from tests.world.steps import Phase
from tests.world.storm import KINDS

NAMES = {
    "F1": "429 with Retry-After",
    "F2": "5xx, and conflicts with another operation",
    "F3": "an answer that is lost, before or after the call took effect",
    "F4": "accepted, then failed, cancelled or never done",
    "F5": "bulk lists that are late, double, or leave rows out",
    "F6": "bulk lists that are short or empty",
    "F7": "events that come twice or a day late",
    "F8": "events that never come",
    "F9": "a clock that is wrong",
    "F10": "days on which clocks change, and leap days",
    "F11": "timers that are silent, late or double",
    "F12": "messages that nobody of ours wrote",
    "F13": "work longer than its message is hidden",
    "F14": "rows that somebody else has just written",
    "F15": "another process at work at the same time",
    "F16": "a kill at any call",
    "F17": "disks of which Azure makes no snapshot",
    "F18": "locks",
    "F19": "machines and disks that are deleted, moved, or made again under their names, within the hour",
    "F20": "platform limits",
    "F21": "permissions that are lost",
    "F22": "tables, queues and blobs that do not answer",
    "F23": "tags and ids in another case than ours",
    "F24": "the app stopped for hours: within the hour after, or killed by it",
}
FAULTS = tuple(NAMES)
BEGIN, END = "<!-- counted -->", "<!-- end -->"
NEVER = Path(__file__).with_name("never.toml")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "world.md"
SKEWS = (timedelta(seconds=150), timedelta(0), timedelta(seconds=-150))
HOUR = timedelta(hours=1)
CLOCKS_CHANGE = {date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1), date(2027, 3, 14), date(2028, 2, 29)}
SEEDS = (2, 3, 9, 18)
RARE = {"prune", "rebuild", "hold", "bury"}  # flows that worlds of ten days hardly ever reach


@dataclass
class Matrix:
    """What met what, the checks of every promise on the way, and what was broken."""

    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    called: Counter[tuple[str, str]] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def empty(self) -> list[tuple[str, str]]:
        """The cells that nothing fills and no reason explains."""
        known = reasons()
        cells = ((fault, flow) for fault in FAULTS for flow in FLOWS)
        return [cell for cell in cells if not self.met[cell] and cell not in known]

    def mistaken(self) -> list[tuple[str, str]]:
        """The cells that are said to be impossible, and were filled."""
        return [cell for cell in reasons() if self.met[cell]]


def reasons() -> dict[tuple[str, str], str]:
    """Why a fault never meets a flow, by cell."""
    table = tomllib.loads(NEVER.read_text(encoding="utf-8"))["never"]
    return {(fault, flow): row["because"] for row in table for fault in row["faults"] for flow in row["flows"]}


def everything(seed: int) -> Options:
    """A world in which every kind of fault comes, and people do something every hour."""
    drawn = Options.of(seed).having(())  # what only some have is no column
    return replace(
        drawn,
        machines=8,
        skews=SKEWS,
        kinds=KINDS,
        spells_every=HOUR,
        acts_every=HOUR,
        loses_ledger=seed % 2 == 0,
        inherits=seed % 3 == 0,
        garbage=40,
    )


def lived(seeds: Sequence[int]) -> Matrix:
    """The worlds of these seeds."""
    matrix = Matrix()
    for seed in seeds:
        encounters = Encounters()
        result = run(seed, everything(seed), lambda world: _watched(world, encounters), encounters)  # noqa: B023
        matrix.met += encounters.met
        matrix.called += encounters.called
        matrix.checked += result.checked
        matrix.broken += [f"seed {seed}: {violation}" for violation in result.violations]
    return matrix


def _watched(world: Run, encounters: Encounters) -> None:
    world.storm.met = encounters.meet
    encounters.lasting = lambda invocation: _lasting(world, invocation)
    encounters.down = lambda: world.host.down
    _counted(world, encounters)


def _lasting(world: Run, invocation: Invocation) -> Iterator[str]:
    """The faults that last while this invocation works."""
    now = world.stage.scheduler.now
    if "F8" in world.storm.active:
        yield "F8"
    if invocation.process.skew:
        yield "F9"
    if now.date() in CLOCKS_CHANGE:
        yield "F10"
    if any(count and process is not invocation.process for process, count in world.host.at_work.items()):
        yield "F15"
    if now - world.life.upheaval < HOUR:
        yield "F19"
    if world.host.back_since and now - world.host.back_since < HOUR:
        yield "F24"


def staged() -> Matrix:
    """Each flow in the scenes, harmed once by every fault that can meet it."""
    matrix = Matrix()
    for scene in SCENES:
        encounters = Encounters()
        undisturbed = play(scene, None, partial(_counted, encounters=encounters), encounters)
        matrix.met += encounters.met
        for number, flow in dict.fromkeys(undisturbed.flows):
            call = undisturbed.calls[number]
            for harm in Harm:
                if flow and applies(harm, call) and not matrix.met[FAULT_OF[harm], flow]:
                    matrix.met[FAULT_OF[harm], flow] += 1
                    outcome = play(scene, Blow(number, Phase.BEFORE, harm), _naming)
                    matrix.broken += [f"{harm} at {call.verb} of {scene.name!r}: {one}" for one in outcome.violations]
        _circumstanced(matrix, scene, {flow for _, flow in undisturbed.flows} & RARE)
    return matrix


def _circumstanced(matrix: Matrix, scene: Scene, flows: set[str]) -> None:
    """The scene under whatever circumstance a rare flow of it has not met yet."""
    known = reasons()
    for fault in (*LASTING, *STRIKING, *FROM):
        if all(matrix.met[fault, flow] or (fault, flow) in known for flow in flows):
            continue
        encounters = Encounters()
        changed = twice(scene, fault) if fault in FROM else under(scene, {**LASTING, **STRIKING}[fault], encounters)
        outcome = play(changed, None, partial(_counted, encounters=encounters), encounters)
        matrix.broken += [f"{fault} around {scene.name!r}: {one}" for one in outcome.violations]
        lasting = {(fault, flow): 1 for flow in flows} if fault in LASTING else {}
        matrix.met += Counter(lasting) + encounters.met


def _counted(world: Run, encounters: Encounters) -> None:
    """Counts whatever a scene brings about by itself."""
    _naming(world)
    encounters.now = lambda: world.stage.scheduler.now
    encounters.blinded = lambda: bool(world.stage.azure.disabled)


def _naming(world: Run) -> None:
    world.stage.scheduler.names_flow = flow_here


def together(*parts: Matrix) -> Matrix:
    whole = Matrix()
    for part in parts:
        whole.met += part.met
        whole.called += part.called
        whole.checked += part.checked
        whole.broken += part.broken
    return whole


def table(matrix: Matrix) -> str:
    """The counts as Markdown; a dot where the two can never meet."""
    known = reasons()
    lines = [f"| | {' | '.join(FLOWS)} |", f"|---|{'---:|' * len(FLOWS)}"]
    for fault in FAULTS:
        cells = ["." if (fault, flow) in known else f"{matrix.met[fault, flow]:,}" for flow in FLOWS]
        lines.append(f"| {fault} | {' | '.join(cells)} |")
    return "\n".join(lines)


def told(matrix: Matrix, seeds: Sequence[int]) -> str:
    """What the page says of one run."""
    worlds = f"{len(seeds)} worlds with every kind of fault, and {len(SCENES)} scenes. Promises checked in the worlds:"
    counts = ", ".join(f"{name} {count:,}" for name, count in sorted(matrix.checked.items()))
    rows = tomllib.loads(NEVER.read_text(encoding="utf-8"))["never"]
    why = [f"| {', '.join(row['faults'])} | {', '.join(row['flows'])} | {row['because']} |" for row in rows]
    faults = [f"| {fault} | {what} |" for fault, what in NAMES.items()]
    return "\n".join(
        [
            f"{worlds} {counts}.",
            "",
            table(matrix),
            "",
            "| fault | what it is |",
            "|---|---|",
            *faults,
            "",
            "| never | meets | because |",
            "|---|---|---|",
            *why,
        ]
    )


def write(text: str) -> None:
    """Put it between the marks of the page."""
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.world.matrix", description=__doc__)
    parser.add_argument("--seeds", metavar="A..B", help="instead of those of the test")
    parser.add_argument("--write", action="store_true", help="put it into docs/world.md")
    asked = parser.parse_args(words)
    logging.getLogger("tagback").setLevel(logging.CRITICAL)
    seeds: Sequence[int] = SEEDS
    if asked.seeds:
        first, last = (int(part) for part in asked.seeds.split(".."))
        seeds = range(first, last + 1)
    matrix = together(lived(seeds), staged())
    print(table(matrix))
    if asked.write:
        write(told(matrix, seeds))
    print("checked   " + "  ".join(f"{name}={count:,}" for name, count in sorted(matrix.checked.items())))
    for line in [*matrix.broken, *(f"empty: {cell}" for cell in matrix.empty())]:
        print(line)
    for cell in matrix.mistaken():
        print(f"said to be impossible, and happened: {cell}")
    return 1 if matrix.broken or matrix.empty() or matrix.mistaken() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
