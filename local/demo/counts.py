"""Counts what a finished demo amounted to, from its evidence alone. Pure; the numbers of summary.json.

Used by report.py. It reads what the judges read, through their eyes, and judges nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.judges.evidence import Record, instant, path_of
from local.judges.world import World

DAY = timedelta(days=1)
OFTEN = 3.5  # points a day, from which on a machine counts as taken every six hours
IN_FLIGHT = timedelta(seconds=5)
TOO_MANY, CONFLICT, UNAVAILABLE = 429, 409, 503


def expired(world: World) -> int:
    """Points of which every part was deleted by the product."""
    deleted = {path_of(call).rpartition("/")[2] for call in world.deletions}
    return sum(1 for whole in world.wholes.values() if whole.parts and deleted.issuperset(whole.parts))


def retried(world: World) -> int:
    """Operations that were taken up more than once."""
    return len(
        {str(row["RowKey"]) for dump in world.dumps for row in dump.of("o") if int(str(row.get("attempts", 0))) > 1}
    )


def six_hourly(world: World) -> int:
    """Machines that have, over the days of their life, at least so many complete points a day."""
    found = 0
    for machine in world.machines:
        days = ((machine.gone or world.script.end) - machine.born) / DAY
        found += days >= 1 and len(world.wholes_of.get(machine.uid, ())) >= OFTEN * days
    return found


def adopted(world: World, rules: Sequence[Record]) -> int:
    """Snapshots whose PUT was carried out though nobody heard the answer, looked at since and part of a whole point."""
    cuts = {str(rule["id"]) for rule in rules if rule["effect"].get("cut") == "after"}
    lost = {path_of(call): instant(call["t"]) for call in world.puts if _is_lost(world, call, cuts)}
    looks: defaultdict[str, list[datetime]] = defaultdict(list)
    for call in world.calls:
        if call["method"] == "GET" and path_of(call) in lost:
            looks[path_of(call)].append(instant(call["t"]))
    whole = {name for point in world.wholes.values() for name in point.parts}
    return sum(
        1 for path, at in lost.items() if path.rpartition("/")[2] in whole and any(look > at for look in looks[path])
    )


def _is_lost(world: World, call: Record, cuts: Set[str]) -> bool:
    """A PUT whose connection was cut after the work, or whose sender was killed while it waited."""
    at = instant(call["t"])
    killed = any(act.at - IN_FLIGHT <= at <= act.until for act in world.script.of("kill"))
    return str(call["fault"]) in cuts or killed


def recreated(world: World) -> int:
    """Machines made again under a name that was there before."""
    return len(world.machines) - len({machine.id for machine in world.machines})


def faults(world: World, rules: Sequence[Record]) -> Mapping[str, int]:
    """How often each fault was met, by its number."""
    found: Counter[str] = Counter()
    for rule in rules:
        found[str(rule["id"]).partition("-")[0]] += int(rule["fired"])
    found["F1"] += sum(1 for call in world.calls if call["status"] == TOO_MANY and not call["fault"])
    found["F11"] = len(world.script.of("silence"))
    found["F16"] = len(world.script.of("kill"))
    found["F18"] = sum(1 for call in world.calls if call["method"] == "DELETE" and call["status"] == CONFLICT)
    found["F19"] = recreated(world)
    found["F22"] = sum(1 for one in world.evidence.requests if one["status"] == UNAVAILABLE)
    found["T6"] = len(world.script.of("forged-event"))
    for act in world.script.acts:
        number = str(act.said.get("fault"))
        found[number] += (int(act.said.get("sent", 0)) if number == "F12" else 1) if number in ("F12", "T1") else 0
    return {name: found[name] for name in sorted(found) if name[:1] in "FT" and found[name]}


@dataclass(frozen=True, slots=True)
class Window:
    """A time without trouble, and what a day cost in it for each disk."""

    since: datetime
    until: datetime
    disks: int
    snapshots: int
    writes_deletes: int
    reads: int

    def document(self) -> dict[str, object]:
        """As summary.json has it. A disk that is taken every six hours counts once a day as any other."""
        disk_days = self.disks * ((self.until - self.since) / DAY)
        return {
            "window": f"{self.since:%Y-%m-%dT%H:%M}Z to {self.until:%Y-%m-%dT%H:%M}Z, without trouble",
            "disks": self.disks,
            "snapshots": self.snapshots,
            "writes_deletes": round(self.writes_deletes / disk_days, 2) if disk_days else None,
            "reads": round(self.reads / disk_days, 2) if disk_days else None,
            "writes_deletes_per_snapshot": round(self.writes_deletes / self.snapshots, 2) if self.snapshots else None,
            "reads_per_snapshot": round(self.reads / self.snapshots, 2) if self.snapshots else None,
        }


def quiet_day(world: World) -> Window | None:
    """The last whole day in which nothing was in the way, if there is one."""
    until = world.script.end
    while until - DAY >= world.script.start:
        if not world.script.disturbed(until - DAY, until):
            return _window(world, until - DAY, until)
        until -= timedelta(hours=1)
    return None


def _window(world: World, since: datetime, until: datetime) -> Window:
    calls = [call for call in world.calls if since <= instant(call["t"]) < until]
    reads = sum(1 for call in calls if call["method"] == "GET" or str(call["operation"]).lower().endswith("/read"))
    taken = [one for one in world.snapshots if since <= one.born < until]
    return Window(since, until, len({one.source for one in taken}), len(taken), len(calls) - reads, reads)
