"""Ten thousand sequences of an attacker: no deletion before the floor, none of a foreign snapshot, no newest point."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.world.attacks import besieged

SEQUENCES = 10_000
TOGETHER = 500


@pytest.mark.parametrize("first", range(0, SEQUENCES, TOGETHER))
def test_no_sequence_of_attacks_gets_anything_deleted_that_must_stay(
    first: int, counted: Callable[[Count, int], None]
) -> None:
    deleted = 0
    for seed in range(first, first + TOGETHER):
        watch = besieged(seed)
        deleted += watch.deleted
        assert watch.broken == [], f"python -m tests.world.attacks --first {seed} --sequences 1"
    assert deleted > TOGETHER, "what deletes nothing proves nothing"
    counted(Count.SEQUENCES, TOGETHER)
    counted(Count.DELETED, deleted)
