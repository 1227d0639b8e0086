"""A captured machine's body made fit to be created again: what leaves it, and why. Data; the rest goes back as it was.

Called by `blueprint.py`. Subtraction, because what nobody thought of then stays: a property that Azure added since
comes back with the machine without our knowing it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leaving:
    """A property that does not go back, by its path, and why. `told` is for people: what they have to see to."""

    path: str
    because: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """Something else that the machine needs: where its id stands, what leaves the body where it is no more."""

    path: str
    leaves: str
    what: str


# [sdk-c: read-only properties; recorded: test_vm_managed_disk, test_vm_os_disk_swap; documented where it says so]
LEAVING = (
    Leaving("id", "it says where the machine was"),
    Leaving("name", "it says what the machine was called"),
    Leaving("type", "read-only"),
    Leaving("etag", "it names a version of what is no more"),
    Leaving("resources", "extensions are resources of their own"),
    Leaving("tags", "written anew: without the opt-in tags and ours"),
    Leaving("properties.vmId", "Azure gives a new one"),
    Leaving("properties.timeCreated", "read-only"),
    Leaving("properties.provisioningState", "read-only"),
    Leaving("properties.instanceView", "read-only"),
    Leaving(
        "properties.osProfile",
        "Azure refuses it beside an attached OS disk (documented)",
        "what the OS profile said (patch settings, update mode): the guest on the disk keeps its accounts and its name",
    ),
    Leaving("properties.storageProfile.imageReference", "the OS disk is attached, not made from an image"),
    Leaving("properties.storageProfile.osDisk", "written anew with the restored disk"),
    Leaving("properties.storageProfile.dataDisks", "written anew with the restored disks"),
    Leaving("properties.networkProfile", "written anew with the interfaces"),
    Leaving("identity", "written anew: only identities that exist beside the machine can come back"),
)
REFERENCES = (
    Reference("properties.availabilitySet.id", "properties.availabilitySet", "the availability set"),
    Reference(
        "properties.proximityPlacementGroup.id", "properties.proximityPlacementGroup", "the proximity placement group"
    ),
    Reference("properties.host.id", "properties.host", "the dedicated host"),
    Reference("properties.hostGroup.id", "properties.hostGroup", "the host group"),
    Reference(
        "properties.capacityReservation.capacityReservationGroup.id",
        "properties.capacityReservation",
        "the capacity reservation",
    ),
)
NO_VALUES: tuple[Any, ...] = ({}, [], "", None)


def at(body: Body, path: str) -> Any:
    """What stands at a path; None where nothing does."""
    found: Any = body
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def without(body: Body, path: str) -> dict[str, Any]:
    """The body without what stands at a path."""
    name, _, rest = path.partition(".")
    kept = dict(body)
    if rest and isinstance(kept.get(name), Mapping):
        kept[name] = without(kept[name], rest)
    elif not rest:
        kept.pop(name, None)
    return kept


def references(body: Body) -> Iterator[tuple[Reference, str]]:
    """What a machine needs beside itself, each with its id."""
    for reference in REFERENCES:
        if found := at(body, reference.path):
            yield reference, str(found)


def identities(body: Body) -> tuple[str, ...]:
    """The ids of the machine's user-assigned identities."""
    return tuple((at(body, "identity.userAssignedIdentities") or {}).keys())


def subtracted(body: Body, absent: frozenset[str]) -> dict[str, Any]:
    """The body as far as it goes back. `absent` are lower-case ids of things that are no more."""
    kept = dict(body)
    for leaving in LEAVING:
        kept = without(kept, leaving.path)
    for reference, place in references(body):
        if place.lower() in absent:
            kept = without(kept, reference.leaves)
    staying = [place for place in identities(body) if place.lower() not in absent]
    if staying:
        kept["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {place: {} for place in staying}}
    return {name: value for name, value in kept.items() if value not in NO_VALUES}


def lacking(body: Body, absent: frozenset[str]) -> Iterator[str]:
    """What of the machine itself cannot come back, in words for people."""
    for leaving in LEAVING:
        if leaving.told and at(body, leaving.path):
            yield leaving.told
    if "systemassigned" in str(at(body, "identity.type") or "").lower():
        yield "the system-assigned identity: a machine made again gets another one; grant its roles anew"
    for reference, place in references(body):
        if place.lower() in absent:
            yield f"{reference.what} {place.rsplit('/', 1)[-1]}: it is gone or elsewhere"
    for place in identities(body):
        if place.lower() in absent:
            yield f"the identity {place.rsplit('/', 1)[-1]}: it does not exist any more"
