"""What a claim, and its being taken back, makes of a point."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.decide.deletion_dates import Going
from shared.decide.removal import begun, spared, waiting_for_people
from shared.model.point import PointState, Removal
from tests.fleet import DAY, NOW, machine, point

REMOVAL = Removal(NOW, NOW, "it is due")
DELETING = replace(point(machine(1, "web-1"), state=PointState.DELETING), removal=REMOVAL)


@pytest.mark.parametrize(("remains", "state"), [(False, PointState.COMPLETE), (True, PointState.INCOMPLETE)])
def test_what_nothing_has_happened_to_is_again_what_it_was(remains: bool, state: PointState) -> None:
    claimed = replace(DELETING, removal=replace(REMOVAL, remains=remains))
    assert spared(claimed) == replace(claimed, state=state)


def test_what_was_never_claimed_stays_as_it_is() -> None:
    for one in (point(machine(1, "web-1")), replace(DELETING, removal=None)):
        assert spared(one) is one


def test_deletions_that_wait_for_people_are_counted_with_the_reason_of_the_first() -> None:
    frozen = replace(DELETING, removal=replace(REMOVAL, frozen=True, because="a pause"))
    assert waiting_for_people([DELETING]) == ""
    assert waiting_for_people([DELETING, frozen]) == "1 deletion waits: a pause"
    assert waiting_for_people([frozen, DELETING, frozen]) == "2 deletions wait: a pause"


def test_a_deletion_that_begins_waits_for_nobody_and_remembers_its_first_claim() -> None:
    row = point(machine(1, "web-1"))
    asking = replace(REMOVAL, frozen=True, asks=True, because="a pause")
    going = Going(replace(row, removal=asking), NOW, planned=True, because="it is due")
    first = begun(going, NOW + DAY)
    assert first.state is PointState.DELETING
    assert first.removal == replace(REMOVAL, claimed_at=NOW + DAY, next_look=NOW + DAY, planned=True)
    again = begun(replace(going, point=first), NOW + 2 * DAY)
    assert again.removal == replace(REMOVAL, claimed_at=NOW + DAY, next_look=NOW + 2 * DAY, planned=True)
    left_overs = begun(replace(going, remains=True), NOW)
    assert left_overs.state is PointState.COMPLETE
