"""What a VM is made of, by its bodies: each fact that the ladder asks, and when restore points are tried no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.decide.capture import Together, opened, planned
from shared.decide.consistency import Rung
from shared.decide.hardware import TRIES, hardware_of, ladder, steps_down
from shared.model.hardware import Caching
from shared.model.identity import COLLECTION_TYPE, ResourceId
from shared.model.operation import Operation
from shared.model.point import Engine, Origin, PartState, Point
from tests.decide.plans import NOW, SILVER, SUBSCRIPTION, disk, machine
from tests.decide.points import point_of
from tests.decide.test_capture import place

ROW = machine(disks=(disk("os"), disk("data", 0), disk("scratch", 1, "is tagged backup = off")))
READY = {"statuses": [{"displayStatus": "Ready"}]}
RUNNING = {"statuses": [{"code": "PowerState/running"}], "vmAgent": READY}
ENTRY = {"caching": "ReadOnly"}
BODIES = [{"id": str(one.id).upper(), "sku": {"name": "Premium_LRS"}, "properties": {}} for one in ROW.disks]
COLLECTION = ResourceId(SUBSCRIPTION, "tagback-westeurope-rp07", COLLECTION_TYPE, "tb-1")


def body(**properties: Any) -> dict[str, Any]:
    usual = {
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {"osDisk": ENTRY, "dataDisks": [{"lun": 0, **ENTRY}, {"lun": 1, **ENTRY}]},
        "instanceView": RUNNING,
    }
    return {"properties": {**usual, **properties}}


def wanted(attempts: int = 1) -> Operation:
    return replace(opened(ROW, NOW, Origin.SLOT, "", NOW, Engine.RESTORE_POINT), attempts=attempts)


def taken(age: timedelta) -> Point:
    """A point by a restore point that was sent so long ago."""
    choice = ladder(ROW, body(), BODIES, [], wanted(), NOW)
    point = planned(wanted(), ROW, SILVER, [], place, Together(choice, COLLECTION)).point
    return replace(point, parts=tuple(replace(part, state=PartState.READY, sent_at=NOW - age) for part in point.parts))


def test_a_plain_machine_has_the_disks_that_are_not_left_out() -> None:
    found = hardware_of(ROW, body(), BODIES, timedelta.max)
    assert [(one.id, one.sku, one.is_os, one.caching) for one in found.disks] == [
        (ROW.disks[0].id, "premium_lrs", True, Caching.READ_ONLY),
        (ROW.disks[1].id, "premium_lrs", False, Caching.READ_ONLY),
    ]
    flags = (found.running, found.agent_ready, found.premium_capable, found.boost, found.confidential)
    assert flags == (True, True, True, False, False)


def test_of_a_disk_that_was_not_captured_nothing_is_known() -> None:
    found = hardware_of(ROW, body(), BODIES[:1], timedelta.max)
    assert [one.sku for one in found.disks] == ["premium_lrs", ""]


@pytest.mark.parametrize(
    ("properties", "field", "value"),
    [
        ({"instanceView": {**RUNNING, "statuses": [{"code": "PowerState/deallocated"}]}}, "running", False),
        ({"instanceView": {}}, "running", False),
        ({"instanceView": {"statuses": RUNNING["statuses"]}}, "agent_ready", False),
        ({"securityProfile": {"securityType": "ConfidentialVM"}}, "confidential", True),
        ({"securityProfile": {"securityType": "TrustedLaunch"}}, "confidential", False),
        ({"hardwareProfile": {"vmSize": "Standard_D2_v3"}}, "premium_capable", False),
        ({"hardwareProfile": {"vmSize": "Standard_A1_v2"}}, "premium_capable", False),
        ({"hardwareProfile": {"vmSize": "Standard_E4-2ds_v5"}}, "premium_capable", True),
        ({"hardwareProfile": {"vmSize": "Standard_DS2_v2"}}, "premium_capable", True),
        ({"hardwareProfile": {"vmSize": "Standard_B2ms"}}, "premium_capable", True),
        ({"hardwareProfile": {"vmSize": "Standard_D4ds_v6"}}, "boost", True),
        ({"hardwareProfile": {"vmSize": "Standard_D4ds_v5"}}, "boost", False),
    ],
)
def test_a_machine_is_read(properties: dict[str, Any], field: str, value: bool) -> None:
    assert getattr(hardware_of(ROW, body(**properties), BODIES, timedelta.max), field) is value


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"sku": {"name": "UltraSSD_LRS"}}, "sku", "ultrassd_lrs"),
        ({"properties": {"maxShares": 2}}, "shared", True),
        ({"properties": {"maxShares": 1}}, "shared", False),
        ({"properties": {"encryption": {"type": "EncryptionAtRestWithCustomerKey"}}}, "customer_key", True),
        ({"properties": {"encryption": {"type": "EncryptionAtRestWithPlatformAndCustomerKeys"}}}, "customer_key", True),
        ({"properties": {"encryption": {"type": "EncryptionAtRestWithPlatformKey"}}}, "customer_key", False),
    ],
)
def test_a_disk_is_read(changes: dict[str, Any], field: str, value: object) -> None:
    bodies = [BODIES[0], {**BODIES[1], **changes}]
    assert getattr(hardware_of(ROW, body(), bodies, timedelta.max).disks[1], field) == value


def test_how_a_disk_is_attached_is_read() -> None:
    attached = {"lun": 0, "caching": "ReadWrite", "writeAcceleratorEnabled": True}
    found = hardware_of(ROW, body(storageProfile={"osDisk": {}, "dataDisks": [attached]}), BODIES, timedelta.max)
    assert (found.disks[0].caching, found.disks[0].write_accelerated) == (Caching.NONE, False)
    assert (found.disks[1].caching, found.disks[1].write_accelerated) == (Caching.READ_WRITE, True)


@pytest.mark.parametrize(
    ("age", "rung"),
    [
        (timedelta(hours=3), Rung.APPLICATION),
        (timedelta(hours=2, minutes=59), Rung.CRASH),
        (timedelta(hours=1), Rung.CRASH),
        (timedelta(minutes=59), Rung.SNAPSHOTS),
    ],
)
def test_the_gap_to_the_last_restore_point_is_kept(age: timedelta, rung: Rung) -> None:
    assert ladder(ROW, body(), BODIES, [taken(age)], wanted(), NOW).rung is rung


def test_one_that_was_never_sent_makes_no_gap() -> None:
    point = taken(timedelta(0))
    unsent = replace(point, parts=tuple(replace(one, state=PartState.PLANNED, sent_at=None) for one in point.parts))
    assert ladder(ROW, body(), BODIES, [unsent], wanted(), NOW).rung is Rung.APPLICATION


def test_snapshots_make_no_gap_to_a_restore_point() -> None:
    assert ladder(ROW, body(), BODIES, [point_of(NOW)], wanted(), NOW).rung is Rung.APPLICATION


def test_what_azure_keeps_refusing_is_taken_as_snapshots() -> None:
    assert ladder(ROW, body(), BODIES, [], wanted(TRIES), NOW).rung is Rung.APPLICATION
    assert ladder(ROW, body(), BODIES, [], wanted(TRIES + 1), NOW).rung is Rung.SNAPSHOTS
    point = taken(timedelta(0))
    unsent = replace(point, parts=tuple(replace(one, sent_at=None) for one in point.parts))
    assert steps_down(unsent, wanted(TRIES + 1))
    assert not steps_down(unsent, wanted(TRIES))
    assert not steps_down(point, wanted(TRIES + 1))


def test_a_disk_that_nothing_takes_leaves_snapshots_of_the_others() -> None:
    row = replace(ROW, unsupported=("OS disk is ephemeral (lives on the host only)",))
    assert ladder(row, body(), BODIES, [], wanted(), NOW).rung is Rung.SNAPSHOTS
