"""Plans as policies of Azure Backup: the body of each, its name, and whether one keeps less than another.

A policy's name holds a hash of its body: a changed plan makes another policy, and no policy in use is ever written
again. So a plan that keeps longer is assigned machine by machine, one that keeps shorter is for people (vaulting.py).
A vault has 200 policies and takes 50 writes a day [VM-backup FAQ, azure-facts 5.12]; a plan has at most four.
Shapes: azure-facts 5.5 and the recorded DefaultPolicy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from shared.decide.vault_plan import start_of
from shared.decide.windows_zones import WINDOWS_NAMES
from shared.model.identity import VmUid
from shared.model.machine import Machine
from shared.model.plan import Plan, PolicyType, Unit, VaultPart

PREFIX = "tagback-"
MOST_POLICIES = 190  # of 200: the rest is for people
WRITES_A_DAY = 40  # of 50, per vault: the rest is for people as well
DAY = timedelta(days=1)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SOME_DAY = "2026-01-01T"  # of a policy's times only the time of day counts
DAYS_IN = {"days": 1.0, "weeks": 7.0, "months": 30.4, "years": 365.25}
CLASSES = ("daily", "weekly", "monthly", "yearly")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy to be there under a name that says what is in it."""

    name: str
    properties: Json


def policy_of(plan_name: str, part: VaultPart, uid: VmUid) -> Policy:
    """The policy of one machine: its plan's, with the start time that it has among the plan's slots."""
    start = start_of(part, uid)
    properties = properties_of(part, start)
    digest = hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:6]
    return Policy(f"{PREFIX}{plan_name}-{start:%H%M}-{digest}", properties)


def asked_of(machine: Machine, plan: Plan) -> str:
    """Everything that is asked of Azure Backup for a machine, in one text: another text means another wish."""
    if plan.vault is None:
        return ""
    left_out = ",".join(str(lun) for lun in left_out_of(machine))
    return "|".join(part for part in (policy_of(plan.name, plan.vault, machine.uid).name, left_out) if part)


def left_out_of(machine: Machine) -> tuple[int, ...]:
    """The LUNs of the data disks that its tags leave out. A policy cannot leave out the OS disk."""
    return tuple(sorted(disk.lun for disk in machine.disks if disk.left_out and disk.lun is not None))


def properties_of(part: VaultPart, start: time) -> Json:
    """A policy's body, as Azure takes it."""
    at = f"{SOME_DAY}{start:%H:%M}:00Z"
    properties: dict[str, Any] = {
        "backupManagementType": "AzureIaasVM",
        "policyType": part.type.value,
        "instantRpRetentionRangeInDays": part.instant_days,
        "timeZone": WINDOWS_NAMES[part.schedule.zone],
        "schedulePolicy": _schedule(part, at),
        "retentionPolicy": {"retentionPolicyType": "LongTermRetentionPolicy", **_retention(part, at)},
    }
    if part.agentless:
        properties["snapshotConsistencyType"] = "OnlyCrashConsistent"
    return properties


def _schedule(part: VaultPart, at: str) -> Json:
    wanted = part.schedule
    days = [DAYS[day] for day in wanted.weekdays]
    frequency = "Weekly" if days else "Daily"
    if part.type is PolicyType.STANDARD:
        named = {"scheduleRunDays": days} if days else {}
        simple = {"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": frequency}
        return {**simple, **named, "scheduleRunTimes": [at]}
    kind: dict[str, Any] = {"schedulePolicyType": "SimpleSchedulePolicyV2", "scheduleRunFrequency": frequency}
    if wanted.every is not None:
        every, span = (int(length.total_seconds() // 3600) for length in (wanted.every, wanted.span))
        hourly = {"interval": every, "scheduleWindowStartTime": at, "scheduleWindowDuration": span}
        return {**kind, "scheduleRunFrequency": "Hourly", "hourlySchedule": hourly}
    if days:
        return {**kind, "weeklySchedule": {"scheduleRunDays": days, "scheduleRunTimes": [at]}}
    return {**kind, "dailySchedule": {"scheduleRunTimes": [at]}}


def _retention(part: VaultPart, at: str) -> Json:
    """One schedule for each class that is kept: the first of its day, week, month, year, as our own classes are."""
    counts = {age.unit: age.count for age in part.keep.ages}
    days = [DAYS[day] for day in part.schedule.weekdays]
    first = {"daysOfTheWeek": days[:1], "weeksOfTheMonth": ["First"]}
    date = {"daysOfTheMonth": [{"date": 1, "isLast": False}]}
    monthly = (
        {"retentionScheduleFormatType": "Weekly", "retentionScheduleWeekly": first}
        if days
        else {"retentionScheduleFormatType": "Daily", "retentionScheduleDaily": date}
    )
    forms: Mapping[Unit, tuple[str, Json, str]] = {
        Unit.DAY: ("dailySchedule", {}, "Days"),
        Unit.WEEK: ("weeklySchedule", {"daysOfTheWeek": days or [DAYS[0]]}, "Weeks"),
        Unit.MONTH: ("monthlySchedule", monthly, "Months"),
        Unit.YEAR: ("yearlySchedule", {**monthly, "monthsOfYear": ["January"]}, "Years"),
    }
    return {
        name: {**form, "retentionTimes": [at], "retentionDuration": {"count": counts[unit], "durationType": duration}}
        for unit, (name, form, duration) in forms.items()
        if unit in counts
    }


def free_from(written: Iterable[datetime], now: datetime) -> datetime:
    """From when on one more policy may be written to a vault that policies were written to at these instants."""
    lately = sorted((at for at in written if at > now - DAY), reverse=True)
    return lately[WRITES_A_DAY - 1] + DAY if len(lately) >= WRITES_A_DAY else now


def shortening(before: Json, after: Json) -> str:
    """What a machine would lose by going from one policy to another; empty where it loses nothing."""
    old, new = kept_by(before), kept_by(after)
    shorter = [
        f"{name} points from {old[name]:.0f} to {new[name]:.0f} days" for name in CLASSES if new[name] < old[name]
    ]
    return ", ".join(shorter)


def kept_by(properties: Json) -> Mapping[str, float]:
    """About how many days a policy keeps each class; zero for one that it does not have."""
    retention = _object(properties, "retentionPolicy")
    simple = _days(_object(retention, "retentionDuration"))
    return {
        name: max(simple, _days(_object(_object(retention, f"{name}Schedule"), "retentionDuration")))
        for name in CLASSES
    }


def _days(duration: Json) -> float:
    count = duration.get("count")
    unit = DAYS_IN.get(str(duration.get("durationType", "")).lower(), 0.0)
    return count * unit if isinstance(count, int) else 0.0


def _object(fields: Json, name: str) -> Json:
    found = fields.get(name)
    return found if isinstance(found, Mapping) else {}
