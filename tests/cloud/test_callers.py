"""Callers of the API are counted one by one, reads and writes apart, and not remembered for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.cloud.callers import LOOKED_THROUGH_AT, Callers
from shared.decide.rates import ALLOWANCES
from shared.errors import TooMany
from shared.model.caller import Use
from tests.fleet import NOW
from tests.world.scheduler import Scheduler
from tests.world.steps import EventLog, Steps
from tests.world.twins.process import ClockTwin


@pytest.fixture
def clock() -> ClockTwin:
    return ClockTwin(scheduler := Scheduler(1, NOW), Steps(scheduler, EventLog(NOW)))


def exhausted(callers: Callers, caller: str, use: Use) -> TooMany:
    for _ in range(ALLOWANCES[use].most):
        callers.take(caller, use)
    with pytest.raises(TooMany) as refused:
        callers.take(caller, use)
    return refused.value


def test_one_who_asks_too_often_is_turned_away_and_nobody_else(clock: ClockTwin) -> None:
    callers = Callers(clock)
    refused = exhausted(callers, "ann", Use.WRITE)
    assert timedelta(0) < refused.after <= timedelta(seconds=2)
    assert "ann" in str(refused)
    callers.take("ann", Use.READ)
    callers.take("bob", Use.WRITE)
    with pytest.raises(TooMany):
        callers.take("ann", Use.WRITE)


def test_there_is_room_again_when_it_was_said(clock: ClockTwin) -> None:
    callers = Callers(clock)
    refused = exhausted(callers, "ann", Use.WRITE)
    clock.sleep(refused.after.total_seconds())
    callers.take("ann", Use.WRITE)


def test_many_callers_are_forgotten_and_the_busy_one_is_not(clock: ClockTwin) -> None:
    callers = Callers(clock)
    for number in range(3 * LOOKED_THROUGH_AT):
        callers.take(f"caller {number}", Use.READ)
    clock.sleep(ALLOWANCES[Use.READ].within.total_seconds())
    exhausted(callers, "ann", Use.WRITE)
    assert len(callers._buckets) <= LOOKED_THROUGH_AT
    with pytest.raises(TooMany):
        callers.take("ann", Use.WRITE)
