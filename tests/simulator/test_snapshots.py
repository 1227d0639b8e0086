"""Snapshots over plain HTTP: the recorded forms, updates, copies elsewhere, background copies and limits."""

from pathlib import Path
from typing import Any

import pytest

from local.simulator.answers import ArmError
from local.simulator.clock import parse_time
from local.simulator.snapshot_limits import SnapshotLimits
from local.simulator.store import Resource
from tests.simulator.running import COMPUTE, GROUP, SUBSCRIPTION, Running, inside, snapshot_body, snapshot_path


def make(sim: Running, name: str, body: dict[str, Any] | None = None) -> Any:
    return sim.put_done(snapshot_path(name), body or snapshot_body())


def fast_disk(sim: Running, name: str, gib: int = 100) -> str:
    path = f"{COMPUTE}/disks/{name}"
    body = {
        "location": "westeurope",
        "zones": ["1"],
        "sku": {"name": "PremiumV2_LRS"},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": gib},
    }
    sim.put_done(path, body)
    return path


def test_a_put_is_accepted_with_both_headers_and_says_nothing_computed_yet(sim: Running) -> None:
    answer = sim.ask("PUT", snapshot_path("s1") + "?api-version=2024-03-02", snapshot_body())
    assert answer.status == 202
    assert answer.body["properties"]["provisioningState"] == "Updating"
    assert "uniqueId" not in answer.body["properties"]
    operation, location = answer.headers["azure-asyncoperation"], answer.headers["location"]
    assert operation.startswith(
        f"{sim.url}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/DiskOperations/"
    )
    assert "&monitor=true" in location
    assert {"t=", "c=", "s=", "h="} <= {part[:2] for part in operation.split("?", 1)[1].split("&")}
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["x-ms-ratelimit-remaining-resource"] == (
        "Microsoft.Compute/HighCostSnapshotCreateHydrate3Min;999,Microsoft.Compute/HighCostSnapshotCreateHydrate30Min;7999"
    )


def test_an_operation_runs_until_its_time_and_then_shows_the_whole_resource(sim: Running) -> None:
    answer = sim.ask("PUT", snapshot_path("s1"), snapshot_body())
    running = sim.ask("GET", answer.headers["azure-asyncoperation"])
    assert running.body["status"] == "InProgress"
    assert "endTime" not in running.body
    assert sim.ask("GET", answer.headers["location"] + "&unknown=x").status == 202
    sim.advance(5)
    done = sim.ask("GET", answer.headers["azure-asyncoperation"]).body
    assert done["status"] == "Succeeded"
    assert done["properties"]["output"]["properties"]["provisioningState"] == "Succeeded"
    assert done["properties"]["output"] == sim.ask("GET", snapshot_path("s1")).body
    assert sim.ask("GET", answer.headers["location"]).body["name"] == "s1"


def test_incremental_snapshots_of_one_disk_are_one_family_and_know_their_disk(sim: Running) -> None:
    disk = sim.ask("GET", f"{COMPUTE}/disks/vm1-os").body
    first, second = make(sim, "s1"), make(sim, "s2")
    other = make(sim, "s3", snapshot_body("vm1-data"))
    family = "incrementalSnapshotFamilyId"
    assert first["properties"][family] == second["properties"][family] != other["properties"][family]
    assert first["properties"]["creationData"]["sourceUniqueId"] == disk["properties"]["uniqueId"]
    assert first["properties"]["uniqueId"] != second["properties"]["uniqueId"]


def test_a_second_put_replaces_the_tags_and_keeps_the_identity(sim: Running) -> None:
    first = make(sim, "s1", {**snapshot_body(), "tags": {"backup-hold": "forever"}})
    second = make(sim, "s1", {**snapshot_body(), "tags": {"other": "tag"}})
    assert second["tags"] == {"other": "tag"}
    for name in ("uniqueId", "timeCreated", "incrementalSnapshotFamilyId"):
        assert second["properties"][name] == first["properties"][name]


def test_a_second_put_with_another_source_is_refused(sim: Running) -> None:
    make(sim, "s1")
    answer = sim.ask("PUT", snapshot_path("s1"), snapshot_body("vm1-data"))
    assert (answer.status, answer.code) == (409, "PropertyChangeNotAllowed")


