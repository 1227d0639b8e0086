"""`make demo`: a month in the life of a fleet on real parts, with everything going wrong, judged from outside.

DAYS, SEED and SCENARIO come from the environment; `SCENARIO=short` is the month's troubles in three days,
`SCENARIO=crowd` a day among a thousand machines. Exit 0 when every promise holds, 1 when one does not, 2 for bad input.
Leaves local/.run/summary.json and local/.run/evidence/.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.clock.conductor import Stuck
from local.clock.stage import SceneFailed
from local.demo.cast import Cast
from local.demo.crowds import seeded
from local.demo.evidence import Observer
from local.demo.fleet import Fleet
from local.demo.knocks import ANOTHER_APP
from local.demo.play import enter, plans_of
from local.demo.report import CommandLine, Run, show_end, show_next, summary, write_summary
from local.demo.scenario import MachineStory, Scenario, load
from local.demo.script import Script
from local.demo.telling import Progress, Screen
from local.judges import World, judged
from local.judges.evidence import read
from local.judges.script import read_script
from local.process import PartFailed
from local.stack import APP_ROLES, AUDIENCE, RUN, AppRole, Stack, Wanted, running

BAD_INPUT = 2
LENGTHS = {"month": "30", "short": "3", "crowd": "1"}  # the scenarios, and the days of each unless told
SETTLING = timedelta(minutes=5)
APPROVERS = ("anna", "ben")
PAGES = ("--page", "100")  # so that lists of a small fleet have several, too
STATUS = ["status"]
QUESTIONS = (
    STATUS,
    ["points", "shop-1"],
    ["explain", "shop-1"],
    ["explain", "typo-1"],
    ["explain", "cache-1"],
    ["explain", "late-1"],
    ["drill"],
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for."""

    days: int
    seed: int
    scenario: str = "month"


def wish(environment: Mapping[str, str]) -> Wish:
    """Read DAYS, SEED and SCENARIO; all that is wrong is reported at once."""
    name, seed = environment.get("SCENARIO", "month"), environment.get("SEED", "1")
    days = environment.get("DAYS", LENGTHS.get(name, "1"))
    wrong = []
    if name not in LENGTHS:
        wrong.append(f"SCENARIO={name}: one of {', '.join(LENGTHS)}")
    if not (days.isdecimal() and 1 <= int(days) <= 366):
        wrong.append(f"DAYS={days}: a whole number from 1 to 366")
    if not seed.isdecimal():
        wrong.append(f"SEED={seed}: a whole number from 0")
    if wrong:
        raise ValueError("; ".join(wrong))
    return Wish(int(days), int(seed), name)


def play(stack: Stack, scenario: Scenario, wanted: Wish) -> bool:
    """Live through the scenario and judge it."""
    began = time.monotonic()
    cast = assembled(stack, scenario, wanted)
    stack.subscribe_events()
    enter(cast)
    cast.screen.open()
    try:
        cast.conductor.run(cast.end)
        cast.conductor.run(cast.end + SETTLING)
    finally:
        cast.screen.close()
    note_expected(cast)
    rules = cast.observer.simulator("faults")
    cast.observer.write(cast.observer.gather())
    for words in questions(cast.scenario):
        cast.tagback.show(cast.screen, *words)
    cast.fleet.close()
    cast.observer.close()
    world = World(read(cast.script.folder), read_script(cast.script.path))
    findings = judged(world)
    processor = {**stack.cpu_seconds(), "demo": round(time.process_time(), 1)}
    run = Run(wanted.seed, time.monotonic() - began, cast.conductor.statistics, processor)
    document = summary(world, rules, findings, run)
    write_summary(stack.wanted.run, document)
    show_end(cast.screen, document, findings)
    show_next(cast.screen, stack.wanted.run)
    cast.screen.heading("All is well." if document["ok"] else "NOT WELL: see above.")
    return bool(document["ok"])


def app_roles(scenario: Scenario) -> list[AppRole]:
    """Who may what at the app's door; of another app everybody has a role that is called the same."""
    return [
        (AUDIENCE, "Tagback.Read", "viewer"),
        *((AUDIENCE, "Tagback.Approve", who) for who in APPROVERS),
        (AUDIENCE, f"Tagback.Read/{scenario.subscriptions[0]}", "viewer-of-one-subscription"),
        *((ANOTHER_APP, role, "*") for role in ("Tagback.Read", *APP_ROLES)),
    ]


def questions(scenario: Scenario) -> list[list[str]]:
    """What is asked of the command line at the end, of machines that there are; not of a crowd, one by one."""
    known = {machine.name for machine in scenario.machines}
    asked = [words for words in QUESTIONS if known.issuperset(words[1:])]
    return [words for words in asked if words != STATUS] if scenario.crowds else asked


def note_expected(cast: Cast) -> None:
    """Write down what each machine whose story was told to its end should be told to be."""
    for machine in cast.scenario.machines:
        if all(cast.scenario.start + at < cast.end for at in (machine.created, *(turn.at for turn in machine.turns))):
            cast.script.note("expect", cast.end, machine=final_id(machine), status=machine.status)


def final_id(machine: MachineStory) -> str:
    """Where a machine is at the end of its story."""
    groups = [turn.to for turn in machine.turns if turn.do == "move"]
    return replace(machine, group=groups[-1]).id if groups else machine.id


def assembled(stack: Stack, scenario: Scenario, wanted: Wish) -> Cast:
    """Everybody who takes part."""
    conductor, end = stack.conductor(), scenario.start + timedelta(days=wanted.days)
    return Cast(
        scenario=scenario,
        end=end,
        stack=stack,
        conductor=conductor,
        fleet=Fleet(stack.simulator_url, stack.bundle, conductor.stage.sleep),
        observer=Observer(stack),
        screen=Screen(conductor.now, Progress(scenario.start, end)),
        script=Script(stack.wanted.run / "evidence" / "script.jsonl"),
        tagback=CommandLine(stack),
        chance=random.Random(wanted.seed),  # noqa: S311 # a scenario, repeatable by its seed
    )


def write_plans(run: Path, scenario: Scenario) -> Path:
    """Where the app finds the scenario's plans."""
    run.mkdir(parents=True, exist_ok=True)
    path = run / "plans.toml"
    path.write_text(plans_of(scenario))
    return path


def main(run: Path = RUN) -> int:
    try:
        wanted = wish(os.environ)
        scenario = load(wanted.scenario, wanted.seed, datetime.now(UTC))
        print(
            f"Tagback demo: {wanted.days} days from {scenario.start:%A %d %B %Y}, seed {wanted.seed}; "
            "the sweep runs once an hour (TAGBACK_SWEEP) to save time, not every quarter of one",
            flush=True,
        )
        settings = {**scenario.settings, "TAGBACK_PLANS": str(write_plans(run, scenario))}
        with running(
            Wanted(
                scenario.subscriptions,
                scenario.start,
                wanted.seed,
                run,
                settings=settings,
                simulator=PAGES,
                estate=seeded(scenario),
                app_roles=app_roles(scenario),
            )
        ) as stack:
            return 0 if play(stack, scenario, wanted) else 1
    except ValueError as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return BAD_INPUT
    except (PartFailed, SceneFailed, Stuck) as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
