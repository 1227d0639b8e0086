"""What a vault has in the region paired with its own, and restores there: for vaults with cross-region restore.

Specified of 2018-12-20, and recorded nowhere: what the calls say of each other is the examples'; refusals are assumed.
A point is there some hours after it reached the vault's tier: twelve at most (documented). Nothing there is cancelled
(documented), and no machine's disks are replaced.
"""

import base64
from typing import TYPE_CHECKING

from local.simulator import backup_jobs, backup_operations, backup_restores, recovery_points, vault_errors
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.clock import EPOCH, parse_time
from local.simulator.ids import key_of, parse
from local.simulator.job_shapes import shown
from local.simulator.listing import joined, members_of, paged
from local.simulator.lro import Family, Operation, Timing
from local.simulator.odata import fits, moment_of, terms_of
from local.simulator.regions import PAIRS
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.vault_ids import ITEM_ROOT, JOB, POINT, machine_name, vault_above, vault_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

VERSION = "2018-12-20"
COPY_SECONDS = 12 * 3600.0
AUDIENCE = "https://RecoveryServices/IaasCoord/aadmgmt/{region}"
PAGE = 200  # assumed, as for the jobs of a vault
REGION = "/subscriptions/{subscription}/providers/Microsoft.RecoveryServices/locations/{location}"


def paired(vault: Resource) -> str:
    """Return the region that has copies of what a vault has; empty where none has."""
    document = vault.document()
    stored = document["properties"].get("redundancySettings") or {}
    crosses = stored.get("standardTierStorageRedundancy", "GeoRedundant") == "GeoRedundant"
    return PAIRS.get(document["location"], "") if crosses and stored.get("crossRegionRestore") == "Enabled" else ""


def _is_there(world: "World", point: Resource, now: float) -> bool:
    hardened = (point.notes or {}).get("hardened")
    if hardened is None or not paired(vault_above(world, point)):
        return False
    longest = COPY_SECONDS if world.operations.timing is not Timing.SHORTEST else 0.0
    share = 1.0 if world.operations.timing is Timing.LONGEST else world.chance.share(f"copy {point.key}")
    return now >= float(hardened) + longest * share


def points(world: "World", call: "Call") -> Reply:
    """List an item's points: by the version of 2018 those that the paired region has (specified)."""
    if call.version != VERSION:
        return recovery_points.every(world, call)
    item = recovery_points.item_of(world, call)
    there = [one for one in members_of(world, call, item.key, POINT.lower()) if _is_there(world, one, call.now)]
    return joined([encode(recovery_points.shown(point, call)) for point in reversed(there)])


def identity(world: "World", call: "Call") -> Reply:
    """Tell by which identity a region restores what another one has."""
    region = _region(world, call)
    root = f"/subscriptions/{call['subscription']}/providers/Microsoft.RecoveryServices/locations/{region}"
    principal = world.chance.guid_of(f"coordinator {region}")
    found = {
        "tenantId": world.tenant,
        "audience": AUDIENCE.format(region=region),
        "servicePrincipalObjectId": principal,
    }
    kind = "Microsoft.RecoveryServices/locations/backupAadProperties"
    return Reply.of(
        {"id": f"{root}/backupAadProperties", "name": "backupAadProperties", "type": kind, "properties": found}
    )


def _region(world: "World", call: "Call") -> str:
    world.subscription(call["subscription"])
    region = call["location"].replace(" ", "").lower()
    if region not in PAIRS:
        raise ArmError(400, "LocationNotAvailableForResourceType", f"The location '{region}' is not available.")
    return region


def access(world: "World", call: "Call") -> Reply:
    """Hand out what lets the paired region, and no other, restore a point (200)."""
    point = recovery_points.point_at(world, key_of(call.path.rsplit("/", 1)[0]))
    region, asked = paired(vault_of(world, call)), call.body().get("properties") or {}
    if not region or asked.get("servicePrincipalObjectId") != world.chance.guid_of(f"coordinator {region}"):
        message = "Cross region restore of this vault is not possible in the region that was asked for."
        raise vault_errors.refused(400, "UserErrorCrossRegionRestoreNotPossible", message)
    if not _is_there(world, point, call.now):
        message = "The recovery point is not available in the secondary region."
        raise vault_errors.refused(400, "UserErrorRecoveryPointNotInSecondaryRegion", message)
    found = {"id": point.id, "name": parse(point.id).name, "type": POINT, "properties": _details(world, point, region)}
    return Reply.of(found)