def test_a_disk_made_again_under_its_name_is_another_disk(sim: Running) -> None:
    path = f"{COMPUTE}/disks/again"
    body = {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
    old = sim.put_done(path, body)["properties"]["uniqueId"]
    assert sim.ask("DELETE", path).status == 202
    sim.advance(5)
    assert sim.ask("GET", path).status == 404
    assert sim.put_done(path, body)["properties"]["uniqueId"] != old


def test_a_copy_to_another_region_rises_to_100_percent_over_virtual_time(sim: Running) -> None:
    source = make(sim, "s1")
    creation = {"createOption": "CopyStart", "sourceResourceId": source["id"]}
    body = {"location": "northeurope", "properties": {"incremental": True, "creationData": creation}}
    answer = sim.ask("PUT", snapshot_path("far"), body)
    assert "/locations/northeurope/" in answer.headers["azure-asyncoperation"]
    sim.advance(3)
    operation = sim.ask("GET", answer.headers["azure-asyncoperation"]).body
    assert "completionPercent" not in operation["properties"]["output"]["properties"]
    begun = sim.ask("GET", snapshot_path("far")).body["properties"]
    assert begun["provisioningState"] == "Succeeded"
    assert 0.0 <= begun["completionPercent"] < 5
    assert begun["incrementalSnapshotFamilyId"] != source["properties"]["incrementalSnapshotFamilyId"]
    assert begun["creationData"]["sourceUniqueId"] == source["properties"]["uniqueId"]
    sim.advance(100)
    halfway = sim.ask("GET", snapshot_path("far")).body["properties"]["completionPercent"]
    assert begun["completionPercent"] < halfway < 100
    sim.advance(3600)
    assert sim.ask("GET", snapshot_path("far")).body["properties"]["completionPercent"] == 100.0


def test_a_copy_whose_source_is_deleted_says_so(sim: Running) -> None:
    source = make(sim, "s1")
    creation = {"createOption": "CopyStart", "sourceResourceId": source["id"]}
    make(sim, "far", {"location": "northeurope", "properties": {"incremental": True, "creationData": creation}})
    sim.ask("DELETE", source["id"])
    sim.advance(6 * 3600)
    error = sim.ask("GET", snapshot_path("far")).body["properties"]["copyCompletionError"]
    assert error["errorCode"] == "CopySourceNotFound"


def test_a_snapshot_of_a_fast_disk_is_copied_in_the_background_and_unusable_until_then(sim: Running) -> None:
    disk = fast_disk(sim, "fast")
    assert make(sim, "slow", snapshot_body("fast"))["properties"]["snapshotAccessState"] == "Pending"
    [shown] = [item for item in sim.control("GET", "state") if "copied" in item]
    assert 160 <= parse_time(shown["copied"]) - parse_time(shown["born"]) <= 370
    restored = {
        "location": "westeurope",
        "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": snapshot_path("slow")}},
    }
    assert sim.ask("PUT", f"{COMPUTE}/disks/restored", restored).status == 409
    sim.advance(3600)
    properties = sim.ask("GET", snapshot_path("slow")).body["properties"]
    assert (properties["completionPercent"], properties["snapshotAccessState"]) == (100.0, "Available")
    assert sim.ask("PUT", f"{COMPUTE}/disks/restored", restored).status == 202
    whole = sim.ask("PUT", snapshot_path("full"), snapshot_body("fast", incremental=False))
    assert (whole.status, disk) == (400, f"{COMPUTE}/disks/fast")


def test_a_fourth_unfinished_snapshot_of_a_fast_disk_is_refused(sim: Running) -> None:
    fast_disk(sim, "fast", 4000)
    for number in range(3):
        make(sim, f"p{number}", snapshot_body("fast"))
    assert sim.ask("PUT", snapshot_path("p3"), snapshot_body("fast")).status == 409


