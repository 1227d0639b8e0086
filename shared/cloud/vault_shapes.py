"""Bodies of Recovery Services and Azure Backup as our values, as recorded and specified. Pure; for the adapters."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from shared.cloud.redaction import redacted
from shared.errors import Unavailable
from shared.model.identity import ResourceId
from shared.model.vault import (
    ItemSeen,
    ItemState,
    JobError,
    JobSeen,
    JobStatus,
    PointSeen,
    PolicySeen,
    Tracked,
    VaultSeen,
)

NO_TIME = 2010  # Azure writes a year before it for "never": 0001-01-01 and 2001-01-01 are recorded
# Older api-versions number what newer ones name (recorded: 2021-01-01; documented for 2019-05-13).
TIERS = {"1": "InstantRP", "2": "HardenedRP", "3": "ArchivedRP"}
VALID = ("valid", "1")
NameT = TypeVar("NameT", bound=StrEnum)


def vault_seen(body: Mapping[str, Any]) -> VaultSeen:
    properties = body.get("properties") or {}
    stored = properties.get("redundancySettings") or {}
    return VaultSeen(
        id=ResourceId.parse(str(body["id"])),
        region=str(body.get("location") or "").replace(" ", "").lower(),
        tags={str(name): str(value) for name, value in (body.get("tags") or {}).items()},
        ready=str(properties.get("provisioningState") or "").lower() in ("", "succeeded"),
        redundancy=str(stored.get("standardTierStorageRedundancy") or ""),
        crosses=str(stored.get("crossRegionRestore") or "").lower() == "enabled",
    )


def item_seen(vault: ResourceId, body: Mapping[str, Any]) -> ItemSeen:
    """A protected item. `Unavailable` for one that names no VM: nothing may be concluded from the rest of its list."""
    properties = body.get("properties") or {}
    source = str(properties.get("sourceResourceId") or properties.get("virtualMachineId") or "")
    try:
        vm = ResourceId.parse(source)
    except ValueError as error:
        raise Unavailable("NoSource", f"an item of vault {vault.name} names no VM: {body.get('name')}") from error
    return ItemSeen(
        vault=vault,
        vm=vm,
        state=named(ItemState, properties.get("protectionState"), ItemState.OTHER),
        policy=str(properties.get("policyName") or str(properties.get("policyId") or "").rpartition("/")[2]),
        last_point=moment(properties.get("lastRecoveryPoint")),
        soft_deleted=bool(properties.get("isScheduledForDeferredDelete")),
        health=tuple(str(one.get("message") or "") for one in properties.get("healthDetails") or ()),
    )


def protectable_seen(body: Mapping[str, Any]) -> ResourceId | None:
    properties = body.get("properties") or {}
    with suppress(ValueError):
        return ResourceId.parse(str(properties.get("virtualMachineId") or ""))
    return None


def policy_seen(body: Mapping[str, Any]) -> PolicySeen:
    return PolicySeen(str(body.get("name") or ""), dict(body.get("properties") or {}))


def job_seen(vault: ResourceId, body: Mapping[str, Any]) -> JobSeen:
    properties = body.get("properties") or {}
    extended = properties.get("extendedInfo") or {}
    container = str(properties.get("containerName") or "").lower()
    return JobSeen(
        vault=vault,
        name=str(body.get("name") or ""),
        operation=str(properties.get("operation") or ""),
        status=named(JobStatus, properties.get("status"), JobStatus.OTHER),
        container=container.removeprefix("iaasvmcontainer;").removeprefix("iaasvmcontainerv2;"),
        started=moment(properties.get("startTime")) or datetime.min.replace(tzinfo=UTC),
        ended=moment(properties.get("endTime")),
        errors=tuple(_job_error(one) for one in properties.get("errorDetails") or ()),
        tasks=tuple(f"{one.get('taskId')}: {one.get('status')}" for one in extended.get("tasksList") or ()),
        cancellable="Cancellable" in (properties.get("actionsInfo") or ()),
        machine=str(properties.get("entityFriendlyName") or "").lower(),
    )


def _job_error(body: Mapping[str, Any]) -> JobError:
    words = (str(body.get(name) or "") for name in ("errorTitle", "errorString"))
    advice = "; ".join(str(one) for one in body.get("recommendations") or ())
    return error_told(body.get("errorCode"), ": ".join(word for word in words if word), advice)


def error_told(code: object, message: object, advice: object = "") -> JobError:
    """What a vault says went wrong. It is stored and shown: without what opens something."""
    return JobError(*(redacted(str(text or "")) for text in (code, message, advice)))


def point_seen(body: Mapping[str, Any]) -> PointSeen | None:
    """A recovery point; None for one that says no time, of which nothing can be told."""
    properties = body.get("properties") or {}
    at = moment(properties.get("recoveryPointTime"))
    if at is None:
        return None
    expiry = (properties.get("recoveryPointProperties") or {}).get("expiryTime")
    told = properties.get("recoveryPointTierDetails") or ()
    valid = (str(one.get("type") or "") for one in told if str(one.get("status")).lower() in VALID)
    return PointSeen(
        name=str(body.get("name") or ""),
        at=at,
        kind=str(properties.get("recoveryPointType") or ""),
        tiers=tuple(TIERS.get(tier, tier) for tier in valid),
        expires=moment(expiry),
    )


def refusal_seen(body: Mapping[str, Any]) -> JobError | None:
    """What a dry run found against protecting a VM; None where it found nothing, or was not carried out."""
    if str(body.get("status") or "").lower() != "failed":
        return None
    return error_told(*(body.get(name) for name in ("errorCode", "errorMessage", "recommendation")))


def tracked(body: Mapping[str, Any]) -> Tracked:
    """How far an operation came, as `backupOperations` tells it."""
    status = str(body.get("status") or "").lower()
    job = str((body.get("properties") or {}).get("jobId") or "")
    if status in ("failed", "canceled", "cancelled"):
        error = body.get("error") or {}
        return Tracked(True, job, error_told(error.get("code") or status, error.get("message")))
    return Tracked(status == "succeeded", job)


def named(kind: type[NameT], text: object, otherwise: NameT) -> NameT:
    """The member that Azure's word names, without case."""
    with suppress(ValueError):
        return kind(str(text or "").lower())
    return otherwise


def moment(text: object) -> datetime | None:
    """An instant; None for none, and for the years by which Azure says that there is none."""
    with suppress(ValueError):
        found = datetime.fromisoformat(str(text or ""))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        return found if found.year > NO_TIME else None
    return None
