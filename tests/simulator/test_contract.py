"""What scripts outside the repository drive of the simulator, sentence by sentence."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.hearing import listening, until
from tests.simulator.running import COMPUTE, GROUP, REPOSITORY, START, SUBSCRIPTION, Running, inside, simulator

VM, DISK = f"{COMPUTE}/virtualMachines/vm1", f"{COMPUTE}/disks/vm1-data"
SEED = f"""
[[subscription]]
id = "{SUBSCRIPTION}"

[[group]]
subscription = "{SUBSCRIPTION}"
name = "web"
location = "westeurope"
tags = {{ team = "shop" }}

[[vm]]
subscription = "{SUBSCRIPTION}"
group = "web"
name = "vm1"
location = "westeurope"
size = "Standard_D2s_v5"
zone = "2"
tags = {{ backup = "silver" }}
disks = [
  {{ name = "vm1-os", gib = 30, sku = "Premium_LRS", os = "Windows" }},
  {{ name = "vm1-data", gib = 64, sku = "StandardSSD_LRS", lun = 5, caching = "ReadOnly" }},
]

[[vault]]
subscription = "{SUBSCRIPTION}"
group = "web"
name = "vault1"
location = "westeurope"

[[role]]
name = "Looker"
actions = ["Microsoft.Compute/*/read"]
not_actions = ["Microsoft.Compute/disks/read"]

[[assignment]]
principal = "looker"
role = "Looker"
scope = "{GROUP}"

