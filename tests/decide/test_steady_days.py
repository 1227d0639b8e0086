"""Sixty ordinary days of every shipped plan, decided purely: what is due goes, nothing else, and nobody is asked."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from shared.decide.deletion import Facts, verdict
from shared.decide.deletion_budgets import room, spent
from shared.decide.deletion_dates import Going, Owner, standings
from shared.decide.deletion_verdicts import Delete, WaitUntil
from shared.decide.plan import read_plans
from shared.decide.retention import Neighbour, kept
from shared.decide.schedule import slots
from shared.model.plan import Plan
from shared.model.point import Origin, Point
from shared.model.spending import Spending
from shared.settings import SHIPPED_PLANS
from tests.decide.plans import SHARD, at
from tests.decide.points import TOOK, point_of

DAY = timedelta(days=1)
EVERY = timedelta(hours=2)
START = at("2027-03-01 00:00")
PLANS, _ = read_plans(tomllib.loads(SHIPPED_PLANS.read_text()))


@dataclass
class Life:
    """A few machines of one plan, each with the points it has; marked ones carry the instant of their mark."""

    plan: Plan
    machines: list[list[Point]]
    marks: dict[int, datetime] = field(default_factory=dict)
    spending: Spending = field(default_factory=lambda: Spending(SHARD))
    gained: list[datetime] = field(default_factory=list)
    deleted: list[tuple[datetime, Going]] = field(default_factory=list)

    def capture(self, points: list[Point], slot: datetime) -> None:
        known = [Neighbour(point.slot, point.keep_until) for point in points]
        answer = kept(slot, Origin.SLOT, self.plan.keep, known, self.plan.schedule.zone)
        points.append(point_of(slot, until=answer.until, earned=answer.earned, because=answer.because))
        self.gained.append(slot + TOOK)

    def expire(self, now: datetime) -> None:
        """Mark a day ahead, delete what may go: as the flows do."""
        owner = Owner(living=True, keep=self.plan.keep, floor=self.plan.keep_floor)
        for points in self.machines:
            for answer in standings(points, owner, 90 * DAY):
                if isinstance(answer, Going) and answer.at - DAY <= now:
                    self.marks.setdefault(id(answer.point), now)
                    self.delete(points, answer, now)

    def delete(self, points: list[Point], going: Going, now: datetime) -> None:
        left = room(self.spending, self.gained, len(self.machines), now)
        marked = self.marks[id(going.point)]
        facts = Facts(now, timedelta(0), "acct", going, marked, DAY, now, (), left.planned if going.planned else 0)
        answer = verdict(facts)
        assert isinstance(answer, Delete | WaitUntil), f"{going.point.slot}: {answer}"
        if isinstance(answer, Delete):
            points.remove(going.point)
            self.spending = spent(self.spending, 1, 0, now)
            self.deleted.append((now, going))


def grown(plan: Plan) -> Life:
    """Machines that have had the plan for long enough to hold points of every class."""
    life = Life(plan, [[], []])
    for slot in slots(plan.schedule, START - 400 * DAY, START):
        for points in life.machines:
            points[:] = [point for point in points if point.keep_until > slot]
            life.capture(points, slot)
    life.gained = [moment for moment in life.gained if moment > START - DAY]
    return life


@pytest.mark.parametrize("name", sorted(PLANS.by_name))
def test_sixty_steady_days_need_no_approval_and_lose_nothing_early(name: str) -> None:
    plan = PLANS.by_name[name]
    life = grown(plan)
    due = list(slots(plan.schedule, START, START + 60 * DAY))
    for turn in range(60 * 12 + 1):
        now = START + turn * EVERY
        for slot in [slot for slot in due if now - EVERY < slot <= now]:
            for points in life.machines:
                life.capture(points, slot)
        life.expire(now)
    assert len(life.deleted) >= 2 * 50
    assert all(now >= going.at for now, going in life.deleted)
    assert max(now - going.at for now, going in life.deleted) <= 2 * DAY
    newest = {max(point.slot for point in points) for points in life.machines}
    assert newest == {due[-1]}
