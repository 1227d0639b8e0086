"""Every IANA zone over ten years of clock changes, against the enumerator: no slot differs. Counts are printed (-s)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import takewhile
from zoneinfo import available_timezones

import pytest

from shared.decide.schedule import owed, slots, slots_back_from
from shared.model.plan import Schedule
from tests.decide.enumerator import EPOCH, MINUTE, Calendar, Stretch, calendar_of, due, minute_of, stretches

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
AROUND = timedelta(days=2)
Clock = tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One schedule, for the product and for the enumerator."""

    schedule: Schedule
    calendar: Calendar


@cache
def clocks() -> Mapping[Clock, tuple[str, ...]]:
    """The zones by what their clocks show over the years: many names are one clock."""
    found: dict[Clock, list[str]] = {}
    for zone in sorted(available_timezones()):
        found.setdefault(stretches(zone, SINCE - AROUND, UNTIL + AROUND), []).append(zone)
    return {clock: tuple(names) for clock, names in found.items()}


def drawn(seed: str, below: int) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") % below


def at_times(zone: str, *minutes: int) -> Wanted:
    walls = tuple(sorted(set(minutes)))
    times = tuple(time(minute // 60, minute % 60) for minute in walls)
    return Wanted(Schedule(times, None, zone, timedelta(0)), Calendar(walls))


def every(zone: str, minutes: int) -> Wanted:
    schedule = Schedule((), minutes * MINUTE, zone, timedelta(0))
    return Wanted(schedule, Calendar(tuple(range(0, 24 * 60, minutes))))


def cron(zone: str, line: str) -> Wanted:
    return Wanted(Schedule((), None, zone, timedelta(0), line), calendar_of(line))


def usual(zone: str, clock: Clock) -> Iterator[Wanted]:
    """What a plan may want: once a day, on leap days, by two kinds of days; where the clock moves, also often."""
    yield at_times(zone, drawn(zone, 24 * 60))
    yield cron(zone, "30 2,23 29 2 *")
    yield cron(zone, "15 1 1,15 */2 0")
    if len(clock) > 1:
        yield every(zone, (540, 660, 720)[drawn(zone, 3)])
        yield cron(zone, f"{drawn(zone, 60)} {drawn(zone, 4)} * * 1-5")


def found_by_product(wanted: Wanted, after: datetime, until: datetime) -> list[int]:
    return [minute_of(slot) for slot in slots(wanted.schedule, after, until)]


def found_backward(wanted: Wanted, after: datetime, until: datetime) -> list[int]:
    back = takewhile(lambda slot: slot > after, slots_back_from(wanted.schedule, until))
    return [minute_of(slot) for slot in back][::-1]


def test_ten_years_of_every_clock_have_the_slots_of_the_enumerator() -> None:
    compared, different = 0, []
    for clock, names in clocks().items():
        zone = names[drawn(names[0], len(names))]
        for wanted in usual(zone, clock):
            expected = due(clock, wanted.calendar, minute_of(SINCE), minute_of(UNTIL))
            compared += len(expected)
            if found_by_product(wanted, SINCE, UNTIL) != expected:
                different.append((zone, str(wanted.schedule)))
    print(f"{len(clocks())} clocks, 10 years, {compared} slots compared, {len(different)} schedules differ")
    assert different == []


def test_every_zone_has_the_slots_of_the_enumerator_around_each_change_of_its_clock() -> None:
    zones, changes, compared, different = 0, 0, 0, []
    for clock, names in clocks().items():
        for zone in names:
            zones += 1
            for stretch in clock[1:]:
                changes += 1
                place = f"{zone} {stretch.begin}"
                wanted = at_times(zone, *(hour * 60 + drawn(f"{place} {hour}", 60) for hour in range(24)))
                middle = EPOCH + stretch.begin * MINUTE
                span = middle - AROUND / 2, middle + AROUND / 2
                expected = due(clock, wanted.calendar, minute_of(span[0]), minute_of(span[1]))
                compared += len(expected)
                if found_by_product(wanted, *span) != expected:
                    different.append(place)
    print(f"{zones} zones, {changes} changes of their clocks, {compared} slots compared, {len(different)} differ")
    assert zones == len(available_timezones()) > 400
    assert changes > 2000
    assert different == []


def test_looking_back_finds_the_same_slots_around_each_change_of_a_clock() -> None:
    compared = 0
    for clock, names in clocks().items():
        for stretch in clock[1:]:
            middle = EPOCH + stretch.begin * MINUTE
            for wanted in (every(names[0], 60), cron(names[0], "20,50 0-4,22,23 * * *")):
                for until in (middle - MINUTE, middle, middle + 17 * MINUTE, middle + 90 * MINUTE):
                    expected = due(clock, wanted.calendar, minute_of(until - AROUND / 4), minute_of(until))
                    compared += len(expected)
                    assert found_backward(wanted, until - AROUND / 4, until) == expected
    print(f"{compared} slots compared")
    assert compared > 10_000


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia"])
def test_what_is_owed_is_the_newest_slot_and_the_range_that_it_supersedes(zone: str) -> None:
    clock = stretches(zone, SINCE - AROUND, UNTIL + AROUND)
    for wanted in usual(zone, clock):
        for turn in range(40):
            settled = SINCE + drawn(f"{zone} {turn} from", 900 * 24 * 60) * MINUTE
            now = settled + drawn(f"{zone} {turn} for", 60 * 24 * 60) * MINUTE
            expected = due(clock, wanted.calendar, minute_of(settled), minute_of(now))
            found = owed(wanted.schedule, settled, now)
            if found is None:
                assert expected == []
                continue
            assert minute_of(found.slot) == expected[-1]
            missed = [minute_of(one) for one in (found.oldest_missed, found.newest_missed) if one]
            assert missed == ([expected[0], expected[-2]] if len(expected) > 1 else [])
