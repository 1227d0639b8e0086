"""Token buckets: ARM's, the compute provider's, their headers and 429s, and what a limits file changes."""

import json
from pathlib import Path

import pytest

from local.simulator.buckets import BadLimits, Limit, Limits, read_limits
from tests.simulator.running import COMPUTE, GROUP, OTHER, SUBSCRIPTION, Running, inside, snapshot_body, snapshot_path

DISK = f"{COMPUTE}/disks/vm1-os"


def test_reads_writes_and_deletes_have_a_bucket_each_per_principal(sim: Running) -> None:
    read = sim.ask("GET", GROUP)
    assert read.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert read.headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"
    write = sim.ask("PUT", f"{GROUP}2", {"location": "westeurope"})
    assert write.headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    assert write.headers["x-ms-ratelimit-remaining-subscription-global-writes"] == "2999"
    assert sim.ask("DELETE", snapshot_path("none")).headers["x-ms-ratelimit-remaining-subscription-deletes"] == "199"
    assert sim.ask("GET", GROUP).headers["x-ms-ratelimit-remaining-subscription-reads"] == "248"
    another = sim.ask("GET", GROUP, principal="another").headers
    assert another["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert another["x-ms-ratelimit-remaining-subscription-global-reads"] == "3747"


def test_an_empty_bucket_answers_429_until_virtual_time_has_refilled_it(tmp_path: Path) -> None:
    with inside(tmp_path, limits=Limits(arm={"reads": Limit(3, 0.5)}, provider={})) as sim:
        assert [sim.ask("GET", DISK).status for _ in range(4)] == [200, 200, 200, 429]
        refused = sim.ask("GET", DISK)
        assert (refused.code, refused.headers["retry-after"]) == ("SubscriptionRequestsThrottled", "2")
        assert sim.ask("GET", f"/subscriptions/{OTHER}").status == 200
        sim.advance(1.9)
        assert sim.ask("GET", DISK).status == 429
        sim.advance(0.2)
        assert sim.ask("GET", DISK).status == 200
        last = sim.control("GET", "calls")[-2]
        assert (last["status"], last["retry_after"], last["bucket"]) == (
            429,
            "1",
            {"name": "subscription-reads", "remaining": 0},
        )


def test_snapshot_creation_has_the_recorded_windows_of_the_provider(tmp_path: Path) -> None:
    name = "Microsoft.Compute/HighCostSnapshotCreateHydrate3Min"
    with inside(tmp_path, limits=Limits(arm={}, provider={name: Limit(2, 2 / 180)})) as sim:
        first = sim.ask("PUT", snapshot_path("s1"), snapshot_body())
        assert first.headers["x-ms-ratelimit-remaining-resource"] == f"{name};1"
        sim.ask("PUT", snapshot_path("s2"), snapshot_body())
        refused = sim.ask("PUT", snapshot_path("s3"), snapshot_body())
        assert (refused.status, refused.code) == (429, "OperationNotAllowed")
        assert refused.body["error"]["details"][0]["target"] == "HighCostSnapshotCreateHydrate3Min"
        elsewhere = {"location": "eastus", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}}
        assert sim.ask("PUT", snapshot_path("s4"), elsewhere).status == 202
        sim.advance(int(refused.headers["retry-after"]))
        assert sim.ask("PUT", snapshot_path("s3"), snapshot_body()).status == 202


def test_one_machine_has_a_bucket_of_its_own(sim: Running) -> None:
    machine = f"{COMPUTE}/virtualMachines/vm1"
    answers = [sim.ask("PATCH", machine, {"tags": {"n": str(number)}}) for number in range(13)]
    assert [answer.status for answer in answers] == [200] * 12 + [429]
    assert answers[0].headers["x-ms-ratelimit-remaining-resource"] == (
        "Microsoft.Compute/UpdateVMResource;11,Microsoft.Compute/UpdateVMSubscriptionMaximum;1499"
    )


def test_a_limits_file_turns_provider_windows_off_and_resizes_arm(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text("[arm]\nreads = { size = 1000, per_second = 100 }\n[provider]\nenabled = false\n", encoding="utf-8")
    limits = read_limits(path)
    assert limits.provider == {}
    assert limits.arm["reads"] == Limit(1000, 100)
    assert limits.arm["writes"] == Limit(200, 10)
    with inside(tmp_path, limits=limits) as sim:
        assert "x-ms-ratelimit-remaining-resource" not in sim.ask("GET", DISK).headers
        assert sim.ask("GET", DISK).headers["x-ms-ratelimit-remaining-subscription-reads"] == "998"


def test_a_json_limits_file_may_give_windows(tmp_path: Path) -> None:
    path = tmp_path / "limits.json"
    path.write_text(
        json.dumps({"provider": {"Microsoft.Compute/X": {"size": 90, "window_s": 180}}, "graph": {"enabled": False}})
    )
    limits = read_limits(path)
    assert limits.provider["Microsoft.Compute/X"] == Limit(90, 0.5)
    assert limits.graph is None


@pytest.mark.parametrize("text", ["[arm", "[arm]\nreads = 3\n", "[arm]\nreads = { size = 3 }\n"])
def test_a_limits_file_that_cannot_be_used_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadLimits, match=r"limits\.toml"):
        read_limits(path)


def test_the_tenant_has_buckets_too(sim: Running) -> None:
    assert sim.ask("GET", "/subscriptions").headers["x-ms-ratelimit-remaining-tenant-reads"] == "249"
    assert SUBSCRIPTION in [found["subscriptionId"] for found in sim.ask("GET", "/subscriptions").body["value"]]
