"""The twin of ports.Inventory: an exact lens (`look`), and an eventual one (`fleet`, `shard`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.errors import Conflict, Denied
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Absent, Lens, Sighting
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.azure import Azure, VmTruth, glance, portrait
from tests.world.twins.bodies import model_of
from tests.world.twins.throttle import Throttle
from tests.world.twins.witness import Witness


class InventoryTwin:
    """Machines as Azure shows them; with their resource groups where the installation `inherits` tags."""

    def __init__(self, azure: Azure, steps: Steps, throttle: Throttle, witness: Witness) -> None:
        self._azure = azure
        self._steps = steps
        self._throttle = throttle
        self._witness = witness
        self._listed_as_of: dict[VmUid, datetime] = {}

    @property
    def inherits(self) -> bool:
        return self._azure.inherits

    @inherits.setter
    def inherits(self, wished: bool) -> None:
        self._azure.inherits = wished

    def fleet(self, subscriptions: Sequence[str]) -> Iterator[Sequence[Sighting]]:
        wanted = set(subscriptions) - self._azure.disabled
        pages = self._azure.weather.pages(
            "fleet", [row for row in self._bulk("fleet", glance) if row.id.subscription in wanted]
        )
        for number, page in enumerate(pages):
            call = Call("graph", "inventory.fleet", Effect.READ, subject=str(number))
            self._steps.before(call)
            self._steps.after(call)
            self._shown(page)
            yield page

    def shard(self, shard: Shard) -> Mapping[VmUid, Sighting]:
        call = Call("graph", "inventory.shard", Effect.READ, shard.subscription, str(shard))
        self._steps.before(call)
        readable = shard.subscription not in self._azure.disabled
        rows = [row for row in self._bulk("shard", portrait) if row.shard == shard and readable]
        shown = [row for page in self._azure.weather.pages("shard", rows) for row in page]
        self._steps.after(call)
        self._shown(shown)
        return {row.uid: row for row in shown}

    def look(self, vm: ResourceId, *, gives_way: bool = False) -> Sighting | Absent:  # the throttle is its turn
        bucket = (Shard(vm.subscription, ""), CallKind.READ)
        call = Call("arm", "inventory.look", Effect.READ, vm.subscription, str(vm), bucket)
        with self._throttle.scopes.call("GET", vm):
            self._throttle.admit(bucket)
            self._steps.before(call)
            if vm.subscription in self._azure.disabled or vm.subscription not in self._azure.subscriptions:
                raise Denied("AuthorizationFailed", f"{vm} cannot be read", 403)
            now = self._azure.now()
            truth = self._azure.vm(vm)
            self._witness.machine_looked_at(vm, truth.uid if truth else None)
            self._steps.after(call)
            return self._within_group(glance(truth, Lens.GET, now)) if truth else Absent(vm, now)

    def examine(self, vm: ResourceId) -> Sighting | Absent:
        """A GET of the machine, then of its disks: what changes in between is seen half."""
        seen = self.look(vm)
        if isinstance(seen, Absent):
            return seen
        call = Call("arm", "inventory.examine", Effect.READ, vm.subscription, str(vm))
        self._steps.before(call)
        disks = [self._azure.disk(disk.id) for disk in seen.disks]
        if any(disk is None for disk in disks):
            raise Conflict("BeingMade", f"a disk of {vm} does not exist any more")
        self._steps.after(call)
        found = tuple(replace(disk.seen, lun=old.lun) for disk, old in zip(disks, seen.disks, strict=True) if disk)
        return replace(seen, disks=found, model=model_of(seen))

    def enabled(self, subscription: str) -> bool:
        call = Call("arm", "inventory.enabled", Effect.READ, subscription, subscription)
        self._steps.before(call)
        answer = subscription in self._azure.subscriptions and subscription not in self._azure.disabled
        self._steps.after(call)
        return answer

    def _bulk(self, subject: str, shown: Callable[[VmTruth, Lens, datetime], Sighting]) -> list[Sighting]:
        """What the lagging index holds. It says that it is of now, whatever its rows are."""
        azure, now = self._azure, self._azure.now()
        rows = []
        for place in azure.history:
            then = now - azure.weather.lag(str(place))
            vm = azure.as_of(place, then)
            if vm is not None and not azure.weather.hides(f"{subject} {place}"):
                rows.append(self._within_group(shown(vm, Lens.BULK, now)))
                self._listed_as_of[vm.uid] = then
        return rows

    def _shown(self, rows: Sequence[Sighting]) -> None:
        for row in rows:
            self._witness.machine_listed(row.uid, self._listed_as_of[row.uid])

    def _within_group(self, seen: Sighting) -> Sighting:
        group = self._azure.resource_groups.get((seen.id.subscription, seen.id.group))
        return replace(seen, group=group) if self.inherits else seen