[[assignment]]
principal = "boss"
role = "Owner"
scope = "/subscriptions/{SUBSCRIPTION}"
"""


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with inside(tmp_path_factory.mktemp("seeded"), SEED) as running:
        yield running


def test_every_option_is_there_and_the_ready_line_is_one_json_document(tmp_path: Path) -> None:
    (tmp_path / "seed.toml").write_text(SEED, encoding="utf-8")
    (tmp_path / "buckets.toml").write_text("[arm.reads]\nsize = 2\nper_second = 0.1\n", encoding="utf-8")
    options = {"--port": "0", "--clock": "jump", "--seed": tmp_path / "seed.toml", "--tls-dir": tmp_path / "tls",
               "--state": tmp_path / "state", "--buckets": tmp_path / "buckets.toml"}  # fmt: skip
    words = [str(word) for pair in options.items() for word in pair]
    command = [sys.executable, "-m", "local.simulator", *words]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready["ready"] is True
            assert ready["url"].startswith("https://localhost:")
            assert {path.name for path in (tmp_path / "tls").iterdir()} >= {"ca.pem", "server.pem", "server.key"}
            assert (tmp_path / "state").exists()
            running = Running(ready["url"], tmp_path / "tls" / "ca.pem")
            statuses = [running.ask("GET", VM, principal="boss").status for _ in range(3)]
            assert statuses == [200, 200, 429]
            running.close()
        finally:
            process.terminate()


def test_the_date_header_is_virtual_time(seeded: Running) -> None:
    now = datetime.fromisoformat(seeded.control("GET", "clock")["now"])
    assert seeded.ask("GET", VM).headers["date"] == now.strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_a_real_clock_is_the_machines_own(tmp_path: Path) -> None:
    with simulator(tmp_path, clock="real") as running:
        now = datetime.fromisoformat(running.control("GET", "clock")["now"]).timestamp()
        assert abs(now - time.time()) < 60
        assert running.ask("POST", "/_sim/clock", {"advance": 5}).status == 400


@pytest.mark.parametrize(
    ("claims", "principal"),
    [({"oid": "o", "sub": "s"}, "o"), ({"sub": "s"}, "s"), ({}, "anonymous")],
    ids=["oid", "else sub", "else anonymous"],
)
def test_the_principal_is_the_tokens(sim: Running, claims: dict[str, str], principal: str) -> None:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    sim.ask("GET", VM, Authorization=f"Bearer e30.{middle}.x")
    assert [call["principal"] for call in sim.control("GET", "calls")] == [principal]


def test_logins_find_their_endpoints_and_tokens(seeded: Running) -> None:
    tenant = "11111111-1111-1111-1111-111111111111"
    endpoints = seeded.ask("GET", "/metadata/endpoints?api-version=2022-09-01").body
    assert seeded.url in json.dumps(endpoints)
    openid = seeded.ask("GET", f"/{tenant}/v2.0/.well-known/openid-configuration").body
    assert {"token_endpoint", "authorization_endpoint", "issuer"} <= openid.keys()
    form = b"grant_type=client_credentials&client_id=app-1&client_secret=x&scope=s"
    with urllib.request.urlopen(openid["token_endpoint"], form) as answer:
        assert json.loads(answer.read())["access_token"]


@pytest.mark.parametrize(("query", "oid"), [("", "tagback"), ("&client_id=X", "X")])
def test_the_identity_endpoint_speaks_for_who_is_asked_for(sim: Running, query: str, oid: str) -> None:
    address = f"{sim.url}/msi/token?resource=r&api-version=2019-08-01{query}"
    with urllib.request.urlopen(urllib.request.Request(address, headers={"X-IDENTITY-HEADER": "x"})) as answer:
        token = json.loads(answer.read())["access_token"]
    sim.ask("GET", VM, Authorization=f"Bearer {token}")
    assert sim.control("GET", "calls")[-1]["principal"] == oid


def test_each_section_of_a_seed_makes_what_it_says(seeded: Running) -> None:
    state = {one["id"]: one for one in seeded.control("GET", "state") if "id" in one}
    assert state[GROUP]["tags"] == {"team": "shop"}
    vm = state[VM]
    assert (vm["location"], vm["zones"], vm["tags"]) == ("westeurope", ["2"], {"backup": "silver"})
    assert vm["properties"]["hardwareProfile"]["vmSize"] == "Standard_D2s_v5"
    (data,) = vm["properties"]["storageProfile"]["dataDisks"]
    assert (data["name"], data["lun"], data["caching"], data["diskSizeGB"]) == ("vm1-data", 5, "ReadOnly", 64)
    assert (state[DISK]["sku"]["name"], state[DISK]["managedBy"]) == ("StandardSSD_LRS", VM)
    assert state[f"{COMPUTE}/disks/vm1-os"]["properties"]["osType"] == "Windows"
    vault = state[f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault1"]
    assert (vault["type"], vault["location"]) == ("Microsoft.RecoveryServices/vaults", "westeurope")


def test_rights_are_those_of_the_seeds_roles_and_assignments(seeded: Running) -> None:
    seen = {(who, path): seeded.ask("GET", path, principal=who).status for who in ("looker", "boss", "x")
            for path in (VM, DISK)}  # fmt: skip
    assert seen == {("looker", VM): 200, ("looker", DISK): 403, ("boss", VM): 200, ("boss", DISK): 200,
                    ("x", VM): 403, ("x", DISK): 403}  # fmt: skip
    assert seeded.ask("POST", f"{VM}/restart", principal="looker").code == "AuthorizationFailed"


def test_without_an_assignment_every_principal_may_do_everything(sim: Running) -> None:
    assert sim.ask("POST", f"{VM}/restart", principal="anybody").status == 202


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_a_seeded_event_subscription_hears_its_operations_in_its_schema(tmp_path: Path, schema: str) -> None:
    with listening() as webhook:
        watch = f"""
