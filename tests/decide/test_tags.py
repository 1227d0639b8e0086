"""What tags ask for: judged whole, without case, and towards protection."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decide.durations import lengthened, parse_duration, parse_keep
from shared.decide.tag_values import is_left_out, parse_start, relevant
from shared.decide.tags import Misnamed, OptedIn, OptedOut, Wish, judge
from shared.decide.tags import asked as asked_by
from shared.model.plan import Age, Keep, Unit
from shared.model.rules import Rules
from tests.decide.plans import GOLD, PLANS, RULES, SILVER, SUBSCRIPTION


def asked(**tags: str) -> Wish:
    return judged({name.replace("_", "-"): value for name, value in tags.items()})


def judged(tags: dict[str, str], rules: Rules = RULES, subscription: str = SUBSCRIPTION) -> Wish:
    return judge(asked_by(tags, None, False, rules), rules, subscription)


@pytest.mark.parametrize("value", ["silver", "SILVER", " Silver ", "on", "ON"])
def test_a_plan_is_asked_for_by_name_or_as_the_default(value: str) -> None:
    wish = asked(Backup=value)
    assert isinstance(wish, OptedIn)
    assert wish.plan == SILVER


def test_no_tag_and_off_are_opting_out_each_with_its_reason() -> None:
    assert asked(owner="x") == OptedOut("it has no tag 'backup'")
    assert asked(backup="Off") == OptedOut("its tag backup is off")


def test_an_unknown_plan_is_named_with_what_is_allowed() -> None:
    wish = asked(backup="slver")
    told = "its tag backup = 'slver' names no plan; allowed: gold, silver, on, off"
    assert wish == Misnamed(told, (told,))


def test_a_plan_that_the_subscription_does_not_allow_is_misnamed() -> None:
    plans = replace(PLANS, allowed={SUBSCRIPTION: frozenset({"silver"})})
    rules = replace(RULES, plans=plans)
    assert isinstance(judged({"backup": "gold"}, rules), Misnamed)
    assert isinstance(judged({"backup": "gold"}, rules, "another"), OptedIn)


def test_modifiers_move_the_start_and_lengthen_the_keep() -> None:
    wish = asked(backup="silver", backup_at="03:30 europe/berlin", backup_keep="2d12m")
    assert isinstance(wish, OptedIn)
    assert (wish.plan.schedule.at, wish.plan.schedule.zone) == ((time(3, 30),), "Europe/Berlin")
    assert str(wish.plan.keep) == "7d4w12m"
    assert wish.problems == ()


def test_every_bad_modifier_is_a_problem_and_leaves_the_plans_own_value() -> None:
    wish = asked(backup="silver", backup_at="25:00", backup_keep="seven days", backup_hold="tomorrow")
    assert isinstance(wish, OptedIn)
    assert wish.plan == SILVER
    assert [problem.split(" = ")[0] for problem in wish.problems] == [
        "its tag backup-at",
        "its tag backup-keep",
        "its tag backup-hold",
    ]
    assert all("allowed: " in problem for problem in wish.problems)


def test_a_plan_with_several_points_a_day_is_not_moved() -> None:
    wish = asked(backup="gold", backup_at="03:30")
    assert isinstance(wish, OptedIn)
    assert wish.plan == GOLD
    assert "one start time a day" in wish.problems[0]


def test_only_the_prefix_and_its_modifiers_are_relevant() -> None:
    tags = {"Backup": " gold ", "BACKUP-keep": "7d", "backups": "x", "owner": "y"}
    assert relevant(tags, "backup") == {"backup": "gold", "backup-keep": "7d"}


def test_a_disk_is_left_out_only_by_off() -> None:
    assert is_left_out({"BACKUP": "OFF"}, "backup")
    assert not is_left_out({"backup": "silver"}, "backup")
    assert not is_left_out({}, "backup")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("02:00", (time(2), None)),
        ("7:05", (time(7, 5), None)),
        ("02:00 Europe/Berlin", (time(2), "Europe/Berlin")),
        ("24:00", None),
        ("02:60", None),
        ("2", None),
        ("02:0", None),
        ("٠٢:٠٠", None),
        ("02:00 Mars/Olympus", None),
        ("", None),
    ],
)
def test_start_times(text: str, start: tuple[time, str | None] | None) -> None:
    assert parse_start(text) == start


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5min", 300), ("24h", 86400), ("7d", 604800)])
def test_durations(text: str, seconds: int) -> None:
    duration = parse_duration(text)
    assert duration
    assert duration.total_seconds() == seconds


@pytest.mark.parametrize("text", ["5m", "1w", "", "h", "-5s", "1.5h", "5 min"])
def test_a_duration_of_another_form_is_refused(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize("text", ["7d4w12m3y", "48h", "last=3", "7d last=3", "7d,last=3"])
def test_keeps_are_read_back_as_written(text: str) -> None:
    assert str(parse_keep(text)) == text.replace(",", " ")


@pytest.mark.parametrize("text", ["", "0d", "7d7d", "7x", "last=0", "last=", "d7", "7d 4q"])
def test_a_keep_of_another_form_is_refused(text: str) -> None:
    assert parse_keep(text) is None


KEEPS = st.builds(
    Keep,
    st.lists(st.builds(Age, st.integers(1, 99), st.sampled_from(Unit)), unique_by=lambda age: age.unit, min_size=1).map(
        lambda ages: tuple(sorted(ages, key=lambda age: [*Unit].index(age.unit)))
    ),
    st.integers(0, 9),
)


@given(KEEPS, KEEPS)
def test_lengthening_never_shortens_any_class(plan: Keep, wish: Keep) -> None:
    longer = lengthened(plan, wish)
    counts = {age.unit: age.count for age in longer.ages}
    assert all(counts[age.unit] >= age.count for age in (*plan.ages, *wish.ages))
    assert longer.last == max(plan.last, wish.last)
    assert set(counts) == {age.unit for age in (*plan.ages, *wish.ages)}


@given(
    st.dictionaries(st.sampled_from(["backup", "Backup-At", "backup-keep", "backup-hold", "x"]), st.text(max_size=30))
)
def test_no_text_in_a_tag_breaks_the_judgement(tags: dict[str, str]) -> None:
    assert judged(tags).because
