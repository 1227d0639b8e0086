"""Disks whose contents a client brings, whose performance it chooses, or whose tier is above their size."""

from typing import Any

import pytest

from tests.simulator.running import COMPUTE, Running

GIB = 1024**3
DISK = f"{COMPUTE}/disks/new"


def disk(sku: str, size: int | None = None, **properties: Any) -> dict[str, Any]:
    wanted = {"creationData": {"createOption": "Empty"}, **({"diskSizeGB": size} if size else {}), **properties}
    return {"location": "westeurope", "zones": ["1"], "sku": {"name": sku}, "properties": wanted}


def patched(sim: Running, **properties: Any) -> dict[str, Any]:
    assert sim.ask("PATCH", DISK, {"properties": properties}).status == 202
    sim.advance(60)
    shown: dict[str, Any] = sim.ask("GET", DISK).body["properties"]
    return shown


def test_a_disk_made_for_an_upload_waits_for_it_and_is_one_when_the_write_access_ends(sim: Running) -> None:
    creation = {"createOption": "Upload", "uploadSizeBytes": 20 * GIB + 512}
    made = sim.put_done(DISK, disk("Standard_LRS", creationData=creation))["properties"]
    assert (made["diskState"], made["diskSizeGB"], made["diskSizeBytes"]) == ("ReadyToUpload", 20, 20 * GIB)
    granted = sim.ask("POST", f"{DISK}/beginGetAccess", {"access": "Write", "durationInSeconds": 3600})
    sim.advance(60)
    assert sim.ask("GET", granted.headers["location"]).body["accessSAS"].startswith("https://")
    assert sim.ask("GET", DISK).body["properties"]["diskState"] == "ActiveUpload"
    assert sim.ask("DELETE", DISK).code == "OperationNotAllowed"
    assert sim.ask("POST", f"{DISK}/endGetAccess").status == 202
    sim.advance(60)
    assert sim.ask("GET", DISK).body["properties"]["diskState"] == "Unattached"
    assert patched(sim, diskSizeGB=32)["diskSizeBytes"] == 32 * GIB


def test_an_upload_says_how_much_it_brings(sim: Running) -> None:
    refused = sim.ask("PUT", DISK, disk("Standard_LRS", creationData={"createOption": "Upload"}))
    assert (refused.status, refused.code) == (400, "InvalidParameter")


@pytest.mark.parametrize(("sku", "usual"), [("PremiumV2_LRS", (3000, 125)), ("UltraSSD_LRS", (100, 13))])
def test_the_performance_of_a_provisioned_disk_is_the_clients(sim: Running, sku: str, usual: tuple[int, int]) -> None:
    def performance(shown: dict[str, Any]) -> tuple[int, int]:
        return shown["diskIOPSReadWrite"], shown["diskMBpsReadWrite"]

    assert performance(sim.put_done(DISK, disk(sku, 64))["properties"]) == usual
    assert performance(patched(sim, diskIOPSReadWrite=4000)) == (4000, usual[1])
    assert performance(patched(sim, diskMBpsReadWrite=200)) == (4000, 200)
    assert performance(sim.put_done(DISK, disk(sku, 64))["properties"]) == (4000, 200)


def test_the_performance_of_any_other_disk_is_its_sizes(sim: Running) -> None:
    made = sim.put_done(DISK, disk("Premium_LRS", 128, diskIOPSReadWrite=9999))["properties"]
    assert (made["tier"], made["diskIOPSReadWrite"]) == ("P10", 500)


def test_a_higher_tier_is_kept_until_the_size_outgrows_it(sim: Running) -> None:
    made = sim.put_done(DISK, disk("Premium_LRS", 128, tier="P30"))["properties"]
    assert (made["tier"], made["diskIOPSReadWrite"]) == ("P30", 5000)
    assert patched(sim, diskSizeGB=256)["tier"] == "P30"
    assert patched(sim, diskSizeGB=2048)["tier"] == "P40"
    assert patched(sim, tier="P50")["tier"] == "P50"


def test_what_is_imported_from_a_blob_has_some_size(sim: Running) -> None:
    creation = {"createOption": "Import", "sourceUri": "https://here.blob.core.windows.net/vhds/a.vhd"}
    made = sim.put_done(DISK, disk("Standard_LRS", creationData=creation))["properties"]
    assert (made["provisioningState"], made["diskSizeGB"]) == ("Succeeded", 30)
