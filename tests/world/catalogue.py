"""The plans of the worlds, twice: as the product reads them, and as the tests understand them by themselves.

`asked` is an own, simple reading of the opt-in tags that Life sets; it shares nothing with `shared/decide`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.decide.plan import read_plans
from shared.model.rules import Mode, Rules
from tests.world.slots import Wish

OWNER = "installation-1"
ENFORCED = ("sub-one", "sub-two")
WATCHED = "sub-watched"
FOREIGN = "sub-foreign"
DEFAULT = "silver"

PLANS = {
    "default": DEFAULT,
    "plans": {
        "bronze": {
            "keep_floor": "24h",
            "snapshots": {"at": ["03:00"], "zone": "UTC", "keep": "3d", "window": "2h"},
        },
        "silver": {
            "keep_floor": "24h",
            "snapshots": {"at": ["02:30"], "zone": "Europe/Berlin", "keep": "7d4w12m", "window": "1h"},
        },
        "gold": {
            "keep_floor": "48h",
            "snapshots": {"every": "6h", "zone": "UTC", "keep": "48h7d", "window": "30min"},
        },
        "vaulted": {
            "keep_floor": "48h",
            "snapshots": {"every": "6h", "zone": "UTC", "keep": "48h7d", "window": "30min"},
            "vault": {"at": "21:30", "zone": "UTC", "keep": "7d", "when_stopped": "start"},
        },
        "whole": {
            "keep_floor": "48h",
            "snapshots": {"every": "6h", "zone": "UTC", "keep": "48h7d", "window": "30min", "consistency": "vm"},
        },
        "entire": {
            "keep_floor": "48h",
            "snapshots": {"every": "6h", "zone": "UTC", "keep": "48h7d", "window": "30min", "consistency": "vm"},
        },
        "twice": {
            "keep_floor": "24h",
            "snapshots": {"at": ["01:30", "13:30"], "zone": "America/New_York", "keep": "5d2w", "window": "10min"},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What a plan keeps: an age for each class it knows, exact ones as durations, months by number."""

    ages: Mapping[str, timedelta]
    months: int
    floor: timedelta

    @property
    def shortest(self) -> timedelta:
        return min(self.ages.values())


@dataclass(frozen=True, slots=True)
class Asked:
    """What a machine's tags ask for. `plan` is empty when they name no plan that exists."""

    plan: str
    wish: Wish
    window: timedelta


DAY = timedelta(days=1)
WISHES = {
    "bronze": Asked("bronze", Wish(at=(time(3),)), timedelta(hours=2)),
    "silver": Asked("silver", Wish(at=(time(2, 30),), zone="Europe/Berlin"), timedelta(hours=1)),
    "gold": Asked("gold", Wish(every=timedelta(hours=6)), timedelta(minutes=30)),
    "vaulted": Asked("vaulted", Wish(every=timedelta(hours=6)), timedelta(minutes=30)),
    "whole": Asked("whole", Wish(every=timedelta(hours=6)), timedelta(minutes=30)),
    "entire": Asked("entire", Wish(every=timedelta(hours=6)), timedelta(minutes=30)),
    "twice": Asked("twice", Wish(at=(time(1, 30), time(13, 30)), zone="America/New_York"), timedelta(minutes=10)),
}
KEEPS = {
    "bronze": Kept({"d": 3 * DAY}, 0, DAY),
    "silver": Kept({"d": 7 * DAY, "w": 28 * DAY}, 12, DAY),
    "gold": Kept({"h": 2 * DAY, "d": 7 * DAY}, 0, 2 * DAY),
    "vaulted": Kept({"h": 2 * DAY, "d": 7 * DAY}, 0, 2 * DAY),
    "whole": Kept({"h": 2 * DAY, "d": 7 * DAY}, 0, 2 * DAY),
    "entire": Kept({"h": 2 * DAY, "d": 7 * DAY}, 0, 2 * DAY),
    "twice": Kept({"d": 5 * DAY, "w": 14 * DAY}, 0, DAY),
}
UNKNOWN = Asked("", Wish(at=(time(0),)), timedelta(0))


ORPHAN_KEEP = timedelta(days=2)


def asked(tags: Mapping[str, str]) -> Asked | None:
    """What tags ask for; None when they ask for nothing, UNKNOWN when they name no plan."""
    folded = {name.lower(): value.strip() for name, value in tags.items()}
    value = folded.get("backup", "off").lower()
    if value == "off":
        return None
    wanted = WISHES.get(DEFAULT if value == "on" else value, UNKNOWN)
    moved = folded.get("backup-at")
    if moved is None or len(wanted.wish.at) != 1 or wanted is UNKNOWN:
        return wanted
    wall, _, zone = moved.partition(" ")
    hour, minute = (int(part) for part in wall.split(":"))
    return replace(wanted, wish=Wish(at=(time(hour, minute),), zone=zone or wanted.wish.zone))


def rules() -> Rules:
    """What the product is told."""
    plans, problems = read_plans(PLANS)
    assert not problems, problems
    modes = dict.fromkeys(ENFORCED, Mode.ENFORCE) | {WATCHED: Mode.OBSERVE}
    topic = "https://topic.example/api/events"
    return Rules(plans=plans, subscriptions=modes, owner=OWNER, topic=topic, orphan_keep=ORPHAN_KEEP)


def local_periods(slot: datetime, zone: str) -> dict[str, tuple[int, ...]]:
    """The local day, ISO week and month of a slot, which earn the classes of the same letters."""
    local = slot.astimezone(ZoneInfo(zone))
    year, week, _ = local.isocalendar()
    return {"d": (local.year, local.month, local.day), "w": (year, week), "m": (local.year, local.month)}
