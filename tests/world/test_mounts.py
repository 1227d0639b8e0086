"""Files from a vault: its point is mounted, once, and unmounted, although every slice of that is harmed at its calls.

A blow takes a world of its own, so a sample is dealt here, half as many as in test_restores.py; `RESTORE_BLOWS_EVERY=1`
deals every one, as a soak does.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.world.exhaustive import Scene
from tests.world.mounts import MOUNTINGS, Mounting, problems
from tests.world.test_restores import EVERY, named, survives

FEW = 2 * EVERY - 1


@pytest.mark.parametrize(("way", "scene"), MOUNTINGS, ids=named)
def test_a_point_is_mounted_and_unmounted_whatever_harms_that(
    way: Mounting, scene: Scene, counted: Callable[[Count, int], None]
) -> None:
    first = MOUNTINGS.index((way, scene))
    counted(Count.BLOWS, survives(scene, first, FEW, lambda world: problems(world, way)))
