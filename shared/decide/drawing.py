"""A restore with all that its pieces follow from, and the names of what it makes. Values only; for `blueprint.py`.

The same request gives the same names, so whoever comes next finds what was made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.decide.naming import MAX_TAGS, OURS, stamp
from shared.decide.restored_network import Network
from shared.decide.subtraction import Body, at
from shared.model.identity import ResourceId
from shared.model.request import Request
from shared.model.restore import ArmPath, Restore, RestoreMode, RestoreOrder, Source
from shared.model.rules import Rules

RESTORE = "tagback-restore"
EXPIRES = "tagback-expires"
SLOT = "tagback-restored-slot"
ROOM = 6  # of the tags that one thing may have, for later: the opt-in tag with its four modifiers, and a claim
DRILL = "tagback-drill"
"""The tag of what a drill makes, with its request's id: such a machine is nobody's, and is not enrolled."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One resource to be made."""

    id: ArmPath
    body: Body


@dataclass(frozen=True, slots=True)
class Captured:
    """What a point knows of its machine: the bodies kept with it, all empty where the model is lost."""

    machine: Body = field(default_factory=dict)
    disks: tuple[Body, ...] = ()
    interfaces: tuple[Body, ...] = ()
    extensions: tuple[Body, ...] = ()

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> Captured:
        bodies = (tuple(model.get(name) or ()) for name in ("disks", "interfaces", "extensions"))
        return cls(model.get("vm") or {}, *bodies)

    def disk(self, place: ResourceId) -> Body | None:
        return next((disk for disk in self.disks if str(disk.get("id")).lower() == str(place)), None)

    def interface(self, place: str) -> Body | None:
        return next((each for each in self.interfaces if str(each.get("id")).lower() == place.lower()), None)

    @property
    def attached_interfaces(self) -> tuple[Body, ...]:
        """How the machine referred to its interfaces, in its order."""
        return tuple(at(self.machine, "properties.networkProfile.networkInterfaces") or ())


@dataclass(frozen=True, slots=True)
class Drawing:
    """One restore with all that its pieces follow from."""

    request: Request
    order: RestoreOrder
    restore: Restore
    captured: Captured
    rules: Rules

    @property
    def id(self) -> str:
        """The id of the request that made, or makes, the pieces: an undoing names the one it undoes."""
        return self.request.operation or self.request.id

    @property
    def expires(self) -> str:
        return stamp(self.restore.expires)

    @property
    def region(self) -> str:
        """Where the pieces are made: the machine's own region, or the paired one."""
        paired = self.restore.recovery.region if self.restore.recovery else ""
        return paired or self.request.shard.region

    @property
    def gone(self) -> frozenset[str]:
        return frozenset(place.lower() for place in (*self.restore.absent, *self.restore.taken))

    @property
    def network(self) -> Network:
        return Network(self.order.mode is RestoreMode.REBUILD, self.order.subnet, self.gone)

    def tags(self, captured: Body | None) -> dict[str, str]:
        """Ours first, then as many as fit of those that the captured thing had, except opt-in tags and ours of then.

        What a drill makes has only ours: no rule of anybody's is to take it for the thing itself.
        """
        return dict(list(self._tags(captured).items())[: MAX_TAGS - ROOM])

    def left_out(self, captured: Body) -> tuple[str, ...]:
        """The names of the tags that do not fit."""
        return tuple(self._tags(captured))[MAX_TAGS - ROOM :]

    def _tags(self, captured: Body | None) -> dict[str, str]:
        drill = self.order.mode is RestoreMode.DRILL
        ours = {
            f"{OURS}owner": self.rules.owner,
            RESTORE: self.id,
            SLOT: stamp(self.restore.slot),
            EXPIRES: self.expires,
            **({DRILL: self.id} if drill else {}),
        }
        tags = {**ours, **{name: value for name, value in self.rules.extra_tags.items() if name.lower() not in ours}}
        known = {name.lower() for name in tags}
        for name, value in sorted((at({} if drill else captured or {}, "tags") or {}).items()):
            folded = name.lower()
            if folded not in known and not folded.startswith((self.rules.prefix, OURS)):
                tags[name] = value
        return tags


def made_name(request_id: str, role: str) -> str:
    """The name of one thing that a restore makes: the same for the same thing, whoever asks and however often."""
    return "tb-" + hashlib.sha256(f"{request_id}|{role}".encode()).hexdigest()[:32]


def place_in(group: str, type_: str, name: str) -> ArmPath:
    """`group` is the path of a resource group."""
    return ArmPath(f"{group}/providers/{type_}/{name}")


def group_of(place: str) -> str:
    """The path of the group that something is in; ids are compared without case, and written in any."""
    end = place.lower().find("/providers/")
    return place[:end] if end >= 0 else place


def disk_place(request_id: str, machine: ArmPath, source: Source) -> ArmPath:
    """Restored disks lie beside the machine that they are for; those that a vault made, where it says."""
    if source.made:
        return source.made
    name = made_name(request_id, f"disk|{source.disk}|{source.lun}")
    return place_in(group_of(machine), "Microsoft.Compute/disks", name)