def _details(world: "World", point: Resource, region: str) -> Document:
    vault = parse(vault_above(world, point).id)
    item = _item(world, point).document()["properties"]
    name = machine_name(item["sourceResourceId"])
    taken = EPOCH.fromtimestamp(parse_time(point.document()["properties"]["recoveryPointTime"]), EPOCH.tzinfo)
    stamp = f"https://pod01-{{}}.{region}.backup.windowsazure.com"
    return {
        "objectType": "WorkloadCrrAccessToken",
        "accessTokenString": world.chance.guid_of(f"access {point.key} {region}") * 8,
        "subscriptionId": vault.subscription,
        "resourceGroupName": vault.group,
        "resourceName": vault.name,
        "resourceId": _number(world, vault_above(world, point).key),
        "recoveryPointId": parse(point.id).name,
        "recoveryPointTime": f"{taken:%-m/%-d/%Y %-I:%M:%S %p}",
        "containerName": name,
        "containerType": "IaasVMContainer",
        "backupManagementType": "AzureIaasVM",
        "datasourceType": "VM",
        "datasourceName": item["friendlyName"],
        "datasourceId": _number(world, point.key),
        "datasourceContainerName": name,
        "coordinatorServiceStampUri": stamp.format("coord1"),
        "protectionServiceStampId": world.chance.guid_of(f"stamp {region}"),
        "protectionServiceStampUri": stamp.format("prot1-int"),
    }


def _item(world: "World", point: Resource) -> Resource:
    found = world.store.get("/".join(point.key.split("/")[:-2]))
    assert found is not None  # a point lies in an item, and goes with it
    return found


def _number(world: "World", name: str) -> str:
    return str(int(world.chance.share(f"number {name}") * 9e18))


def restore(world: "World", call: "Call") -> Reply:
    """Start a restore (202) of a point that the region has a copy of."""
    region, body = _region(world, call), call.body()
    given, asked = body.get("crossRegionRestoreAccessDetails") or {}, body.get("restoreRequest") or {}
    point = _accessed(world, given, region)
    item = _item(world, point)
    kind = str(asked.get("recoveryType", "")).lower()
    backup_restores.check(world, item, asked, kind)
    placed = str(asked["region"]).replace(" ", "").lower() == region
    if kind == "originallocation" or not placed or asked.get("recoveryPointId") != parse(point.id).name:
        message = "Input for restore is not in proper format."
        raise vault_errors.refused(400, "BMSUserErrorInvalidRestoreRequest", message)
    operation = backup_operations.begin(world, call, item, "backup.job", {})
    root = f"/subscriptions/{call['subscription']}/providers/Microsoft.RecoveryServices/locations/{region}"
    order = backup_restores.order_of(item, point, asked, "CrossRegionRestore")
    job = backup_jobs.begin_at(world, root, order, call.now, operation.id)
    backup_jobs.start_task(world, job, 0, call.now)
    operation.arguments = {"job": job.key}
    world.operations.keep(operation)
    backup_restores.enter(world, call, job, asked, point)
    token = base64.b64encode(f"{given['resourceId']};{operation.id}".encode()).decode()
    tail = f"{token}?api-version={call.version}"
    headers = {
        "Location": f"{call.base_url}{root}/backupCrrOperationResults/{tail}",
        "Azure-AsyncOperation": f"{call.base_url}{root}/backupCrrOperationsStatus/{tail}",
        "Retry-After": "60",
    }
    return Reply(202, b"", headers, operation)


def _accessed(world: "World", given: Document, region: str) -> Resource:
    """Return the point that somebody was given access to, or refuse."""
    machine = str(given.get("containerName") or "")
    vault = (
        f"/subscriptions/{given.get('subscriptionId')}/resourceGroups/{given.get('resourceGroupName')}"
        f"/providers/Microsoft.RecoveryServices/vaults/{given.get('resourceName')}"
    )
    container = f"{vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{machine}"
    point = world.store.get(
        key_of(f"{container}/protectedItems/VM;{machine}/recoveryPoints/{given.get('recoveryPointId')}")
    )
    if point is None or given.get("accessTokenString") != _details(world, point, region)["accessTokenString"]:
        message = "The access details of the cross region restore are not valid."
        raise vault_errors.refused(400, "UserErrorInvalidCrossRegionRestoreAccess", message)
    return point


def _operation(world: "World", call: "Call") -> Operation:
    try:
        name = base64.b64decode(call["operation"]).decode().partition(";")[2]
    except ValueError:
        name = ""
    found = world.operations.get(name)
    job = world.store.get(_job_key(call, name))
    if found is None or found.family is not Family.BACKUP or job is None:
        raise ArmError(404, "BMSUserErrorOperationNotFound", f"Operation {call['operation']} was not found.")
    return found


