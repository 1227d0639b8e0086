"""The mass brake is told of once per freeze, and once more when it is over; it brakes whether or not it was noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.decide.freezing import freezes
from shared.flows.freezing import notice
from shared.flows.pausing import tell
from shared.model.event import Happening
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine, Status
from tests.cli.running import run
from tests.fleet import NOW, RULES, SHARD, empty_fleet, machine

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def left(number: int, at: datetime, shard: Shard = SHARD) -> Machine:
    row = replace(machine(number, f"web-{number}"), shard=shard, status=Status.EXCLUDED, tags={})
    return replace(row, left_at=at, enrolled_at=None, settled=None, uid=VmUid(f"uid-{number}"))


def crowd(count: int, at: datetime = NOW, first: int = 0, shard: Shard = SHARD) -> list[Machine]:
    return [left(first + number, at + number * MINUTE, shard) for number in range(count)]


def heard(rounds: Sequence[list[Machine]]) -> list[tuple[Happening, str]]:
    """What people were told after these sweeps."""
    fleet = empty_fleet()
    for rows in rounds:
        fleet.stage.scheduler.run(fleet.stage.scheduler.now + HOUR)
        notice(fleet.world, rows)
        tell(fleet.world, RULES)
    return [(event.type, event.subject) for event in fleet.stage.events.heard]


SUBJECT = f"/subscriptions/{SHARD.subscription}"
FROZEN, UNFROZEN = (Happening.FROZEN, SUBJECT), (Happening.UNFROZEN, SUBJECT)


@pytest.mark.parametrize(
    ("rounds", "told"),
    [
        pytest.param([crowd(4)] * 3, [], id="too few"),
        pytest.param([crowd(6)] * 5, [FROZEN], id="once, however often it is seen"),
        pytest.param([crowd(6), crowd(9)], [FROZEN], id="once, though it grows"),
        pytest.param([crowd(9), crowd(9)[2:]], [FROZEN], id="once, though the first are back"),
        pytest.param([crowd(6), []], [FROZEN, UNFROZEN], id="and when it is over"),
        pytest.param([crowd(6), [], crowd(6, NOW + DAY)], [FROZEN, UNFROZEN, FROZEN], id="another is told of again"),
        pytest.param([crowd(6), crowd(6) + crowd(6, NOW + DAY, 20)], [FROZEN, FROZEN], id="two at a time are two"),
    ],
)
def test_people_are_told_once_per_freeze(rounds: list[list[Machine]], told: list[tuple[Happening, str]]) -> None:
    assert heard(rounds) == told


def test_regions_of_a_subscription_freeze_together_and_subscriptions_apart() -> None:
    north = replace(SHARD, region="northeurope")
    other = Shard("99999999-2222-3333-4444-555555555555", "westeurope")
    rows = crowd(6) + crowd(6, NOW, 20, north) + crowd(6, NOW, 40, other)
    assert [(one.subscription, one.since) for one in freezes(rows)] == [
        (SHARD.subscription, NOW),
        (other.subscription, NOW),
    ]


def test_a_region_alone_can_freeze() -> None:
    """Six of seven in one region, while hundreds elsewhere stay."""
    north = replace(SHARD, region="northeurope")
    staying = [replace(machine(n, "x"), uid=VmUid(f"stays-{n}"), shard=north) for n in range(100)]
    [one] = freezes([*crowd(6), *staying])
    assert f"shard {SHARD}" in one.because


def test_a_freeze_is_shown_with_its_reason_and_resuming_does_not_end_it() -> None:
    fleet = empty_fleet()
    for row in crowd(6):
        fleet.put(row)
    notice(fleet.world, crowd(6))
    shown = run(fleet, "status").stdout
    assert "unplanned deletions are frozen in subscription" in shown
    assert "is that wanted?" in shown
    assert run(fleet, "resume", "all").exit_code == 2
