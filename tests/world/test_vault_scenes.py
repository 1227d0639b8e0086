"""Every step of a protection by Azure Backup, harmed at every port call that it makes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.world.exhaustive import Scene, blows, play
from tests.world.vault_scenes import VAULT_SCENES


@pytest.mark.parametrize("scene", VAULT_SCENES, ids=lambda scene: scene.name.replace(" ", "-"))
def test_a_protection_harmed_at_any_port_call_keeps_every_promise_and_converges(
    scene: Scene, counted: Callable[[Count, int], None]
) -> None:
    number = 0
    for blow in blows(scene):
        outcome = play(scene, blow)
        assert outcome.struck, f"{blow} of {scene.name!r} was never dealt"
        assert not outcome.violations, f"{blow} of {scene.name!r}: {outcome.violations[0]}"
        number += 1
    assert number >= 4
    counted(Count.BLOWS, number)
