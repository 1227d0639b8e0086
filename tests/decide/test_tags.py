"""What tags ask for: judged whole, without case, and towards protection."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decide.durations import days_of, duration_text, lengthened, parse_duration, parse_keep
from shared.decide.tag_values import FOREVER, held_until, is_left_out, parse_group, parse_hold, parse_start, relevant
from shared.decide.tags import Misnamed, OptedIn, OptedOut, Wish, judge
from shared.decide.tags import asked as asked_by
from shared.model.machine import GroupSeen
from shared.model.plan import Age, Keep, Schedule, Unit
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
    rules = replace(RULES, plans=replace(PLANS, allowed={SUBSCRIPTION: frozenset({"silver", "bygone"})}))
    few = judged({"backup": "slver"}, rules)
    assert few.because == "its tag backup = 'slver' names no plan; allowed: silver, on, off"
    other = judged({"backup": "gold"}, rules)
    assert other.because == "plan gold is not allowed in this subscription; allowed: bygone, silver"


def test_a_plan_that_the_subscription_does_not_allow_is_misnamed() -> None:
    plans = replace(PLANS, allowed={SUBSCRIPTION: frozenset({"silver"})})
    rules = replace(RULES, plans=plans)
    told = "plan gold is not allowed in this subscription; allowed: silver"
    assert judged({"backup": "gold"}, rules) == Misnamed(told, (told,))
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
    assert list(relevant(tags, "backup").items()) == [("backup", "gold"), ("backup-keep", "7d")]
    assert [*relevant({"BACKUP-keep": "7d", "backup": "gold"}, "backup")] == ["backup", "backup-keep"]


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


def test_durations_are_written_as_they_are_read() -> None:
    written = [duration_text(timedelta(seconds=seconds)) for seconds in (0, 90, 300, 5400, 86400, 604800)]
    assert written == ["0h", "90s", "5min", "90min", "24h", "7d"]


@pytest.mark.parametrize("text", ["", "0d", "7d7d", "7x", "last=0", "last=", "d7", "7d 4q", "100y", "9999w", "٧d"])
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
    own, asked = ({age.unit: age.count for age in keep.ages} for keep in (plan, wish))
    assert {unit: counts[unit] for unit in own} == {unit: max(own[unit], asked.get(unit, 0)) for unit in own}
    assert all(asked[unit] == count for unit, count in counts.items() if unit not in own)
    shortest = min(map(days_of, plan.ages))
    assert all(age.unit in counts for age in wish.ages if days_of(age) >= shortest + 6)
    assert min(map(days_of, longer.ages)) >= shortest
    assert longer.last == max(plan.last, wish.last)


@given(
    st.dictionaries(st.sampled_from(["backup", "Backup-At", "backup-keep", "backup-hold", "x"]), st.text(max_size=30))
)
def test_no_text_in_a_tag_breaks_the_judgement(tags: dict[str, str]) -> None:
    assert judged(tags).because


INHERITING = replace(RULES, inherit_group_tags=True)


def inherited(own: dict[str, str], group: GroupSeen | None, scale_set: bool = False, rules: Rules = INHERITING) -> Wish:
    return judge(asked_by(own, group, scale_set, rules), rules, SUBSCRIPTION)


def test_a_groups_tags_count_only_where_that_is_wished() -> None:
    group = GroupSeen({"Backup": "gold"})
    wish = inherited({}, group)
    assert isinstance(wish, OptedIn)
    assert (wish.plan, wish.because) == (GOLD, "the tag backup of its resource group asks for plan gold")
    assert inherited({}, group, rules=RULES) == OptedOut("it has no tag 'backup'")


def test_a_machines_own_tag_wins_over_its_groups_tag_by_tag() -> None:
    group = GroupSeen({"backup": "gold", "backup-keep": "30d", "backup-at": "nonsense"})
    assert inherited({"BACKUP": "off"}, group).because == "its tag backup is off"
    wish = inherited({"backup": "silver", "backup-at": "04:00"}, group)
    assert isinstance(wish, OptedIn)
    assert (wish.plan.name, wish.plan.schedule.at, str(wish.plan.keep)) == ("silver", (time(4),), "30d4w")
    assert wish.problems == ()


def test_a_mistake_in_a_groups_tag_says_whose_tag_it_is() -> None:
    wish = inherited({"backup": "silver"}, GroupSeen({"backup-at": "25:00"}))
    assert isinstance(wish, OptedIn)
    assert wish.problems[0].startswith("the tag backup-at of its resource group = '25:00' is not a start time")


@pytest.mark.parametrize(
    ("group", "scale_set", "why"),
    [
        (GroupSeen({"backup": "gold"}, "/clusters/one"), False, "its resource group is managed by /clusters/one"),
        (GroupSeen({"backup": "gold"}), True, "it is an instance of a scale set"),
    ],
)
def test_machines_that_something_else_made_need_a_tag_of_their_own(group: GroupSeen, scale_set: bool, why: str) -> None:
    out = inherited({}, group, scale_set)
    assert out == OptedOut(f"it has no tag 'backup' of its own, and inherits none because {why}")
    assert isinstance(inherited({"backup": "silver"}, group, scale_set), OptedIn)
    [told] = inherited({}, replace(group, tags={**group.tags, "backup-at": "25"}), scale_set).problems
    assert told.startswith("the tag backup-at of its resource group = '25' is not a start time")
    longer = inherited({"backup": "silver"}, replace(group, tags={"backup-keep": "30d"}), scale_set)
    assert isinstance(longer, OptedIn)
    assert str(longer.plan.keep) == "30d4w"


def test_a_group_that_asks_for_nothing_is_no_reason() -> None:
    assert inherited({}, GroupSeen({"team": "x"}, "/clusters/one")) == OptedOut("it has no tag 'backup'")


def test_a_group_that_could_not_be_seen_is_said() -> None:
    out = OptedOut("it has no tag 'backup', and its resource group could not be seen")
    assert inherited({}, None) == out
    assert isinstance(inherited({"backup": "silver"}, None), OptedIn)


def test_modifiers_without_the_tag_ask_for_nothing_and_their_mistakes_are_told_all_the_same() -> None:
    out = asked(backup_keep="x", backup_group="a")
    assert isinstance(out, OptedOut)
    assert out.because == "it has no tag 'backup'; backup-group, backup-keep alone asks for nothing"
    assert len(out.problems) == 1


def test_a_bad_name_and_bad_modifiers_are_told_at_once() -> None:
    wish = asked(backup="slver", backup_at="x", backup_keep="x", backup_hold="x", backup_group="a b")
    assert isinstance(wish, Misnamed)
    assert [problem.split(" = ")[0] for problem in wish.problems] == [
        "its tag backup",
        "its tag backup-at",
        "its tag backup-keep",
        "its tag backup-hold",
        "its tag backup-group",
    ]
    assert all("allowed: " in problem for problem in wish.problems)


def test_where_no_plan_is_allowed_that_is_said() -> None:
    nothing = replace(RULES, plans=replace(PLANS, allowed={SUBSCRIPTION: frozenset()}))
    wish = judged({"backup": "gold"}, nothing)
    assert wish.because == "plan gold is not allowed in this subscription; allowed: none"


@pytest.mark.parametrize(("name", "meant"), [("backup-kepp", "backup-keep"), ("backup-hlod", "backup-hold")])
def test_a_misspelt_modifier_is_a_problem(name: str, meant: str) -> None:
    wish = judged({"backup": "silver", name: "7d"})
    assert isinstance(wish, OptedIn)
    assert wish.problems == (f"its tag {name} means nothing; did you mean {meant}?",)


@pytest.mark.parametrize("name", ["backup-owner", "backup-policy", "backup-", "backups"])
def test_tags_of_others_with_our_prefix_are_left_alone(name: str) -> None:
    wish = judged({"backup": "silver", name: "x"})
    assert isinstance(wish, OptedIn)
    assert wish.problems == ()


def test_the_opt_in_tag_itself_is_no_misspelt_modifier_whatever_it_is_called() -> None:
    wish = judged({"groups": "silver", "groups-at": "03:30"}, replace(RULES, prefix="groups"))
    assert isinstance(wish, OptedIn)
    assert wish.problems == ()


def test_a_group_of_machines_is_named_without_case() -> None:
    wish = asked(backup="silver", backup_group=" Shop-1 ")
    assert isinstance(wish, OptedIn)
    assert wish.group == "shop-1"
    moved = asked(backup="silver", backup_at="03:30")
    assert isinstance(moved, OptedIn)
    assert moved.group == ""
    alone = asked(backup="silver", backup_group="")
    assert isinstance(alone, OptedIn)
    assert (alone.group, len(alone.problems)) == ("", 1)


@pytest.mark.parametrize("text", ["", " ", "a b", "a/b", "x" * 65])
def test_a_group_of_another_form_is_none(text: str) -> None:
    assert parse_group(text) is None


def test_the_start_of_a_cron_plan_with_one_time_a_day_moves_and_its_days_stay() -> None:
    weekdays = Schedule((), None, "UTC", timedelta(hours=1), "0 2 * * 1-5")
    rules = replace(RULES, plans=replace(PLANS, by_name={"work": replace(SILVER, name="work", schedule=weekdays)}))
    wish = judged({"backup": "work", "backup-at": "23:30 Asia/Tokyo"}, rules)
    assert isinstance(wish, OptedIn)
    assert (wish.plan.schedule.cron, wish.plan.schedule.zone) == ("30 23 * * 1-5", "Asia/Tokyo")
    twice = replace(weekdays, cron="0 2,14 * * 1-5")
    rules = replace(RULES, plans=replace(PLANS, by_name={"work": replace(SILVER, name="work", schedule=twice)}))
    stays = judged({"backup": "work", "backup-at": "23:30"}, rules)
    assert isinstance(stays, OptedIn)
    assert stays.plan.schedule == twice
    assert stays.problems[0].endswith(
        "moves plans with one start time a day; plan work runs by cron '0 2,14 * * 1-5' (UTC)"
    )


def test_a_keep_beyond_what_a_disk_has_room_for_leaves_the_plans_own() -> None:
    wish = asked(backup="silver", backup_keep="500d")
    assert isinstance(wish, OptedIn)
    assert wish.plan == SILVER
    assert wish.problems[0].endswith("keeps about 528 points; allowed: at most 450, a disk has room for 500 snapshots")


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("forever", FOREVER),
        (" Forever ", FOREVER),
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
        ("9999-12-31", FOREVER),
        ("2027-02-30", None),
        ("20270131", None),
        ("31.01.2027", None),
        ("for ever", None),
        ("", None),
    ],
)
def test_a_hold_lasts_through_its_day(text: str, until: datetime | None) -> None:
    assert parse_hold(text) == until


def test_a_hold_that_cannot_be_read_holds_for_ever() -> None:
    assert held_until({"Backup-Hold": "2027-01-31"}, "backup") == datetime(2027, 2, 1, tzinfo=UTC)
    assert held_until({"backup-hold": "next week"}, "backup") == FOREVER
    assert held_until({"backup": "silver"}, "backup") is None


def test_of_names_that_fold_to_one_the_first_counts() -> None:
    assert relevant({"backup": "gold", "Backup": "silver", " BACKUP ": "off"}, "backup") == {"backup": "off"}


WORDS = st.sampled_from(["silver", "gold", "on", "slver", "", "03:00", "03:00 Asia/Tokyo", "30d", "last=9", "9999y"])
VALUES = WORDS | st.sampled_from(["2030-01-01", "forever", "soon", "a b", "shop"]) | st.text(max_size=8)
MODIFIERS = ["backup-at", "backup-keep", "backup-hold", "backup-group", "backup-kep", "owner"]
TAGS = st.dictionaries(st.sampled_from(["backup", *MODIFIERS]), VALUES)


@given(TAGS, st.randoms(use_true_random=False))
def test_case_blanks_and_order_change_nothing(tags: dict[str, str], dice: Random) -> None:
    names = dice.sample(sorted(tags), len(tags))
    spelt = {f" {name.swapcase()} ": f"  {tags[name]} " for name in names}
    assert judged(spelt) == judged({name: value.strip() for name, value in tags.items()})


@given(TAGS)
def test_whatever_the_modifiers_say_a_plan_that_is_named_is_kept_at_least_as_long(tags: dict[str, str]) -> None:
    wish = judged({**tags, "backup": "silver"})
    assert isinstance(wish, OptedIn)
    counts = {age.unit: age.count for age in wish.plan.keep.ages}
    assert all(counts[age.unit] >= age.count for age in SILVER.keep.ages)
    assert (wish.plan.keep_floor, wish.plan.name) == (SILVER.keep_floor, "silver")
    assert len(wish.plan.schedule.at) == 1


@given(TAGS)
def test_only_off_or_no_tag_is_opting_out(tags: dict[str, str]) -> None:
    out = isinstance(judged(tags), OptedOut)
    assert out == (tags.get("backup", "off").strip().lower() == "off")


@given(TAGS)
def test_each_bad_value_is_told_once_and_no_good_one(tags: dict[str, str]) -> None:
    readers = {"at": parse_start, "keep": parse_keep, "hold": parse_hold, "group": parse_group}
    bad = {name for name, read in readers.items() if f"backup-{name}" in tags and read(tags[f"backup-{name}"]) is None}
    told = [problem for problem in judged(tags).problems if " is not a " in problem]
    assert sorted(problem.split(" = ")[0] for problem in told) == sorted(f"its tag backup-{name}" for name in bad)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("at", "is not a start time; allowed: 02:00 or 02:00 Europe/Berlin"),
        ("keep", "is not a keep; allowed: ages such as 7d4w12m3y or 48h, at most 99 years each, and/or last=3"),
        ("hold", "is not a hold and holds for ever; allowed: a date such as 2027-01-31, or forever"),
        ("group", "is not a name of a group; allowed: a name of at most 64 letters, digits, - _ ."),
    ],
)
@pytest.mark.parametrize("opted", [{"backup": "silver"}, {"backup": "slver"}], ids=["opted in", "misnamed"])
def test_a_bad_modifier_is_told_with_the_form_of_its_own_kind(name: str, told: str, opted: dict[str, str]) -> None:
    tag = f"backup-{name}"
    found = [problem for problem in judged({**opted, tag: "??/"}).problems if tag in problem]
    assert [problem.startswith(f"its tag {tag} = '??/' {told}") for problem in found] == [True]
