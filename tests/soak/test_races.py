"""A sample of the races that `python -m tests.soak.races` runs a million times."""

from __future__ import annotations

from collections.abc import Callable

from local.azurite.server import Azurite
from tests.counts import Count
from tests.soak.races import race

SAMPLE = 10_000


def test_of_ten_thousand_racing_updates_over_64_rows_none_is_lost(
    azurite: Azurite, counted: Callable[[Count, int], None]
) -> None:
    outcome = race(azurite.connection_string, SAMPLE)
    print(outcome)
    assert outcome.updates >= SAMPLE
    assert (outcome.rows, outcome.lost) == (64, 0)
    assert outcome.races > 0, "the writers never met: nothing was tested"
    counted(Count.UPDATES, outcome.updates)
    counted(Count.RACES, outcome.races)
