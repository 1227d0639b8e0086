"""A plan made longer while a point is taken: Azure says the new date before the point is recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.decide.naming import stamp
from shared.flows.asking import ask_rebuild
from shared.flows.draining import drain
from shared.flows.requesting import run
from shared.model.plan import Age, Keep, Unit
from shared.model.point import Point
from shared.model.rules import Rules
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import FIRST, RULES, SHARD, started
from tests.world.seeded import Run
from tests.world.twins.azure import Lock, VmTruth
from tests.world.whole_scenes import VM as WHOLE
from tests.world.whole_scenes import started as whole_started


def longer() -> Rules:
    """Every plan keeps a year's worth of days."""
    plans = {name: replace(plan, keep=Keep((Age(365, Unit.DAY),))) for name, plan in RULES.plans.by_name.items()}
    return replace(RULES, plans=replace(RULES.plans, by_name=plans))


@pytest.fixture
def world() -> Run:
    made = small_world()
    started(made)
    return made


def point_of(world: Run, vm: VmTruth = FIRST) -> Point:
    [held] = world.stage.ledger.rows[SHARD][vm.uid].points.values()
    return held.row


def stamps(world: Run, vm: VmTruth = FIRST) -> set[datetime]:
    tags = [world.stage.azure.snapshots[part.id].tags for part in point_of(world, vm).live_parts]
    return {datetime.strptime(each["tagback-keep-until"], "%Y%m%dT%H%MZ").replace(tzinfo=UTC) for each in tags}


def test_a_longer_date_is_merged_onto_the_parts_before_the_point_is_complete(world: Run) -> None:
    perform(world, lambda ports: drain(ports, longer(), SHARD))
    point = point_of(world)
    assert point.complete
    assert point.keep_until == point.slot + timedelta(days=365)
    assert stamps(world) == {point.keep_until}
    assert not world.promises.violations


def test_a_part_whose_tag_was_made_earlier_says_the_ledgers_date_before_the_point_is_complete(
    world: Run,
) -> None:
    point = point_of(world)
    world.stage.azure.snapshots[point.live_parts[0].id].tags["tagback-keep-until"] = stamp(
        point.birth_keep_until - timedelta(minutes=5)
    )
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    assert point_of(world).complete
    assert stamps(world) == {point_of(world).keep_until}
    assert world.stage.steps.calls["snapshots.merge"] == 1, "and the other part, which says so, is left alone"
    assert not world.promises.violations


def test_a_point_whose_parts_cannot_be_stamped_is_not_complete_yet(world: Run) -> None:
    world.stage.azure.locks[SHARD] = Lock.CANNOT_WRITE
    perform(world, lambda ports: drain(ports, longer(), SHARD))
    assert not point_of(world).complete
    world.stage.azure.locks[SHARD] = Lock.NONE
    pass_time(world, timedelta(minutes=40))
    perform(world, lambda ports: drain(ports, longer(), SHARD))
    assert point_of(world).complete
    assert stamps(world) == {point_of(world).keep_until}


@pytest.fixture
def taken_as_one() -> Run:
    made = small_world()
    whole_started(made)
    return made


def test_a_restore_point_that_is_kept_longer_says_so_on_its_collection_and_a_lost_ledger_shortens_nothing(
    taken_as_one: Run,
) -> None:
    world = taken_as_one
    perform(world, lambda ports: drain(ports, longer(), SHARD))
    before = point_of(world, WHOLE)
    assert before.complete
    assert before.keep_until == before.slot + timedelta(days=365)
    assert stamps(world, WHOLE) == {before.keep_until}
    pass_time(world, timedelta(hours=1))
    world.loss.strike()
    ids: list[str] = []
    perform(world, lambda ports: ids.append(ask_rebuild(ports, SHARD, "me").id))
    perform(world, lambda ports: run(ports, RULES, ids[0]))  # by plans that are short again
    assert point_of(world, WHOLE).keep_until == before.keep_until
    assert not world.promises.violations


def test_a_restore_point_whose_collection_cannot_be_told_is_not_complete_yet(taken_as_one: Run) -> None:
    world = taken_as_one
    world.stage.azure.locks[SHARD] = Lock.CANNOT_WRITE
    perform(world, lambda ports: drain(ports, longer(), SHARD))
    assert not point_of(world, WHOLE).complete
    world.stage.azure.locks[SHARD] = Lock.NONE
    pass_time(world, timedelta(minutes=40))
    perform(world, lambda ports: drain(ports, longer(), SHARD))
    assert point_of(world, WHOLE).complete
    assert stamps(world, WHOLE) == {point_of(world, WHOLE).keep_until}


def test_a_date_that_stays_costs_no_call(world: Run) -> None:
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    assert point_of(world).complete
    assert world.stage.steps.calls["snapshots.merge"] == 0


def test_a_date_of_a_restore_point_that_stays_costs_no_call(taken_as_one: Run) -> None:
    perform(taken_as_one, lambda ports: drain(ports, RULES, SHARD))
    assert point_of(taken_as_one, WHOLE).complete
    assert taken_as_one.stage.steps.calls["restore_points.mark"] == 0
