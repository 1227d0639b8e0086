"""Recovery Services vaults and their policies: the provider's lists, vaults by plain PUT, policies by the typed client.

Built by wiring. The client of Azure Backup is imported when something is first written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from shared.cloud.arm import Arm, Hook
from shared.cloud.pace import Lane
from shared.cloud.pages import listed
from shared.cloud.snapshots import GROUP_VERSION, Recovery
from shared.cloud.vault_shapes import policy_seen, vault_seen
from shared.errors import Missing
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, Shard
from shared.model.vault import PolicySeen, VaultOrder, VaultSeen

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

VAULTS = "Microsoft.RecoveryServices/vaults"
VAULT_VERSION = "2024-10-01"
BACKUP_VERSION = "2026-10-01"  # what the typed client sends
FABRIC = "Azure"
OF_VMS = "backupManagementType eq 'AzureIaasVM'"
SOFT_DELETE_DAYS = 14


class BackupClient:
    """The typed client of Azure Backup: one write, sent once, and the id of the operation that answers for it."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def write(
        self,
        vault: ResourceId,
        action: Callable[[RecoveryServicesBackupClient, Hook], object],
        kind: CallKind = CallKind.WRITE,
    ) -> str:
        from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

        client = self._arm.typed(RecoveryServicesBackupClient, vault.subscription)
        operations: list[str] = []

        def send(hook: Hook) -> None:
            def heard(response: Any) -> None:
                hook(response)
                operations.append(operation_of(response.http_response.headers))

            action(client, heard)

        self._arm.write(lane(vault, kind), send)
        return operations[-1] if operations else ""


class AzureVaultCatalogue:
    """Vaults and policies."""

    def __init__(self, arm: Arm, recovery: Recovery) -> None:
        self._arm = arm
        self._recovery = recovery
        self._client = BackupClient(arm)

    def vaults(self, shard: Shard) -> Sequence[VaultSeen]:
        path = f"/subscriptions/{shard.subscription}/providers/{VAULTS}"
        pages = listed(self._arm, Lane(shard.subscription, "", CallKind.READ), path, VAULT_VERSION)
        return [vault for vault in map(vault_seen, pages) if vault.region == shard.region]

    def make(self, order: VaultOrder) -> None:
        immutable = {"immutabilitySettings": {"state": "Unlocked"}} if order.immutable else {}
        kept = {"softDeleteState": "Enabled", "softDeleteRetentionPeriodInDays": SOFT_DELETE_DAYS}
        properties = {
            "publicNetworkAccess": "Enabled",
            "securitySettings": {"softDeleteSettings": kept, **immutable},
            "redundancySettings": {"standardTierStorageRedundancy": order.redundancy.value},
        }
        body = {
            "location": order.region,
            "tags": dict(order.tags),
            "sku": {"name": "RS0", "tier": "Standard"},
            "identity": {"type": "SystemAssigned"},
            "properties": properties,
        }
        self._prepare(order)
        self._arm.put(lane(order.id, CallKind.WRITE), str(order.id), VAULT_VERSION, body)

    def _prepare(self, order: VaultOrder) -> None:
        """The group, made where it is missing: a PUT over one that is there would replace its tags."""
        group = f"/subscriptions/{order.id.subscription}/resourcegroups/{order.id.group}"
        try:
            self._arm.get(lane(order.id, CallKind.READ), group, GROUP_VERSION)
        except Missing as error:
            if error.code.lower() != "resourcegroupnotfound":
                raise
            body = {"location": order.region, "tags": dict(order.tags)}
            self._arm.put(lane(order.id, CallKind.WRITE), group, GROUP_VERSION, body)

    def policies(self, vault: ResourceId) -> Mapping[str, PolicySeen]:
        path = f"{vault}/backupPolicies"
        pages = listed(self._arm, lane(vault, CallKind.READ), path, BACKUP_VERSION, **{"$filter": OF_VMS})
        return {policy.name: policy for policy in map(policy_seen, pages)}

    def write_policy(self, vault: ResourceId, name: str, properties: Mapping[str, object]) -> None:
        def send(client: RecoveryServicesBackupClient, hook: Hook) -> object:
            policies = client.protection_policies
            body = stream({"properties": dict(properties)})
            return policies.create_or_update(vault.name, vault.group, name, body, raw_response_hook=hook)

        self._client.write(vault, send)

    def place(self, shard: Shard) -> str:
        return self._recovery.group(shard.region).lower()


def lane(vault: ResourceId, kind: CallKind) -> Lane:
    """The bucket that calls about a vault are counted in."""
    return Lane(vault.subscription, "", kind)


def stream(body: Mapping[str, Any]) -> BytesIO:
    """A plain body: the SDK's models fill class-wide tables when they are first built, which threads may not share."""
    return BytesIO(json.dumps(body).encode())


def operation_of(headers: Mapping[str, str]) -> str:
    """The id of the operation that an accepted write is followed by; empty when it was done at once."""
    folded = {name.lower(): value for name, value in headers.items()}
    url = folded.get("azure-asyncoperation") or folded.get("location") or ""
    return url.partition("?")[0].rpartition("/")[2]