def test_an_eighth_snapshot_within_five_minutes_is_throttled_until_the_window_moves(sim: Running) -> None:
    for number in range(7):
        assert sim.ask("PUT", snapshot_path(f"s{number}"), snapshot_body()).status == 202
        sim.advance(10)
    refused = sim.ask("PUT", snapshot_path("s7"), snapshot_body())
    assert refused.status == 429
    sim.advance(int(refused.headers["retry-after"]))
    assert sim.ask("PUT", snapshot_path("s7"), snapshot_body()).status == 202


def test_a_disk_has_at_most_500_living_snapshots() -> None:
    limits, made = SnapshotLimits(), []
    for number in range(500):
        limits.check("disk-uid", "d", number * 60.0)
        made.append(Resource(f"/s{number}", f"/s{number}", "microsoft.compute/snapshots", number, number * 60.0))
        limits.made("disk-uid", made[-1], number * 60.0)
    limits.check("another-disk", "d", 40_000.0)
    with pytest.raises(ArmError, match="500"):
        limits.check("disk-uid", "d", 40_000.0)
    made[0].gone = 40_001.0
    limits.check("disk-uid", "d", 40_002.0)


def test_a_list_comes_in_pages_that_together_hold_everything_once(tmp_path: Path) -> None:
    estate = "".join(
        f'[[disk]]\nsubscription = "{SUBSCRIPTION}"\ngroup = "many"\nname = "d{number:04}"\n' for number in range(1003)
    )
    with inside(tmp_path, estate) as sim:
        for root in (f"/subscriptions/{SUBSCRIPTION}", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MANY"):
            page = sim.ask("GET", f"{root}/providers/Microsoft.Compute/disks?$expand=x").body
            assert len(page["value"]) == 1000
            gone = page["value"][1]
            rest = sim.ask("GET", page["nextLink"]).body
            assert "nextLink" not in rest
            names = [item["name"] for item in [*page["value"], *rest["value"]]]
            assert sorted(names) == [f"d{number:04}" for number in range(1003)]
        assert sim.ask("DELETE", gone["id"]).status == 202
        sim.advance(5)
        assert len(sim.ask("GET", page["nextLink"]).body["value"]) == 3


def test_a_snapshot_holds_what_the_disk_held_at_the_moment_of_the_put(sim: Running) -> None:
    disk = f"{COMPUTE}/disks/vm1-os"
    sim.control("POST", "content", {"disk": disk, "blocks": {"0": "one", "1": "same"}})
    make(sim, "s1")
    sim.control("POST", "content", {"disk": disk, "blocks": {"0": "two"}})
    creation = {"createOption": "Copy", "sourceResourceId": snapshot_path("s1")}
    sim.put_done(f"{COMPUTE}/disks/back", {"location": "westeurope", "properties": {"creationData": creation}})
    content = {item["name"]: item["content"] for item in sim.control("GET", "state") if "name" in item}
    assert content["s1"] == content["back"]
    assert content["s1"]["0"] != content["vm1-os"]["0"]
    assert content["s1"]["1"] == content["vm1-os"]["1"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", snapshot_path("none"), None, 404, "ResourceNotFound"),
        ("GET", snapshot_path("none", "nowhere"), None, 404, "ResourceGroupNotFound"),
        ("PUT", snapshot_path("s", "nowhere"), {"location": "x"}, 404, "ResourceGroupNotFound"),
        ("PUT", snapshot_path("s"), {"location": "westeurope", "properties": {}}, 400, "InvalidParameter"),
        ("PUT", snapshot_path("s"), snapshot_body("no-such-disk"), 404, "NotFound"),
        ("PUT", snapshot_path("s"), {**snapshot_body(), "location": "eastus"}, 400, "InvalidParameter"),
        ("GET", f"{GROUP}/providers/Microsoft.Compute/vineyards/v", None, 501, "NotImplemented"),
        ("GET", "/subscriptions/none/resourceGroups", None, 404, "SubscriptionNotFound"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_arms_words(
    shared: Running, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = shared.ask(method, path, body)
    assert (answer.status, answer.code) == (status, code)


def test_deleting_what_is_not_there_is_204(shared: Running) -> None:
    assert shared.ask("DELETE", snapshot_path("none")).status == 204
