"""Whether judges know what a plan asked for at any time, by an own reading of every edition of the file."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shared.model.point import Engine
from tests.world.catalogue import DAY, KEEPS, UNKNOWN
from tests.world.life import KEEPS as KEEPS_OF_TAGS
from tests.world.plan_file import PlanFile, is_unreadable_keep, newest_held, tagged

NOW = datetime.fromisoformat("2026-06-20T12:00:00+00:00")
HOUR = timedelta(hours=1)
GOLD = KEEPS["gold"]


@pytest.fixture
def file() -> PlanFile:
    return PlanFile()


def test_the_product_and_the_judges_read_the_same_keep(file: PlanFile) -> None:
    file.set_keep("gold", "72h14d", NOW)
    assert str(file.rules.plans.by_name["gold"].keep) == "72h14d"
    assert file.keeps["gold"].ages == {"h": 3 * DAY, "d": 14 * DAY}
    assert file.keeps["gold"].floor == GOLD.floor


def test_what_a_tag_asks_of_the_keep_is_read_class_by_class() -> None:
    asked = tagged(GOLD, {"backup-keep": "30d 5w last=2"})
    assert asked.ages == {"h": 2 * DAY, "d": 30 * DAY, "w": 35 * DAY}
    assert tagged(GOLD, {"backup-keep": "1d"}).ages == tagged(GOLD, {}).ages == GOLD.ages
    assert [newest_held({"backup-keep": text}) for text in ("30d last=2", "30d")] == [2, 0]
    assert [is_unreadable_keep({"backup-keep": text}) for text in (*KEEPS_OF_TAGS, "30d")] == [False] * 6 + [
        True,
        False,
    ]
    assert not is_unreadable_keep({})


def test_every_keep_that_stood_meanwhile_is_known(file: PlanFile) -> None:
    file.set_keep("gold", "48h3d", NOW)
    short = file.keeps["gold"]
    assert file.kept_between("gold", NOW - DAY, NOW - HOUR) == [GOLD]
    assert file.kept_between("gold", NOW - DAY, NOW) == [GOLD, short]
    assert file.kept_between("gold", NOW, NOW + DAY) == [short]


def test_a_plan_that_is_removed_asks_for_nothing_that_is_known_until_it_is_back(file: PlanFile) -> None:
    file.remove("gold", NOW)
    assert "gold" not in file.rules.plans.by_name
    assert file.asked({"backup": "gold"}) is UNKNOWN
    assert file.asked({}) is None
    assert file.kept_between("gold", NOW + HOUR, NOW + HOUR) == [GOLD]
    file.bring_back("gold", NOW + DAY)
    again = file.asked({"backup": "gold"})
    assert again is not None
    assert again.plan == "gold"
    assert file.rules.plans.by_name["gold"].keep.ages


@pytest.mark.parametrize(
    ("since", "until", "missing"),
    [(-2, -1, False), (-1, 0, True), (1, 2, True), (2, 30, True), (24, 30, False), (25, 30, False)],
)
def test_a_break_is_seen_from_either_side(file: PlanFile, since: int, until: int, missing: bool) -> None:
    file.remove("gold", NOW)
    file.bring_back("gold", NOW + DAY)
    assert file.was_missing("gold", NOW + since * HOUR, NOW + until * HOUR) is missing
    assert not file.was_missing("bronze", NOW + since * HOUR, NOW + until * HOUR)


def test_a_plan_stands_since_its_last_return(file: PlanFile) -> None:
    assert file.stands_since("gold") < NOW - 9999 * DAY
    for day in (0, 2):
        file.remove("gold", NOW + day * DAY)
        file.bring_all_back(NOW + (day + 1) * DAY)
    file.set_keep("gold", "48h3d", NOW + 9 * DAY)
    assert file.stands_since("gold") == NOW + 3 * DAY


def test_what_is_brought_back_twice_or_was_never_away_stays_as_it_is(file: PlanFile) -> None:
    file.bring_back("gold", NOW)
    assert len(file.editions) == 1


def test_another_engine_changes_nothing_of_what_is_kept(file: PlanFile) -> None:
    file.set_consistency("bronze", "vm", NOW)
    assert file.rules.plans.by_name["bronze"].engine is Engine.RESTORE_POINT
    assert file.keeps == KEEPS


def test_drills_are_of_every_plan_or_of_none(file: PlanFile) -> None:
    file.remove("gold", NOW)
    file.set_drills({"every": "2d"}, NOW)
    file.bring_back("gold", NOW)
    assert all(plan.drill for plan in file.rules.plans.by_name.values())
    file.set_drills(None, NOW)
    assert not any(plan.drill for plan in file.rules.plans.by_name.values())
