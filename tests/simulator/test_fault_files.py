"""Every fault of local/scenarios/faults is posted as it stands, fires, and is seen by a client as its file says."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import ManagedIdentityCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import CreationData, Snapshot, SnapshotProperties

from tests.simulator.hearing import Webhook, listening, until
from tests.simulator.running import (
    COMPUTE,
    GROUP,
    REPOSITORY,
    START,
    SUBSCRIPTION,
    Answer,
    Running,
    simulator,
    snapshot_body,
    snapshot_path,
)

FILES = REPOSITORY / "local" / "scenarios" / "faults"
VM = f"{COMPUTE}/virtualMachines/vm1"
SNAPSHOTS = snapshot_path("").rstrip("/")
# F10 to F16, F22 and F24 happen in clocks, storage, the functions host or our own process, where Azure has no part.
OF_AZURE = ("F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F17", "F18", "F19", "F20", "F21", "F23")


def inject(sim: Running, name: str) -> list[dict[str, Any]]:
    document = json.loads((FILES / f"{name}.json").read_text(encoding="utf-8"))
    made: list[dict[str, Any]] = sim.control("POST", "faults", document)["rules"]
    assert len(made) == len(document["rules"])
    return made


def fired(sim: Running) -> list[int]:
    return [rule["fired"] for rule in sim.control("GET", "faults")]


def query(sim: Running, text: str = "resources | where type =~ 'microsoft.compute/disks'") -> list[dict[str, Any]]:
    answer = sim.ask("POST", "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", {"query": text})
    rows: list[dict[str, Any]] = answer.body["data"]
    return rows


def put(sim: Running, name: str, disk: str = "vm1-os") -> Answer:
    return sim.ask("PUT", snapshot_path(name), snapshot_body(disk))


def state(sim: Running, name: str) -> str:
    return str(sim.ask("GET", snapshot_path(name)).body["properties"]["provisioningState"])


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("faults")
    with simulator(directory, "--tls-dir", str(directory / "tls")) as running:
        yield running


@pytest.fixture
def snapshots(secured: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The SDK's own operations on snapshots, without retries, as the principal `tagback`."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secured.ca))
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{secured.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    secured.control("DELETE", "faults")
    scopes = [f"{secured.url}/.default"]
    with (
        ManagedIdentityCredential() as credential,
        ComputeManagementClient(
            credential, SUBSCRIPTION, base_url=secured.url, credential_scopes=scopes, retry_total=0
        ) as client,
    ):
        yield client.snapshots


def begin(snapshots: Any, name: str, disk: str = "vm1-os") -> Any:
    creation = CreationData(create_option="Copy", source_resource_id=f"{COMPUTE}/disks/{disk}")
    properties = SnapshotProperties(creation_data=creation, incremental=True)
    body = Snapshot(location="westeurope", properties=properties)
    return snapshots.begin_create_or_update("backups", name, body, polling=False)


def refused(snapshots: Any, name: str) -> HttpResponseError:
    with pytest.raises(HttpResponseError) as caught:
        begin(snapshots, name)
    return caught.value


def test_every_fault_that_concerns_azure_has_a_file_and_says_what_it_is() -> None:
    assert {path.stem for path in FILES.glob("*.json")} == set(OF_AZURE)
    for path in FILES.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["says"]


def test_f1_throttling_in_every_form_reaches_the_sdk(secured: Running, snapshots: Any) -> None:
    inject(secured, "F1")
    errors = [refused(snapshots, "f1") for _ in range(6)]
    assert {error.status_code for error in errors} == {429}
    answers: list[Any] = [error.response for error in errors]
    waits = [answer.headers.get("Retry-After") for answer in answers]
    assert waits == ["1", "303", "3600", "0", "Fri, 20 Nov 2026 00:05:00 GMT", None]
    begin(snapshots, "f1")
    assert fired(secured) == [1] * 6


def test_f2_an_hour_of_passing_faults_ends(secured: Running, snapshots: Any) -> None:
    rules = inject(secured, "F2")
    seen = Counter(str(secured.ask("GET", SNAPSHOTS + "/none").status) for _ in range(200))
    assert set(seen) == {"500", "502", "503", "504", "408", "409", "404"}
    assert 40 < 200 - seen["404"] < 80, "three in ten"
    assert sum(fired(secured)) == 200 - seen["404"]
    secured.control("POST", "clock", {"to": rules[0]["until"]})
    assert {secured.ask("GET", SNAPSHOTS + "/none").status for _ in range(9)} == {404}


def test_f3_a_broken_connection_tells_nothing_of_what_happened(secured: Running, snapshots: Any) -> None:
    inject(secured, "F3")
    unknown = (ServiceRequestError, ServiceResponseError)
    for there in (404, 200):
        with pytest.raises(unknown):
            begin(snapshots, "f3")
        assert secured.ask("GET", snapshot_path("f3")).status == there
    secured.advance(60)
    with pytest.raises(unknown):
        snapshots.begin_delete("backups", "f3", polling=False)
    secured.advance(60)
    assert secured.ask("GET", snapshot_path("f3")).status == 404
    assert fired(secured) == [1, 1, 1]


def test_f4_accepted_work_ends_otherwise(sim: Running) -> None:
    inject(sim, "F4")
    answers = {fate: put(sim, fate) for fate in ("fails", "cancels", "hangs", "is-lost")}
    assert {answer.status for answer in answers.values()} == {202}
    sim.advance(20 * 3600)
    found = {fate: sim.ask("GET", answer.headers["azure-asyncoperation"]) for fate, answer in answers.items()}
    ends = {fate: answer.body.get("status", answer.status) for fate, answer in found.items()}
    assert ends == {"fails": "Failed", "cancels": "Canceled", "hangs": "InProgress", "is-lost": 404}
    assert [state(sim, fate) for fate in answers] == ["Failed", "Canceled", "Updating", "Succeeded"]
    assert fired(sim) == [1, 1, 1, 1]


def test_f5_inventories_show_the_past_lack_rows_repeat_rows_and_lose_their_place(sim: Running) -> None:
    sim.advance(3600)
    disk = {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}}
    sim.put_done(f"{COMPUTE}/disks/late", disk)
    assert len(query(sim)) == 3
    inject(sim, "F5")
    assert {row["name"] for row in query(sim)} == {"vm1-os", "vm1-data"}
    assert len(query(sim)) == 1
    page = {"query": "resources | where type =~ 'microsoft.compute/disks'", "options": {"$top": 2}}
    path, names = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", []
    while page:
        body = sim.ask("POST", path, page).body
        names += [row["name"] for row in body["data"]]
        token = body.get("$skipToken")
        page = {**page, "options": {"$top": 2, "$skipToken": token}} if token else {}
    assert (len(names), len(set(names))) == (6, 3)
    assert sim.ask("GET", SNAPSHOTS).status == 200
    assert sim.ask("GET", f"{SNAPSHOTS}?$skiptoken=MQ==").code == "InvalidSkipToken"
    assert sim.ask("GET", f"{SNAPSHOTS}?$skiptoken=MQ==").status == 200
    assert fired(sim) == [1, 1, 3, 1]


def test_f6_every_list_and_query_is_empty_and_single_reads_are_not(sim: Running) -> None:
    put(sim, "there")
    inject(sim, "F6")
    lists = [SNAPSHOTS, f"{GROUP}/providers/Microsoft.Compute/virtualMachines", f"{GROUP}/resources",
             f"/subscriptions/{SUBSCRIPTION}/resourceGroups"]  # fmt: skip
    assert [sim.ask("GET", path).body["value"] for path in lists] == [[]] * 4
    assert query(sim) == []
    assert fired(sim) == [5]
    assert sim.ask("GET", VM).status == 200
    assert fired(sim) == [5]


@pytest.fixture
def watched(sim: Running) -> Iterator[Webhook]:
    with listening() as webhook:
        body = {"properties": {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": webhook.url}}}}
        path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions/watch"
        operation = sim.ask("PUT", path, body).headers["azure-asyncoperation"]
        until(lambda: sim.ask("GET", operation).body["status"] != "InProgress")
        sim.advance(60)
        until(lambda: not sim.control("GET", "clock")["busy"])
        yield webhook


def tag(sim: Running, value: str) -> None:
    body = {"operation": "Merge", "properties": {"tags": {"n": value}}}
    assert sim.ask("PATCH", f"{VM}/providers/Microsoft.Resources/tags/default", body).status == 200


def heard(webhook: Webhook) -> list[dict[str, Any]]:
    found = [event for one in webhook.notified for event in one.body]
    return [event for event in found if event["data"]["operationName"] == "Microsoft.Resources/tags/write"]


def test_f7_events_come_twice_late_and_in_another_order(sim: Running, watched: Webhook) -> None:
    inject(sim, "F7")
    for number in range(10):
        tag(sim, str(number))
        sim.advance(0.01)
    sim.advance(130)
    until(lambda: len(heard(watched)) == 10)
    assert len({event["id"] for event in heard(watched)}) == 9
    sim.advance(3600)
    until(lambda: len(heard(watched)) == 11)
    times = [event["eventTime"] for event in heard(watched)]
    assert times != sorted(times)
    assert fired(sim) == [1, 1, 8]


def test_f8_no_event_arrives_and_the_record_says_so(sim: Running, watched: Webhook) -> None:
    inject(sim, "F8")
    tag(sim, "x")
    sim.advance(24 * 3600)
    assert heard(watched) == []
    *_, delivery = sim.control("GET", "events")["deliveries"]
    assert (delivery["state"], fired(sim)) == ("dropped by a fault rule", [1])


def test_f9_the_platforms_clock_is_ahead_and_behind(sim: Running) -> None:
    inject(sim, "F9")
    dates = [put(sim, name).headers["date"][17:22] for name in ("ahead", "behind", "right")]
    assert dates == ["00:10", "23:50", "00:00"]
    sim.advance(700)
    start = datetime.fromisoformat(START)
    made = [sim.ask("GET", snapshot_path(name)).body["properties"]["timeCreated"] for name in ("ahead", "behind")]
    away = [round((datetime.fromisoformat(one) - start).total_seconds() / 60) for one in made]
    assert (away, fired(sim)) == ([10, -10], [1, 1])


def test_f17_one_disk_of_a_machine_cannot_be_captured(sim: Running) -> None:
    inject(sim, "F17")
    assert [put(sim, disk, disk).status for disk in ("vm1-os", "vm1-data")] == [202, 202]
    sim.advance(60)
    assert [state(sim, disk) for disk in ("vm1-os", "vm1-data")] == ["Succeeded", "Failed"]
    assert fired(sim) == [1]


def test_f18_deletions_are_refused_by_a_lock(sim: Running) -> None:
    put(sim, "kept")
    sim.advance(60)
    inject(sim, "F18")
    answers = [sim.ask("DELETE", path) for path in (snapshot_path("kept"), VM)]
    assert [(answer.status, answer.code) for answer in answers] == [(409, "ScopeLocked")] * 2
    assert (state(sim, "kept"), fired(sim)) == ("Succeeded", [2])


def test_f19_a_machine_is_gone_for_two_looks(sim: Running) -> None:
    inject(sim, "F19")
    assert [sim.ask("GET", VM).status for _ in range(4)] == [404, 404, 200, 200]
    assert fired(sim) == [2]


def test_f20_a_limit_is_reached(sim: Running) -> None:
    inject(sim, "F20")
    assert (put(sim, "more").status, put(sim, "more").code) == (409, "OperationNotAllowed")
    assert sim.ask("PUT", snapshot_path("elsewhere", "web"), snapshot_body()).status == 202
    assert fired(sim) == [2]


def test_f21_a_token_runs_out_and_a_right_is_lost_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with simulator(tmp_path, "--tls-dir", str(tmp_path / "tls")) as secured:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secured.ca))
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{secured.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "x")
        inject(secured, "F21")
        scopes = [f"{secured.url}/.default"]
        with (
            ManagedIdentityCredential() as credential,
            ComputeManagementClient(
                credential, SUBSCRIPTION, base_url=secured.url, credential_scopes=scopes, retry_total=0
            ) as client,
        ):
            with pytest.raises(ClientAuthenticationError):
                begin(client.snapshots, "f21")
            assert refused(client.snapshots, "f21").status_code == 403
            assert secured.ask("PUT", snapshot_path("other"), snapshot_body(), principal="other").status == 202
            secured.advance(600)
            begin(client.snapshots, "f21")
        assert fired(secured) == [1, 1]


def test_f23_answers_hold_what_no_client_knows(sim: Running) -> None:
    put(sim, "odd")
    sim.advance(60)
    plain = sim.ask("GET", snapshot_path("odd")).body
    inject(sim, "F23")
    more, untagged, upper, unheard = (sim.ask("GET", snapshot_path("odd")).body for _ in range(4))
    assert (more["neverHeardOf"], more["properties"]["creationData"]["neverHeardOf"]) == ({"since": "2031"},) * 2
    assert untagged == {**plain, "tags": None}
    assert upper["id"] == plain["id"].replace("/resourceGroups/backups/", "/RESOURCEGROUPS/BACKUPS/")
    assert unheard["properties"]["provisioningState"] == "Unheard"
    assert sim.ask("GET", snapshot_path("odd")).code == "NoRegisteredProviderFound"
    assert sim.ask("GET", snapshot_path("odd")).body == plain
    assert fired(sim) == [1] * 5


def test_a_file_with_one_bad_rule_sets_none(sim: Running) -> None:
    rules = [{"effect": {"status": 500}}, {"effect": {"status": "x"}}]
    assert sim.ask("POST", "/_sim/faults", {"rules": rules}).status == 400
    assert sim.control("GET", "faults") == []


def test_a_rule_on_work_does_not_count_calls_that_began_none(sim: Running) -> None:
    sim.control("POST", "faults", {"effect": {"lro": "fail"}})
    tag(sim, "x")
    assert sim.ask("DELETE", snapshot_path("none")).status == 204
    assert [call["fault"] for call in sim.control("GET", "calls")] == [None, None]
    assert fired(sim) == [0]


def test_a_rule_on_events_leaves_calls_alone(sim: Running) -> None:
    sim.control("POST", "faults", {"effect": {"events": "delay", "delay_s": 5}})
    assert sim.ask("GET", VM).status == 200
    assert fired(sim) == [0]


def test_a_cut_call_has_no_answer_over_http(sim: Running) -> None:
    inject(sim, "F3")
    with pytest.raises((OSError, http.client.HTTPException)):
        put(sim, "f3")
