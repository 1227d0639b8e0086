"""Retention as a backup administrator would check it on a calendar."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decide.durations import parse_keep
from shared.decide.retention import FOR_EVER, Kept, Neighbour, age_end, earned, kept, lengthened, period
from shared.model.plan import Age, Keep, Unit
from shared.model.point import Origin
from tests.decide.plans import at

UTC = ZoneInfo("UTC")


def keep(text: str) -> Keep:
    parsed = parse_keep(text)
    assert parsed
    return parsed


@pytest.mark.parametrize(
    ("slot", "before", "until", "earned_class"),
    [
        pytest.param("2027-03-10 02:00", ["2027-03-09 02:00"], "2027-03-17 02:00", "daily", id="an ordinary day"),
        pytest.param("2027-03-08 02:00", ["2027-03-07 02:00"], "2027-04-05 02:00", "weekly", id="a Monday"),
        pytest.param(
            "2027-04-01 02:00", ["2027-03-31 02:00"], "2028-04-01 02:00", "monthly", id="the first of a month"
        ),
        pytest.param("2027-01-01 02:00", ["2026-12-31 02:00"], "2030-01-01 02:00", "yearly", id="New Year"),
        pytest.param("2027-03-10 08:00", ["2027-03-10 02:00"], "2027-03-17 08:00", "", id="the second of its day"),
        pytest.param("2027-03-10 02:00", [], "2030-03-10 02:00", "yearly", id="the first point ever"),
    ],
)
def test_the_longest_class_earned_says_how_long(slot: str, before: list[str], until: str, earned_class: str) -> None:
    answer = kept(at(slot), Origin.SLOT, keep("7d4w12m3y"), neighbours(*(at(one) for one in before)), "UTC")
    assert (answer.until, answer.earned) == (at(until), earned_class)
    assert answer.because


def neighbours(*slots: datetime, kept_for: timedelta = timedelta(days=3000)) -> list[Neighbour]:
    return [Neighbour(slot, slot + kept_for) for slot in slots]


def test_classes_follow_the_local_calendar() -> None:
    before, slot = neighbours(at("2027-03-31 21:00")), at("2027-03-31 22:30")
    assert earned(slot, keep("7d12m"), before, ZoneInfo("Europe/Berlin")) == (Age(7, Unit.DAY), Age(12, Unit.MONTH))
    assert earned(slot, keep("7d12m"), before, UTC) == ()


def test_which_class_is_earned_is_judged_by_the_calendar_of_the_plans_zone() -> None:
    """23:30 of UTC is the next day in Berlin: the point of that morning's night stands for the day."""
    night, morning = at("2027-03-09 23:30"), at("2027-03-10 08:00")
    assert kept(morning, Origin.SLOT, keep("7d"), neighbours(night), "Europe/Berlin").earned == ""
    assert kept(morning, Origin.SLOT, keep("7d"), neighbours(night), "UTC").earned == "daily"


@pytest.mark.parametrize(("origin", "earned_class"), [(Origin.SLOT, "daily"), (Origin.REQUEST, "")])
def test_of_two_ages_that_end_together_the_shorter_unit_is_named(origin: Origin, earned_class: str) -> None:
    answer = kept(at("2027-03-10 02:00"), origin, keep("7d1w"), [], "UTC")
    assert (answer.until, answer.earned) == (at("2027-03-17 02:00"), earned_class)
    assert answer.because.endswith(" 7d")


def test_a_point_stands_for_no_class_before_itself() -> None:
    slot = at("2027-03-10 02:00")
    assert earned(slot, keep("7d"), neighbours(slot), UTC) == (Age(7, Unit.DAY),)


def test_a_point_of_a_shorter_plan_leaves_the_class_to_be_earned() -> None:
    monday = at("2027-03-08 02:00")
    bronze = neighbours(monday, kept_for=timedelta(days=7))
    answer = kept(monday + timedelta(days=1), Origin.SLOT, keep("7d4w"), bronze, "UTC")
    assert (answer.until, answer.earned) == (monday + timedelta(days=29), "weekly")


@pytest.mark.parametrize("origin", [Origin.REQUEST, Origin.ENROLMENT])
def test_a_point_outside_the_schedule_earns_no_class(origin: Origin) -> None:
    answer = kept(at("2027-01-01 02:00"), origin, keep("7d4w12m3y"), [], "UTC")
    because = f"taken at {origin}, outside the classes, kept for the plan's shortest age 7d"
    assert answer == Kept(at("2027-01-08 02:00"), "", because)
    shortest = kept(at("2027-01-01 02:00"), origin, keep("48h1d"), [], "UTC")
    assert shortest.until == at("2027-01-02 02:00")


