"""Restores: what a person wants back (`RestoreOrder`), and how far it came (`Restore`), both within the request's row.

Everything a restore makes has a name derived from the request's id and carries it as a tag, so that whoever comes next
looks before acting and adopts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from shared.model.drill import Probing, Trial
from shared.model.identity import ResourceId
from shared.model.operation import Failure
from shared.model.point import Consistency
from shared.model.vault import VaultPoint, VaultTask

ArmPath = NewType("ArmPath", str)
"""The ARM id of anything, spelt as it was found or is to be made: a name keeps its case."""


class RestoreMode(StrEnum):
    """What is brought back.

    `disks`: the disks alone. `new`: a new VM beside the one that was. `rebuild`: the VM under its own name, which must
    be free. `in-place`: the disks of the VM that stands there are swapped for those of the point. `drill`: a new VM in
    a network of its own that nothing enters or leaves, tried and removed again. `files`: disks attached for a while to
    a VM that somebody reads them from, or a point that its vault mounts for a while.
    """

    DISKS = "disks"
    NEW = "new"
    REBUILD = "rebuild"
    IN_PLACE = "in-place"
    DRILL = "drill"
    FILES = "files"


class Power(StrEnum):
    """What a machine is asked to do. One that stops keeps its host, and the addresses that come with it."""

    STOP = "powerOff"
    START = "start"


class Stage(StrEnum):
    """The stages of a restore and of its undoing; `decide/restoring.py` has their order."""

    SURVEY = "survey"
    RECOVER = "recover"
    FIND = "find"
    ADOPT = "adopt"
    RULES = "rules"
    NETWORK = "network"
    DISKS = "disks"
    INTERFACES = "interfaces"
    MACHINE = "machine"
    PROBE = "probe"
    COMMAND = "command"
    VERDICT = "verdict"
    CLAIM = "claim"
    STOP = "stop"
    ATTACH = "attach"
    DETACH = "detach"
    SWAP = "swap"
    START = "start"
    LET_GO = "let-go"
    MOUNT = "mount"
    UNMOUNT = "unmount"
    RELEASE = "release"
    REMOVE_MACHINE = "remove-machine"
    REMOVE_INTERFACES = "remove-interfaces"
    REMOVE_DISKS = "remove-disks"
    REMOVE_NETWORK = "remove-network"
    REMOVE_RULES = "remove-rules"
    LEFTOVERS = "leftovers"


@dataclass(frozen=True, slots=True)
class RestoreOrder:
    """What is wanted: the newest point (before an instant, or promising at least so much), or the one of a slot.

    `group`, `name` and `subnet` are empty for those of the machine itself. `protect` gives the machine its opt-in tags
    back when all is done; otherwise it says `off`. `trial` is what a drill asks of the machine. `from_vault` asks for a
    point of a vault even where there are others; `staging` is the storage account that the vault is to use. `reader` is
    the id of the VM that single files are read from, `disk` the one disk that is wanted there: `os`, a LUN or a name.
    `region` is the region paired with the machine's own, by whose copy of a vault's point it comes back there.
    """

    mode: RestoreMode
    before: datetime | None = None
    slot: datetime | None = None
    group: str = ""
    name: str = ""
    subnet: str = ""
    protect: bool = False
    trial: Trial | None = None
    from_vault: bool = False
    staging: str = ""
    reader: str = ""
    disk: str = ""
    at_least: Consistency | None = None
    region: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What one disk is made from: the part of the point, and the disk that it was taken of.

    A disk that a vault made is at `made` and in `zones`, under a name of the vault's; `snapshot` then is the vault,
    `disk` the disk.
    """

    snapshot: ResourceId
    disk: ResourceId
    lun: int | None
    made: ArmPath = ArmPath("")
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recovery:
    """A point in a vault that is restored from.

    `vm` is the machine as the vault knows it, `staging` the storage account that the vault uses (empty until it is
    known), `task` how the vault answers for it. `region` is the paired one that it comes back in, empty for the own.
    """

    point: VaultPoint
    vm: ResourceId
    staging: str
    task: VaultTask
    region: str = ""


@dataclass(frozen=True, slots=True)
class Swap:
    """A disk of a machine in place: `old` leaves `lun` (None for the OS disk) and stays until the restore expires.

    The rest is how it was attached, so that it can be put back.
    """

    old: ArmPath
    lun: int | None
    caching: str = ""
    delete_option: str = ""
    write_accelerated: bool = False


@dataclass(frozen=True, slots=True)
class Lent:
    """A disk at the `lun` of the VM that reads it. It is of `source`, which had the LUN `was` (None: the OS disk)."""

    disk: ArmPath
    source: ResourceId
    was: int | None
    lun: int


@dataclass(frozen=True, slots=True)
class Restore:
    """How far a restore came. `stage` is the one under way; None once it ended.

    `lost_seconds` is how much time before the moment wished for is not in the point. `makes` is everything that it may
    make, recorded before any of it is made. Of what the captured machine refers to, `absent` are things that are no
    more, `taken` those that are another's now; `lacking` are sentences about what cannot come back. `swaps` and
    `was_running` say how a machine in place was found. `undoing`: it goes back to how things were, for the reason in
    `because`. `expires` is when leftovers may be removed. `attempts` counts the setbacks of the stage under way.
    `probing` is how far the trial of a drill came, once its machine is there. `recovery` is set where the point is in a
    vault: `sources` are known once the vault has made the disks. `lent` are the disks that `machine` reads files from.
    A point that its vault mounts is known by the operation that `recovery` names, `unmounting` is the one that ends it.
    """

    because: str
    slot: datetime
    lost_seconds: int
    sources: tuple[Source, ...]
    model: str
    machine: ArmPath
    makes: tuple[ArmPath, ...]
    expires: datetime
    started_at: datetime
    stage: Stage | None
    absent: tuple[ArmPath, ...] = ()
    taken: tuple[ArmPath, ...] = ()
    lacking: tuple[str, ...] = ()
    swaps: tuple[Swap, ...] = ()
    was_running: bool = True
    undoing: bool = False
    attempts: int = 0
    failure: Failure | None = None
    next_look: datetime | None = None
    ended_at: datetime | None = None
    probing: Probing | None = None
    recovery: Recovery | None = None
    lent: tuple[Lent, ...] = ()
    unmounting: str = ""
