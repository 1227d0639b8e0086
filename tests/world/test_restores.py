"""A restore is harmed at every port call of every slice of every mode: it ends complete, or undone, all the same."""

from __future__ import annotations

import pytest

from tests.world.exhaustive import Scene, blows, play
from tests.world.restores import RESTORES, Verdict, Way
from tests.world.seeded import Run


def named(value: object) -> str:
    return value.name.replace(" ", "-") if isinstance(value, Scene) else ""


@pytest.mark.parametrize(("way", "scene"), RESTORES, ids=named)
def test_a_restore_harmed_at_any_port_call_comes_to_its_end(way: Way, scene: Scene) -> None:
    number = 0
    for blow in blows(scene):
        seen: list[Run] = []
        outcome = play(scene, blow, seen.append)
        assert outcome.struck, f"{blow} of {scene.name!r} was never dealt"
        assert not outcome.violations, f"{blow} of {scene.name!r}: {outcome.violations[0]}"
        assert Verdict(seen[0], way).problems() == [], f"{blow} of {scene.name!r}"
        number += 1
    assert number >= 4
