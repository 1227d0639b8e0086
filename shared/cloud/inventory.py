"""Machines as Azure shows them: in bulk through Resource Graph, one by one through GETs. Built by wiring.

In bulk, a VM whose body or disks are not all there (yet) is left out of the answer: absence from a list proves nothing.
Asked for by itself it is a Conflict: it is being made, look again later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from shared.cloud.arm import Arm
from shared.cloud.graph import Graph, literal
from shared.cloud.groups import Groups, Place, UnreadGroups, place_of
from shared.cloud.pace import Lane
from shared.cloud.packed import packed
from shared.cloud.sightings import Attachments, Incomplete, Look, SeenDisk, SeenVm, brief, complete, seen_disk, seen_vm
from shared.errors import CloudError, Conflict, Denied, Missing
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Absent, GroupSeen, Lens, Sighting
from shared.ports import Clock

VM_VERSION = "2026-04-01"
DISK_VERSION = "2026-03-02"
INTERFACE_VERSION = "2024-05-01"
SUBSCRIPTION_VERSION = "2022-12-01"
Seen = TypeVar("Seen")
# Codes of a 404 that says: this resource is not there. Any other 404 is a question we asked wrongly.
ABSENT = {"resourcenotfound", "notfound", "resourcegroupnotfound"}

VM = "microsoft.compute/virtualmachines"
OF_A_SHARD = (VM, f"{VM}/extensions", "microsoft.compute/disks", "microsoft.network/networkinterfaces")
COLUMNS = "id, name, type, location, tags, zones, identity, plan, sku, properties"
FLEET = f"resources | where type =~ '{VM}' | project id, name, type, location, tags, properties | order by id asc"


class AzureInventory:
    """`prefix` is the opt-in tag's name, lower case: on a disk, its value `off` leaves the disk out."""

    def __init__(self, arm: Arm, graph: Graph, clock: Clock, prefix: str, groups: Groups | None = None) -> None:
        self._arm = arm
        self._graph = graph
        self._clock = clock
        self._prefix = prefix
        self._groups = groups or UnreadGroups()

    def fleet(self, subscriptions: Sequence[str]) -> Iterator[Sequence[Sighting]]:
        as_of, groups = self._clock.now(), self._groups.all(subscriptions)
        for page in self._graph.pages(FLEET, subscriptions):
            found = []
            for row in page:
                with suppress(Incomplete, ValueError):
                    found.append(_within(groups, brief(row, Look(Lens.BULK, as_of))))
            yield found
            as_of = self._clock.now()

    def shard(self, shard: Shard) -> Mapping[VmUid, Sighting]:
        look, pile = Look(Lens.BULK, self._clock.now()), Pile(self._prefix)
        query = (
            f"resources | where type in~ ({', '.join(literal(type_) for type_ in OF_A_SHARD)})"
            f" and location =~ {literal(shard.region)} | project {COLUMNS} | order by id asc"
        )
        for row in self._graph.rows(query, [shard.subscription]):
            pile.add(row, look)
        groups = self._groups.all([shard.subscription])
        return {seen.uid: _within(groups, seen) for seen in pile.sightings()}

    def look(self, vm: ResourceId, *, gives_way: bool = False) -> Sighting | Absent:
        lane = Lane(vm.subscription, "", CallKind.READ)
        if gives_way:
            self._arm.give_way(lane)
        look = Look(Lens.GET, self._clock.now())
        body = self._present(lane, str(vm), VM_VERSION)
        if body is None:
            return Absent(vm, look.as_of)
        return replace(_made(lambda: brief(body, look)), group=self._groups.of(vm))

    def examine(self, vm: ResourceId) -> Sighting | Absent:
        look = Look(Lens.GET, self._clock.now())
        lane = Lane(vm.subscription, "", CallKind.READ)
        body = self._present(lane, str(vm), VM_VERSION)
        if body is None:
            return Absent(vm, look.as_of)
        seen = _made(lambda: seen_vm(body, look))
        lane = Lane.of(seen.brief.shard, CallKind.READ)
        pile = Pile(self._prefix)
        extensions = self._arm.get(lane, f"{vm}/extensions", VM_VERSION).get("value") or []
        disks = [self._present(lane, str(disk.id), DISK_VERSION) for disk in seen.brief.disks]
        interfaces = [self._readable(lane, each, INTERFACE_VERSION) for each in seen.interfaces]
        for part in (*disks, *interfaces, *extensions):
            if part is not None:
                pile.add(part, look)
        return replace(_made(lambda: complete(seen, pile.parts)), group=self._groups.of(vm))

    def enabled(self, subscription: str) -> bool:
        lane = Lane(subscription, "", CallKind.READ)
        try:
            found = self._arm.get(lane, f"/subscriptions/{subscription}", SUBSCRIPTION_VERSION)
        except CloudError:
            return False
        return str(found.get("state")).lower() == "enabled"

    def _present(self, lane: Lane, path: str, version: str) -> Mapping[str, Any] | None:
        try:
            return self._arm.get(lane, path, version)
        except Missing as error:
            if error.code.lower() in ABSENT:
                return None
            raise

    def _readable(self, lane: Lane, path: str, version: str) -> Mapping[str, Any] | None:
        """As `_present`, for what a capture can do without: the model says that it was not seen."""
        try:
            return self._present(lane, path, version)
        except Denied:
            return None


class Pile:
    """Bodies of VMs and of what belongs to them, in any order, until they are put together."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._vms: list[SeenVm] = []
        self._disks: dict[str, SeenDisk] = {}
        self._interfaces: dict[str, bytes] = {}
        self._extensions: dict[str, list[bytes]] = defaultdict(list)
        self.parts = Attachments(self._disks, self._interfaces, self._extensions)

    def add(self, body: Mapping[str, Any], look: Look) -> None:
        """Keep a body; one that is not whole yet is passed over."""
        place = str(body.get("id")).lower()
        with suppress(Incomplete, ValueError):
            match str(body.get("type")).lower():
                case "microsoft.compute/virtualmachines":
                    self._vms.append(seen_vm(body, look))
                case "microsoft.compute/disks":
                    self._disks[place] = seen_disk(body, self._prefix)
                case "microsoft.network/networkinterfaces":
                    self._interfaces[place] = packed(body)
                case "microsoft.compute/virtualmachines/extensions":
                    self._extensions[place.partition("/extensions/")[0]].append(packed(body))

    def sightings(self) -> Iterator[Sighting]:
        """The VMs that are all there."""
        for vm in self._vms:
            with suppress(Incomplete):
                yield complete(vm, self.parts)


def _within(groups: Mapping[Place, GroupSeen], seen: Sighting) -> Sighting:
    return replace(seen, group=groups.get(place_of(seen.id)))


def _made(build: Callable[[], Seen]) -> Seen:
    """What was seen; Conflict while something of the machine is being made or replaced."""
    try:
        return build()
    except Incomplete as error:
        raise Conflict("BeingMade", str(error)) from error
