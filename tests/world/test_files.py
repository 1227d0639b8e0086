"""Single files: disks are lent to a machine, or taken back, although every slice of that is harmed at its port calls.

A blow takes a world of its own, so a sample is dealt here; `RESTORE_BLOWS_EVERY=1` deals every one, as a soak does.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.world.exhaustive import Scene
from tests.world.files import LENDINGS, Lending, problems
from tests.world.test_restores import EVERY, named, survives


@pytest.mark.parametrize(("way", "scene"), LENDINGS, ids=named)
def test_disks_are_lent_and_taken_back_whatever_harms_that(
    way: Lending, scene: Scene, counted: Callable[[Count, int], None]
) -> None:
    first = LENDINGS.index((way, scene))
    counted(Count.BLOWS, survives(scene, first, EVERY, lambda world: problems(world, way)))