def test_months_are_clipped_to_their_end_and_local_time_is_kept() -> None:
    assert age_end(at("2027-01-31 02:00"), Age(1, Unit.MONTH), UTC) == at("2027-02-28 02:00")
    assert age_end(at("2028-02-29 02:00"), Age(1, Unit.YEAR), UTC) == at("2029-02-28 02:00")
    assert age_end(at("2028-02-29 02:00"), Age(1, Unit.YEAR), UTC).tzinfo is at("2028-02-29 02:00").tzinfo
    assert age_end(at("2027-03-01 01:00"), Age(1, Unit.MONTH), ZoneInfo("Europe/Berlin")) == at("2027-04-01 00:00")


def test_months_are_those_of_the_plans_zone_for_every_point() -> None:
    """02:00 in Berlin on the first of March and of April: an hour less of UTC."""
    slot, month = at("2027-03-01 01:00"), at("2027-04-01 00:00")
    assert kept(slot, Origin.SLOT, keep("1m"), [], "Europe/Berlin").until == month
    assert kept(slot, Origin.REQUEST, keep("1m"), [], "Europe/Berlin").until == month
    assert lengthened(slot, slot, "monthly", keep("1m"), "Europe/Berlin") == month
    berlin, later = ZoneInfo("Europe/Berlin"), slot + timedelta(days=1)
    assert earned(later, keep("1m"), [Neighbour(slot, month)], berlin) == ()
    assert len(earned(later, keep("1m"), [Neighbour(slot, month - timedelta(seconds=1))], berlin)) == 1


SLOTS = st.lists(st.integers(0, 400 * 4), unique=True, min_size=1, max_size=40)


def instants(hours: list[int]) -> list[datetime]:
    return [at("2027-01-01 00:00") + timedelta(hours=6 * hour) for hour in hours]


@given(SLOTS, st.integers(0, 400 * 4))
def test_another_point_never_shortens_what_was_stamped_without_it(hours: list[int], other: int) -> None:
    """The stamp of a point is taken over the complete points of its birth; later ones can only be newer or older."""
    *before, slot = instants(hours)
    stamp = kept(slot, Origin.SLOT, keep("7d4w12m3y"), neighbours(*before), "UTC").until
    later = kept(slot, Origin.SLOT, keep("7d4w12m3y"), neighbours(*before, *instants([other])), "UTC").until
    assert later <= stamp
    assert later >= slot + timedelta(days=7)


@given(SLOTS, st.randoms())
def test_the_order_in_which_points_are_known_does_not_matter(hours: list[int], random: object) -> None:
    *before, slot = instants(hours)
    shuffled = sorted(before, key=lambda moment: hash((moment, str(random))))
    keeps = keep("7d4w12m3y")
    assert kept(slot, Origin.SLOT, keeps, neighbours(*before), "UTC") == kept(
        slot, Origin.SLOT, keeps, neighbours(*shuffled), "UTC"
    )


def test_hours_are_an_age_and_no_class_that_is_earned() -> None:
    with pytest.raises(ValueError, match="ages, not classes"):
        period(at("2027-03-10 02:00"), Unit.HOUR, ZoneInfo("UTC"))


def test_an_age_beyond_every_calendar_never_ends() -> None:
    assert age_end(at("2027-01-01 02:00"), Age(9999, Unit.YEAR), UTC) == FOR_EVER
    assert age_end(at("2027-01-01 02:00"), Age(7972, Unit.YEAR), UTC) == FOR_EVER
    assert age_end(at("2027-01-01 02:00"), Age(7971, Unit.YEAR), UTC) == at("9998-01-01 02:00")


@pytest.mark.parametrize("text", ["", "last=3"])
def test_a_keep_without_an_age_lets_nothing_go(text: str) -> None:
    without = Keep((), parse_keep(text).last if text else 0)  # type: ignore[union-attr]  # the text is a keep
    never = Kept(FOR_EVER, "", "its plan names no age, so it is never due")
    assert kept(at("2027-01-01 02:00"), Origin.SLOT, without, [], "UTC") == never
    assert lengthened(at("2027-01-08 02:00"), at("2027-01-01 02:00"), "", without, "UTC") == at("2027-01-08 02:00")


@pytest.mark.parametrize(
    ("earned_class", "now_kept", "until"),
    [
        ("daily", "30d4w", "2027-01-31 02:00"),
        ("weekly", "30d8w", "2027-02-26 02:00"),
        ("weekly", "2d1w", "2027-01-08 02:00"),
        ("yearly", "7d4w", "2027-01-08 02:00"),
        ("", "14d4w", "2027-01-15 02:00"),
        ("", "48h", "2027-01-08 02:00"),
    ],
)
def test_a_longer_plan_lengthens_the_class_that_was_earned_and_never_shortens(
    earned_class: str, now_kept: str, until: str
) -> None:
    stamped = at("2027-01-08 02:00")
    assert lengthened(stamped, at("2027-01-01 02:00"), earned_class, keep(now_kept), "UTC") == at(until)
