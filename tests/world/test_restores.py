"""A restore is harmed at port calls of every slice of every mode: it ends complete, or undone, all the same.

A blow takes a world of its own, so a sample is dealt here; `RESTORE_BLOWS_EVERY=1` deals every one, as a soak does.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.world.exhaustive import Scene, blows, play
from tests.world.restores import RESTORES, Verdict, Way
from tests.world.seeded import Run

EVERY = int(os.environ.get("RESTORE_BLOWS_EVERY", "7"))
"""One in so many blows, another one of them in each scene."""


def named(value: object) -> str:
    return value.name.replace(" ", "-") if isinstance(value, Scene) else ""


def survives(scene: Scene, first: int, every: int, judged: Callable[[Run], list[str]]) -> int:
    """Deal one in `every` blows, beginning with another one for each `first`; how many those were."""
    known = list(blows(scene))
    dealt = known[first % min(every, len(known)) :: every]
    assert dealt
    for blow in dealt:
        seen: list[Run] = []
        outcome = play(scene, blow, seen.append)
        assert outcome.struck, f"{blow} of {scene.name!r} was never dealt"
        assert not outcome.violations, f"{blow} of {scene.name!r}: {outcome.violations[0]}"
        assert judged(seen[0]) == [], f"{blow} of {scene.name!r}"
    return len(dealt)


@pytest.mark.parametrize(("way", "scene"), RESTORES, ids=named)
def test_a_restore_harmed_at_any_port_call_comes_to_its_end(
    way: Way, scene: Scene, counted: Callable[[Count, int], None]
) -> None:
    first = RESTORES.index((way, scene))
    counted(Count.BLOWS, survives(scene, first, EVERY, lambda world: Verdict(world, way).problems()))
