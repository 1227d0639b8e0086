"""Plans: what a tag can ask for. Data read from the plans file; `decide/plan.py` reads and judges it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum

from shared.model.point import Engine
from shared.model.span import told


class Unit(StrEnum):
    """The units of a keep: hours, days and weeks are exact; months and years follow the calendar of the plan's zone."""

    HOUR = "h"
    DAY = "d"
    WEEK = "w"
    MONTH = "m"
    YEAR = "y"


@dataclass(frozen=True, slots=True)
class Age:
    """How long a point of one class is kept, e.g. `7d`."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


@dataclass(frozen=True, slots=True)
class Keep:
    """How long points are kept: an age per class, and the number of newest complete points that are held anyway."""

    ages: tuple[Age, ...]
    last: int = 0

    def __str__(self) -> str:
        ages = "".join(str(age) for age in self.ages)
        newest = f"last={self.last}" if self.last else ""
        return " ".join(part for part in (ages, newest) if part)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When points are due, by the wall clock of `zone` (an IANA name): exactly one of three forms is given.

    `at`: times of every day. `every`: so often, from each midnight on. `cron`: five fields, as `decide/cron.py` reads.
    Starts are spread over `window` after each slot.
    """

    at: tuple[time, ...]
    every: timedelta | None
    zone: str
    window: timedelta
    cron: str = ""

    def __str__(self) -> str:
        if self.cron:
            return f"by cron {self.cron!r} ({self.zone})"
        if self.every is not None:
            return f"every {told(self.every)} ({self.zone})"
        return f"at {', '.join(moment.strftime('%H:%M') for moment in self.at)} {self.zone}"


class PolicyType(StrEnum):
    """The two kinds of policies, by the name that Azure gives them in `policyType`."""

    STANDARD = "V1"
    ENHANCED = "V2"


@dataclass(frozen=True, slots=True)
class VaultSchedule:
    """When a vault backs up, by the wall clock of `zone` (an IANA name).

    Daily at `start`; on `weekdays` only (0 is Monday) where any are named; from `start` on for `span` where `every` is
    given. `slots` start times, half an hour apart from `start` on, share the machines between them.
    """

    start: time
    zone: str
    weekdays: tuple[int, ...] = ()
    every: timedelta | None = None
    span: timedelta = timedelta(0)
    slots: int = 1


@dataclass(frozen=True, slots=True)
class VaultPart:
    """What a plan asks of Azure Backup. `agentless`: crash-consistent points only, without anything inside the VM.

    `starts`: a VM that does not run is started for a backup that failed because of that; nobody stops it again.
    """

    schedule: VaultSchedule
    keep: Keep
    type: PolicyType
    instant_days: int
    agentless: bool = False
    starts: bool = False


@dataclass(frozen=True, slots=True)
class DrillPart:
    """How often a plan's machines are restored to prove that they can be, and what that may cost.

    A proof older than `limit` is an alarm. At most `per_day` drills are begun in 24 hours, and none that would bring
    what they are reckoned to cost, at `hourly_cost` for every hour begun, above `cost_per_day` (0: not counted).
    Machines are made in `group`; empty for each one's own. The rest is the trial: see `model/drill.py`.
    """

    every: timedelta
    limit: timedelta
    per_day: int
    boot_within: timedelta
    command: str = ""
    expects: str = ""
    group: str = ""
    hourly_cost: float = 0.0
    cost_per_day: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A named wish for protection: by snapshots of a VM's disks, by Azure Backup, or by both.

    `schedule` and `keep` are what its machines are measured by: the snapshots', or the vault's where it takes none.
    `engine` takes what is called its snapshots: of each disk by itself, or of all disks of a VM at one instant.
    """

    name: str
    schedule: Schedule
    keep: Keep
    keep_floor: timedelta
    max_per_day: int
    takes_snapshots: bool = True
    vault: VaultPart | None = None
    drill: DrillPart | None = None
    engine: Engine = Engine.DISK


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans file: every plan by its lower-case name, the default's name, and what each subscription allows."""

    by_name: Mapping[str, Plan]
    default: str
    allowed: Mapping[str, frozenset[str]]

    def allowed_in(self, subscription: str) -> frozenset[str]:
        """The names of the plans that machines of a subscription may use."""
        return self.allowed.get(subscription, frozenset(self.by_name))
