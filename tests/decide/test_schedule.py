"""Slots against an enumerator that walks the wall clock minute by minute and shares nothing with the product."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from time import tzset
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.decide.schedule import (
    instant_of,
    interval,
    lateness,
    next_slot,
    owed,
    rhythm,
    slots,
    slots_back_from,
    start_of,
)
from shared.model.identity import VmUid
from shared.model.plan import Schedule
from tests.decide.plans import at

MINUTE = timedelta(minutes=1)
ZONES = sorted(available_timezones())


def daily(wall: str, zone: str, window: timedelta = timedelta(hours=1)) -> Schedule:
    return Schedule((time.fromisoformat(wall),), None, zone, window)


def walked(day: date, wall: time, zone: str) -> datetime:
    """The first UTC minute that shows this wall time on this day, or the first one that shows a later time."""
    wanted = datetime.combine(day, wall)
    minute = datetime.combine(day, time(0), tzinfo=UTC) - timedelta(hours=26)
    while minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None) < wanted:
        minute += MINUTE
    return minute


@settings(deadline=None)  # walking three days of minutes takes what it takes
@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2026, 1, 2), date(2036, 12, 30)),
    wall=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
)
def test_a_daily_slot_is_where_the_wall_clock_first_shows_its_time(zone: str, day: date, wall: time) -> None:
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    schedule = Schedule((wall,), None, zone, timedelta(0))
    expected = {walked(day + timedelta(days=offset), wall, zone) for offset in (-1, 0, 1)}
    around = timedelta(hours=9)
    found = set(slots(schedule, noon - around, noon + around))
    assert found == {moment for moment in expected if noon - around < moment <= noon + around}


@pytest.mark.parametrize(
    ("day", "wall", "slot"),
    [
        pytest.param("2027-03-28", "02:30", "2027-03-28 01:00", id="the skipped hour runs at its end"),
        pytest.param("2027-10-31", "02:30", "2027-10-31 00:30", id="the doubled hour runs the first time"),
        pytest.param("2028-02-29", "02:30", "2028-02-29 01:30", id="a leap day is a day"),
    ],
)
def test_clock_changes_in_berlin(day: str, wall: str, slot: str) -> None:
    start = at(f"{day} 00:00") - timedelta(hours=2)
    assert [*slots(daily(wall, "Europe/Berlin"), start, start + timedelta(hours=22))] == [at(slot)]


def test_every_six_hours_counts_from_local_midnight() -> None:
    schedule = Schedule((), timedelta(hours=6), "Asia/Kolkata", timedelta(0))
    found = [*slots(schedule, at("2027-03-10 00:00"), at("2027-03-11 00:00"))]
    assert found == [at("2027-03-10 00:30"), at("2027-03-10 06:30"), at("2027-03-10 12:30"), at("2027-03-10 18:30")]
    assert interval(schedule) == timedelta(hours=6)


def test_missed_slots_are_owed_once_the_newest_supersedes_the_others() -> None:
    due = owed(daily("02:00", "UTC"), at("2027-03-10 02:00"), at("2027-03-14 09:00"))
    assert due
    assert (due.slot, due.oldest_missed, due.newest_missed) == (
        at("2027-03-14 02:00"),
        at("2027-03-11 02:00"),
        at("2027-03-13 02:00"),
    )


def test_a_single_slot_supersedes_nothing_and_a_settled_one_is_not_owed() -> None:
    due = owed(daily("02:00", "UTC"), at("2027-03-10 02:00"), at("2027-03-11 02:00"))
    assert due
    assert due.oldest_missed is None
    assert owed(daily("02:00", "UTC"), at("2027-03-11 02:00"), at("2027-03-11 09:00")) is None


def test_the_next_slot_lies_strictly_after() -> None:
    assert next_slot(daily("02:00", "UTC"), at("2027-03-10 02:00")) == at("2027-03-11 02:00")


@given(st.uuids())
def test_a_start_keeps_its_place_inside_the_window(uid: object) -> None:
    slot, schedule = at("2027-03-10 02:00"), daily("02:00", "UTC")
    start = start_of(slot, schedule, VmUid(str(uid)))
    assert slot <= start < slot + schedule.window
    assert start - slot == start_of(slot + timedelta(days=1), schedule, VmUid(str(uid))) - slot - timedelta(days=1)


def test_starts_are_spread_over_the_whole_window() -> None:
    slot, schedule = at("2027-03-10 02:00"), daily("02:00", "UTC")
    quarters = [
        int((start_of(slot, schedule, VmUid(f"vm-{number}")) - slot) / timedelta(minutes=15)) for number in range(400)
    ]
    assert all(60 < quarters.count(quarter) < 140 for quarter in range(4))


def test_without_a_window_everything_starts_at_the_slot() -> None:
    slot = at("2027-03-10 02:00")
    assert start_of(slot, daily("02:00", "UTC", timedelta(0)), VmUid("x")) == slot


def cron(line: str, zone: str = "Europe/Berlin") -> Schedule:
    return Schedule((), None, zone, timedelta(hours=1), line)


def test_a_cron_line_runs_by_the_wall_clock_of_its_zone() -> None:
    found = [*slots(cron("30 2 * * 1-5"), at("2027-03-25 12:00"), at("2027-03-30 12:00"))]
    assert found == [at("2027-03-26 01:30"), at("2027-03-29 00:30"), at("2027-03-30 00:30")]


def test_a_cron_line_in_the_skipped_hour_runs_once_at_its_end_and_in_the_doubled_hour_once() -> None:
    skipped = [*slots(cron("10,40 2 * * *"), at("2027-03-27 12:00"), at("2027-03-28 12:00"))]
    assert skipped == [at("2027-03-28 01:00")]
    doubled = [*slots(cron("10,40 2 * * *"), at("2027-10-30 12:00"), at("2027-10-31 12:00"))]
    assert doubled == [at("2027-10-31 00:10"), at("2027-10-31 00:40")]


@pytest.mark.parametrize(
    ("schedule", "shortest", "longest", "most"),
    [
        (daily("02:00", "UTC"), 24, 24, 1),
        (Schedule((time(2), time(3, 30), time(20)), None, "UTC", timedelta(0)), 1.5, 16.5, 3),
        (Schedule((), timedelta(hours=5), "UTC", timedelta(0)), 4, 5, 5),
        (cron("0 2 * * 1-5"), 24, 72, 1),
        (cron("0 2,14 * * SAT"), 12, 156, 2),
        (cron("0 4 1 * *"), 28 * 24, 31 * 24, 1),
        (cron("0 4 29 2 *"), 1461 * 24, 1461 * 24, 1),
        (cron("0 4 * 1-11 *"), 24, 32 * 24, 1),
    ],
    ids=str,
)
def test_the_rhythm_of_a_schedule(schedule: Schedule, shortest: float, longest: float, most: int) -> None:
    beat = rhythm(schedule)
    assert (beat.shortest, beat.longest) == (timedelta(hours=shortest), timedelta(hours=longest))
    assert beat.most_per_day == most
    assert interval(schedule) == beat.longest


def test_how_many_points_come_a_day_is_an_average() -> None:
    assert rhythm(daily("02:00", "UTC")).per_day == 1
    assert rhythm(cron("0 2,14 * * 1-5")).per_day == pytest.approx(10 / 7, rel=0.01)
    assert rhythm(cron("0 4 1 * *")).per_day == pytest.approx(12 / 365.25, rel=0.01)
    assert rhythm(cron("0 4 1 1 *")).per_day == 8 / (8 * 365 + 2)


@pytest.mark.parametrize(
    ("schedule", "newest", "missing", "since"),
    [
        pytest.param(daily("02:00", "UTC"), "2027-03-10 02:00", "2027-03-11 02:00", "2027-03-11 15:00", id="daily"),
        pytest.param(daily("02:00", "UTC"), "2027-03-10 11:37", "2027-03-11 02:00", "2027-03-11 15:00", id="on demand"),
        pytest.param(
            Schedule((), timedelta(hours=6), "UTC", timedelta(0)),
            "2027-03-10 06:00",
            "2027-03-10 12:00",
            "2027-03-10 15:00",
            id="half the time to the next",
        ),
        pytest.param(
            cron("0 2 * * 1-5", "UTC"), "2027-03-12 02:00", "2027-03-15 02:00", "2027-03-15 15:00", id="a week-end"
        ),
        pytest.param(
            cron("0 2 * * 1-5", "UTC"), "2027-03-08 02:00", "2027-03-09 02:00", "2027-03-09 15:00", id="a working day"
        ),
        pytest.param(
            cron("0 2 1 * *", "UTC"), "2027-03-01 02:00", "2027-04-01 02:00", "2027-04-01 15:00", id="once a month"
        ),
    ],
)
def test_a_machine_falls_behind_when_the_next_slot_has_had_its_time(
    schedule: Schedule, newest: str, missing: str, since: str
) -> None:
    behind = lateness(schedule, at(newest))
    assert (behind.missing, behind.since) == (at(missing), at(since))


def test_a_line_whose_days_never_come_has_no_slots() -> None:
    never = cron("0 2 */20 * 1L", "UTC")
    assert [*slots(never, at("2027-03-10 02:00"), at("2028-03-10 02:00"))] == []
    assert [*slots_back_from(never, at("2027-03-10 02:00"))] == []


def test_what_is_owed_after_a_gap_of_centuries_is_found_at_once() -> None:
    due = owed(cron("0 2 * * 1-5", "UTC"), at("1527-03-10 02:00"), at("2027-03-14 09:00"))
    assert due
    assert (due.slot, due.newest_missed) == (at("2027-03-12 02:00"), at("2027-03-11 02:00"))
    assert due.oldest_missed == at("1527-03-11 02:00")


def test_an_instant_is_told_in_utc_whatever_zone_it_was_wished_for_in() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = instant_of(date(2027, 3, 10), time(2), berlin)
    assert found == at("2027-03-10 01:00")
    assert found.tzinfo is UTC
    assert instant_of(date(2027, 3, 28), time(2, 30), berlin).tzinfo is UTC


def test_slots_of_several_times_a_day_are_counted_back_by_the_clock_of_their_zone() -> None:
    twice = Schedule((time(2), time(14)), None, "Europe/Berlin", MINUTE)
    back = slots_back_from(twice, at("2027-03-10 13:00"))
    assert [next(back) for _ in range(3)] == [at("2027-03-10 13:00"), at("2027-03-10 01:00"), at("2027-03-09 13:00")]


def test_two_times_of_one_gap_are_one_slot_in_either_direction() -> None:
    skipped = Schedule((time(2), time(2, 30)), None, "Europe/Berlin", MINUTE)
    back = slots_back_from(skipped, at("2027-03-28 12:00"))
    assert [next(back) for _ in range(2)] == [at("2027-03-28 01:00"), at("2027-03-27 01:30")]
    assert next_slot(skipped, at("2027-03-28 01:00")) == at("2027-03-29 00:00")


def test_west_of_greenwich_the_local_day_goes_on_after_midnight_of_utc() -> None:
    late = Schedule((time(22),), None, "America/New_York", MINUTE)
    assert next_slot(late, at("2027-03-11 02:00")) == at("2027-03-11 03:00")


def test_the_zone_of_whoever_reckons_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Etc/GMT+12")
    tzset()
    try:
        farthest = Schedule((time(0, 30),), None, "Pacific/Kiritimati", MINUTE)
        assert next(slots_back_from(farthest, at("2027-03-10 11:00"))) == at("2027-03-10 10:30")
    finally:
        monkeypatch.undo()
        tzset()
