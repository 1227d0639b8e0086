"""A restore from a vault is harmed at port calls of every slice: the vault is asked once, and it comes to its end.

A sample is dealt here, half as many as in test_restores.py; `RESTORE_BLOWS_EVERY=1` deals every blow.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.world.exhaustive import Scene
from tests.world.test_restores import EVERY, named, survives
from tests.world.vault_restores import RESTORES, Verdict, Way

FEW = 2 * EVERY - 1


@pytest.mark.parametrize(("way", "scene"), RESTORES, ids=named)
def test_a_restore_from_a_vault_that_is_harmed_comes_to_its_end(
    way: Way, scene: Scene, counted: Callable[[Count, int], None]
) -> None:
    first = RESTORES.index((way, scene))
    counted(Count.BLOWS, survives(scene, first, FEW, lambda world: Verdict(world, way).problems()))
