"""A drill is harmed at port calls of each of its slices: it comes to its verdict all the same, and nothing is left.

A blow takes a world of its own, so a sample is dealt here; `DRILL_BLOWS_EVERY=1` deals every one, as a soak does.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.world.drills import BEGUN, DRILLS, OUTCOMES, Outcome, problems
from tests.world.exhaustive import Scene, blows, play
from tests.world.seeded import Run

EVERY = int(os.environ.get("DRILL_BLOWS_EVERY", "7"))
"""One in so many blows, another one of them in each scene."""


def named(value: object) -> str:
    return value.name.replace(" ", "-") if isinstance(value, Scene) else ""


@pytest.mark.parametrize(("outcome", "scene"), DRILLS, ids=named)
def test_a_drill_harmed_at_any_port_call_comes_to_its_verdict_and_leaves_nothing(
    outcome: Outcome, scene: Scene, counted: Callable[[Count, int], None]
) -> None:
    known = list(blows(scene))
    every = 2 * EVERY - 1 if outcome.whole else EVERY  # only how disks are made differs by engine
    dealt = known[DRILLS.index((outcome, scene)) % min(every, len(known)) :: every]
    assert dealt
    for blow in dealt:
        seen: list[Run] = []
        harmed = play(scene, blow, seen.append)
        assert harmed.struck, f"{blow} of {scene.name!r} was never dealt"
        assert not harmed.violations, f"{blow} of {scene.name!r}: {harmed.violations[0]}"
        assert problems(seen[0], outcome) == [], f"{blow} of {scene.name!r}"
    counted(Count.BLOWS, len(dealt))


def test_the_timer_of_drills_harmed_at_any_port_call_begins_one_drill(
    counted: Callable[[Count, int], None],
) -> None:
    dealt = 0
    for blow in blows(BEGUN):
        seen: list[Run] = []
        harmed = play(BEGUN, blow, seen.append)
        assert harmed.struck
        assert not harmed.violations, f"{blow}: {harmed.violations[0]}"
        assert problems(seen[0], OUTCOMES[0]) == [], f"{blow}"
        dealt += 1
    assert dealt >= 10
    counted(Count.BLOWS, dealt)
