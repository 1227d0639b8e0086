"""What a backup policy may say, and how the service writes it. Pure; used by backup_policies.py.

The rules are documented; the service has one code and one text for all of them (documented by its clients).
"""

from local.simulator.answers import Document
from local.simulator.backup_schedule import LENGTHS, date_part, instant_days, times_of_day
from local.simulator.vault_errors import bad_policy
from local.simulator.windows_zones import offset_of

LEAST_DAYS, MOST_DAYS = 7, 9999  # of daily retention (documented)
MOST_INSTANT = {"V1": 5, "V2": 30}  # days (documented)


def taken(properties: Document) -> Document:
    """Write a policy as the service keeps it: no counts, times without fractions (recorded)."""
    properties.pop("protectedItemsCount", None)
    if not properties.get("backupManagementType"):
        raise bad_policy()
    if properties["backupManagementType"] == "AzureIaasVM":
        order = ("backupManagementType", "policyType", "instantRPDetails")
        properties.setdefault("instantRPDetails", {})
        properties.setdefault("instantRpRetentionRangeInDays", instant_days(properties))
        properties.setdefault("timeZone", "UTC")
        properties = {**{name: properties[name] for name in order if name in properties}, **properties}
        schedule = dict(properties.get("schedulePolicy") or {})
        if schedule.get("schedulePolicyType") == "SimpleSchedulePolicy":
            schedule.setdefault("scheduleWeeklyFrequency", 0)
        properties["schedulePolicy"] = schedule
    taken: Document = _times(properties)
    return taken


def _times(value: object, key: str = "") -> "Document":
    """Rewrite every time in a policy."""
    if isinstance(value, dict):
        return {name: _times(each, name) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_times(each, key) for each in value]  # type: ignore[return-value]
    if isinstance(value, str) and key in ("scheduleRunTimes", "retentionTimes", "scheduleWindowStartTime"):
        try:
            return date_part(value)  # type: ignore[return-value]
        except ValueError as error:
            raise bad_policy() from error
    return value  # type: ignore[return-value]


def check(properties: Document) -> None:
    """Refuse what the service does not do (rules documented; one code and text for all of them)."""
    schedule, retention = properties["schedulePolicy"], properties.get("retentionPolicy") or {}
    newer = properties.get("policyType") == "V2"
    if newer != (schedule.get("schedulePolicyType") == "SimpleSchedulePolicyV2"):
        raise bad_policy()
    if offset_of(str(properties["timeZone"])) is None:
        raise bad_policy()
    try:
        times = times_of_day(properties)
    except (KeyError, TypeError, ValueError) as error:
        raise bad_policy() from error
    if not times or any(each % 1800 for each in times):
        raise bad_policy()
    hourly = schedule.get("hourlySchedule") or {}
    if schedule.get("scheduleRunFrequency") == "Hourly" and hourly.get("interval") not in (4, 6, 8, 12):
        raise bad_policy()
    weekly = schedule.get("scheduleRunFrequency") == "Weekly"
    instant = int(properties["instantRpRetentionRangeInDays"])
    if not 1 <= instant <= MOST_INSTANT["V2" if newer else "V1"] or (weekly and not newer and instant != 5):
        raise bad_policy()
    _check_retention(retention, weekly, instant)


def _check_retention(retention: Document, weekly: bool, instant: int) -> None:
    daily = retention.get("dailySchedule")
    if weekly == bool(daily) or (weekly and not retention.get("weeklySchedule")):
        raise bad_policy()
    for name in ("dailySchedule", "weeklySchedule", "monthlySchedule", "yearlySchedule"):
        duration = (retention.get(name) or {}).get("retentionDuration")
        days = int(duration["count"]) * LENGTHS.get(str(duration["durationType"]), 0) if duration else LEAST_DAYS
        least = max(LEAST_DAYS, instant) if name == "dailySchedule" and duration else 1
        if not least <= days <= MOST_DAYS * 4 or (name == "dailySchedule" and days > MOST_DAYS):
            raise bad_policy()
