"""Quotas over plain HTTP, of groups, of types in a group, of cores and snapshots in a region; and the timing."""

from pathlib import Path
from typing import Any

import pytest

from local.simulator.buckets import Limits, read_limits
from tests.simulator.running import (
    COMPUTE,
    SEED,
    SUBSCRIPTION,
    Running,
    inside,
    simulator,
    snapshot_body,
    snapshot_path,
)

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
SETS = f"{COMPUTE}/availabilitySets"
UBUNTU = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS", "version": "latest"}
EMPTY = {"properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
PLACE: dict[str, Any] = {"location": "westeurope"}


def limits(tmp_path: Path, **sizes: int) -> Limits:
    path = tmp_path / "limits.toml"
    path.write_text("[quota]\n" + "".join(f"{name} = {size}\n" for name, size in sizes.items()), encoding="utf-8")
    return read_limits(path)


def make_machine(sim: Running, name: str, location: str = "westeurope") -> Any:
    body = {
        "location": location,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "imageReference": UBUNTU,
                "osDisk": {"createOption": "FromImage"},
            },
            "osProfile": {"computerName": name, "adminUsername": "me", "adminPassword": "Secret-12345678"},
            "networkProfile": {"networkInterfaces": []},
        },
    }  # fmt: skip
    return sim.ask("PUT", f"{COMPUTE}/virtualMachines/{name}", body)


def test_a_group_holds_so_many_of_a_type_and_any_number_of_snapshots(tmp_path: Path) -> None:
    with inside(tmp_path, SEED, limits(tmp_path, per_group=2)) as sim:
        for name in ("a", "b"):
            assert sim.ask("PUT", f"{SETS}/{name}?api-version=2024-07-01", {**PLACE, "properties": {}}).status == 200
        refused = sim.ask("PUT", f"{SETS}/c?api-version=2024-07-01", {**PLACE, "properties": {}})
        assert (refused.status, refused.code) == (409, "ResourceQuotaExceeded")
        again = sim.ask("PUT", f"{SETS}/A?api-version=2024-07-01", {**PLACE, "tags": {"a": "b"}, "properties": {}})
        assert again.status == 200
        for name in ("s1", "s2", "s3"):
            assert sim.ask("PUT", snapshot_path(name), snapshot_body()).status == 202


def test_a_subscription_holds_so_many_groups(tmp_path: Path) -> None:
    with inside(tmp_path, SEED, limits(tmp_path, groups=3)) as sim:
        assert sim.ask("PUT", f"{SCOPE}/resourceGroups/third", PLACE).status == 201
        refused = sim.ask("PUT", f"{SCOPE}/resourceGroups/fourth", PLACE)
        assert (refused.status, refused.code) == (409, "ResourceGroupQuotaExceeded")
        assert sim.ask("PUT", f"{SCOPE}/resourceGroups/Third", {**PLACE, "tags": {"a": "b"}}).status == 200


def test_cores_are_counted_by_region_and_shown_as_used(tmp_path: Path) -> None:
    with inside(tmp_path, SEED, limits(tmp_path, cores=4)) as sim:
        assert make_machine(sim, "second").status == 201
        refused = make_machine(sim, "third")
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        assert "Current Limit: 4, Current Usage: 4, Additional Required: 2" in refused.body["error"]["message"]
        assert make_machine(sim, "elsewhere", "northeurope").status == 201
        at = f"{SCOPE}/providers/Microsoft.Compute/locations/westeurope/usages?api-version=2024-07-01"
        cores = next(one for one in sim.ask("GET", at).body["value"] if one["name"]["value"] == "cores")
        assert (cores["limit"], cores["currentValue"]) == (4, 4)


@pytest.mark.parametrize(("kind", "path"), [("snapshots", snapshot_path("s2")), ("disks", f"{COMPUTE}/disks/more")])
def test_snapshots_and_disks_of_a_region_end_where_the_quota_says(tmp_path: Path, kind: str, path: str) -> None:
    with inside(tmp_path, SEED, limits(tmp_path, snapshots=1, disks=2)) as sim:
        sim.put_done(snapshot_path("s1"), snapshot_body())
        refused = sim.ask("PUT", path, snapshot_body() if kind == "snapshots" else {**PLACE, **EMPTY})
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        assert "quota" in refused.body["error"]["message"]


@pytest.mark.parametrize(("timing", "after", "state"), [("longest", 39, "VM stopping"), ("shortest", 1, "VM stopped")])
def test_operations_take_as_long_as_the_timing_says(tmp_path: Path, timing: str, after: float, state: str) -> None:
    with simulator(tmp_path, "--timing", timing) as sim:
        machine = f"{COMPUTE}/virtualMachines/vm1"
        sim.ask("POST", f"{machine}/powerOff")
        sim.advance(after)
        view = sim.ask("GET", f"{machine}/instanceView?api-version=2024-11-01").body
        assert view["statuses"][-1]["displayStatus"] == state
        sim.advance(2)
        view = sim.ask("GET", f"{machine}/instanceView?api-version=2024-11-01").body
        assert view["statuses"][-1]["displayStatus"] == "VM stopped"
