"""What people do to their machines while the product runs: drawn from the seed, at drawn moments."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.errors import CloudError
from shared.flows.asking import ask_backup
from shared.model.identity import DiskUid, ResourceId, VmUid
from tests.world.catalogue import ENFORCED, FOREIGN, WATCHED
from tests.world.scheduler import Invocation, Process
from tests.world.stage import Stage
from tests.world.twins.azure import DiskTruth, VmTruth, disk_place, vm_place

REGIONS = ("northeu", "eastus")
TAG_VALUES = ("bronze", "silver", "gold", "twice", "on", "Silver", "GOLD", "off", "goldd", "")
STARTS = ("05:15", "23:59 UTC", "02:30 America/New_York", "00:00 Europe/Berlin")
PLAIN_TAGS = {"Env": "prod", "owner": "team-7"}


class Life:
    """Creates machines and changes them; every act is an act of Azure's users, never of the product."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._azure = stage.azure
        self._random = random.Random(seed)
        self._born = 0
        self.acts: Counter[str] = Counter()
        self.asked: list[str] = []
        self._acts: tuple[tuple[int, Callable[[VmTruth], None]], ...] = (
            (6, self.tag),
            (3, self.untag),
            (2, self.delete),
            (2, self.make_again),
            (2, self.move_group),
            (1, self.move_subscription),
            (3, self.exclude_disk),
            (2, self.add_disk),
            (2, self.renew_disk),
            (1, self.detach_disk),
            (4, self.ask_for_point),
            (1, self.hold_snapshot),
        )

    def create(self, subscription: str, tags: dict[str, str]) -> VmTruth:
        """A new machine with one to four disks."""
        self._born += 1
        draw = self._random
        name = f"Vm-{self._born}"
        kind = draw.random()
        count = 0 if kind < 0.04 else draw.choice((1, 1, 2, 2, 3, 4))
        unsupported = ("OS disk is ephemeral",) if kind < 0.12 else ()
        disks = tuple(self._disk(subscription, name, lun) for lun in range(count))
        place = vm_place(subscription, "App", name)
        uid = VmUid(f"uid-{self._born}")
        vm = VmTruth(place, uid, name, draw.choice(REGIONS), tags | PLAIN_TAGS, disks, unsupported)
        self._azure.write(vm)
        return vm

    def populate(self, count: int) -> None:
        """The first machines, most of them where the product may act."""
        places = [*ENFORCED, ENFORCED[0], WATCHED, *ENFORCED, FOREIGN]
        for number in range(count):
            value = self._random.choice(TAG_VALUES[:5])
            self.create(places[number % len(places)], {"backup": value} if number % 4 else {})

    def go_on(self, until: datetime, pause: timedelta) -> None:
        """Something happens about once in every `pause`, until a moment."""
        wait = timedelta(seconds=int(self._random.expovariate(1 / pause.total_seconds())))
        moment = self._stage.scheduler.now + wait

        def happen() -> None:
            self._one_act()
            self.go_on(until, pause)

        if moment < until:
            self._stage.scheduler.at(moment, happen)

    def _one_act(self) -> None:
        machines = sorted(self._azure.vms(), key=lambda vm: vm.id)
        if not machines or self._random.random() < 0.06:
            self._note("create")
            self.create(self._random.choice((*ENFORCED, WATCHED)), {"backup": self._random.choice(TAG_VALUES[:5])})
            return
        weights = [weight for weight, _ in self._acts]
        act = self._random.choices([act for _, act in self._acts], weights)[0]
        vm = self._random.choice(machines)
        self._note(act.__name__, vm.id)
        act(vm)

    def _note(self, act: str, what: ResourceId | None = None) -> None:
        self.acts[act] += 1
        self._stage.log.add(self._stage.scheduler.now, f"life {act} {what or ''}")

    def tag(self, vm: VmTruth) -> None:
        """By the VM or by the tags API: two kinds of events."""
        name = self._random.choice(("backup", "Backup", "BACKUP"))
        tags = {key: value for key, value in vm.tags.items() if key.lower() not in ("backup", "backup-at")}
        tags[name] = self._random.choice(TAG_VALUES)
        if self._random.random() < 0.25:
            tags["backup-at"] = self._random.choice(STARTS)
        if self._random.random() < 0.5:
            self._azure.write(replace(vm, tags=tags))
        else:
            self._azure.write(replace(vm, tags=tags), "Microsoft.Resources/tags/write")

    def untag(self, vm: VmTruth) -> None:
        self._azure.write(replace(vm, tags=PLAIN_TAGS), "Microsoft.Resources/tags/write")

    def delete(self, vm: VmTruth) -> None:
        self._azure.delete(vm)

    def make_again(self, vm: VmTruth) -> None:
        """Another machine under the same names, with other disks under the old names."""
        self._born += 1
        self._azure.delete(vm)
        disks = tuple(replace(disk, uid=self._disk_uid(), left_out="") for disk in vm.disks)
        again = replace(vm, uid=VmUid(f"uid-{self._born}"), disks=disks)
        self._stage.scheduler.at(
            self._stage.scheduler.now + timedelta(seconds=self._random.choice((0, 30, 1200))),
            lambda: self._azure.write(again),
        )

    def move_group(self, vm: VmTruth) -> None:
        place = vm_place(vm.id.subscription, self._random.choice(("App", "Other", "Third")), vm.name)
        if self._azure.vm(place) is None:
            self._azure.move(vm, replace(vm, id=place))

    def move_subscription(self, vm: VmTruth) -> None:
        """With its disks, which keep their identity under other ids."""
        subscription = self._random.choice([*ENFORCED, WATCHED])
        place = vm_place(subscription, vm.id.group, vm.name)
        if self._azure.vm(place) is None:
            disks = tuple(replace(disk, id=replace(disk.id, subscription=subscription)) for disk in vm.disks)
            self._azure.move(vm, replace(vm, id=place, disks=disks))

    def exclude_disk(self, vm: VmTruth) -> None:
        if vm.disks:
            chosen = self._random.choice(vm.disks)
            left_out = "" if chosen.left_out else "its tag backup is off"
            disks = tuple(replace(disk, left_out=left_out) if disk == chosen else disk for disk in vm.disks)
            self._silently(replace(vm, disks=disks))

    def add_disk(self, vm: VmTruth) -> None:
        lun = max((disk.lun or 0 for disk in vm.disks), default=0) + 1
        name = f"{vm.name}-{self._born}-{len(self._azure.lives[vm.uid])}"
        self._azure.write(replace(vm, disks=(*vm.disks, self._disk(vm.id.subscription, name, lun))))

    def renew_disk(self, vm: VmTruth) -> None:
        """A disk made again under its name: the same id, another disk."""
        if vm.disks:
            last = replace(vm.disks[-1], uid=self._disk_uid())
            self._azure.write(replace(vm, disks=(*vm.disks[:-1], last)))

    def detach_disk(self, vm: VmTruth) -> None:
        if len(vm.disks) > 1:
            self._azure.write(replace(vm, disks=vm.disks[:-1]))

    def hold_snapshot(self, vm: VmTruth) -> None:
        """Somebody holds a snapshot by a tag on it: it must still be there ever after (S14)."""
        ours = [one for one in self._azure.snapshots.values() if one.tags.get("tagback-vm") == vm.uid]
        if ours:
            self._azure.hold(ours[-1], "forever")

    def ask_for_point(self, vm: VmTruth) -> None:
        """As `tagback backup` does, from a process of its own."""
        rows = self._stage.ledger.rows.get(vm.shard, {}).get(vm.uid)
        if rows is None:
            return
        record = self._stage.ledger.held(vm.shard, vm.uid)
        if record is None:
            return
        machine = record.machine.row

        def ask() -> None:
            try:
                self.asked.append(ask_backup(self._stage.world, machine, "person-1").id)
            except CloudError:
                return

        def start() -> None:
            self._stage.scheduler.spawn(Invocation("cli", Process("cli")), ask)

        self._stage.scheduler.at(self._moment_to_ask(), start)

    def _moment_to_ask(self) -> datetime:
        """Now, or now and then in the very minute in which slots fall due."""
        now = self._stage.scheduler.now
        if self._random.random() < 0.7:
            return now
        return now.replace(hour=now.hour // 6 * 6, minute=0, second=20) + timedelta(hours=6)

    def _silently(self, vm: VmTruth) -> None:
        """A change that no VM event tells of."""
        publish, self._azure.publish = self._azure.publish, lambda operation, resource: None
        self._azure.write(vm)
        self._azure.publish = publish

    def _disk(self, subscription: str, name: str, lun: int) -> DiskTruth:
        place = disk_place(subscription, "app", f"{name}-{lun}")
        return DiskTruth(place, self._disk_uid(), lun or None, slow=self._random.random() < 0.15)

    def _disk_uid(self) -> DiskUid:
        return DiskUid(f"disk-{self._random.getrandbits(64):016x}")
