"""Fault rules over HTTP: each effect, when a rule fires, and what bad rules are told."""

import http.client
from typing import Any

import pytest

from tests.simulator.running import COMPUTE, GROUP, SUBSCRIPTION, Running, snapshot_body, snapshot_path

DISK = f"{COMPUTE}/disks/vm1-os"
DISKS = f"{GROUP}/providers/Microsoft.Compute/disks"


def rule(sim: Running, effect: dict[str, Any], **rest: Any) -> str:
    made = sim.control("POST", "faults", {"effect": effect, **rest})
    return str(made["id"])


def test_a_status_with_code_and_retry_after_is_answered_as_often_as_the_count_says(sim: Running) -> None:
    operation = {"operation": "microsoft.compute/DISKS/read"}
    name = rule(sim, {"status": 429, "code": "TooManyRequests", "retry_after": 17}, match=operation, count=2)
    answers = [sim.ask("GET", DISK) for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert (answers[0].code, answers[0].headers["retry-after"]) == ("TooManyRequests", "17")
    assert [one["fired"] for one in sim.control("GET", "faults")] == [2]
    calls = sim.control("GET", "calls")
    assert [call["fault"] for call in calls] == [name, name, None]
    assert [call["retry_after"] for call in calls] == ["17", "17", None]


def test_a_body_is_answered_as_it_is_and_retry_after_may_be_a_date(sim: Running) -> None:
    rule(sim, {"status": 503, "body": "<html>busy</html>", "retry_after": "Fri, 20 Nov 2026 00:01:00 GMT"})
    sim.connection.request("GET", f"{DISK}?api-version=2024-03-02", headers={"Authorization": "Bearer x"})
    answer = sim.connection.getresponse()
    assert (answer.status, answer.read()) == (503, b"<html>busy</html>")
    assert answer.headers["Retry-After"] == "Fri, 20 Nov 2026 00:01:00 GMT"


def test_rules_match_resource_and_principal_and_hold_within_their_times(sim: Running) -> None:
    match = {"resource": "*/disks/vm1-*", "principal": "reaper"}
    rule(sim, {"status": 500}, match=match, **{"from": "2026-11-20T00:01:00Z", "until": "2026-11-20T00:02:00Z"})
    assert sim.ask("GET", DISK, principal="reaper").status == 200
    sim.advance(60)
    assert sim.ask("GET", DISK, principal="reaper").status == 500
    assert sim.ask("GET", DISK, principal="keeper").status == 200
    assert sim.ask("GET", f"{COMPUTE}/virtualMachines/vm1", principal="reaper").status == 200
    sim.advance(60)
    assert sim.ask("GET", DISK, principal="reaper").status == 200


def test_a_probability_is_drawn_from_the_rules_own_seed(sim: Running) -> None:
    def run() -> list[int]:
        name = rule(sim, {"status": 500}, probability=0.5, seed=11)
        found = [sim.ask("GET", DISK).status for _ in range(20)]
        sim.control("DELETE", f"faults/{name}")
        return found

    first = run()
    assert set(first) == {200, 500}
    assert run() == first


@pytest.mark.parametrize(("when", "there"), [("before", 404), ("after", 200)])
def test_a_cut_connection_leaves_the_caller_not_knowing(sim: Running, when: str, there: int) -> None:
    rule(sim, {"cut": when}, match={"operation": "Microsoft.Compute/snapshots/write"}, count=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        sim.ask("PUT", snapshot_path("s1"), snapshot_body())
    assert sim.ask("GET", snapshot_path("s1")).status == there


@pytest.mark.parametrize(
    ("fate", "status", "state"),
    [("fail", "Failed", "Failed"), ("cancel", "Canceled", "Canceled"), ("hang", "InProgress", "Updating")],
)
def test_an_accepted_operation_can_end_otherwise(sim: Running, fate: str, status: str, state: str) -> None:
    rule(sim, {"lro": fate}, match={"operation": "Microsoft.Compute/snapshots/write"})
    answer = sim.ask("PUT", snapshot_path("s1"), snapshot_body())
    assert answer.status == 202
    sim.advance(24 * 3600 - 60)
    document = sim.ask("GET", answer.headers["azure-asyncoperation"]).body
    assert document["status"] == status
    assert ("error" in document) == (fate != "hang")
    assert sim.ask("GET", snapshot_path("s1")).body["properties"]["provisioningState"] == state


def test_a_lost_operation_cannot_be_asked_for_though_its_work_is_done(sim: Running) -> None:
    rule(sim, {"lro": "lose"}, match={"operation": "Microsoft.Compute/snapshots/write"})
    answer = sim.ask("PUT", snapshot_path("s1"), snapshot_body())
    sim.advance(60)
    assert sim.ask("GET", answer.headers["azure-asyncoperation"]).status == 404
    assert sim.ask("GET", snapshot_path("s1")).body["properties"]["provisioningState"] == "Succeeded"


def test_lists_are_emptied_shortened_doubled_and_aged(sim: Running) -> None:
    sim.advance(3600)
    sim.put_done(snapshot_path("new"), snapshot_body())
    sim.put_done(
        f"{COMPUTE}/disks/new",
        {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}},
    )
    sim.ask("DELETE", f"{COMPUTE}/disks/new")
    sim.advance(20)

    def names(effect: str) -> list[str]:
        sim.control("DELETE", "faults")
        rule(sim, {"list": effect}, match={"operation": "*/read"})
        assert sim.ask("GET", DISK).status == 200
        return [item["name"] for item in sim.ask("GET", DISKS).body["value"]]

    assert names("empty") == []
    assert names("short") == ["vm1-os"]
    assert names("duplicate") == ["vm1-os", "vm1-data", "vm1-os"]
    rule(sim, {"list": "stale"})
    sim.control("DELETE", "faults")
    sim.put_done(
        f"{COMPUTE}/disks/late",
        {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}},
    )
    assert names("stale") == ["vm1-os", "vm1-data"]


