"""The promises about births (S1, S5, S10, S12, S14): what is put, where, under which name, and with which stamp.

Part of promises.py. `attempts` has what was made for each slot of each machine: by attempt, the place of each disk. An
attempt was complete when everything that was announced of it is ready, and with it every disk that its machine had.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.model.identity import COLLECTION_TYPE, ResourceId, VmUid
from shared.model.restore_point import RestorePointOrder
from shared.model.snapshot import SnapshotOrder
from tests.world.catalogue import ENFORCED, OWNER
from tests.world.plan_file import PlanFile
from tests.world.scheduler import Invocation
from tests.world.twins.azure import SNAPSHOT_TYPE, Azure, SnapshotTruth

STAMP = "%Y%m%dT%H%MZ"
NAME = re.compile(r"tb-[0-9a-f]{32}|tb-\d{8}t\d{4}z-\d{8}t\d{4}z-\d+-[0-9a-f]{8}")


def stamped(text: str) -> datetime:
    return datetime.strptime(text, STAMP).replace(tzinfo=UTC)


@dataclass
class Births:
    """Watches what is made. `ours` is told of all of it, `require` is how a broken promise is told."""

    azure: Azure
    require: Callable[[bool, str, str], None]
    ours: set[ResourceId]
    plans: PlanFile
    attempts: dict[tuple[str, str], dict[int, dict[str, ResourceId]]] = field(default_factory=dict)
    _wanted: dict[tuple[str, str, int], frozenset[str]] = field(default_factory=dict)  # its disks as an attempt began
    _announced: set[str] = field(default_factory=set)
    _intended: dict[tuple[str, str, int], set[str]] = field(default_factory=lambda: defaultdict(set))

    def audited(self, line: str) -> None:
        names = NAME.findall(line)
        self._announced.update(names)
        told = json.loads(line)
        if told["event"] == "capture.intended":
            self._intended[told["vm"], told["slot"], told["attempt"]].update(names)

    def snapshot_put(self, order: SnapshotOrder, there: SnapshotTruth | None, by: Invocation | None) -> None:
        name = order.id.name
        inside = order.id.subscription in ENFORCED and order.id.type == SNAPSHOT_TYPE
        in_our_group = order.id.group == self.azure.recovery_group(order.shard)
        self.require(inside and in_our_group, "S10", f"a snapshot is written outside: {order.id}")
        self.require(name in self._announced, "S12", f"{name} is born and the audit log does not say so")
        self.require(order.tags.get("tagback-owner") == OWNER, "S12", f"{name} does not say whose it is")
        if there is not None:
            self._put_again(order, there, by)
        self.ours.add(order.id)
        self._stamp_is_long_enough(order.id.name, order.tags)
        self._born_once(order.id, order.tags, {order.tags["tagback-disk"]})

    def restore_point_put(
        self, order: RestorePointOrder, made: SnapshotTruth, there: SnapshotTruth | None, by: Invocation | None
    ) -> None:
        name, tags = order.id.own_name, {**made.tags, "tagback-plan": order.tags["tagback-plan"]}
        inside = order.id.subscription in ENFORCED and order.id.type == COLLECTION_TYPE
        in_our_group = order.id.group.startswith(f"{self.azure.recovery_group(order.shard)}-rp")
        self.require(inside and in_our_group, "S10", f"a restore point is written outside: {order.id}")
        self.require(name in self._announced, "S12", f"{name} is born and the audit log does not say so")
        self.require(tags.get("tagback-owner") == OWNER, "S12", f"{name} does not say whose it is")
        if there is not None:
            looked = by.looked.get(order.id, by.began) if by else 0
            self.require(there.born_at_step > looked, "S1", f"{name} is put over an existing one unlooked")
            return
        self.ours.add(order.id)
        self._stamp_is_long_enough(name, tags)
        self._born_once(order.id, tags, {disk.uid for disk in made.inside})

    def _put_again(self, order: SnapshotOrder, there: SnapshotTruth, by: Invocation | None) -> None:
        """Allowed only where two had looked before either had put: then both put the same."""
        looked = by.looked.get(order.id, by.began) if by else 0
        self.require(there.born_at_step > looked, "S1", f"{order.id.name} is put over an existing snapshot unlooked")
        held = there.tags.get("backup-hold")
        self.require(held is None or order.tags.get("backup-hold") == held, "S14", f"{order.id.name} lost its hold")

    def _stamp_is_long_enough(self, name: str, tags: Mapping[str, str]) -> None:
        until, slot = stamped(tags["tagback-keep-until"]), stamped(tags["tagback-slot"])
        keeps = self.plans.kept_between(tags["tagback-plan"], slot, self.azure.now())
        enough = until >= slot + min(max(keep.shortest, keep.floor) for keep in keeps)
        self.require(enough, "S5", f"{name} of slot {slot} is stamped {until}, short of its plan")

    def _born_once(self, made: ResourceId, tags: Mapping[str, str], inside: Iterable[str]) -> None:
        attempt = int(tags["tagback-attempt"])
        attempts = self.attempts.setdefault((tags["tagback-vm"], tags["tagback-slot"]), {})
        disks = attempts.setdefault(attempt, {})
        whole = self._captured(VmUid(tags["tagback-vm"]))
        self._wanted.setdefault((tags["tagback-vm"], tags["tagback-slot"], attempt), whole)
        for disk in inside:
            first = disks.setdefault(disk, made)
            self.require(first == made, "S1", f"one part has two names: {first.name} and {made.name}")
        for earlier, parts in attempts.items():
            if earlier < attempt and set(parts) >= set(disks) and self._all_ready(parts.values()):
                of = tags["tagback-vm"], tags["tagback-slot"], earlier
                names = {name for part in parts.values() for name in NAME.findall(str(part))}
                complete = set(parts) >= self._wanted[of] and names >= self._intended[of]
                self.require(not complete, "S1", f"attempt {attempt} of {tags['tagback-slot']} doubles a complete one")

    def _captured(self, uid: VmUid) -> frozenset[str]:
        vm = self.azure.living(uid)
        return frozenset(vm.captured) if vm else frozenset({""})

    def _all_ready(self, ids: Iterable[ResourceId]) -> bool:
        found = [self.azure.snapshots.get(one) for one in ids]
        return all(one is not None and one.ready(self.azure.now()) for one in found)
