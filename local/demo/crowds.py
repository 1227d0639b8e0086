"""Writes what was in Azure before the play: machines without a story, as sections of the simulator's seed file.

Pure; used by the demo's main program. They ask for nothing, so no act of the script speaks of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from local.demo.scenario import Crowd, Scenario


def seeded(scenario: Scenario) -> str:
    """The sections, which name each machine in the order of its number; empty without a crowd."""
    return "".join(line for crowd in scenario.crowds for line in _sections(crowd))


def _sections(crowd: Crowd) -> Iterator[str]:
    place = f'subscription = "{crowd.subscription}"\nlocation = "{crowd.region}"\n'
    yield f'[[group]]\nname = "{crowd.group}"\n{place}'
    for number in range(1, crowd.count + 1):
        yield f'[[vm]]\nname = "{crowd.name}-{number:04}"\ngroup = "{crowd.group}"\n{place}'
