"""What a VM and its disks are made of, as far as it decides how consistent a recovery point of them can be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from shared.model.identity import ResourceId


class Caching(StrEnum):
    """The host caching of a disk, as Azure names it, in lower case."""

    NONE = "none"
    READ_ONLY = "readonly"
    READ_WRITE = "readwrite"


@dataclass(frozen=True, slots=True)
class DiskHardware:
    """One attached disk that is to be in the point. `sku` is Azure's name of its kind, in lower case."""

    id: ResourceId
    sku: str
    caching: Caching = Caching.NONE
    is_os: bool = False
    write_accelerated: bool = False
    shared: bool = False
    ephemeral: bool = False
    customer_key: bool = False


@dataclass(frozen=True, slots=True)
class Hardware:
    """A VM at one instant. `since_restore_point` is the age of its newest restore point; timedelta.max if none.

    `premium_capable` and `boost` (Azure Boost: sizes of versions 6 and 7) are said of its size; `confidential` of its
    security type; `uniform` of an instance of a Uniform scale set.
    """

    disks: tuple[DiskHardware, ...]
    running: bool = True
    agent_ready: bool = True
    premium_capable: bool = True
    boost: bool = False
    confidential: bool = False
    uniform: bool = False
    since_restore_point: timedelta = timedelta.max
