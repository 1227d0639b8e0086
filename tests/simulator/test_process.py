"""The simulator as a process: options, seeds, TLS, clocks, and a state file that outlives a kill."""

import json
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.simulator import certificates, providers
from local.simulator.__main__ import options, prepare
from local.simulator.answers import ArmError
from local.simulator.clock import Clock, ClockRefused, Mode, compute_time, iso, parse_time
from local.simulator.journal import Journal
from local.simulator.routing import Evidence, documented
from tests.simulator.running import (
    COMPUTE,
    REPOSITORY,
    SEED,
    START,
    Running,
    inside,
    simulator,
    snapshot_body,
    snapshot_path,
)


def refused(directory: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "local.simulator", *arguments]
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 2
    return found.stderr


def test_a_seed_file_is_refused_with_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('[[group]]\nname = "g"\n[[castle]]\n[[vm]]\nsubscription = "s"\n', encoding="utf-8")
    said = refused(tmp_path, "--seed", str(path))
    for problem in ("castle", "[[group]] number 1: subscription is missing", "[[vm]] number 1: name is missing"):
        assert problem in said


def test_a_port_in_use_and_a_missing_seed_are_one_clear_line(tmp_path: Path, shared: Running) -> None:
    for arguments in (["--port", shared.url.rsplit(":", 1)[1]], ["--seed", str(tmp_path / "none.toml")]):
        said = refused(tmp_path, *arguments)
        assert said.startswith("simulator: ")
        assert said.count("\n") == 1


def test_lists_come_in_pages_of_the_size_that_is_asked_for(tmp_path: Path) -> None:
    assert "--page" in refused(tmp_path, "--page", "0")
    assert "--page" in refused(tmp_path, "--page", "1001")
    body = {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}}
    with simulator(tmp_path, "--page", "2") as sim:
        for number in range(3):
            sim.put_done(snapshot_path(f"s{number}"), body)
        first = sim.ask("GET", snapshot_path("").rstrip("/")).body
        second = sim.ask("GET", first["nextLink"]).body
    assert ([one["name"] for one in first["value"]], [one["name"] for one in second["value"]]) == (["s0", "s1"], ["s2"])
    assert "nextLink" not in second


def test_every_route_says_on_what_it_rests() -> None:
    rows = documented(providers.routes().all)
    assert len(rows) > 80
    assert {row["evidence"] for row in rows} <= set(Evidence)
    assert all(row["source"] for row in rows)
    assert len({(row["method"], row["path"]) for row in rows}) == len(rows)


def test_a_restarted_simulator_still_counts_a_disks_snapshots(tmp_path: Path) -> None:
    path = tmp_path / "state"
    for start in (0, 7):
        world = prepare(options(["--clock", "manual", "--now", START, "--state", str(path)]))
        if start == 0:
            for number in range(7):
                document = {
                    "type": "Microsoft.Compute/snapshots",
                    "properties": {"incremental": True, "creationData": {"sourceUniqueId": "uid"}},
                }
                world.store.create(snapshot_path(f"s{number}"), document, world.clock.now())
        else:
            with pytest.raises(ArmError, match="429"):
                world.limits.check("uid", "d", world.clock.now())
        world.journal.close()


