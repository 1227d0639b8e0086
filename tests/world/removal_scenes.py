"""The scenes of what ends: dates that are lengthened, points that are marked and deleted, operations that leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from shared.flows.approving import approve
from shared.flows.draining import drain
from shared.flows.expiring import expire
from shared.flows.reaping import reap
from shared.flows.registering import reconcile
from shared.messages import REAP, SHARDS, VmKey, shard_text
from shared.model.spending import Hour, Spending
from shared.ports import World
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.scenes import FIRST, RULES, SHARD, complete, message, nothing, started
from tests.world.seeded import Run


def about_to_be_lengthened(world: Run) -> None:
    """The first captures are ready, and their rows and tags are stamped for a day less than their plan keeps them."""
    started(world)
    for rows in world.stage.ledger.rows[SHARD].values():
        for key, held in rows.points.items():
            short = held.row.birth_keep_until - timedelta(days=1)
            rows.points[key] = replace(held, row=replace(held.row, birth_keep_until=short, keep_until=short))


def long_ago(world: Run) -> None:
    """What was done is so long ago that it may leave the ledger."""
    complete(world)
    pass_time(world, timedelta(days=40))


def _drained_at(world: Run, moment: str) -> None:
    """The slot that began before this moment is captured and complete."""
    world.stage.scheduler.run(datetime.fromisoformat(moment))
    for _ in range(2):
        perform(world, lambda ports: drain(ports, RULES, SHARD))
        pass_time(world, timedelta(seconds=30))


def aged(world: Run) -> None:
    """Both machines have two points, and the older one's two days are over tomorrow."""
    complete(world)
    _drained_at(world, "2026-06-03T12:31:00+00:00")
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-04T08:00:00+00:00"))


def marked(world: Run) -> None:
    """What was marked is due, and newer points were gained meanwhile."""
    aged(world)
    perform(world, lambda ports: expire(ports, RULES))
    _drained_at(world, "2026-06-05T06:31:00+00:00")
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-05T08:00:00+00:00"))


def deleting(world: Run) -> None:
    """Azure has done what was asked of it."""
    marked(world)
    perform(world, lambda ports: reap(ports, RULES, SHARD))
    pass_time(world, timedelta(minutes=10))
    assert world.stage.azure.deleted


def approved(world: Run) -> None:
    """A machine left days ago; its older point is more than the day's budget allows, and two people agreed to it."""
    aged(world)
    world.stage.azure.delete(FIRST)
    for _ in range(2):
        perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id, FIRST.uid, SHARD)))
        pass_time(world, timedelta(minutes=11))
    pass_time(world, timedelta(hours=26))
    perform(world, lambda ports: expire(ports, RULES))
    pass_time(world, timedelta(hours=73))
    hour = world.stage.scheduler.now.replace(minute=0, second=0, microsecond=0)
    world.stage.budgets.rows[SHARD] = Spending(SHARD, (Hour(hour, 0, 10),), "full")
    perform(world, lambda ports: reap(ports, RULES, SHARD))
    for person in ("person-1", "person-2"):
        perform(world, partial(_agreed, person))
    pass_time(world, timedelta(minutes=61))
    assert world.stage.approvals.kept[SHARD].approvals[0].by == "person-2"


def _agreed(person: str, ports: World) -> None:
    approve(ports, [], person)


REMOVALS = (
    Scene("points are marked", aged, "expire", nothing),
    message("marked points are deleted", marked, REAP, shard_text(SHARD)),
    message("deleted points leave the ledger", deleting, REAP, shard_text(SHARD)),
    message("what two people agreed to is deleted", approved, REAP, shard_text(SHARD)),
    message("a date is lengthened", about_to_be_lengthened, SHARDS, shard_text(SHARD)),
    message("ended operations leave", long_ago, SHARDS, shard_text(SHARD)),
)
