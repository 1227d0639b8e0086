"""The adapters that share one way to reach Azure Resource Manager, and those that share one storage account.

Used by wiring.py when a world is built, and by nothing else: importing this imports every adapter.
"""

from __future__ import annotations

from typing import TypedDict

from shared.cloud import approvals, audit, brakes, budgets, leases, ledger, models, poisoned, queues, requests
from shared.cloud.arm import Arm
from shared.cloud.builder import AzureBuilder
from shared.cloud.deletions import AzureDeletions
from shared.cloud.graph import Graph
from shared.cloud.holdings import AzureHoldings
from shared.cloud.paired_regions import AzurePairedRegions
from shared.cloud.restore_points import AzureRestorePoints
from shared.cloud.snapshots import AzureSnapshots, Recovery
from shared.cloud.storage import Storage
from shared.cloud.vault_items import AzureVaultItems
from shared.cloud.vault_jobs import AzureVaultJobs
from shared.cloud.vault_mounts import AzureVaultMounts
from shared.cloud.vault_restores import AzureVaultRestores
from shared.cloud.vaults import AzureVaultCatalogue
from shared.ports import Builder, Clock, Deletions, Holdings, Queue, Snapshots
from shared.ports.mounts import VaultMounts
from shared.ports.restore_points import RestorePoints
from shared.ports.storage import Approvals, Audit, Brakes, Budgets, Leases, Ledger, Models, Poisoned, Requests
from shared.ports.vaults import PairedRegions, VaultCatalogue, VaultItems, VaultJobs, VaultRestores


class InAzure(TypedDict):
    """Where recovery points, disks and machines are."""

    snapshots: Snapshots
    restore_points: RestorePoints
    vaults: VaultCatalogue
    vault_items: VaultItems
    vault_jobs: VaultJobs
    vault_restores: VaultRestores
    paired_regions: PairedRegions
    vault_mounts: VaultMounts
    holdings: Holdings
    deletions: Deletions
    builder: Builder


class InStorage(TypedDict):
    """Where state is."""

    queue: Queue
    models: Models
    audit: Audit
    ledger: Ledger
    requests: Requests
    poisoned: Poisoned
    leases: Leases
    reaper_leases: Leases
    budgets: Budgets
    brakes: Brakes
    approvals: Approvals


def in_azure(manager: Arm, queries: Graph, recovery: Recovery, clock: Clock) -> InAzure:
    """What acts on Azure, and looks at what it made there."""
    return InAzure(
        snapshots=AzureSnapshots(manager, queries, recovery),
        restore_points=AzureRestorePoints(manager, recovery),
        vaults=AzureVaultCatalogue(manager, recovery),
        vault_items=AzureVaultItems(manager),
        vault_jobs=AzureVaultJobs(manager, clock),
        vault_restores=AzureVaultRestores(manager),
        paired_regions=AzurePairedRegions(manager, clock),
        vault_mounts=AzureVaultMounts(manager),
        holdings=AzureHoldings(manager, recovery),
        deletions=AzureDeletions(manager, recovery),
        builder=AzureBuilder(manager),
    )


def in_storage(account: Storage) -> InStorage:
    """What is kept in tables, blobs and queues."""
    return InStorage(
        queue=queues.StorageQueue(account),
        models=models.BlobModels(account),
        audit=audit.BlobAudit(account),
        ledger=ledger.TableLedger(account),
        requests=requests.TableRequests(account),
        poisoned=poisoned.TablePoisoned(account),
        leases=leases.TableLeases(account),
        reaper_leases=leases.TableLeases(account, leases.REAPER),
        budgets=budgets.TableBudgets(account),
        brakes=brakes.BlobBrakes(account),
        approvals=approvals.BlobApprovals(account),
    )
