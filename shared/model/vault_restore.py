"""Restores by a vault: what is ordered of it, and the disks of a resource group as the provider lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.model.identity import ResourceId


@dataclass(frozen=True, slots=True)
class RecoveryOrder:
    """Disks to be restored from a point. `group` is the path of the resource group that they are to be in, `staging`
    the id of the storage account that the vault leaves the machine's configuration in. `region` is where they are made:
    the vault's own, or the one paired with it."""

    vault: ResourceId
    vm: ResourceId
    point: str
    group: str
    staging: str
    region: str


@dataclass(frozen=True, slots=True)
class DiskSeen:
    """A disk of a resource group; `place` as it is spelt, `made_at` None where the provider does not say."""

    place: str
    made_at: datetime | None
    zones: tuple[str, ...] = ()
