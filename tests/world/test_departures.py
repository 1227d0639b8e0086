"""Whether it can be seen that the mass brake failed, and that a machine is said to have left which never did."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.model.identity import VmUid
from tests.decide.plans import machine
from tests.world.catalogue import ENFORCED
from tests.world.departures import Departures
from tests.world.scenes import FIRST, SHARD
from tests.world.twins.azure import Azure

NOW = datetime.fromisoformat("2026-06-20T12:00:00+00:00")
MINUTE = timedelta(minutes=1)


class Bench:
    """Machines that leave one after another, of as many as are known."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.azure = Azure(now=lambda: NOW)
        self.departures = Departures(self.azure, self._require)

    def _require(self, holds: bool, promise: str, what: str) -> None:
        if not holds:
            self.broken.append(promise)

    def leave(self, moments: list[datetime | None]) -> None:
        for number, moment in enumerate(moments):
            uid = VmUid(f"uid-{number}")
            self.azure.lives[uid] = [(moment or NOW, replace(FIRST, uid=uid, tags={}))]
            self.departures.machine_written(SHARD, replace(machine(), uid=uid, left_at=moment), None, NOW)

    def goes(self, number: int = 0) -> list[str]:
        self.departures.unplanned(SHARD, VmUid(f"uid-{number}"))
        return self.broken


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("leaving", "staying", "every", "broken"),
    [(4, 0, 1, []), (5, 0, 1, ["S3"]), (5, 20, 1, []), (5, 19, 1, ["S3"]), (5, 0, 16, []), (5, 0, 15, ["S3"])],
)
def test_the_points_of_many_who_left_within_an_hour_stay(
    bench: Bench, leaving: int, staying: int, every: int, broken: list[str]
) -> None:
    bench.leave([*(NOW + number * every * MINUTE for number in range(leaving)), *[None] * staying])
    assert bench.goes() == broken


def test_those_of_one_who_left_at_another_time_may_go(bench: Bench) -> None:
    bench.leave([NOW - 90 * MINUTE, *[NOW] * 9])
    assert bench.goes(0) == []
    assert bench.goes(1) == ["S3"]


def test_those_who_ask_again_loosen_it(bench: Bench) -> None:
    bench.leave([NOW] * 5)
    bench.departures.machine_written(SHARD, replace(machine(), uid=VmUid("uid-4"), left_at=None), None, NOW)
    assert bench.goes() == []


def test_after_the_loss_of_the_ledger_nobody_knows_who_had_left(bench: Bench) -> None:
    bench.leave([NOW] * 5)
    bench.departures.lost()
    assert bench.goes() == []


@pytest.mark.parametrize(("tags", "broken"), [({"backup": "gold"}, ["S7"]), ({"backup": "off"}, []), ({}, [])])
def test_whoever_is_said_to_have_left_did_not_ask(bench: Bench, tags: dict[str, str], broken: list[str]) -> None:
    bench.azure.lives[FIRST.uid] = [(NOW - 90 * MINUTE, replace(FIRST, tags=tags))]
    row = replace(machine(), uid=FIRST.uid, id=FIRST.id, left_at=NOW)
    bench.departures.machine_written(SHARD, row, replace(row, left_at=None), NOW)
    assert bench.broken == broken


def test_whoever_left_a_moment_ago_and_asks_again_did_leave(bench: Bench) -> None:
    bench.azure.lives[FIRST.uid] = [(NOW - 4 * MINUTE, replace(FIRST, tags={})), (NOW - MINUTE, FIRST)]
    row = replace(machine(), uid=FIRST.uid, id=FIRST.id, left_at=NOW)
    bench.departures.machine_written(SHARD, row, None, NOW)
    assert bench.broken == []
    assert ENFORCED[0] in bench.departures.known
