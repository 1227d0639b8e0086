"""What vaults have in their paired regions, and restore there: calls of 2018, for which the typed client has no names.

All of it as specified, nothing recorded but the pairs of regions. What a vault's region hands out for a restore in the
other one is a secret: it goes into that one request and nowhere else. Built by wiring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from shared.cloud import vault_shapes as shapes
from shared.cloud.arm import Arm, Ask
from shared.cloud.pace import Lane
from shared.cloud.pages import listed
from shared.cloud.vault_items import path_of
from shared.cloud.vault_jobs import AHEAD, FILTER_TIME
from shared.cloud.vault_restores import body_of
from shared.cloud.vaults import OF_VMS, VAULT_VERSION, lane, operation_of
from shared.errors import Missing, Unavailable
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.vault import JobSeen, PointSeen, Tracked, VaultSeen
from shared.model.vault_restore import RecoveryOrder
from shared.ports import Clock

PAIRED_VERSION = "2018-12-20"
LOCATIONS_VERSION = "2022-12-01"


class AzurePairedRegions:
    """The paired regions of vaults."""

    def __init__(self, arm: Arm, clock: Clock) -> None:
        self._arm = arm
        self._clock = clock

    def pair(self, subscription: str, region: str) -> str:
        path = f"/subscriptions/{subscription}/locations"
        for one in listed(self._arm, Lane(subscription, "", CallKind.READ), path, LOCATIONS_VERSION):
            if str(one.get("name") or "").lower() == region:
                paired = (one.get("metadata") or {}).get("pairedRegion") or ()
                return next((str(each.get("name") or "").lower() for each in paired), "")
        return ""

    def vault(self, vault: ResourceId) -> VaultSeen:
        return shapes.vault_seen(self._arm.get(lane(vault, CallKind.READ), str(vault), VAULT_VERSION))

    def points(self, vault: ResourceId, vm: ResourceId) -> Sequence[PointSeen]:
        path = f"{path_of(vault, vm)}/recoveryPoints"
        pages = listed(self._arm, lane(vault, CallKind.READ), path, PAIRED_VERSION)
        return [point for body in pages if (point := shapes.point_seen(body))]

    def restore(self, order: RecoveryOrder) -> str:
        reads, there = lane(order.vault, CallKind.READ), _at(order.vault, order.region)
        identity = self._arm.get(reads, f"{there}/backupAadProperties", PAIRED_VERSION)
        path = f"{path_of(order.vault, order.vm)}/recoveryPoints/{order.point}/accessToken"
        asked = {"properties": dict(identity.get("properties") or {})}
        access = self._arm.ask(reads, path, PAIRED_VERSION, asked).get("properties")
        if not access:
            raise Unavailable("NoAccess", f"the vault {order.vault.name} gave no access to a point in {order.region}")
        body = {"crossRegionRestoreAccessDetails": access, "restoreRequest": body_of(order)}
        ask = Ask("POST", f"{there}/backupCrossRegionRestore", PAIRED_VERSION, body)
        return unquote(operation_of(self._arm.begin(lane(order.vault, CallKind.WRITE), ask)))

    def tracked(self, vault: ResourceId, region: str, operation: str) -> Tracked:
        path = f"{_at(vault, region)}/backupCrrOperationsStatus/{operation}"
        try:
            return shapes.tracked(self._arm.get(lane(vault, CallKind.READ), path, PAIRED_VERSION))
        except Missing:
            return Tracked(done=True)

    def jobs(self, vault: ResourceId, region: str, since: datetime) -> Iterator[JobSeen]:
        until = max(since, self._clock.now()) + AHEAD  # the instant may be Azure's, and our clock behind it
        begin, end = (when.astimezone(UTC).strftime(FILTER_TIME) for when in (since, until))
        query = {"$filter": f"startTime eq '{begin}' and endTime eq '{end}' and {OF_VMS}"}
        while True:
            page = self._asked(vault, f"{_at(vault, region)}/backupCrrJobs", {"resourceId": str(vault)}, query)
            elements = page.get("value")
            if not isinstance(elements, list):
                raise Unavailable("NoValue", f"a list page of the jobs of {vault.name} in {region} has no elements")
            yield from (shapes.job_seen(vault, body) for body in elements)
            following = _skip_token(str(page.get("nextLink") or ""))
            if not following:
                return
            query = {**query, "$skipToken": following}

    def job(self, vault: ResourceId, region: str, name: str) -> JobSeen | None:
        try:
            found = self._asked(
                vault, f"{_at(vault, region)}/backupCrrJob", {"resourceId": str(vault), "jobName": name}
            )
        except Missing:
            return None
        return shapes.job_seen(vault, found)

    def _asked(
        self, vault: ResourceId, path: str, body: Mapping[str, Any], query: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        return self._arm.ask(lane(vault, CallKind.READ), path, PAIRED_VERSION, body, **(query or {}))


def _at(vault: ResourceId, region: str) -> str:
    return f"/subscriptions/{vault.subscription}/providers/Microsoft.RecoveryServices/locations/{region}"


def _skip_token(url: str) -> str:
    """What the link to the next page says of it: such a list is asked for by POST, with its body."""
    said = {name.lower(): values for name, values in parse_qs(urlsplit(url).query).items()}
    return next(iter(said.get("$skiptoken", ())), "")
