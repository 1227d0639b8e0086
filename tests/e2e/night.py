"""One night of a few machines in the local stack, for the end-to-end tests: played, gathered, judged as the demo is.

It adds nothing to the product and knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from local.demo.checks import PROMISES
from local.demo.due import read_plans
from local.demo.evidence import Observer
from local.demo.fleet import Fleet
from local.demo.report import CommandLine
from local.demo.scenario import Scenario, load
from local.demo.story import Finding, Story
from local.stack import ROOT, Stack, Wanted, running

# The machines opt in half an hour before their slot of 02:00, whose window ends at 03:00.
EVENING = timedelta(hours=1, minutes=30)
LENGTH = timedelta(hours=2, minutes=15)


class Night:
    """A stack that has just started in the evening, with its owners."""

    def __init__(self, stack: Stack, scenario: Scenario) -> None:
        self.stack = stack
        self.scenario = scenario
        self.end = scenario.start + LENGTH
        self.conductor = stack.conductor()
        self.fleet = Fleet(stack.simulator_url, stack.bundle, self.conductor.stage.sleep)
        self.observer = Observer(stack)
        self.tagback = CommandLine(stack)
        for machine in scenario.machines:
            self.conductor.stage.at(scenario.start, f"create {machine.name}", partial(self.fleet.create, machine))

    def judged(self) -> tuple[Story, dict[str, Finding]]:
        """What the checks find at the end of the night."""
        plans = read_plans(ROOT / "shared" / "plans.toml")
        story = Story(self.scenario, self.end, plans, self.observer.gather())
        return story, {name: check(story) for name, check in PROMISES.items()}

    def close(self) -> None:
        self.fleet.close()
        self.observer.close()


@contextmanager
def night(folder: Path, names: Sequence[str]) -> Iterator[Night]:
    """A night of some of the demo's machines, on free ports, in a folder of its own."""
    whole = load("spine", 1, datetime.now(UTC))
    machines = tuple(replace(machine, turns=()) for machine in whole.machines if machine.name in names)
    scenario = replace(whole, start=whole.start + EVENING, machines=machines)
    with running(Wanted(scenario.subscriptions, scenario.start, run=folder / "run")) as stack:
        stack.subscribe_events()
        played = Night(stack, scenario)
        try:
            yield played
        finally:
            played.close()
