"""Everything a judge asks of the evidence, put in order: snapshots, complete points, rows by day, calls of the product.

Built once from evidence and script. It only orders what others observed; it judges nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property

from local.judges.evidence import Evidence, Record, instant, listed, maybe_instant, path_of, tag
from local.judges.lives import machines
from local.judges.script import Script
from local.judges.snapshots import Key, Snapshot, snapshot_of
from local.judges.taken_as_one import DELETE_POINT, PUT_POINT, told_as_snapshots

PRODUCT = "tagback"
SNAPSHOT = "microsoft.compute/snapshots"
PUT_SNAPSHOT, DELETE_SNAPSHOT = f"{SNAPSHOT}/write", f"{SNAPSHOT}/delete"
PUTS, DELETIONS = frozenset({PUT_SNAPSHOT, PUT_POINT}), frozenset({DELETE_SNAPSHOT, DELETE_POINT})
NAME = re.compile(r"tb-[0-9a-f]{32}")
END = "end"
VAULT = "vault"
CLOCK_OFF = timedelta(minutes=11)  # a fault may make Azure's clock differ by ten


@dataclass(frozen=True, slots=True)
class Whole:
    """A point that the product called complete: when it said so first, its attempt, and its parts by name."""

    uid: str
    slot: datetime
    attempt: int
    at: datetime
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dump:
    """All rows as they were at one instant."""

    at: datetime
    rows: tuple[Record, ...]

    def of(self, kind: str) -> Iterator[Record]:
        """The rows of a kind, but for the points of vaults: their judge is vaults.py."""
        return (row for row in self._kind(kind) if kind != "p" or row.get("engine") != VAULT)

    def of_vaults(self) -> Iterator[Record]:
        """The rows of the points that vaults hold."""
        return (row for row in self._kind("p") if row.get("engine") == VAULT)

    def _kind(self, kind: str) -> Iterator[Record]:
        return (row for row in self.rows if row["table"] == "ledger" and str(row["RowKey"]).startswith(f"{kind}|"))


class World:
    """Evidence and script, in order."""

    def __init__(self, evidence: Evidence, script: Script) -> None:
        self.evidence = evidence
        self.script = script
        self.machines = machines(evidence, script)
        self.by_uid = {machine.uid: machine for machine in self.machines}

    @cached_property
    def snapshots(self) -> tuple[Snapshot, ...]:
        found = (one for one in self.evidence.resources if str(one.get("type", "")).lower() == SNAPSHOT)
        ours = (one for one in found if tag(one, "tagback-vm") or NAME.fullmatch(str(one["name"])))
        every = (*ours, *told_as_snapshots(self.evidence.resources))
        return tuple(snapshot_of(one, self._born(one)) for one in every)

    def _born(self, said: Record) -> datetime:
        """When a resource was made: as Azure has it, but when a fault struck the PUT as the call has it."""
        born = instant(said["born"])
        near = (at for at in self.struck.get(str(said["id"]).lower(), ()) if abs(at - born) <= CLOCK_OFF)
        return min(near, key=lambda at: abs(at - born), default=born)

    @cached_property
    def struck(self) -> dict[str, list[datetime]]:
        """When PUTs were carried out that a fault struck, by what they made."""
        found: defaultdict[str, list[datetime]] = defaultdict(list)
        for call in self.puts:
            if call["fault"]:
                found[path_of(call)].append(instant(call["t"]))
        return found

    @cached_property
    def tampered(self) -> frozenset[Key]:
        """The points whose rows or snapshots somebody changed who meant harm."""
        acts = self.script.of("tamper")
        uids = {act.machine: [one.uid for one in self.machines if one.id == act.machine] for act in acts}
        return frozenset((uid, slot) for act in acts for uid in uids[act.machine] for slot in act.said["slots"])

    @cached_property
    def made(self) -> tuple[Snapshot, ...]:
        """Those that the product made: tags alone say nothing, whoever may write tags can copy them."""
        put = {path_of(call) for call in self.puts}
        return tuple(one for one in self.snapshots if one.id in put and one is not self.forged.get(one.id))

    @cached_property
    def forged(self) -> dict[str, Snapshot]:
        """What somebody who means harm put where a snapshot of the product's had been."""
        acts = self.script.of("tamper")
        mine = (one for one in self.snapshots if one.key in self.tampered)
        return {one.id: one for one in mine if any(act.at <= one.born <= act.until for act in acts)}

    @cached_property
    def by_name(self) -> dict[str, Snapshot]:
        return {one.name: one for one in self.snapshots if one is not self.forged.get(one.id)}

    @cached_property
    def calls(self) -> tuple[Record, ...]:
        """The product's calls, in their order."""
        ours = (call for call in self.evidence.calls if call["principal"] == PRODUCT)
        return tuple(sorted(ours, key=lambda call: int(call["n"])))

    @cached_property
    def puts(self) -> tuple[Record, ...]:
        """The PUTs of snapshots that were carried out, whether or not the answer arrived."""
        return tuple(call for call in self.calls if _done(call, "PUT", PUTS))

    @cached_property
    def deletions(self) -> tuple[Record, ...]:
        """The deletions that were carried out on something that was there."""
        return tuple(call for call in self.calls if _done(call, "DELETE", DELETIONS) and call["status"] != 204)

    @cached_property
    def dumps(self) -> tuple[Dump, ...]:
        days: defaultdict[str, list[Record]] = defaultdict(list)
        for row in self.evidence.rows:
            days[str(row["day"])].append(row)
        return tuple(
            sorted((Dump(self._dumped(day), tuple(rows)) for day, rows in days.items()), key=lambda one: one.at)
        )

    def _dumped(self, day: str) -> datetime:
        """The instant of a dump: the last second of its day, but at the very end of the play for the last one."""
        return datetime.combine(datetime.fromisoformat(day), time(23, 59, 59), UTC) if day != END else self.script.end

    @cached_property
    def rows_of(self) -> dict[Key, list[tuple[datetime, Record]]]:
        """The rows of each point with the instants at which they stood so, oldest first."""
        found: defaultdict[Key, list[tuple[datetime, Record]]] = defaultdict(list)
        for dump in self.dumps:
            for row in dump.of("p"):
                found[key_of(row)].append((dump.at, row))
        return found

    @property
    def final(self) -> Dump:
        return self.dumps[-1] if self.dumps else Dump(self.script.end, ())

    @cached_property
    def audited(self) -> dict[str, dict[str, list[Record]]]:
        """Audit lines by event and by the name of each part that they speak of."""
        found: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
        for line in self.evidence.audit:
            for name in line.get("parts", ()):
                found[str(line["event"])][_own(name)].append(line)
        return found

    @cached_property
    def wholes(self) -> dict[Key, Whole]:
        """Every point that was ever called complete, by the audit log or by a row."""
        found: dict[Key, Whole] = {}
        for line in self.evidence.audit:
            if line["event"] == "point.complete":
                key = str(line["vm"]).lower(), str(line["slot"])
                found.setdefault(key, _whole(key, int(line["attempt"]), instant(line["at"]), line["parts"]))
        for row in (row for dump in self.dumps for row in dump.of("p") if row["complete"]):
            key, ended = key_of(row), maybe_instant(row.get("ended_at"))
            names = [str(part["id"]).rpartition("/")[2] for part in listed(row, "parts") if is_of_now(part, row)]
            found.setdefault(key, _whole(key, int(row["attempt"]), ended or instant(row["slot"]), names))
        return found

    @cached_property
    def wholes_of(self) -> dict[str, list[Whole]]:
        """The complete points of each machine, by slot."""
        found: defaultdict[str, list[Whole]] = defaultdict(list)
        for whole in sorted(self.wholes.values(), key=lambda one: one.slot):
            found[whole.uid].append(whole)
        return found

    def stands(self, whole: Whole, at: datetime) -> bool:
        """Whether every part of a point can be restored from."""
        parts = [self.by_name.get(name) for name in whole.parts]
        return bool(parts) and all(one is not None and one.usable(at) for one in parts)

    def after_trouble(self, since: datetime, patience: timedelta) -> datetime:
        """An instant by which a time of `patience` has passed in which nothing was in the way."""
        moment = since
        while disturbing := [one for one in self.script.disturbed(moment, moment + patience) if one.until > moment]:
            moment = max(one.until for one in disturbing)
        return moment + patience


def key_of(row: Record) -> Key:
    """The machine and slot of a point's row."""
    _, uid, slot, *_ = str(row["RowKey"]).split("|")
    return uid.lower(), slot


def is_of_now(part: Record, row: Record) -> bool:
    """Whether a part is of the attempt that counts."""
    return int(part.get("attempt", row["attempt"])) == int(row["attempt"])


def _whole(key: Key, attempt: int, at: datetime, parts: list[str]) -> Whole:
    return Whole(key[0], instant(key[1]), attempt, at, tuple(map(_own, parts)))


def _own(name: object) -> str:
    """A part's own name: of a restore point without that of its collection."""
    return str(name).rpartition("/")[2]


def _done(call: Record, method: str, operations: Set[str]) -> bool:
    right = call["method"] == method and str(call["operation"] or "").lower() in operations
    return right and 200 <= int(call["status"]) < 300


def region_of(call: Record) -> str:
    """The region that a recovery group's name ends with; empty where the path names none."""
    found = re.search(r"/resourcegroups/tagback-([a-z0-9]+?)(?:-rp\d\d)?(?:/|$)", path_of(call))
    return found[1] if found else ""
