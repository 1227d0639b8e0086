"""The points that `tagback plan` says would die do die, not before the time it names and soon after it; no others do.

The change is carried out, then hours pass: the timer marks, the reaper deletes, as in every other night.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from shared.flows.registering import reconcile
from shared.flows.whatif import Proposal, what_if
from shared.messages import VmKey
from shared.model.machine import Machine
from tests.fleet import DAY, LAST_SLOT, RULES
from tests.flows.deleting import HOUR, MINUTE, Estate, gains

SOON = 3 * HOUR  # the timer's hour, the reaper's look, and Azure's own time
SHORT = replace(RULES, orphan_keep=6 * DAY)


@dataclass(frozen=True)
class Case:
    """What a machine's tags are and become, the ages of its points in days, and those of them that die early."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    ages: tuple[int, ...]
    dying: tuple[int, ...]


CASES = {
    "opted out, with old points and new ones": Case({"backup": "silver"}, {"backup": "off"}, (0, 1, 2, 9, 30), (0,)),
    "untagged": Case({"backup": "silver", "backup-keep": "last=4"}, {}, (0, 8, 9, 10), (8, 9, 10, 0)),
    "fewer of the newest are kept": Case(
        {"backup": "silver", "backup-keep": "last=5"},
        {"backup": "silver", "backup-keep": "last=2"},
        (0, 8, 9, 10, 20, 21),
        (9, 10, 20),
    ),
    "a hold is taken off": Case(
        {"backup": "silver", "backup-hold": "forever"}, {"backup": "silver"}, (0, 7, 12), (7, 12)
    ),
    "a typo costs nothing": Case({"backup": "silver"}, {"backup": "slver"}, (0, 1, 2), ()),
    "a longer keep costs nothing": Case(
        {"backup": "silver"}, {"backup": "silver", "backup-keep": "30d"}, (0, 1, 2), ()
    ),
}


def regain(estate: Estate, of: Machine) -> None:
    """Another capture has succeeded just now, so that the budget of planned deletions has room."""
    [operation] = gains(of, estate.stage.scheduler.now - 10 * MINUTE)
    record = estate.fleet.world.ledger.record(of.shard, of.uid)
    assert record is not None
    estate.change(record.machine, operation)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_foretold_to_die_dies_then_and_nothing_else(case: Case) -> None:
    estate = Estate(rules=SHORT)
    of = estate.machine(tags=dict(case.before))
    points = [estate.taken(of, age) for age in sorted(case.ages, reverse=True)]
    estate.put(of, *points)
    proposal = Proposal((of.name,), {**case.after}, tuple(set(case.before) - set(case.after)))
    found = what_if(estate.fleet.world, SHORT, proposal)
    foretold = {death.point.slot: death for outlook in found.outlooks for death in outlook.deaths}
    assert sorted(foretold) == sorted(LAST_SLOT - age * DAY for age in case.dying)

    estate.retag(dict(case.after))
    reconcile(estate.fleet.world, SHORT, VmKey(of.id))
    gone = died(estate, of, 10 * DAY)

    for slot, death in foretold.items():
        assert death.at <= gone[slot] <= death.at + SOON
    own_time = {slot for slot in gone if slot not in foretold}
    assert all(gone[slot] >= slot + 7 * DAY for slot in own_time)
    assert {point.slot for point in points} >= set(gone)


def died(estate: Estate, of: Machine, within: timedelta) -> dict[datetime, datetime]:
    """When each point's row left the ledger."""
    gone: dict[datetime, datetime] = {}
    standing = {point.slot for point in estate.points(of)}
    for _ in range(int(within / HOUR)):
        estate.pass_time(HOUR, lambda: regain(estate, of))
        left = {point.slot for point in estate.points(of)}
        gone |= dict.fromkeys(standing - left, estate.stage.scheduler.now)
        standing = left
    return gone
