"""Calls to paired regions: every page of a list that is asked for by POST, and an access that is told to nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.cloud.arm import Arm
from shared.cloud.pace import Lane
from shared.cloud.paired_regions import AzurePairedRegions
from shared.errors import CloudError, Unavailable
from tests.contract import test_paired_regions
from tests.contract.clouds import SimulatedClock
from tests.contract.test_paired_regions import Paired
from tests.simulator.running import Running

estate, restores = test_paired_regions.estate, test_paired_regions.restores
off, paired = test_paired_regions.off, test_paired_regions.paired
TRIGGER = "Microsoft.RecoveryServices/locations/backupCrossRegionRestore/action"


@pytest.fixture
def implementation() -> str:
    return "adapter"


@pytest.fixture
def faults(simulated: Running) -> Iterator[Running]:
    yield simulated
    simulated.control("DELETE", "faults")


class Pages(Arm):
    """An ARM that answers each question with its next page, and keeps what it was asked."""

    def __init__(self, *pages: Mapping[str, Any]) -> None:
        self._pages = list(pages)
        self.asked: list[tuple[Mapping[str, Any], Mapping[str, str]]] = []

    def ask(self, lane: Lane, path: str, version: str, body: Mapping[str, Any], **query: str) -> Mapping[str, Any]:
        self.asked.append((body, query))
        return self._pages.pop(0)


def job(name: str) -> dict[str, Any]:
    return {"name": name, "properties": {"operation": "CrossRegionRestore", "entityFriendlyName": "Web-1"}}


def test_every_page_of_the_jobs_is_asked_for_with_the_vault(paired: Paired, simulator_clock: SimulatedClock) -> None:
    link = "https://management.example/x/backupCrrJobs?api-version=2018-12-20&$skipToken=a%2Bb%3D"
    arm = Pages({"value": [job("1")], "nextLink": link}, {"value": [job("2")]})
    port = AzurePairedRegions(arm, simulator_clock)
    found = list(port.jobs(paired.order.vault, "northeurope", simulator_clock.now() - timedelta(hours=1)))
    assert [(one.name, one.machine) for one in found] == [("1", "web-1"), ("2", "web-1")]
    assert [body for body, _ in arm.asked] == [{"resourceId": str(paired.order.vault)}] * 2
    assert [query.get("$skipToken") for _, query in arm.asked] == [None, "a+b="]
    assert len({query["$filter"] for _, query in arm.asked}) == 1


def test_half_a_list_says_nothing(paired: Paired, simulator_clock: SimulatedClock) -> None:
    port = AzurePairedRegions(Pages({"error": "none"}), simulator_clock)
    with pytest.raises(Unavailable):
        list(port.jobs(paired.order.vault, "northeurope", simulator_clock.now()))


@pytest.mark.parametrize("status", [0, 400, 429, 500])
def test_what_opens_the_copy_of_a_point_is_in_no_line_and_no_error(
    paired: Paired, faults: Running, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    vault, vm, point = paired.order.vault, paired.order.vm, paired.order.point
    name = f"iaasvmcontainerv2;{vm.group};{vm.name}"
    item = f"{vault}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;{name}/protectedItems/vm;{name}"
    there = f"/subscriptions/{vault.subscription}/providers/Microsoft.RecoveryServices/locations/{paired.order.region}"
    version = "?api-version=2018-12-20"
    identity = faults.ask("GET", f"{there}/backupAadProperties{version}").body["properties"]
    access = faults.ask("POST", f"{item}/recoveryPoints/{point}/accessToken{version}", {"properties": identity})
    secret = access.body["properties"]["accessTokenString"]
    if status:
        faults.control("POST", "faults", {"match": {"operation": TRIGGER}, "effect": {"status": status}})
    caplog.set_level(logging.DEBUG)
    said = ""
    try:
        paired.port.restore(paired.order)
    except CloudError as error:
        said = f"{error!r} {error} {error.__cause__!r}"
    assert bool(said) is bool(status)
    assert secret not in said
    assert secret not in caplog.text
