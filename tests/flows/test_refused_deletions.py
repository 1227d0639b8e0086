"""Deletions that Azure refuses, or accepts and does not carry out: said, asked again, and never called done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from shared.errors import CloudError, Conflict, Denied, Missing, OutcomeUnknown, Refused, Throttled, Unavailable
from shared.model.identity import ResourceId, Shard
from shared.model.machine import Machine
from shared.model.point import Point, PointState
from shared.ports import Deletions
from tests.fleet import DAY, LAST_SLOT
from tests.flows.deleting import HOUR, MINUTE, Estate, gains
from tests.world.twins.azure import Fair, Fate

REFUSALS = {
    "Azure asked for fewer calls": Throttled("SubscriptionRequestsThrottled", "wait", 2 * HOUR),
    "another operation is running on it": Conflict("RetryableErrorDueToAnotherOperation", "busy", 409),
    "Azure did not answer": Unavailable("ServiceUnavailable", "down", 503),
    "the answer was lost": OutcomeUnknown("Timeout", "no answer"),
    "what it belongs to was not there": Missing("ResourceGroupNotFound", "no group", 404),
    "a permission is missing": Denied("AuthorizationFailed", "no right", 403),
    "Azure refuses its deletion": Refused("BadRequest", "nonsense", 400),
}


@dataclass
class Refusing:
    """Azure's deletions, of which those of some snapshots are refused until that is over."""

    real: Deletions
    refused: frozenset[ResourceId]
    error: CloudError | None
    asked: list[ResourceId] = field(default_factory=list)

    def azure_now(self, shard: Shard) -> datetime:
        return self.real.azure_now(shard)

    def delete(self, shard: Shard, snapshot: ResourceId) -> None:
        if self.error is not None and snapshot in self.refused:
            self.asked.append(snapshot)
            raise self.error
        self.real.delete(shard, snapshot)


class Never(Fair):
    """What Azure accepts is never carried out."""

    def fate(self, snapshot: ResourceId) -> Fate:
        return Fate(None)


@dataclass
class Purge:
    """Two machines, each with a point whose week is over and one of today, and enough gained to delete both."""

    estate: Estate = field(default_factory=Estate)
    machines: list[Machine] = field(default_factory=list)
    old: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number in (1, 2):
            of = self.estate.machine(number)
            old, new = self.estate.taken(of, 7), self.estate.taken(of, 0)
            self.estate.put(of, old, new, *gains(of, LAST_SLOT))
            self.machines.append(of)
            self.old.append(old)

    def refuse(self, points: Iterable[Point], error: CloudError) -> Refusing:
        """Refuse the deletions of the parts of some points from now on."""
        world = self.estate.fleet.world
        refusing = Refusing(world.deletions, frozenset(part.id for one in points for part in one.parts), error)
        self.estate.stage.world = replace(world, deletions=refusing)
        return refusing

    def pass_time(self, duration: timedelta) -> None:
        self.estate.pass_time(duration, self._gain)

    def _gain(self) -> None:
        """Captures succeed every hour, so that no budget stands in the way."""
        for of in self.machines:
            record = self.estate.fleet.world.ledger.record(of.shard, of.uid)
            assert record is not None
            self.estate.change(record.machine, *gains(of, self.estate.stage.scheduler.now - 10 * MINUTE))

    def slots(self, of: Machine) -> list[datetime]:
        return [point.slot for point in self.estate.points(of)]


@pytest.mark.parametrize("because", REFUSALS)
def test_a_refused_deletion_is_said_asked_again_and_done_in_the_end_and_holds_up_no_other(because: str) -> None:
    purge = Purge()
    [kept, gone], estate = purge.old, purge.estate
    refusing = purge.refuse([kept], REFUSALS[because])
    purge.pass_time(48 * HOUR)
    assert estate.there(kept) == [True, True]
    assert kept.slot in purge.slots(purge.machines[0])
    assert because in estate.why(purge.machines[0], kept.slot)
    assert REFUSALS[because].code in estate.why(purge.machines[0], kept.slot)
    assert set(refusing.asked) == {part.id for part in kept.parts}
    assert estate.there(gone) == [False, False]
    assert purge.slots(purge.machines[1]) == [LAST_SLOT]
    refusing.error = None
    purge.pass_time(27 * HOUR)
    assert estate.there(kept) == [False, False]
    assert purge.slots(purge.machines[0]) == [LAST_SLOT]


def test_nothing_is_asked_for_before_the_time_that_azure_named() -> None:
    purge = Purge()
    refusing = purge.refuse(purge.old, Throttled("SubscriptionRequestsThrottled", "wait", DAY))
    purge.pass_time(48 * HOUR)
    assert refusing.asked
    assert len(refusing.asked) == len(set(refusing.asked))


def test_a_deletion_that_azure_did_not_carry_out_is_not_called_done_because_a_list_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    purge = Purge()
    of, old, estate = purge.machines[0], purge.old[0], purge.estate
    estate.stage.azure.weather = Never()
    whole, holdings = estate.fleet.world.holdings.snapshots, estate.fleet.world.holdings
    purge.pass_time(30 * HOUR)
    assert next(point.state for point in estate.points(of) if point.slot == old.slot) is PointState.DELETING
    monkeypatch.setattr(holdings, "snapshots", lambda _: iter(()))
    purge.pass_time(24 * HOUR)
    assert old.slot in purge.slots(of), "it is there, and the ledger knows it"
    monkeypatch.setattr(holdings, "snapshots", whole)
    estate.stage.azure.weather = Fair()
    purge.pass_time(24 * HOUR)
    assert estate.there(old) == [False, False]
    assert purge.slots(of) == [LAST_SLOT]


def test_a_deletion_that_azure_accepted_and_did_not_carry_out_is_not_called_done() -> None:
    purge = Purge()
    of, old, estate = purge.machines[0], purge.old[0], purge.estate
    estate.stage.azure.weather = Never()
    purge.pass_time(72 * HOUR)
    assert estate.there(old) == [True, True]
    assert next(point.state for point in estate.points(of) if point.slot == old.slot) is PointState.DELETING
    assert not any("point.deleted" in line for _, _, line in estate.stage.audit.lines)
    estate.stage.azure.weather = Fair()
    purge.pass_time(2 * HOUR)
    assert estate.there(old) == [False, False]
    assert purge.slots(of) == [LAST_SLOT]
    assert any("point.deleted" in line for _, _, line in estate.stage.audit.lines)