def status(world: "World", call: "Call") -> Reply:
    """Tell how an operation fares; when it is done it names its job."""
    _region(world, call)
    return backup_operations.told(_operation(world, call))


def result(world: "World", call: "Call") -> Reply:
    """Answer a Location: 202 while work is under way, then 200 with nothing (specified)."""
    _region(world, call)
    running = _operation(world, call).ended is None
    where = {"Location": f"{call.base_url}{call.path}?api-version={call.version}", "Retry-After": "60"}
    return Reply(202, b"", where) if running else Reply(200)


def _job_key(call: "Call", name: str) -> str:
    region = call["location"].replace(" ", "").lower()
    return key_of(f"{REGION.format(subscription=call['subscription'], location=region)}/backupJobs/{name}")


def job(world: "World", call: "Call") -> Reply:
    """Answer one job with its details."""
    _region(world, call)
    found = world.store.get(_job_key(call, str(call.body().get("jobName") or "")))
    if found is None or not _is_of(found, call):
        raise vault_errors.missing("BMSUserErrorJobNotFound", "Job")
    return Reply.of(_shown(found, call))


def _is_of(found: Resource, call: "Call") -> bool:
    """Tell whether a job is of the vault that is asked about, or of the machine (both are shown in use)."""
    asked, notes = key_of(str(call.body().get("resourceId") or "")), found.notes or {}
    return asked == key_of(str(notes["asked"]["sourceResourceId"])) or str(notes["point"]).startswith(f"{asked}/")


def _shown(found: Resource, call: "Call", listed: bool = False) -> Document:
    document = shown(found, call, listed)
    document["properties"].pop("containerName", None)
    return document


def jobs(world: "World", call: "Call") -> Reply:
    """List those of a vault, the newest first, that fit a filter."""
    region, terms = _region(world, call), terms_of(call)
    since = moment_of(terms.pop("starttime")) if "starttime" in terms else float("-inf")
    until = moment_of(terms.pop("endtime")) if "endtime" in terms else float("inf")
    scope = key_of(REGION.format(subscription=call["subscription"], location=region))
    found = []
    for one in reversed(members_of(world, call, scope, JOB.lower())):
        document = _shown(one, call, listed=True)
        in_time = since <= float((one.notes or {})["started"]) <= until
        if in_time and _is_of(one, call) and fits(document["properties"], terms):
            found.append(encode(document))
    return paged(call, found, PAGE)


_ACTIONS, _S, _SINCE = "Microsoft.RecoveryServices/locations", Evidence.SPECIFIED, Versions(VERSION)
ROUTES = (
    Route("GET", f"{ITEM_ROOT}/recoveryPoints", f"{POINT}/read", points, Evidence.RECORDED,
          "azure-cli-2025-02/backup/test_backup_rp; those of the paired region RecoveryPointsCrr_List",
          Versions("2016-06-01"), lists=True),
    Route("POST", f"{ITEM_ROOT}/recoveryPoints/{{point}}/accessToken", f"{POINT}/accessToken/action", access, _S,
          "RecoveryPoints_GetAccessToken", _SINCE),
    Route("GET", f"{REGION}/backupAadProperties", f"{_ACTIONS}/backupAadProperties/read", identity, _S,
          "AadProperties_Get", _SINCE),
    Route("POST", f"{REGION}/backupCrossRegionRestore", f"{_ACTIONS}/backupCrossRegionRestore/action", restore, _S,
          "CrossRegionRestore_Trigger", _SINCE),
    Route("POST", f"{REGION}/backupCrrJob", f"{_ACTIONS}/backupCrrJob/action", job, _S, "BackupCrrJobDetails_Get",
          _SINCE),
    Route("POST", f"{REGION}/backupCrrJobs", f"{_ACTIONS}/backupCrrJobs/action", jobs, _S, "BackupCrrJobs_List",
          _SINCE),
    Route("GET", f"{REGION}/backupCrrOperationsStatus/{{operation}}", f"{_ACTIONS}/backupCrrOperationsStatus/read",
          status, _S, "CrrOperationStatus_Get", _SINCE),
    Route("GET", f"{REGION}/backupCrrOperationResults/{{operation}}", f"{_ACTIONS}/backupCrrOperationResults/read",
          result, _S, "CrrOperationResults_Get", _SINCE),
)  # fmt: skip