[[event_subscription]]
scope = "/subscriptions/{SUBSCRIPTION}"
endpoint = "{webhook.url}"
schema = "{schema}"
operations = ["Microsoft.Compute/virtualMachines/restart/action"]
"""
        with inside(tmp_path, SEED.split("[[role]]")[0] + watch) as sim:
            assert sim.ask("POST", f"{VM}/restart").status == 202
            assert sim.ask("PATCH", DISK, {"tags": {"a": "b"}}).status == 202
            sim.advance(120)
            # the endpoint may be greeted only now: until then each delivery waits another second of the clock
            until(lambda: sim.advance(1) and [one for one in webhook.heard if "restart" in str(one.body)])
            sim.advance(60)
            until(lambda: not sim.control("GET", "clock")["busy"])
            heard = {str(one.body) for one in webhook.heard if "Microsoft.Compute" in str(one.body)}
    [event] = heard  # delivered again where the answer came late: at least once
    assert ("specversion" in event) == (schema == "CloudEventSchemaV1_0")
    assert "disks" not in event


def test_calls_tell_everything_and_can_be_asked_for_from_a_number_on(sim: Running) -> None:
    sim.ask("GET", f"{VM}?$expand=instanceView")
    sim.ask("GET", "/_sim/healthz")
    sim.ask("POST", f"{VM}/restart", principal="me")
    first, second = sim.control("GET", "calls")
    assert list(first) == ["n", "t", "method", "path", "operation", "principal", "status", "retry_after", "bucket",
                           "fault", "host"]  # fmt: skip
    assert first["path"] == f"{VM}?$expand=instanceView&api-version=2026-03-02"
    assert (first["operation"], first["status"]) == ("Microsoft.Compute/virtualMachines/read", 200)
    assert second["operation"] == "Microsoft.Compute/virtualMachines/restart/action"
    assert (second["principal"], second["n"], second["t"][:19]) == ("me", first["n"] + 1, START[:19])
    assert list(first["bucket"]) == ["name", "remaining"]
    assert sim.control("GET", f"calls?since={first['n']}") == [second]
    assert sim.ask("DELETE", "/_sim/calls").status == 204
    assert sim.control("GET", "calls") == []


def test_a_call_that_no_bucket_was_asked_about_has_none(sim: Running) -> None:
    sim.ask("GET", f"{VM}?api-version=never")
    assert sim.control("GET", "calls")[0]["bucket"] is None


def test_the_clock_says_now_next_and_busy_and_moves_to_or_by(sim: Running) -> None:
    clock = sim.control("GET", "clock")
    assert list(clock) == ["now", "next", "busy", "activity"]
    sim.ask("POST", f"{VM}/restart")
    assert sim.control("GET", "clock")["next"] is not None
    assert sim.control("GET", "clock")["activity"] > clock["activity"]
    then = (datetime.fromisoformat(START) + timedelta(hours=1)).isoformat()
    assert sim.control("POST", "clock", {"to": then})["now"][:19] == then[:19]
    assert sim.control("POST", "clock", {"advance": 60})["now"][11:19] == "01:01:00"


def test_a_rule_is_answered_with_its_id_and_goes_by_it_or_with_all(sim: Running) -> None:
    rule = {"match": {"operation": "MICROSOFT.compute/*/READ", "resource": "*/VIRTUALMACHINES/VM1", "principal": "ME"},
            "count": 3, "probability": 1, "seed": 7, "from": START, "until": "2026-11-20T01:00:00Z",
            "effect": {"status": 500, "code": "Odd", "retry_after": 3}}  # fmt: skip
    answer = sim.ask("POST", "/_sim/faults", rule)
    assert (answer.status, bool(answer.body["id"])) == (201, True)
    assert [sim.ask("GET", VM, principal=who).status for who in ("me", "you")] == [500, 200]
    (shown,) = sim.control("GET", "faults")
    assert shown.keys() == {*rule, "id", "fired"}
    assert (shown["match"], shown["effect"], shown["fired"]) == (rule["match"], rule["effect"], 1)
    other = sim.control("POST", "faults", {"effect": {"delay_s": 0}})["id"]
    assert sim.ask("DELETE", f"/_sim/faults/{answer.body['id']}").status == 204
    assert [one["id"] for one in sim.control("GET", "faults")] == [other]
    assert sim.ask("DELETE", f"/_sim/faults/{answer.body['id']}").status == 404
    assert sim.ask("DELETE", "/_sim/faults").status == 204
    assert sim.control("GET", "faults") == []


def test_state_is_every_resource_with_birth_end_and_content(sim: Running) -> None:
    sim.ask("DELETE", VM)
    sim.advance(120)
    state: dict[str, Any] = {one["id"]: one for one in sim.control("GET", "state") if "id" in one}
    disk = sim.ask("GET", DISK).body
    assert {name: state[DISK][name] for name in disk} == disk
    assert state[DISK].keys() - disk.keys() == {"born", "gone", "content"}
    assert (state[DISK]["gone"], state[DISK]["content"]) == (None, {})
    assert START < state[VM]["gone"] < "2026-11-20T00:02:01"
    assert state[VM]["born"] < START


def test_state_says_since_when_the_agent_of_a_machine_reports(sim: Running) -> None:
    def since() -> str | None:
        found: str | None = next(one["agent"] for one in sim.control("GET", "state") if one.get("id") == VM)
        return found

    assert since() is not None
    sim.control("POST", "vm", {"id": VM, "agent": "missing"})
    assert since() is None


def test_a_guest_writes_blocks_and_a_snapshot_keeps_them(sim: Running) -> None:
    written = sim.control("POST", "content", {"disk": DISK, "blocks": {"0": "a", "7": "b"}})["content"]
    assert written == {"0": hashlib.sha256(b"a").hexdigest(), "7": hashlib.sha256(b"b").hexdigest()}
    body = {"location": "westeurope", "properties": {"incremental": True, "creationData": {
        "createOption": "Copy", "sourceResourceId": DISK}}}  # fmt: skip
    sim.put_done(f"{COMPUTE}/snapshots/s", body)
    sim.control("POST", "content", {"disk": DISK, "blocks": {"0": "c"}})
    state = {one["id"]: one["content"] for one in sim.control("GET", "state") if "id" in one}
    assert state[f"{COMPUTE}/snapshots/s"] == written
    assert state[DISK] == {**written, "0": hashlib.sha256(b"c").hexdigest()}
    assert sim.ask("POST", "/_sim/content", {"disk": f"{DISK}x", "blocks": {}}).status == 400


def test_what_happens_inside_a_guest_shows_in_its_instance_view(sim: Running) -> None:
    sim.control("POST", "vm", {"id": VM, "agent": "missing", "power": "deallocated"})
    view = sim.ask("GET", f"{VM}/instanceView").body
    assert "PowerState/deallocated" in {status["code"] for status in view["statuses"]}
    sim.control("POST", "vm", {"id": VM, "agent": "ready", "power": "running"})
    view = sim.ask("GET", f"{VM}/instanceView").body
    assert "PowerState/running" in {status["code"] for status in view["statuses"]}
    assert view["vmAgent"]["statuses"][0]["code"] == "ProvisioningState/succeeded"
    for wrong in ({"agent": "asleep"}, {"power": "melted"}):
        assert sim.ask("POST", "/_sim/vm", {"id": VM, **wrong}).status == 400


def test_events_are_deliveries_with_attempts_and_what_was_published(sim: Running) -> None:
    event = {"id": "1", "eventType": "a.b", "subject": "s", "eventTime": START, "data": {}, "dataVersion": "1"}
    assert sim.ask("POST", "/_sim/topics/status/api/events", [event]).status == 200
    seen = sim.control("GET", "events")
    assert seen["deliveries"] == []
    assert [(one["topic"], one["event"]) for one in seen["published"]] == [("status", event)]


def test_the_simulator_is_healthy_and_says_what_it_does_not_know(seeded: Running) -> None:
    assert seeded.ask("GET", "/_sim/healthz").status == 200
    assert seeded.ask("GET", "/_sim/never").status == 404
    unknown = seeded.ask("PUT", f"{GROUP}/providers/Microsoft.Never/things/x", {}, principal="boss")
    assert (unknown.status, "Microsoft.Never" in unknown.body["error"]["message"]) == (501, True)
