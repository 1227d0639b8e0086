"""What flows need of Azure Backup, in a page of its own; the rules of the package hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.model.identity import ResourceId, Shard
from shared.model.vault import (
    ItemOrder,
    ItemSeen,
    JobError,
    JobSeen,
    PointSeen,
    PolicySeen,
    Tracked,
    VaultOrder,
    VaultSeen,
)
from shared.model.vault_restore import DiskSeen, RecoveryOrder


class VaultCatalogue(Protocol):
    """The Recovery Services vaults of a shard and their policies, from the provider's own lists."""

    def vaults(self, shard: Shard) -> Sequence[VaultSeen]:
        """Every vault of the subscription in the shard's region, whoever made it."""

    def make(self, order: VaultOrder) -> None:
        """Ask for a vault; a missing group is made first, tagged as ours. Never waits for it."""

    def policies(self, vault: ResourceId) -> Mapping[str, PolicySeen]:
        """The policies for VMs by name, as they were named. Missing when there is no such vault."""

    def write_policy(self, vault: ResourceId, name: str, properties: Mapping[str, object]) -> None:
        """Make a policy, or replace it. Refused where the service takes no such policy."""

    def place(self, shard: Shard) -> str:
        """The resource group in which new vaults of a shard are made. Pure."""


class VaultItems(Protocol):
    """What a vault protects, and could. Lists are whole or raise; what is missing from one may still be there."""

    def items(self, vault: ResourceId) -> Iterator[ItemSeen]:
        """Every protected VM of a vault, soft-deleted ones included."""

    def protectable(self, vault: ResourceId) -> Iterator[ResourceId]:
        """The VMs that a vault has discovered and does not protect."""

    def refusal(self, vault: ResourceId, vm: ResourceId, region: str) -> JobError | None:
        """Why a vault would not take a VM, by the service's own dry run; None when it would. Nothing is changed."""

    def refresh(self, vault: ResourceId) -> str:
        """Ask a vault to discover VMs; the operation by which `refreshed` knows it. Conflict while another runs."""

    def refreshed(self, vault: ResourceId, operation: str) -> bool:
        """Whether a discovery has ended. One that the vault does not know any more has."""

    def change(self, order: ItemOrder) -> str:
        """Ask for a change of one item; the operation by which `tracked` knows it. It states an end: repeatable."""

    def delete(self, vault: ResourceId, vm: ResourceId) -> str:
        """Ask a vault to delete everything it has of a VM; the operation by which `tracked` knows it.

        Deleted softly where the vault does so. Refused where a guard or immutability protects it, Blocked by a lock.
        """

    def tracked(self, vault: ResourceId, operation: str) -> Tracked:
        """How far an operation of a vault came. One that the vault does not know any more is done."""


class VaultJobs(Protocol):
    """What a vault is doing and did, and the recovery points that it made."""

    def jobs(self, vault: ResourceId, since: datetime) -> Iterator[JobSeen]:
        """The jobs that began after an instant, without errors and tasks."""

    def job(self, vault: ResourceId, name: str) -> JobSeen | None:
        """One job with its errors and tasks; None when there is none."""

    def back_up(self, vault: ResourceId, vm: ResourceId, until: datetime) -> str:
        """Ask for a backup now whose point expires at `until`; the operation by which it is tracked. Not repeatable."""

    def cancel(self, vault: ResourceId, job: str) -> None:
        """Ask that a job be cancelled. Conflict or Refused where it cannot be any more."""

    def points(self, vault: ResourceId, vm: ResourceId) -> Sequence[PointSeen]:
        """The recovery points of one VM in a vault. Missing when the vault does not protect it."""


class PairedRegions(Protocol):
    """What a vault has in the region paired with its own, and restores there; a job of that region answers for it.

    Such a job cannot be cancelled. `region` is the paired one.
    """

    def pair(self, subscription: str, region: str) -> str:
        """The region that Azure pairs with one; empty when there is none."""

    def vault(self, vault: ResourceId) -> VaultSeen:
        """One vault with how it stores what it has, which no list says. Missing when there is none."""

    def points(self, vault: ResourceId, vm: ResourceId) -> Sequence[PointSeen]:
        """The recovery points of one VM that are there. Missing when the vault does not protect it."""

    def restore(self, order: RecoveryOrder) -> str:
        """Ask for the disks of a point there; the operation by which `tracked` knows it. Not repeatable."""

    def tracked(self, vault: ResourceId, region: str, operation: str) -> Tracked:
        """How far an operation came. One that the region does not know any more is done."""

    def jobs(self, vault: ResourceId, region: str, since: datetime) -> Iterator[JobSeen]:
        """The vault's jobs there that began after an instant, without errors and tasks."""

    def job(self, vault: ResourceId, region: str, name: str) -> JobSeen | None:
        """One job there with its errors and tasks; None when there is none."""


class VaultRestores(Protocol):
    """What a vault is asked to bring back. Nothing is waited for: a job of the vault answers for it."""

    def check(self, order: RecoveryOrder) -> Sequence[JobError]:
        """What the vault would refuse the order for; nothing is begun."""

    def restore(self, order: RecoveryOrder) -> str:
        """Ask for the disks of a point; the operation by which `tracked` knows it. Not repeatable: each makes disks.

        Missing when the vault has no such item or point.
        """

    def disks(self, group: str) -> Sequence[DiskSeen]:
        """Every disk of a resource group, by the provider's own list. Missing when there is no such group."""
