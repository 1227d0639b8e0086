"""Those who keep points from being deleted: by holds on machines, snapshots and collections, by reading, by locks.

Called by life.py. What they do is done to Azure's things; a hold that is asked of the product is people.py's.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from shared.model.identity import COLLECTION_TYPE, Shard
from tests.world.holds import ends
from tests.world.people import People
from tests.world.stage import Stage
from tests.world.twins.azure import Lock, SnapshotTruth, VmTruth

HOLD = "backup-hold"
UNREADABLE = ("until the audit", "2026-13-45", "")


class Keepers:
    """Every act is about a machine, or about what the product has of it."""

    def __init__(self, stage: Stage, chance: random.Random, people: People) -> None:
        self._stage = stage
        self._azure = stage.azure
        self._random = chance
        self._people = people

    def hold_machine(self, vm: VmTruth) -> None:
        """By a tag on the VM, which ends by its date or is taken away again."""
        held = {name: value for name, value in vm.tags.items() if name.lower() != HOLD}
        if len(held) == len(vm.tags):
            held[HOLD] = self._people.until()
        self._azure.write(replace(vm, tags=held))

    def hold_machine_oddly(self, vm: VmTruth) -> None:
        """By words that are no date, under a name in another case: it is held until somebody mends that."""
        held = {name: value for name, value in vm.tags.items() if name.lower() != HOLD}
        self._azure.write(replace(vm, tags=held | {"Backup-HOLD": self._random.choice(UNREADABLE)}))

    def hold_snapshot(self, vm: VmTruth) -> None:
        """Somebody holds a snapshot by a tag on it."""
        ours = self._snapshots_of(vm)
        if ours:
            self._hold(self._random.choice(ours), self._people.until())

    def hold_snapshot_oddly(self, vm: VmTruth) -> None:
        ours = self._snapshots_of(vm)
        if ours:
            self._hold(self._random.choice(ours), self._random.choice(UNREADABLE))

    def let_go(self, vm: VmTruth) -> None:
        """Somebody takes the holds of everything that a machine has away again, and that of the machine."""
        for one in self._snapshots_of(vm):
            self._azure.let_go(one)
        for collection in self._azure.collections.values():
            if collection.tags.get("tagback-vm") == vm.uid:
                for name in [name for name in collection.tags if "hold" in name.lower()]:
                    del collection.tags[name]
        self._azure.write(replace(vm, tags={name: text for name, text in vm.tags.items() if name.lower() != HOLD}))

    def export_snapshot(self, vm: VmTruth) -> None:
        """Somebody reads a snapshot by a shared access signature, for a while."""
        self._export(vm, (1, 10, 60))

    def export_for_days(self, vm: VmTruth) -> None:
        self._export(vm, (100, 200))

    def lock_group(self, vm: VmTruth) -> None:
        """Nothing can be deleted from a recovery group for a while."""
        shard = vm.shard
        if shard in self._azure.groups and not self._azure.locks.get(shard):
            self._azure.locks[shard] = Lock.CANNOT_DELETE
            self._later(partial(self._unlock, shard), hours=(2, 20, 60))

    def _unlock(self, shard: Shard) -> None:
        if self._azure.locks.get(shard) is Lock.CANNOT_DELETE:
            del self._azure.locks[shard]

    def _hold(self, chosen: SnapshotTruth, until: str) -> None:
        """A restore point has no tags: its whole collection is held, unless it is for longer already."""
        if chosen.id.type != COLLECTION_TYPE:
            self._azure.hold(chosen, until)
            return
        self._azure.collections[chosen.id.top].tags[HOLD] = until
        alike = [one for one in self._azure.snapshots.values() if one.id.top == chosen.id.top]
        for one in alike:
            before, after = ends(one.tags), ends({HOLD: until})
            if before is None or after is None or after >= before:
                self._azure.hold(one, until)

    def _export(self, vm: VmTruth, hours: tuple[int, ...]) -> None:
        ours = self._snapshots_of(vm)
        if ours:
            read = self._random.choice(ours)
            read.read_by_sas = True
            self._later(partial(_stop_reading, read), hours)

    def _snapshots_of(self, vm: VmTruth) -> list[SnapshotTruth]:
        return [one for one in self._azure.snapshots.values() if one.tags.get("tagback-vm") == vm.uid]

    def _later(self, act: Callable[[], None], hours: tuple[int, ...]) -> None:
        moment = self._stage.scheduler.now + timedelta(hours=self._random.choice(hours))
        self._stage.scheduler.at(moment, act)


def _stop_reading(snapshot: SnapshotTruth) -> None:
    snapshot.read_by_sas = False
