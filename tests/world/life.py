"""What people do to their machines while the product runs: drawn from the seed, at drawn moments."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.model.identity import DiskUid, ResourceId, VmUid
from tests.world.catalogue import ENFORCED, FOREIGN, WATCHED, asked
from tests.world.keepers import Keepers
from tests.world.people import People
from tests.world.stage import Stage
from tests.world.twins.azure import DiskTruth, VmTruth, disk_place, vm_place

REGIONS = ("northeu", "eastus")
TAG_VALUES = ("bronze", "silver", "gold", "twice", "on", "Silver", "GOLD", "off", "goldd", "")
TAG_VALUES_WITH_VAULTS = ("vaulted", "vaulted", "gold", "Vaulted", *TAG_VALUES[4:])
TAG_VALUES_OF_WHOLES = ("whole", "entire", "gold", "Whole", *TAG_VALUES[4:])
TAG_VALUES_OF_BOTH = ("vaulted", "whole", "entire", "Vaulted", *TAG_VALUES[4:])
STARTS = ("05:15", "23:59 UTC", "02:30 America/New_York", "00:00 Europe/Berlin")
KEEPS = ("30d", "5w", "48h", "1w", "last=3", "30d last=2", "a week")
PLAIN_TAGS = {"Env": "prod", "owner": "team-7"}
GROUPS = ("App", "Other", "Third")
OWN = "uid-"  # how the identity of a machine begins that people made


class Life:
    """Creates machines and changes them; every act is an act of Azure's users, never of the product."""

    def __init__(self, stage: Stage, seed: int, values: Sequence[str] = TAG_VALUES) -> None:
        self._stage = stage
        self._azure = stage.azure
        self._random = random.Random(seed)
        self._values = values
        self._born = 0
        self.acts: Counter[str] = Counter()
        self.people = People(stage, self._random)
        self.keepers = keepers = Keepers(stage, self._random, self.people)
        self.regions: tuple[str, ...] = REGIONS
        self.places: tuple[str, ...] = (*ENFORCED, ENFORCED[0], WATCHED, *ENFORCED, FOREIGN)
        self.upheaval = datetime.min.replace(tzinfo=UTC)  # when a machine or disk was last taken away or made again
        self._upheavals = (self.delete, self.make_again, self.move_group, self.move_subscription, self.renew_disk)
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
            (1, keepers.hold_snapshot),
            (2, keepers.hold_machine),
            (2, self.opt_out_for_a_while),
            (2, keepers.export_snapshot),
            (1, keepers.lock_group),
            (3, self.tag_group),
            (4, self.people.ask_for_point),
            (3, self.people.ask_for_hold),
            (4, self.people.ask_for_retry),
            (1, self.people.ask_for_pause),
        )

    def also(self, *acts: tuple[int, Callable[[VmTruth], None]]) -> None:
        """Such acts happen too, each as often as its weight among the others says."""
        self._acts += acts

    @property
    def asked(self) -> list[str]:
        return self.people.asked

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
        uid = VmUid(f"{OWN}{self._born}")
        vm = VmTruth(place, uid, name, draw.choice(self.regions), tags | PLAIN_TAGS, disks, unsupported)
        self._azure.write(vm)
        return vm

    def populate(self, count: int) -> None:
        """The first machines, most of them where the product may act."""
        for subscription in (*ENFORCED, WATCHED):
            for group in GROUPS:
                self._azure.tag_group(subscription, group.lower(), PLAIN_TAGS)
        for number in range(count):
            value = self._random.choice(self._values[:5])
            self.create(self.places[number % len(self.places)], {"backup": value} if number % 4 else {})

    def crowd(self) -> None:
        """All first machines are of one subscription and region."""
        self.regions, self.places = REGIONS[:1], ENFORCED[:1]

    def exodus(self) -> None:
        """Most machines of a subscription lose their tag or are deleted at once; of some it was a mistake."""
        self.upheaval = self._stage.scheduler.now
        asking = [vm for vm in self._azure.vms() if vm.id.subscription == ENFORCED[0] and asked(vm.tags)]
        for vm in sorted(asking, key=lambda one: one.id)[: max(len(asking) - 1, 0)]:
            self._note("exodus", vm.id)
            if self._random.random() < 0.3:
                self.delete(vm)
            elif self._random.random() < 0.3:
                self.opt_out_for_a_while(vm)
            else:
                self.untag(vm)

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
        machines = sorted((vm for vm in self._azure.vms() if vm.uid.startswith(OWN)), key=lambda vm: vm.id)
        if not machines or self._random.random() < 0.06:
            self._note("create")
            self.create(self._random.choice((*ENFORCED, WATCHED)), {"backup": self._random.choice(self._values[:5])})
            return
        weights = [weight for weight, _ in self._acts]
        act = self._random.choices([act for _, act in self._acts], weights)[0]
        vm = self._random.choice(machines)
        self._note(act.__name__, vm.id)
        if act in self._upheavals:
            self.upheaval = self._stage.scheduler.now
        act(vm)

    def _note(self, act: str, what: ResourceId | None = None) -> None:
        self.acts[act] += 1
        self._stage.log.add(self._stage.scheduler.now, f"life {act} {what or ''}")

    def tag(self, vm: VmTruth) -> None:
        """By the VM or by the tags API: two kinds of events."""
        name = self._random.choice(("backup", "Backup", "BACKUP"))
        tags = {key: value for key, value in vm.tags.items() if key.lower() not in ("backup", "backup-at")}
        tags[name] = self._random.choice(self._values)
        if self._random.random() < 0.25:
            tags["backup-at"] = self._random.choice(STARTS)
        if self._random.random() < 0.5:
            self._azure.write(replace(vm, tags=tags))
        else:
            self._azure.write(replace(vm, tags=tags), "Microsoft.Resources/tags/write")

    def tag_keep(self, vm: VmTruth) -> None:
        """Its points are to be kept otherwise than its plan says, or no longer so; one value cannot be read."""
        tags = {key: value for key, value in vm.tags.items() if key.lower() != "backup-keep"}
        if self._random.random() < 0.8:
            tags["Backup-Keep"] = self._random.choice(KEEPS)
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
        again = replace(vm, uid=VmUid(f"{OWN}{self._born}"), disks=disks)
        self._stage.scheduler.at(
            self._stage.scheduler.now + timedelta(seconds=self._random.choice((0, 30, 1200))),
            lambda: self._azure.write(again),
        )

    def move_group(self, vm: VmTruth) -> None:
        place = vm_place(vm.id.subscription, self._random.choice(GROUPS), vm.name)
        if self._azure.vm(place) is None and not self._azure.has_restore_points(vm.id):
            self._azure.move(vm, replace(vm, id=place))

    def move_subscription(self, vm: VmTruth) -> None:
        """With its disks, which keep their identity under other ids."""
        subscription = self._random.choice([*ENFORCED, WATCHED])
        place = vm_place(subscription, vm.id.group, vm.name)
        if self._azure.vm(place) is None and not self._azure.has_restore_points(vm.id):
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

    def opt_out_for_a_while(self, vm: VmTruth) -> None:
        """The same wish comes back later, or too late."""
        without = {name: value for name, value in vm.tags.items() if name.lower() != "backup"}
        self._azure.write(replace(vm, tags=without))

        def come_back() -> None:
            now = self._azure.living(vm.uid)
            if now is not None and now.tags == without:
                self._azure.write(replace(now, tags=vm.tags))

        self._later(come_back, hours=(1, 12, 50, 100))

    def tag_group(self, vm: VmTruth) -> None:
        """The resource group opts its machines in, by another plan than before, or no longer."""
        if self._azure.inherits:
            value = self._random.choice((*self._values[:4], "off", "goldd"))
            tags = {"Backup": value} if self._random.random() < 0.6 else {}
            self._azure.tag_group(vm.id.subscription, vm.id.group, tags | PLAIN_TAGS)

    def _later(self, act: Callable[[], None], hours: tuple[int, ...]) -> None:
        moment = self._stage.scheduler.now + timedelta(hours=self._random.choice(hours))
        self._stage.scheduler.at(moment, act)

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
