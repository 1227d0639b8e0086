"""The ladder of consistency: each reason that refuses a rung, what is left then, and what snapshots may claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.decide.consistency import MISFITS, OBSTACLES, Rung, by_snapshots, climb, of_snapshots
from shared.model.hardware import Caching, DiskHardware, Hardware
from shared.model.identity import ResourceId
from shared.model.machine import Disk
from shared.model.point import Consistency, Engine
from tests.decide.plans import SUBSCRIPTION, disk, machine

ALL = frozenset(Engine)
HOUR = timedelta(hours=1)


def hard(name: str, **changes: Any) -> DiskHardware:
    place = ResourceId(SUBSCRIPTION, "web", "microsoft.compute/disks", name)
    return replace(DiskHardware(place, "premium_lrs"), **changes)


OS = hard("os", is_os=True)
THREE = (OS, hard("data0"), hard("data1"))
PLAIN = Hardware(THREE)


def with_first_data_disk(**changes: Any) -> Hardware:
    return replace(PLAIN, disks=(OS, hard("data0", **changes), hard("data1")))


def test_a_plain_running_vm_reaches_the_highest_rung() -> None:
    choice = climb(PLAIN, ALL)
    assert (choice.rung, choice.consistency, choice.apart, choice.refused) == (
        Rung.APPLICATION,
        Consistency.APPLICATION,
        (),
        (),
    )
    assert choice.because == "the guest brings its applications to rest while it is taken"


def test_without_an_engine_for_restore_points_there_are_snapshots_and_the_reason() -> None:
    choice = climb(PLAIN, {Engine.DISK})
    assert (choice.rung, choice.consistency, choice.apart) == (Rung.SNAPSHOTS, Consistency.PER_DISK, ())
    assert choice.because == "its 3 disks are taken one by one, not at one instant"
    assert [(one.rung, one.because) for one in choice.refused] == [
        (rung, "this build has no engine for restore points") for rung in (Rung.APPLICATION, Rung.CRASH, Rung.MIXED)
    ]


VM_CASES: dict[str, tuple[dict[str, Any], Rung, str]] = {
    "confidential": ({"confidential": True}, Rung.SNAPSHOTS, "a confidential VM has no restore points"),
    "uniform": ({"uniform": True}, Rung.SNAPSHOTS, "a Uniform scale set has no restore points"),
    "stopped": ({"running": False}, Rung.CRASH, "the VM does not run"),
    "agent": ({"agent_ready": False}, Rung.CRASH, "the VM agent is not ready"),
    "gap of three hours": (
        {"since_restore_point": 3 * HOUR - timedelta(seconds=1)},
        Rung.CRASH,
        "its last restore point is younger than 3 hours",
    ),
}
BELOW_APPLICATION: dict[str, tuple[dict[str, Any], str]] = {
    "size": ({"premium_capable": False}, "its size takes no premium disks"),
    "gap of an hour": (
        {"since_restore_point": HOUR - timedelta(seconds=1)},
        "its last restore point is younger than an hour",
    ),
    "boost": ({"boost": True}, "nothing is promised across several data disks on an Azure Boost size"),
}


@pytest.mark.parametrize("case", VM_CASES)
def test_what_of_a_vm_refuses_the_application_rung(case: str) -> None:
    changes, left, because = VM_CASES[case]
    choice = climb(replace(PLAIN, **changes), ALL)
    assert (choice.rung, choice.refused[0].rung, choice.refused[0].because) == (left, Rung.APPLICATION, because)


@pytest.mark.parametrize("case", BELOW_APPLICATION)
def test_what_of_a_vm_refuses_both_rungs_of_crash_mode(case: str) -> None:
    changes, because = BELOW_APPLICATION[case]
    choice = climb(replace(PLAIN, running=False, **changes), ALL)
    assert choice.rung is Rung.SNAPSHOTS
    assert [(one.rung, one.because) for one in choice.refused[1:]] == [(Rung.CRASH, because), (Rung.MIXED, because)]


def test_the_gaps_are_over_when_their_time_has_passed_exactly() -> None:
    assert climb(replace(PLAIN, since_restore_point=3 * HOUR), ALL).rung is Rung.APPLICATION
    assert climb(replace(PLAIN, since_restore_point=HOUR), ALL).rung is Rung.CRASH


def test_a_boost_size_with_one_data_disk_keeps_its_crash_consistency() -> None:
    assert climb(Hardware((OS, hard("data0")), running=False, boost=True), ALL).rung is Rung.CRASH


CRASH_ONLY: dict[str, tuple[dict[str, Any], str]] = {
    "ultra": ({"sku": "ultrassd_lrs"}, "disk data0 is an Ultra disk"),
    "premium v2": ({"sku": "premiumv2_lrs"}, "disk data0 is a Premium SSD v2 disk"),
    "write accelerator": ({"write_accelerated": True}, "disk data0 is write-accelerated"),
    "host cache": (
        {"caching": Caching.READ_WRITE},
        "disk data0 is cached for writing by the host, which breaks the order of writes across disks",
    ),
}
EVERY_MODE: dict[str, tuple[dict[str, Any], str]] = {
    "shared": ({"shared": True}, "disk data0 is shared"),
    "ephemeral": ({"ephemeral": True}, "disk data0 is ephemeral"),
    "customer key": ({"customer_key": True}, "disk data0 has a key of the customer's own"),
}


@pytest.mark.parametrize("case", CRASH_ONLY)
def test_a_disk_that_only_crash_mode_cannot_take_is_taken_in_application_mode(case: str) -> None:
    assert climb(with_first_data_disk(**CRASH_ONLY[case][0]), ALL).rung is Rung.APPLICATION


@pytest.mark.parametrize("case", [*CRASH_ONLY, *EVERY_MODE])
def test_a_disk_that_does_not_fit_stands_apart_in_a_mixed_point(case: str) -> None:
    changes, because = (CRASH_ONLY | EVERY_MODE)[case]
    vm = with_first_data_disk(**changes)
    choice = climb(replace(vm, running=False), ALL)
    assert (choice.rung, choice.consistency, choice.apart) == (Rung.MIXED, Consistency.MIXED, (vm.disks[1].id,))
    assert choice.because == "one restore point holds most disks at one instant, the others stand beside it"
    assert choice.refused[1].because == because


@pytest.mark.parametrize("case", EVERY_MODE)
def test_a_disk_that_no_mode_takes_refuses_the_application_rung_too(case: str) -> None:
    changes, because = EVERY_MODE[case]
    assert climb(with_first_data_disk(**changes), ALL).refused[0].because == because


def test_a_restore_point_of_one_disk_would_promise_no_more_than_snapshots() -> None:
    vm = Hardware((OS, hard("data0", shared=True)))
    choice = climb(vm, ALL)
    assert (choice.rung, choice.consistency) == (Rung.SNAPSHOTS, Consistency.PER_DISK)
    assert choice.refused[-1].because == "fewer than two of its disks could share a restore point"


def test_the_host_cache_of_an_only_disk_has_nothing_to_be_out_of_order_with() -> None:
    assert climb(Hardware((hard("os", caching=Caching.READ_WRITE),), running=False), ALL).rung is Rung.CRASH


def test_the_host_cache_of_one_of_two_disks_breaks_their_order() -> None:
    vm = Hardware((hard("os", caching=Caching.READ_WRITE), hard("data0")), running=False)
    assert [one.because for one in climb(vm, ALL).refused[1:]] == [
        "disk os is cached for writing by the host, which breaks the order of writes across disks",
        "fewer than two of its disks could share a restore point",
    ]


def test_reading_cache_does_no_harm() -> None:
    vm = replace(PLAIN, running=False, disks=tuple(replace(one, caching=Caching.READ_ONLY) for one in THREE))
    choice = climb(vm, ALL)
    assert (choice.rung, choice.because) == (Rung.CRASH, "one restore point holds all disks at one instant")


def test_snapshots_of_an_only_disk_are_an_image_as_after_a_crash() -> None:
    assert of_snapshots(machine()) == (Consistency.CRASH, "one snapshot holds its only disk at one instant")
    assert by_snapshots(1)[0] is Consistency.CRASH


@pytest.mark.parametrize(
    ("disks", "unsupported", "because"),
    [
        ((disk("os"), disk("data", 0)), (), "its 2 disks are taken one by one, not at one instant"),
        ((disk("os"), disk("data", 0, "tagged off")), (), "only one of its disks is in the point, the others are not"),
        ((disk("os"),), ("LUN 0 is unmanaged",), "only one of its disks is in the point, the others are not"),
        (
            (disk("os"), disk("a", 0), disk("b", 1, "tagged off")),
            (),
            "its 2 disks are taken one by one, not at one instant",
        ),
    ],
    ids=["two", "one left out", "one unsupported", "two of three"],
)
def test_snapshots_of_several_disks_promise_nothing_across_them(
    disks: tuple[Disk, ...], unsupported: tuple[str, ...], because: str
) -> None:
    assert of_snapshots(machine(disks=disks, unsupported=unsupported)) == (Consistency.PER_DISK, because)


def test_every_row_of_the_tables_names_its_source() -> None:
    assert all(row.source.startswith("facts 3.4") for row in (*OBSTACLES, *MISFITS))
