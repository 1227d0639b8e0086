"""`make demo`: a month in the life of a fleet on real parts, with everything going wrong, judged from outside.

DAYS and SEED come from the environment. Exit 0 when every promise holds, 1 when one does not, 2 for bad input. Leaves
local/.run/summary.json and local/.run/evidence/.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.clock.conductor import Stuck
from local.clock.stage import SceneFailed
from local.demo.answers import status_is_told
from local.demo.cast import Cast
from local.demo.checks import PROMISES
from local.demo.due import read_plans
from local.demo.evidence import Observer
from local.demo.fleet import Fleet
from local.demo.play import enter
from local.demo.report import CommandLine, Run, show_findings, summary, write_summary
from local.demo.scenario import Scenario, load
from local.demo.script import Script
from local.demo.story import Finding, Story
from local.demo.telling import Progress, Screen
from local.process import PartFailed
from local.stack import ROOT, RUN, Stack, Wanted, running

BAD_INPUT = 2
SETTLING = timedelta(minutes=5)
QUESTIONS = (["status"], ["points", "shop-1"], ["explain", "shop-1"], ["explain", "typo-1"], ["explain", "cache-1"])


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for."""

    days: int
    seed: int


def wish(environment: Mapping[str, str]) -> Wish:
    """Read DAYS and SEED; all that is wrong is reported at once."""
    days, seed = environment.get("DAYS", "30"), environment.get("SEED", "1")
    wrong = []
    if not (days.isdecimal() and 1 <= int(days) <= 366):
        wrong.append(f"DAYS={days}: a whole number from 1 to 366")
    if not seed.isdecimal():
        wrong.append(f"SEED={seed}: a whole number from 0")
    if wrong:
        raise ValueError("; ".join(wrong))
    return Wish(int(days), int(seed))


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
    print(cast.conductor.statistics, f"{time.monotonic() - began:.1f} s", stack.cpu_seconds(), flush=True)
    evidence = cast.observer.gather()
    cast.observer.write(evidence, stack.wanted.run / "evidence")
    cast.fleet.close()
    cast.observer.close()
    story = Story(scenario, cast.end, read_plans(ROOT / "shared" / "plans.toml"), evidence)
    findings = judge(story, cast.screen, cast.tagback)
    document = summary(story, findings, Run(wanted.seed, time.monotonic() - began, cast.conductor.statistics))
    write_summary(stack.wanted.run, document)
    cast.screen.plain(
        f"\n{wanted.days} days in {document['wall_seconds']} s, {document['points']} complete points of "
        f"{document['machines']} machines, {document['jumps']} jumps: {'all is well' if document['ok'] else 'NOT WELL'}"
    )
    return bool(document["ok"])


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


def judge(story: Story, screen: Screen, tagback: CommandLine) -> dict[str, Finding]:
    """Show what the product tells, and hold it and the evidence against the story."""
    for words in QUESTIONS:
        tagback.show(screen, *words)
    findings: dict[str, Finding] = {name: check(story) for name, check in PROMISES.items()}
    findings["status"] = status_is_told(story, tagback)
    show_findings(screen, findings)
    return findings


def main(run: Path = RUN) -> int:
    try:
        wanted = wish(os.environ)
        scenario = load("month", wanted.seed, datetime.now(UTC))
        print(
            f"Tagback demo: {wanted.days} days from {scenario.start:%A %d %B %Y}, seed {wanted.seed}; "
            "the sweep runs once an hour (TAGBACK_SWEEP) to save time, not every quarter of one",
            flush=True,
        )
        with running(
            Wanted(scenario.subscriptions, scenario.start, wanted.seed, run, settings=scenario.settings)
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
