"""Machines as Azure shows them: in bulk through Resource Graph, one by one through GETs. Built by wiring.

In bulk, a VM whose body or disks are not all there (yet) is left out of the answer: absence from a list proves nothing.
Asked for by itself it is a Conflict: it is being made, look again later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from shared.cloud.arm import Arm
from shared.cloud.graph import Graph, literal
from shared.cloud.pace import Lane
from shared.cloud.packed import packed
from shared.cloud.sightings import Attachments, Incomplete, Look, SeenDisk, brief, complete, interface_ids, seen_disk
from shared.errors import CloudError, Conflict, Missing
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Absent, Lens, Sighting
from shared.ports import CallKind, Clock

VM_VERSION = "2026-04-01"
DISK_VERSION = "2026-03-02"
INTERFACE_VERSION = "2024-05-01"
SUBSCRIPTION_VERSION = "2022-12-01"
# Codes of a 404 that says: this resource is not there. Any other 404 is a question we asked wrongly.
ABSENT = {"resourcenotfound", "notfound", "resourcegroupnotfound"}

VM = "microsoft.compute/virtualmachines"
DISK = "microsoft.compute/disks"
INTERFACE = "microsoft.network/networkinterfaces"
EXTENSION = "microsoft.compute/virtualmachines/extensions"
COLUMNS = "id, name, type, location, tags, zones, identity, plan, sku, properties"
FLEET = f"resources | where type =~ '{VM}' | project id, name, type, location, tags, properties | order by id asc"


class AzureInventory:
    """`prefix` is the opt-in tag's name, lower case: on a disk, its value `off` leaves the disk out."""

    def __init__(self, arm: Arm, graph: Graph, clock: Clock, prefix: str) -> None:
        self._arm = arm
        self._graph = graph
        self._clock = clock
        self._prefix = prefix

    def fleet(self, subscriptions: Sequence[str]) -> Iterator[Sequence[Sighting]]:
        as_of = self._clock.now()
        for page in self._graph.pages(FLEET, subscriptions):
            found = []
            for row in page:
                with suppress(Incomplete, ValueError):
                    found.append(brief(row, Look(Lens.BULK, as_of)))
            yield found
            as_of = self._clock.now()

    def shard(self, shard: Shard) -> Mapping[VmUid, Sighting]:
        look = Look(Lens.BULK, self._clock.now())
        disks = self._disks(self._all(shard, DISK))
        interfaces = {_folded(row): packed(row) for row in self._all(shard, INTERFACE)}
        extensions: dict[str, list[bytes]] = defaultdict(list)
        for row in self._all(shard, EXTENSION):
            extensions[_folded(row).partition("/extensions/")[0]].append(packed(row))
        found: dict[VmUid, Sighting] = {}
        for row in self._all(shard, VM):
            parts = Attachments(disks, interfaces, extensions[_folded(row)])
            with suppress(Incomplete, ValueError):
                seen = complete(row, parts, look)
                found[seen.uid] = seen
        return found

    def look(self, vm: ResourceId) -> Sighting | Absent:
        look = Look(Lens.GET, self._clock.now())
        body = self._present(Lane(vm.subscription, "", CallKind.READ), str(vm), VM_VERSION)
        if body is None:
            return Absent(vm, look.as_of)
        return _made(lambda: brief(body, look))

    def examine(self, vm: ResourceId) -> Sighting | Absent:
        look = Look(Lens.GET, self._clock.now())
        lane = Lane(vm.subscription, "", CallKind.READ)
        body = self._present(lane, str(vm), VM_VERSION)
        if body is None:
            return Absent(vm, look.as_of)
        seen = _made(lambda: brief(body, look))
        lane = Lane.of(seen.shard, CallKind.READ)
        disks = self._disks(self._bodies(lane, [str(disk.id) for disk in seen.disks], DISK_VERSION))
        interfaces = self._bodies(lane, interface_ids(body), INTERFACE_VERSION)
        extensions = self._arm.get(lane, f"{vm}/extensions", VM_VERSION).get("value") or []
        cards = {_folded(each): packed(each) for each in interfaces}
        parts = Attachments(disks, cards, [packed(each) for each in extensions])
        return _made(lambda: complete(body, parts, look))

    def enabled(self, subscription: str) -> bool:
        lane = Lane(subscription, "", CallKind.READ)
        try:
            found = self._arm.get(lane, f"/subscriptions/{subscription}", SUBSCRIPTION_VERSION)
        except CloudError:
            return False
        return str(found.get("state")).lower() == "enabled"

    def _all(self, shard: Shard, type_: str) -> Iterator[Mapping[str, Any]]:
        query = (
            f"resources | where type =~ '{type_}' and location =~ {literal(shard.region)}"
            f" | project {COLUMNS} | order by id asc"
        )
        return self._graph.rows(query, [shard.subscription])

    def _present(self, lane: Lane, path: str, version: str) -> Mapping[str, Any] | None:
        try:
            return self._arm.get(lane, path, version)
        except Missing as error:
            if error.code.lower() in ABSENT:
                return None
            raise

    def _bodies(self, lane: Lane, ids: Sequence[str], version: str) -> Sequence[Mapping[str, Any]]:
        """The bodies of those that are there."""
        found = (self._present(lane, each, version) for each in ids)
        return [body for body in found if body is not None]

    def _disks(self, bodies: Iterable[Mapping[str, Any]]) -> Mapping[str, SeenDisk]:
        """The disks by lower-case id, without those that are being made."""
        found = {}
        for body in bodies:
            with suppress(Incomplete):
                found[_folded(body)] = seen_disk(body, self._prefix)
        return found


def _made(build: Callable[[], Sighting]) -> Sighting:
    """The sighting; Conflict while something of the machine is being made or replaced."""
    try:
        return build()
    except Incomplete as error:
        raise Conflict("BeingMade", str(error)) from error


def _folded(row: Mapping[str, Any]) -> str:
    return str(row.get("id")).lower()
