"""Reads the `vault` part of a plan: what Azure Backup is asked for, or every problem with it.

Called by plan.py. What a policy cannot express is refused here, when the plans are loaded, and never rounded. Limits:
azure-facts 5.5 and the VM-backup FAQ that 5.12 quotes; half hours are required because the service is said to (it is
unverified, and asking for less is safe).
"""

from __future__ import annotations

from datetime import time, timedelta

from shared.decide.durations import duration_text, parse_duration, parse_keep
from shared.decide.plan_fields import Part, wall
from shared.decide.tag_values import zone_named
from shared.decide.windows_zones import WINDOWS_NAMES
from shared.model.plan import Age, Keep, PolicyType, Unit, VaultPart, VaultSchedule

HOUR = timedelta(hours=1)
HALF = timedelta(minutes=30)
INTERVALS = (4, 6, 8, 12)
LONGEST_WINDOW = 3 * HALF  # four start times: more would only spend policies, of which a vault has 200
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KEEP_FORM = "7d to 9999d for daily points, and w, m, y as wanted; w first for points of single weekdays"
FEWEST_DAYS, MOST_DAYS = 7, 9999
INSTANT_DAYS = {PolicyType.STANDARD: (1, 5, 2), PolicyType.ENHANCED: (1, 30, 7)}  # least, most, default
WEEKLY_INSTANT_DAYS = 5
SOME_KEEP = Keep((Age(30, Unit.DAY),))


def vault_part(part: Part) -> VaultPart:
    """What the part asks for; usual values stand in for what cannot be used."""
    type_ = PolicyType.ENHANCED if part.text("policy", "standard") == "enhanced" else PolicyType.STANDARD
    schedule = _schedule(part)
    agentless = part.text("consistency", "application") == "crash"
    for field, given in (("every", schedule.every is not None), ("consistency", agentless)):
        if given and type_ is PolicyType.STANDARD:
            part.wrong(field, "a standard policy cannot do that", 'policy = "enhanced"')
    starts = part.text("when_stopped", "wait") == "start"
    return VaultPart(schedule, _keep(part, schedule), type_, _instant_days(part, type_, schedule), agentless, starts)


def _schedule(part: Part) -> VaultSchedule:
    start = wall(part, part.text("at", "00:00"))
    if start.minute % 30:
        part.wrong("at", f"{start:%H:%M} is not on the half hour", "00:00, 00:30 and so on to 23:30")
    zone = zone_named(part.text("zone", "UTC")) or ""
    if zone not in WINDOWS_NAMES:
        known = ", ".join(sorted(WINDOWS_NAMES))
        part.wrong("zone", f"{part.text('zone', '')!r} has no name that Azure Backup knows", known)
        zone = "UTC"
    days = _weekdays(part)
    every, span = _hourly(part)
    if days and every:
        part.wrong("", "it says when by days and every", "one of them, or neither for every day")
    return VaultSchedule(start, zone, days, every, span, _slots(part, start, days))


def _weekdays(part: Part) -> tuple[int, ...]:
    named = [text.strip().lower() for text in part.texts("days", ())]
    for text in named:
        if text not in WEEKDAYS:
            part.wrong("days", f"{text!r} is no weekday", ", ".join(WEEKDAYS))
    return tuple(sorted({WEEKDAYS.index(text) for text in named if text in WEEKDAYS}))


def _hourly(part: Part) -> tuple[timedelta | None, timedelta]:
    if not part.text("every", ""):
        if "for" in part.fields:
            part.wrong("for", "it is the length of an hourly schedule's day, and there is no every", "every with it")
        return None, timedelta(0)
    every = parse_duration(part.text("every", ""))
    if every not in [HOUR * hours for hours in INTERVALS]:
        part.wrong("every", f"{part.text('every', '')!r} is not an interval", "4h, 6h, 8h, 12h")
        every = HOUR * INTERVALS[0]
    assert every is not None
    span = part.duration("for", timedelta(hours=24), every, timedelta(hours=24))
    if span % HOUR:
        part.wrong("for", f"{duration_text(span)} is not in whole hours", f"{duration_text(every)} to 24h")
    return every, span


def _slots(part: Part, start: time, days: tuple[int, ...]) -> int:
    window = part.duration("window", timedelta(0), timedelta(0), LONGEST_WINDOW)
    if window % HALF:
        part.wrong("window", f"{duration_text(window)} is not in half hours", "0s, 30min, 1h, 90min")
    last = timedelta(hours=start.hour, minutes=start.minute) + window
    if days and last >= timedelta(days=1):
        part.wrong("window", "it reaches into the next day", "a start and a window within the day")
        return 1
    return 1 + window // HALF


def _keep(part: Part, schedule: VaultSchedule) -> Keep:
    text = part.text("keep", str(SOME_KEEP))
    keep = parse_keep(text)
    counts = {age.unit: age.count for age in keep.ages} if keep else {}
    daily = not schedule.weekdays
    fits = (
        keep is not None
        and not keep.last
        and Unit.HOUR not in counts
        and (FEWEST_DAYS <= counts.get(Unit.DAY, 0) <= MOST_DAYS if daily else Unit.DAY not in counts)
        and (daily or Unit.WEEK in counts)
    )
    if not fits or keep is None:
        part.wrong("keep", f"{text!r} is not what a policy can keep", KEEP_FORM)
        return SOME_KEEP if daily else Keep((Age(4, Unit.WEEK),))
    return keep


def _instant_days(part: Part, type_: PolicyType, schedule: VaultSchedule) -> int:
    least, most, usual = INSTANT_DAYS[type_]
    if type_ is PolicyType.STANDARD and schedule.weekdays:
        least = most = usual = WEEKLY_INSTANT_DAYS
    found = part.fields.get("instant_days", usual)
    if not isinstance(found, int) or isinstance(found, bool):
        return usual
    if not least <= found <= most:
        part.wrong("instant_days", f"{found} is out of range", f"{least} to {most}")
        return usual
    return found