def test_a_state_file_survives_a_kill_with_operations_and_clock(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    with simulator(tmp_path, "--state", str(state)) as sim:
        sim.put_done(snapshot_path("done"), snapshot_body())
        answer = sim.ask("PUT", snapshot_path("open"), {**snapshot_body(), "tags": {"a": "b"}})
        sim.ask("DELETE", f"{COMPUTE}/virtualMachines/vm1")
        before = sim.control("GET", "clock")["now"]
        assert sim.process is not None
        sim.process.kill()
    with simulator(tmp_path, "--state", str(state)) as again:
        assert again.control("GET", "clock")["now"] >= before
        assert again.ask("GET", snapshot_path("done")).body["properties"]["provisioningState"] == "Succeeded"
        opened = again.ask("GET", snapshot_path("open")).body
        assert (opened["properties"]["provisioningState"], opened["tags"]) == ("Updating", {"a": "b"})
        operation = answer.headers["azure-asyncoperation"].split("://")[1].split("/", 1)[1]
        again.advance(120)
        assert again.ask("GET", f"/{operation}").body["status"] == "Succeeded"
        assert again.ask("GET", f"{COMPUTE}/virtualMachines/vm1").status == 404
        gone = {one["name"]: one["gone"] for one in again.control("GET", "state") if "name" in one}
        assert gone["vm1"] is not None
        assert gone["done"] is None


def test_the_clock_jumps_forward_only_and_fires_what_is_due_at_its_own_time(sim: Running) -> None:
    first = sim.ask("PUT", snapshot_path("s1"), snapshot_body())
    answer = sim.ask("POST", f"{COMPUTE}/virtualMachines/vm1/restart")
    clock = sim.control("GET", "clock")
    assert (clock["now"], clock["busy"]) == ("2026-11-20T00:00:00.0000000Z", False)
    due = datetime.fromisoformat(clock["next"])
    assert due - datetime.fromisoformat(START) < timedelta(seconds=2)
    moved = sim.control("POST", "clock", {"to": "2026-11-21T00:00:00Z"})
    assert (moved["now"][:10], moved["next"]) == ("2026-11-21", None)
    assert moved["activity"] >= clock["activity"]
    ended = [sim.ask("GET", one.headers["azure-asyncoperation"]).body["endTime"] for one in (first, answer)]
    assert all(end.startswith("2026-11-20T00:0") for end in ended)
    assert ended[0] < ended[1]
    assert sim.control("POST", "clock", {"to": "2020-01-01T00:00:00Z"})["now"][:10] == "2026-11-21"
    assert sim.ask("GET", "/subscriptions").headers["date"] == "Sat, 21 Nov 2026 00:00:00 GMT"


@pytest.mark.parametrize("body", [{}, {"advance": -1}, {"to": "soon"}, {"advance": "1"}])
def test_a_clock_request_that_cannot_be_meant_is_refused(shared: Running, body: dict[str, object]) -> None:
    assert shared.ask("POST", "/_sim/clock", body).status == 400


def test_the_wall_clock_cannot_be_moved() -> None:
    with pytest.raises(ClockRefused):
        Clock(Mode.REAL).move(time.time() + 5)


def test_a_jumping_clock_goes_on_by_itself() -> None:
    clock = Clock(Mode.JUMP, parse_time(START))
    clock.move(parse_time(START) + 3600)
    first = clock.now()
    time.sleep(0.01)
    assert 0 < clock.now() - first < 5


def test_times_are_written_as_arm_and_as_the_compute_provider_write_them() -> None:
    assert iso(parse_time("2026-11-20T02:00:00.5Z")) == "2026-11-20T02:00:00.5000000Z"
    assert compute_time(parse_time("2026-11-20T02:00:00.5Z")) == "2026-11-20T02:00:00.5+00:00"


def test_certificates_hold_from_2020_to_2060_and_are_used_again(tmp_path: Path) -> None:
    from cryptography import x509

    paths = certificates.ensure(tmp_path)
    certificate = x509.load_pem_x509_certificate(paths[0].read_bytes())
    assert (certificate.not_valid_before_utc.year, certificate.not_valid_after_utc.year) == (2020, 2060)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in certificates.ensure(tmp_path)] == before
    assert (tmp_path / "ca.pem").exists()


def test_a_seeded_machine_is_as_the_seed_says(sim: Running) -> None:
    machine = sim.ask("GET", f"{COMPUTE}/virtualMachines/vm1").body
    assert (machine["zones"], machine["tags"]) == (["1"], {"backup": "silver"})
    (data,) = machine["properties"]["storageProfile"]["dataDisks"]
    assert (data["lun"], data["caching"], data["diskSizeGB"]) == (3, "ReadOnly", 64)
    disk = sim.ask("GET", f"{COMPUTE}/disks/vm1-data").body
    assert (disk["sku"]["name"], disk["managedBy"], disk["zones"]) == ("Premium_LRS", machine["id"], ["1"])
    assert sim.control("GET", "events")["deliveries"] == []


def test_unmanaged_and_ephemeral_disks_have_no_managed_disk(tmp_path: Path) -> None:
    odd = '[[vm]]\nsubscription = "s"\ngroup = "g"\nname = "odd"\ndisks = [\n'
    odd += '{ name = "e", os = "Linux", ephemeral = true }, { name = "u", vhd = "https://x/u.vhd", lun = 1 } ]\n'
    with inside(tmp_path, odd) as sim:
        base = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute"
        storage = sim.ask("GET", f"{base}/virtualMachines/odd").body["properties"]["storageProfile"]
        assert storage["osDisk"]["diffDiskSettings"] == {"option": "Local"}
        assert "managedDisk" not in storage["dataDisks"][0]
        assert sim.ask("GET", f"{base}/disks").body["value"] == []


def test_a_journal_cut_short_by_a_kill_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(
        json.dumps(["k", "a", 1]) + "\n" + json.dumps(["k", "b", 2]) + "\n" + '["k", "a", ', encoding="utf-8"
    )
    journal = Journal(path)
    assert dict(journal.recall("k")) == {"a": 1, "b": 2}
    journal.close()


def test_two_simulators_of_one_seed_give_the_same_identities(tmp_path: Path) -> None:
    def identities() -> list[str]:
        with inside(tmp_path, SEED) as sim:
            sim.put_done(snapshot_path("s1"), snapshot_body())
            return [one["properties"].get("uniqueId", "") for one in sim.control("GET", "state") if "properties" in one]

    assert identities() == identities()
