"""When points may go at the earliest: one answer each, never moved by what others do, never the last of the living."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decide.deletion_dates import RULES, Going, Owner, Standing, Staying, earlier_attempts, standings
from shared.decide.durations import parse_keep
from shared.model.plan import Age, Keep, Unit
from shared.model.point import Engine, PartState, Point, PointState, Removal
from tests.decide.plans import NOW
from tests.decide.points import changed, part_of, point_of

DAY = timedelta(days=1)
ORPHANS = 90 * DAY
WEEK = Keep((Age(7, Unit.DAY),))
LIVING = Owner(living=True, keep=WEEK)
LEFT = Owner(living=False, left_at=NOW)


def aged(days: float, state: PointState = PointState.COMPLETE) -> Point:
    return point_of(NOW - days * DAY, state=state)


def answers(points: list[Point], owner: Owner = LIVING) -> list[Standing]:
    return list(standings(points, owner, ORPHANS))


def test_an_older_point_goes_at_its_date_as_planned() -> None:
    older, newest = aged(1), aged(0)
    assert answers([newest, older]) == [
        Going(older, older.keep_until, True, older.because),
        Staying(newest, "the newest complete point of a machine that exists and asks for protection"),
    ]


@pytest.mark.parametrize("field", ["birth_keep_until", "keep_until"])
def test_the_latest_of_birth_stamp_and_ledger_date_counts(field: str) -> None:
    lengthened = changed(aged(1), **{field: NOW + 30 * DAY})
    asking = replace(LIVING, keep=Keep((Age(31, Unit.DAY),)))
    assert answers([lengthened, aged(0)], asking)[0] == Going(lengthened, NOW + 30 * DAY, True, lengthened.because)


def longer(**changes: object) -> Point:
    """A weekly point that was stamped for seven days at birth, and kept for four weeks once it completed."""
    point = aged(1)
    made = changed(point, birth_keep_until=point.slot + 7 * DAY, keep_until=point.slot + 28 * DAY, earned="weekly")
    return changed(made, **changes)


def keeping(text: str, **changes: object) -> Owner:
    parsed = parse_keep(text)
    assert parsed is not None
    return replace(LIVING, keep=parsed, **changes)  # type: ignore[arg-type] # a test names the fields it changes


@pytest.mark.parametrize(
    ("point", "owner", "days"),
    [
        pytest.param(longer(), keeping("7d4w"), None, id="as long as ever"),
        pytest.param(longer(), keeping("7d5w"), None, id="longer"),
        pytest.param(longer(), keeping("7d2w"), 14, id="shorter"),
        pytest.param(longer(), keeping("7d"), 7, id="a class that is gone leaves the birth stamp"),
        pytest.param(longer(), keeping("1d1w"), 7, id="never before the birth stamp"),
        pytest.param(longer(earned=""), keeping("9d"), 9, id="without a class the shortest age counts"),
        pytest.param(longer(), replace(LIVING, keep=Keep(())), None, id="no plan takes nothing back"),
        pytest.param(longer(rebuilt_at=NOW), keeping("7d"), None, id="found again"),
        pytest.param(longer(birth_keep_until=NOW + 27 * DAY), keeping("7d"), None, id="stamped so at birth"),
    ],
)
def test_a_shorter_plan_takes_a_lengthening_back_and_nobody_planned_that(
    point: Point, owner: Owner, days: int | None
) -> None:
    answer = answers([point, aged(0)], owner)[0]
    assert isinstance(answer, Going)
    if days is None:
        assert (answer.at, answer.withdrawn) == (point.keep_until, False)
    else:
        because = f"it was kept longer than stamped ({point.because}), and its plan does not ask for that any more"
        assert answer == Going(point, point.slot + days * DAY, False, because, withdrawn=True)


def test_what_is_withdrawn_is_at_least_as_old_as_the_floor_says() -> None:
    answer = answers([longer(), aged(0)], keeping("7d", floor=20 * DAY))[0]
    assert isinstance(answer, Going)
    assert answer.at == NOW - DAY + 20 * DAY + timedelta(minutes=1)


def test_a_withdrawn_point_whose_deletion_began_is_brought_to_its_end_whatever_the_plan_says_by_then() -> None:
    removal = Removal(NOW, NOW, "x", planned=False, claimed_at=NOW, withdrawn=True)
    begun = longer(state=PointState.DELETING, removal=removal)
    going = Going(begun, begun.birth_keep_until, False, begun.because, withdrawn=True)
    assert answers([begun, aged(0)], keeping("7d9w"))[0] == going
    remains = changed(begun, removal=replace(removal, remains=True))
    assert answers([remains, aged(0)])[0] == replace(going, point=remains, remains=True)


def test_the_last_point_is_kept_whatever_is_withdrawn() -> None:
    assert isinstance(answers([longer()], keeping("7d"))[0], Staying)


def test_nothing_goes_before_the_floor_counted_from_its_birth() -> None:
    young = changed(aged(1), birth_keep_until=NOW, keep_until=NOW)
    answer = answers([young, aged(0)], Owner(living=True, keep=WEEK, floor=3 * DAY))[0]
    assert answer == Going(young, NOW + 2 * DAY + timedelta(minutes=1), True, young.because)


def test_the_newest_points_stay_as_many_as_the_plan_says() -> None:
    points = [aged(3), aged(2), aged(1), aged(0)]
    found = answers(points, Owner(living=True, keep=Keep(WEEK.ages, 3)))
    assert [type(one) for one in found] == [Going, Staying, Staying, Staying]


def test_incomplete_points_do_not_count_among_the_newest() -> None:
    found = answers([aged(2), aged(1), *[aged(0.1 * n, PointState.INCOMPLETE) for n in range(1, 5)]])
    assert [type(one) for one in found[:2]] == [Going, Staying]


def test_the_points_of_a_machine_that_left_go_at_their_dates_but_unplanned_and_the_last_much_later() -> None:
    older, last = aged(1), aged(0)
    assert answers([older, last], LEFT) == [
        Going(older, older.keep_until, False, f"{older.because}; its machine has left"),
        Going(last, NOW + ORPHANS, False, "the last complete point of a machine that left 90 days before"),
    ]


def test_the_last_point_of_a_machine_that_left_is_kept_to_its_date_when_that_is_later() -> None:
    last = changed(aged(0), keep_until=NOW + 400 * DAY)
    [answer] = answers([last], LEFT)
    assert isinstance(answer, Going)
    assert answer.at == NOW + 400 * DAY


def test_the_last_point_stays_while_nobody_knows_since_when_its_machine_has_left() -> None:
    complete, incomplete = aged(0), aged(0, PointState.INCOMPLETE)
    unknown = "nobody knows since when its machine has left"
    assert answers([complete], Owner(living=False)) == [Staying(complete, f"the last complete point, and {unknown}")]
    assert answers([incomplete], Owner(living=False)) == [Staying(incomplete, f"incomplete, and {unknown}")]


def test_an_incomplete_point_goes_a_day_after_its_end_once_a_complete_one_of_a_later_slot_exists() -> None:
    broken = aged(1, PointState.INCOMPLETE)
    assert broken.ended_at
    because = f"incomplete, and a complete point of that or a later slot exists: {broken.because}"
    assert answers([broken, aged(0)])[0] == Going(broken, broken.ended_at + DAY, True, because, remains=True)


def test_an_incomplete_point_stays_while_it_may_be_all_there_is() -> None:
    broken = aged(1, PointState.INCOMPLETE)
    because = "incomplete, but no complete point of that or a later slot exists yet"
    assert answers([aged(2), broken])[1] == Staying(broken, because)
    last = "all that is left of a machine that left long ago"
    assert answers([broken], LEFT) == [Going(broken, NOW + ORPHANS, False, last, remains=True)]


def test_a_point_that_is_being_taken_stays() -> None:
    taking = aged(1, PointState.TAKING)
    assert answers([aged(2), taking, aged(0)])[1] == Staying(taking, "it is still being taken")


def test_the_parts_of_earlier_attempts_go_a_day_after_the_point_ended() -> None:
    slot = NOW - DAY
    whole = changed(point_of(slot), attempt=2, parts=(part_of(slot, 1, PartState.ABANDONED), part_of(slot, 2)))
    assert whole.ended_at
    because = "of an attempt that could not be completed, and a complete point of that or a later slot exists"
    assert earlier_attempts(whole, [whole]) == Going(whole, whole.ended_at + DAY, True, because, remains=True)
    assert earlier_attempts(changed(whole, ended_at=None), [whole]) is None
    assert earlier_attempts(whole, [aged(2)]) is None
    assert earlier_attempts(aged(0), [aged(0)]) is None
    assert earlier_attempts(changed(whole, state=PointState.INCOMPLETE), [aged(0)]) is None


@pytest.mark.parametrize("owner", [LIVING, LEFT], ids=["living", "left"])
@pytest.mark.parametrize("state", list(PointState))
def test_a_point_of_a_vault_is_never_ours_to_delete(state: PointState, owner: Owner) -> None:
    of_vault = changed(aged(400, state), engine=Engine.VAULT, parts=())
    [answer] = answers([of_vault], owner)
    assert answer == Staying(of_vault, "its vault expires it by its policy; nothing of a vault is deleted here")


@pytest.mark.parametrize("owner", [LIVING, LEFT], ids=["living", "left"])
def test_points_of_a_vault_make_no_point_of_ours_outlived(owner: Owner) -> None:
    """The last complete point that we can restore stays, however many the vault has."""
    ours, newer = aged(400), [changed(aged(age), engine=Engine.VAULT, parts=()) for age in range(5)]
    assert answers([ours, *newer], owner)[0] == answers([ours], owner)[0]


def test_every_rule_is_needed() -> None:
    """Each rule is the reason of some point; a rule that never speaks could be dropped."""
    kinds: list[tuple[list[Point], Owner]] = [
        ([changed(aged(1), engine=Engine.VAULT), aged(0)], LIVING),
        ([aged(1, PointState.TAKING), aged(0)], LIVING),
        ([changed(aged(1, PointState.DELETING), because="begun")], LIVING),
        ([aged(1, PointState.INCOMPLETE), aged(0)], LIVING),
        ([aged(0)], LIVING),
        ([aged(2), aged(1), aged(0)], Owner(living=True, keep=Keep(WEEK.ages, 2))),
        ([aged(0)], LEFT),
        ([aged(1), aged(0)], LEFT),
        ([longer(), aged(0)], keeping("7d")),
        ([aged(1), aged(0)], LIVING),
    ]
    said = {answer.because for points, owner in kinds for answer in answers(points, owner)}
    assert len(said) >= len(RULES)


AGES = st.lists(st.integers(0, 400), unique=True, max_size=12)
STATES = st.sampled_from([PointState.INCOMPLETE, PointState.TAKING])
OWNERS = st.sampled_from([LIVING, LEFT, Owner(living=True, keep=Keep(WEEK.ages, 3)), Owner(living=False)])


@given(AGES, OWNERS, st.randoms(use_true_random=False))
def test_every_point_has_one_answer_with_a_reason_in_any_order(
    ages: list[int], owner: Owner, draw: random.Random
) -> None:
    points = [aged(age) for age in ages]
    found = answers(points, owner)
    assert sorted(one.point.slot for one in found) == sorted(point.slot for point in points)
    assert all(one.because for one in found)
    shuffled = [*points]
    draw.shuffle(shuffled)
    assert answers(shuffled, owner) == found


@given(AGES, st.integers(-30, 400), OWNERS)
def test_another_point_never_makes_one_due_before_its_own_stamp(ages: list[int], other: int, owner: Owner) -> None:
    points = [aged(age) for age in ages if age != other]
    for answer in answers([*points, aged(other)], owner):
        assert isinstance(answer, Staying) or answer.at >= answer.point.birth_keep_until


@given(AGES, st.lists(st.tuples(st.integers(-30, 400), STATES), max_size=8), OWNERS)
def test_garbage_never_pushes_good_points_out(
    ages: list[int], garbage: list[tuple[int, PointState]], owner: Owner
) -> None:
    """Points that are not complete, in any number and with any slot, change nothing for those that are."""
    good = [aged(age) for age in ages]
    rubbish = [aged(age + 0.5, state) for age, state in garbage]
    among = [one for one in answers(good + rubbish, owner) if one.point.complete]
    assert among == answers(good, owner)


@given(AGES, st.integers(0, 5))
def test_a_plan_that_names_no_age_and_a_living_machine_keep_what_they_promise(ages: list[int], last: int) -> None:
    points = [aged(age) for age in ages]
    found = answers(points, Owner(living=True, keep=Keep((), last)))
    staying = [one for one in found if isinstance(one, Staying)]
    assert len(staying) >= min(len(points), max(1, last))


def test_a_deletion_that_has_begun_is_brought_to_its_end() -> None:
    mark = Removal(NOW - DAY, NOW, "its date has come", planned=True)
    begun = changed(aged(0, PointState.DELETING), removal=mark)
    unmarked = changed(begun, removal=None)
    assert answers([unmarked])[0] == Going(unmarked, unmarked.keep_until, False, unmarked.because)
    assert answers([begun])[0] == Going(begun, begun.keep_until, True, begun.because)
    remains = changed(begun, removal=replace(mark, remains=True))
    assert answers([remains])[0] == Going(remains, NOW - DAY, True, begun.because, remains=True)
