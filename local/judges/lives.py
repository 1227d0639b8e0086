"""The machines as they really were: every incarnation in Azure's state, and what its tags asked for from when to when.

Built from the simulator's state and the script alone; used by every judge that needs to know what was wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from local.judges.evidence import Evidence, Record, instant, maybe_instant, tag
from local.judges.plans import Plan, folded, modified
from local.judges.script import Act, Script, moves

VM = "microsoft.compute/virtualmachines"
DISK = "microsoft.compute/disks"
GRACE = timedelta(days=7)
ASKS_NOTHING = ("", "off")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a machine asked for one thing. `plan` is None where it asked for nothing that there is."""

    since: datetime
    until: datetime
    tags: Mapping[str, str]
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class Machine:
    """One incarnation. `disks` are the unique ids of what a point of it must hold."""

    uid: str
    id: str
    name: str
    subscription: str
    region: str
    born: datetime
    gone: datetime | None
    disks: frozenset[str]
    stretches: tuple[Stretch, ...]

    @property
    def shard(self) -> str:
        return f"{self.subscription}|{self.region}"

    def at(self, moment: datetime) -> Stretch | None:
        """What it asked for at an instant; the last before it where its tags were just being changed."""
        return next((one for one in reversed(self.stretches) if one.since <= moment), None)

    def asked_at(self, moment: datetime) -> bool:
        """Whether it existed and asked for protection at an instant."""
        return self.asked(moment, moment)

    def asked(self, since: datetime, until: datetime) -> bool:
        """Whether it existed and asked for protection all the time."""
        alive = self.born <= since and (self.gone is None or until < self.gone)
        wanted = [one for one in self.stretches if one.since < until and since < one.until]
        whole = bool(wanted) and wanted[0].since <= since
        return alive and whole and all(one.plan is not None for one in wanted)


def machines(evidence: Evidence, script: Script) -> tuple[Machine, ...]:
    """Every incarnation that there ever was, the oldest first; one that moved stands where it was last."""
    found = [one for one in evidence.resources if str(one.get("type", "")).lower() == VM]
    disks = [one for one in evidence.resources if str(one.get("type", "")).lower() == DISK]
    built = [_machine(one, disks, script) for one in found]
    last = {machine.uid: machine for machine in sorted(built, key=lambda machine: machine.gone or script.end + GRACE)}
    return tuple(sorted(last.values(), key=lambda machine: machine.born))


def _machine(vm: Record, disks: list[Record], script: Script) -> Machine:
    place = str(vm["id"]).lower()
    subscription = place.split("/")[2]
    bare = Machine(
        uid=str(vm["properties"]["vmId"]).lower(),
        id=place,
        name=str(vm["name"]),
        subscription=subscription,
        region=str(vm["location"]).lower().replace(" ", ""),
        born=instant(vm["born"]),
        gone=maybe_instant(vm["gone"]),
        disks=_captured(vm, disks),
        stretches=(),
    )
    return replace(bare, stretches=tuple(_stretches(bare, script)))


def _captured(vm: Record, disks: list[Record]) -> frozenset[str]:
    """The machine's own managed disks that no tag of theirs leaves out."""
    storage = vm["properties"]["storageProfile"]
    attached = [storage["osDisk"], *storage.get("dataDisks", ())]
    ids = {str((one.get("managedDisk") or {}).get("id", "")).lower() for one in attached}
    ephemeral = str((storage["osDisk"].get("managedDisk") or {}).get("id", "-")).lower()
    if storage["osDisk"].get("diffDiskSettings"):
        ids.discard(ephemeral)
    born, gone = instant(vm["born"]), maybe_instant(vm["gone"])
    return frozenset(
        str(disk["properties"]["uniqueId"]).lower()
        for disk in disks
        if str(disk["id"]).lower() in ids
        and tag(disk, "backup").lower() != "off"
        and (disk["gone"] is None or instant(disk["gone"]) >= born)
        and (gone is None or instant(disk["born"]) < gone)
    )


def _stretches(machine: Machine, script: Script) -> Iterator[Stretch]:
    """What it asked for, act after act, and plans file after plans file; a mistyped plan leaves the last good one."""
    end = min(machine.gone or script.end, script.end)
    acts = [*_acts_on(machine, script)]
    good: Plan | None = None
    mistyped: datetime | None = None
    for act, last in zip(acts, [*(one.at for one in acts[1:]), end], strict=False):
        tags = folded(act.tags or {})
        for since, until in pairwise([act.until, *(at for at, _ in script.plans if act.until < at < last), last]):
            plan = _plan_of(machine, tags, script, since)
            if plan is not None or good is None or tags.get("backup", "").lower() in ASKS_NOTHING:
                good, mistyped = plan, None
                yield from _stretch(since, until, tags, plan)
                continue
            mistyped = mistyped or since
            ends = max(since, min(until, mistyped + GRACE))
            yield from _stretch(since, ends, tags, good)
            yield from _stretch(ends, until, tags, None)


def _stretch(since: datetime, until: datetime, tags: Mapping[str, str], plan: Plan | None) -> Iterator[Stretch]:
    if since < until:
        yield Stretch(since, until, tags, plan and modified(plan, tags))


def _plan_of(machine: Machine, tags: Mapping[str, str], script: Script, at: datetime) -> Plan | None:
    wish = tags.get("backup", "").lower()
    if wish in ASKS_NOTHING or machine.subscription not in script.enforced or not machine.disks:
        return None
    return script.plans_at(at).named(wish, machine.subscription)


def _acts_on(machine: Machine, script: Script) -> Iterator[Act]:
    """The acts that gave this incarnation its tags, also where it stood before it was moved."""
    place, led = machine.id, moves(script.of("move"))
    spans: list[tuple[str, datetime, datetime]] = []
    until = machine.gone or datetime.max.replace(tzinfo=script.end.tzinfo)
    while place in led and led[place].at >= machine.born:
        spans.append((place, led[place].at, until))
        until, place = led[place].at, led[place].machine
    spans.append((place, machine.born, until))
    for act in script.acts:
        if act.tags is not None and any(
            act.machine == where and act.until >= since and act.at < last for where, since, last in spans
        ):
            yield act
