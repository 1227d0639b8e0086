"""One night of a few machines in the local stack, for the end-to-end tests: played, gathered, judged as the demo is.

It adds nothing to the product and knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from local.demo.cast import Cast
from local.demo.evidence import Observer
from local.demo.fleet import Fleet
from local.demo.owners import enter_owners
from local.demo.play import begin
from local.demo.report import CommandLine
from local.demo.scenario import Scenario, load
from local.demo.script import Script
from local.demo.telling import Screen
from local.judges import Finding, World, judged
from local.judges.evidence import read
from local.judges.script import read_script
from local.stack import APP_ROLES, AUDIENCE, Stack, Wanted, running
from tests.infra import roles
from tests.infra.roles import Assignment

# The machines opt in well before their slot of 02:00; the night is over when that slot must have its answer.
EVENING = timedelta(hours=1, minutes=10)
PRODUCT = "tagback"  # whom the stack's managed identity speaks for
PEOPLE = ("owner", "neighbour", "mallory", "anonymous")
LENGTH = timedelta(hours=2, minutes=50)


class Night:
    """A stack that has just started in the evening, with its owners."""

    def __init__(self, stack: Stack, scenario: Scenario) -> None:
        self.stack = stack
        self.scenario = scenario
        self.end = scenario.start + LENGTH
        self.conductor = stack.conductor()
        self.observer = Observer(stack)
        self.tagback = CommandLine(stack)
        self.cast = Cast(
            scenario=scenario,
            end=self.end,
            stack=stack,
            conductor=self.conductor,
            fleet=Fleet(stack.simulator_url, stack.bundle, self.conductor.stage.sleep),
            observer=self.observer,
            screen=Screen(self.conductor.now),
            script=Script(stack.wanted.run / "evidence" / "script.jsonl"),
            tagback=self.tagback,
            chance=Random(1),  # a scenario, repeatable by its seed
        )
        begin(self.cast)
        enter_owners(self.cast)

    def judged(self) -> tuple[World, Mapping[str, Finding]]:
        """What the judges find at the end of the night."""
        folder = self.cast.script.folder
        self.observer.write(self.observer.gather())
        world = World(read(folder), read_script(self.cast.script.path))
        return world, judged(world)

    def close(self) -> None:
        self.cast.fleet.close()
        self.observer.close()


def seeded(subscriptions: Sequence[str]) -> str:
    """The subscriptions with the rights of an installation as infra/ deploys it; people own what is theirs.

    It makes recovery groups by itself (`createRecoveryGroups`), so its rights inside them hold in whole subscriptions.
    """
    app = Assignment(PRODUCT, tuple(replace(grant, scope="subscription") for grant in roles.grants()))
    lines = [f'[[app_role]]\naudience = "{AUDIENCE}"\nrole = "{role}"\nprincipal = "*"\n' for role in APP_ROLES]
    for subscription in subscriptions:
        place = f"/subscriptions/{subscription}"
        lines.append(f'[[subscription]]\nid = "{subscription}"\n')
        lines += [f'[[assignment]]\nprincipal = "{who}"\nrole = "Owner"\nscope = "{place}"\n' for who in PEOPLE]
        lines.append(roles.seeded([app], {"subscription": place}))
    return "\n".join(lines)


@contextmanager
def night(folder: Path, names: Sequence[str], **settings: str) -> Iterator[Night]:
    """A night of some of the demo's machines, on free ports, in a folder of its own."""
    whole = load("spine", 1, datetime.now(UTC))
    machines = tuple(replace(machine, turns=()) for machine in whole.machines if machine.name in names)
    scenario = replace(whole, start=whole.start + EVENING, machines=machines)
    seed = folder / "roles.toml"
    seed.write_text(seeded(scenario.subscriptions), encoding="utf-8")
    wanted = Wanted(
        scenario.subscriptions, scenario.start, run=folder / "run", settings=settings, simulator=("--seed", str(seed))
    )
    with running(wanted) as stack:
        stack.subscribe_events()
        played = Night(stack, scenario)
        try:
            yield played
        finally:
            played.close()
