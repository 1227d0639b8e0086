"""Every step of a restore point, killed at port calls that it makes; answers of the engine's own calls are lost.

A blow takes a world of its own, so a sample is dealt here; `WHOLE_BLOWS_EVERY=1` deals every one, as a soak does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.counts import Count
from tests.world.exhaustive import Blow, Harm, Scene, blows, play
from tests.world.whole_scenes import WHOLE_SCENES

EVERY = int(os.environ.get("WHOLE_BLOWS_EVERY", "4"))
"""One in so many blows, another one of them in each scene."""
OWN = ("restore_points.", "holdings.restore_points", "builder.find", "deletions.delete")
"""What other scenes call as well loses its answers there."""


def chosen(scene: Scene) -> Iterator[Blow]:
    calls = play(scene, None).calls
    for blow in blows(scene):
        if blow.harm is Harm.KILL or calls[blow.at].verb.startswith(OWN):
            yield blow


@pytest.mark.parametrize("scene", WHOLE_SCENES, ids=lambda scene: scene.name.replace(" ", "-"))
def test_a_restore_point_harmed_at_any_port_call_keeps_every_promise_and_converges(
    scene: Scene, counted: Callable[[Count, int], None]
) -> None:
    number = 0
    for blow in list(chosen(scene))[WHOLE_SCENES.index(scene) % EVERY :: EVERY]:
        outcome = play(scene, blow)
        assert outcome.struck, f"{blow} of {scene.name!r} was never dealt"
        assert not outcome.violations, f"{blow} of {scene.name!r}: {outcome.violations[0]}"
        number += 1
    assert number >= 1
    counted(Count.BLOWS, number)
