"""When a backup policy runs, and how long its recovery points stay. Pure; used by policies, runs and recovery points.

Only the time of day of a schedule counts, in the policy's zone (documented); a run of several hours' distance starts
with the window and stops with it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from local.simulator.answers import Document
from local.simulator.clock import EPOCH, parse_time
from local.simulator.windows_zones import offset_of

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
WEEKS = ("First", "Second", "Third", "Fourth")
LENGTHS = {"Days": 1, "Weeks": 7, "Months": 30, "Years": 365}
DAY = 24 * 3600.0


def _zone(policy: Document) -> int:
    return offset_of(str(policy.get("timeZone") or "UTC")) or 0


def _local(moment: float, offset: int) -> datetime:
    return EPOCH + timedelta(seconds=moment + offset)


def times_of_day(policy: Document) -> list[float]:
    """Return the seconds after midnight, in the policy's zone, at which it runs."""
    schedule = policy["schedulePolicy"]
    hourly = schedule.get("hourlySchedule")
    if hourly and schedule.get("scheduleRunFrequency") == "Hourly":
        start = _seconds(hourly["scheduleWindowStartTime"])
        steps = int(hourly["scheduleWindowDuration"]) // int(hourly["interval"])
        return [start + step * int(hourly["interval"]) * 3600.0 for step in range(steps + 1)]
    return [_seconds(each) for each in _run_times(schedule)]


def _run_times(schedule: Document) -> list[str]:
    inner = schedule.get("weeklySchedule") or schedule.get("dailySchedule") or schedule
    return list(inner.get("scheduleRunTimes") or [])


def days_of(policy: Document) -> frozenset[str]:
    """Return the days of the week a policy runs on."""
    schedule = policy["schedulePolicy"]
    if schedule.get("scheduleRunFrequency") != "Weekly":
        return frozenset(DAYS)
    inner = schedule.get("weeklySchedule") or schedule
    return frozenset(inner.get("scheduleRunDays") or DAYS)


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.hour * 3600.0 + moment.minute * 60


def next_run(policy: Document, after: float) -> float | None:
    """Return the first time after the given one at which the policy runs."""
    offset, days = _zone(policy), days_of(policy)
    times = sorted(times_of_day(policy))
    midnight = _local(after, offset).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(-1, 9):  # windows may pass midnight
        start = midnight + timedelta(days=day)
        if DAYS[start.weekday()] not in days:
            continue
        for each in times:
            moment = (start - EPOCH).total_seconds() + each - offset
            if moment > after:
                return moment
    return None


def _first_weekday(day: datetime) -> str:
    week = (day.day - 1) // 7
    last = (day + timedelta(days=7)).month != day.month
    return "Last" if last else WEEKS[min(week, 3)]


def _format_fits(schedule: Document, day: datetime) -> bool:
    weekly = schedule.get("retentionScheduleWeekly")
    if schedule.get("retentionScheduleFormatType", "Weekly") == "Weekly" and weekly:
        weeks = weekly.get("weeksOfTheMonth") or ["First"]
        ordinal = WEEKS[(day.day - 1) // 7] if day.day <= 28 else "Fifth"
        named = ordinal in weeks or (_first_weekday(day) == "Last" and "Last" in weeks)
        return DAYS[day.weekday()] in (weekly.get("daysOfTheWeek") or []) and named
    days = (schedule.get("retentionScheduleDaily") or {}).get("daysOfTheMonth") or []
    last = (day + timedelta(days=1)).month != day.month
    return any(each.get("date") == day.day or (each.get("isLast") and last) for each in days)


def _kept(policy: Document, day: datetime) -> Iterator[int]:
    retention = policy["retentionPolicy"]
    if retention.get("retentionPolicyType") == "SimpleRetentionPolicy":
        yield _days(retention)
        return
    daily, weekly = retention.get("dailySchedule"), retention.get("weeklySchedule")
    monthly, yearly = retention.get("monthlySchedule"), retention.get("yearlySchedule")
    if daily:
        yield _days(daily)
    if weekly and DAYS[day.weekday()] in (weekly.get("daysOfTheWeek") or []):
        yield _days(weekly)
    if monthly and _format_fits(monthly, day):
        yield _days(monthly)
    if yearly and MONTHS[day.month - 1] in (yearly.get("monthsOfYear") or []) and _format_fits(yearly, day):
        yield _days(yearly)


def _days(schedule: Document) -> int:
    duration = schedule.get("retentionDuration") or {}
    return int(duration.get("count", 30)) * LENGTHS.get(str(duration.get("durationType", "Days")), 1)


def expiry(policy: Document, taken: float) -> float:
    """Return until when a scheduled point is kept: the longest rule that its day fits."""
    day = _local(taken, _zone(policy)).replace(tzinfo=UTC)
    found = list(_kept(policy, day))
    return taken + (max(found) if found else 30) * DAY


def instant_days(policy: Document) -> int:
    """Return how many days the snapshot stays beside the copy in the vault."""
    return int(policy.get("instantRpRetentionRangeInDays") or (7 if policy.get("policyType") == "V2" else 2))


def date_part(text: str, seconds: bool = True) -> str:
    """Write a time of a policy as the service does, without fractions (recorded)."""
    moment = EPOCH + timedelta(seconds=parse_time(text))
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if seconds else f"{moment:%Y-%m-%d}"