def test_a_page_that_leads_to_another_host_shows_who_follows(sim: Running) -> None:
    rule(sim, {"list": "abroad"}, count=1)
    link = sim.ask("GET", DISKS).body["nextLink"]
    host = f"{sim.connection.host}:{sim.connection.port}"
    assert link.startswith(f"http://localhost:{sim.connection.port}{DISKS}?api-version=")
    headers = {"Authorization": "Bearer x", "Host": f"localhost:{sim.connection.port}"}
    sim.connection.request("GET", link.partition(str(sim.connection.port))[2], headers=headers)
    sim.connection.getresponse().read()
    sim.ask("GET", DISK)
    hosts = [call["host"] for call in sim.control("GET", "calls")]
    assert hosts == [host, f"localhost:{sim.connection.port}", host]


def test_a_delay_holds_the_answer_and_the_simulator_is_busy_meanwhile(sim: Running) -> None:
    rule(sim, {"delay_s": 3}, count=1)
    sim.connection.request("GET", f"{DISK}?api-version=2024-03-02", headers={"Authorization": "Bearer x"})
    other = http.client.HTTPConnection(sim.connection.host, sim.connection.port, timeout=60)
    other.request("GET", "/_sim/clock")
    seen = other.getresponse().read()
    other.close()
    assert b'"busy":true' in seen
    answer = sim.connection.getresponse()
    assert (answer.status, bool(answer.read())) == (200, True)
    assert sim.control("GET", "clock")["busy"] is False


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "effect is missing"),
        ({"effect": {"explode": True}}, "explode"),
        ({"effect": {"cut": "sideways"}}, "cut"),
        ({"effect": {"status": 500}, "match": {"colour": "red"}}, "match"),
        ({"effect": {"status": 500}, "from": "tomorrow", "probability": 2}, "from is not an ISO time; probability"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_every_problem(shared: Running, document: Any, says: str) -> None:
    answer = shared.ask("POST", "/_sim/faults", document)
    assert answer.status == 400
    assert says in answer.body["error"]["message"]


def test_clearing_removes_all_rules(sim: Running) -> None:
    rule(sim, {"status": 500})
    sim.control("DELETE", "faults")
    assert sim.ask("GET", f"/subscriptions/{SUBSCRIPTION}").status == 200
    assert sim.ask("DELETE", "/_sim/faults/9").status == 404
