"""The contract of ports.Brakes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import LostRace
from shared.model.brake import Brake, Braking, Stops
from shared.ports.storage import Brakes
from tests.rows import EXACT

HELD = Brake(Stops.DELETES, "person-1", EXACT, "müde · 'quoted' \\ /")
DONE = replace(HELD, stops=Stops.UNPLANNED, scope="sub-1", released_by="x", released_at=EXACT + timedelta(hours=1))


def test_brakes_are_read_back_as_they_were_put_and_never_changed_unread(brakes: Brakes) -> None:
    before = brakes.now()
    brakes.change(replace(before, brakes=(HELD, DONE)))
    stored = brakes.now()
    assert stored.brakes == (HELD, DONE)
    assert stored.etag != before.etag
    with pytest.raises(LostRace):
        brakes.change(before)
    brakes.change(replace(stored, brakes=()))
    with pytest.raises(LostRace):
        brakes.change(stored)
    assert brakes.now().brakes == ()


def test_brakes_that_exist_are_not_made_a_second_time(brakes: Brakes) -> None:
    brakes.change(brakes.now())
    with pytest.raises(LostRace):
        brakes.change(Braking())
