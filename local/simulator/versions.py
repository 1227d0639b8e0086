"""What answers lack in older api-versions: fields that a type shows only since a version.

The front calls it for every answer; newer versions cost nothing. Recorded: each line is the oldest recording that
shows the field, younger than the youngest that does not (azure-cli 2021 and 2025, SDKs of 2019 and 2022, c7n).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.simulator import eras
from local.simulator.answers import Document, encode
from local.simulator.clock import parse_time
from local.simulator.eras import Rollout

# type -> (path of a field, first api-version that shows it); [] stands for every element
SINCE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "microsoft.compute/disks": (
        ("properties.hyperVGeneration", "2019-03-01"),
        ("properties.diskIOPSReadWrite", "2018-09-30"),
        ("properties.diskMBpsReadWrite", "2018-09-30"),
        ("properties.diskSizeBytes", "2020-05-01"),
        ("properties.uniqueId", "2020-05-01"),
        ("properties.encryption", "2020-05-01"),
        ("properties.networkAccessPolicy", "2020-05-01"),
        ("properties.supportsHibernation", "2020-12-01"),
        ("properties.supportedCapabilities", "2021-04-01"),
        ("properties.supportedCapabilities.diskControllerTypes", "2022-07-02"),
        ("properties.LastOwnershipUpdateTime", "2024-03-02"),
        ("properties.creationData.sourceUniqueId", "2020-05-01"),
        ("properties.tier", "2020-09-30"),
        ("properties.publicNetworkAccess", "2021-08-01"),
    ),
    "microsoft.compute/snapshots": (
        ("properties.diskSizeBytes", "2020-05-01"),
        ("properties.uniqueId", "2020-05-01"),
        ("properties.encryption", "2020-05-01"),
        ("properties.incremental", "2020-05-01"),
        ("properties.incrementalSnapshotFamilyId", "2020-05-01"),
        ("properties.networkAccessPolicy", "2020-05-01"),
        ("properties.creationData.sourceUniqueId", "2020-05-01"),
        ("properties.publicNetworkAccess", "2021-08-01"),
        ("properties.completionPercent", "2022-03-02"),
        ("properties.snapshotAccessState", "2025-01-02"),
    ),
    "microsoft.compute/virtualmachines": (
        ("properties.osProfile.requireGuestProvisionSignal", "2019-03-01"),
        ("properties.storageProfile.dataDisks[].toBeDetached", "2019-03-01"),
        ("properties.storageProfile.imageReference.exactVersion", "2020-12-01"),
        ("properties.osProfile.linuxConfiguration.patchSettings", "2020-12-01"),
        ("properties.osProfile.linuxConfiguration.patchSettings.assessmentMode", "2021-03-01"),
        ("properties.osProfile.windowsConfiguration.patchSettings", "2021-03-01"),
        ("properties.storageProfile.osDisk.deleteOption", "2021-03-01"),
        ("properties.storageProfile.dataDisks[].deleteOption", "2021-03-01"),
        ("properties.timeCreated", "2021-11-01"),
        ("properties.storageProfile.diskControllerType", "2022-11-01"),
        ("properties.osProfile.linuxConfiguration.enableVMAgentPlatformUpdates", "2022-08-01"),
        ("properties.osProfile.windowsConfiguration.enableVMAgentPlatformUpdates", "2022-08-01"),
        ("etag", "2024-07-01"),
    ),
    "microsoft.resources/resourcegroups": (("type", "2019-08-01"),),
    "microsoft.recoveryservices/vaults": (
        ("properties.backupStorageVersion", "2023-02-01"),
        ("properties.securitySettings", "2023-02-01"),
        ("properties.securitySettings.softDeleteSettings.enhancedSecurityState", "2024-04-01"),
        ("properties.restoreSettings", "2023-02-01"),
        ("properties.publicNetworkAccess", "2023-01-01"),
        ("properties.redundancySettings", "2024-04-01"),
        ("properties.secureScore", "2024-04-01"),
        ("properties.bcdrSecurityLevel", "2024-04-01"),
    ),
    "microsoft.recoveryservices/vaults/backupconfig": (
        ("properties.softDeleteFeatureState", "2021-01-01"),
        ("properties.isSoftDeleteFeatureStateEditable", "2021-01-01"),
        ("properties.softDeleteRetentionPeriodInDays", "2024-04-01"),
    ),
    "microsoft.recoveryservices/vaults/backupstorageconfig": (("properties.crossRegionRestoreFlag", "2021-01-01"),),
    "microsoft.recoveryservices/vaults/backuppolicies": (("properties.instantRPDetails", "2021-01-01"),),
    "microsoft.recoveryservices/vaults/backupjobs": (
        ("properties.containerName", "2021-01-01"),
        ("properties.extendedInfo.tasksList[].startTime", "2024-04-01"),
        ("properties.extendedInfo.tasksList[].endTime", "2024-04-01"),
        ("properties.extendedInfo.tasksList[].taskType", "2024-04-01"),
        ("properties.extendedInfo.propertyBag.Target VM Name", "2024-04-01"),
        ("properties.extendedInfo.internalPropertyBag.restoreLocationType", "2024-04-01"),
    ),
    "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems": (
        ("properties.isArchiveEnabled", "2021-01-01"),
        ("properties.vaultId", "2024-04-01"),
        ("properties.sourceSideScanning", "2024-04-01"),
        ("properties.softDeleteRetentionPeriod", "2024-04-01"),
    ),
    "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems/recoverypoints": (
        ("properties.recoveryPointMoveReadinessInfo", "2021-01-01"),
        ("properties.recoveryPointProperties", "2024-04-01"),
        ("properties.createdWithPolicyType", "2024-04-01"),
        ("properties.isPrivateAccessEnabledOnAnyDisk", "2024-04-01"),
        ("properties.securityType", "2024-04-01"),
        ("properties.threatStatus", "2024-04-01"),
    ),
}
# Fields of Event Grid: first stable version, first preview (recorded: 2018-09-15-preview, 2021-10-15-preview,
# 2021-12-01; bounds between them from the documents' dates).
PREVIEWED = (
    ("systemData", "2022-06-15", "2020-10-15"),
    ("properties.dataResidencyBoundary", "2022-06-15", "2021-06-01"),
    ("properties.disableLocalAuth", "2022-06-15", "2021-06-01"),
    ("properties.retryPolicy", "2019-01-01", "2019-02-01"),
)
EVENT_GRID = "microsoft.eventgrid/"
# type -> (path of a field, since when the platform shows it whatever the version); recorded, see eras.py
ROLLED_OUT: Mapping[str, tuple[tuple[str, Rollout], ...]] = {
    "microsoft.compute/virtualmachines": (
        ("etag", eras.ETAGS),
        ("properties.storageProfile.osDisk.deleteOption", eras.DELETE_OPTIONS),
    ),
    "microsoft.recoveryservices/vaults": (
        ("properties.privateEndpointStateForBackup", eras.PRIVATE_VAULTS),
        ("properties.privateEndpointStateForSiteRecovery", eras.PRIVATE_VAULTS),
    ),
    "microsoft.recoveryservices/vaults/backuppolicies": (
        ("properties.instantRpRetentionRangeInDays", eras.INSTANT_RESTORE),
        ("properties.timeZone", eras.INSTANT_RESTORE),
    ),
}
SETTLED = parse_time("2025-01-01")  # all of them had come by then
NEWEST = max(version for rows in SINCE.values() for _, version in rows)


# Ids of what lies in vaults began with a capital in versions of 2016 and 2017 (recorded: 261 of 261; not of vaults,
# nor of their settings).
CAPITAL_BEFORE = "2018"
CAPITAL = re.compile(
    rb'("(?:id|policyId)":"/)s(ubscriptions/[^"]*/'
    rb'(?:backupJobs|backupPolicies|protectableItems|protectedItems|protectionContainers|recoveryPoints)/[^"/]+")'
)


def known_to(version: str, body: bytes, now: float) -> bytes:
    """Take out of an answer what a version does not show, or the platform of that time did not."""
    if (version[:10] >= NEWEST and now >= SETTLED) or b'"type"' not in body:
        return body
    document = json.loads(body)
    changed = False
    for resource in _resources(document):
        if str(resource["type"]).lower().startswith(EVENT_GRID):
            for path, stable, preview in PREVIEWED:
                if version[:10] < (preview if version.lower().endswith("-preview") else stable):
                    changed = _without(resource, path.split(".")) or changed
        place = str(resource.get("location", ""))
        for path, rollout in ROLLED_OUT.get(str(resource["type"]).lower(), ()):
            if not rollout.reached(now, place):
                changed = _without(resource, path.split(".")) or changed
        for path, since in SINCE.get(str(resource["type"]).lower(), ()):
            if version[:10] < since:
                changed = _without(resource, path.split(".")) or changed
    body = encode(document) if changed else body
    return CAPITAL.sub(rb"\1S\2", body) if version < CAPITAL_BEFORE else body


def _resources(document: Any) -> Iterator[Document]:
    """The answer itself, the elements of a list, or the output of an operation."""
    if not isinstance(document, dict):
        return
    found = document.get("properties")
    output = found.get("output") if isinstance(found, dict) else None
    listed = document.get("value")
    for each in (document, output, *(listed if isinstance(listed, list) else ())):
        if isinstance(each, dict) and isinstance(each.get("type"), str):
            yield each


def _without(value: Any, path: list[str]) -> bool:
    name, rest = path[0], path[1:]
    if name.endswith("[]"):
        elements = value.get(name[:-2]) if isinstance(value, dict) else None
        return sum(_without(each, rest) for each in elements or []) > 0
    if not isinstance(value, dict) or name not in value:
        return False
    if rest:
        return _without(value[name], rest)
    del value[name]
    return True
