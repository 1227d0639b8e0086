"""Resource Graph: what it shows, when, in which pages, and what fault rules make of it."""

from pathlib import Path
from typing import Any

from tests.simulator.running import COMPUTE, OTHER, SUBSCRIPTION, Running, inside

PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
MACHINES = "resources | where type =~ 'microsoft.compute/virtualMachines' | project id, name, tags, properties"
TEN = "".join(
    f'[[vm]]\nsubscription = "{SUBSCRIPTION}"\ngroup = "web"\nname = "vm{number}"\ntags = {{ n = "{number}" }}\n'
    for number in range(10)
)


def query(sim: Running, text: str, principal: str = "test", **rest: Any) -> Any:
    answer = sim.ask("POST", PATH, {"query": text, **rest}, principal)
    assert answer.status == 200, answer
    return answer.body


def test_a_change_shows_only_after_a_lag(sim: Running) -> None:
    sim.ask("PATCH", f"{COMPUTE}/virtualMachines/vm1", {"tags": {"backup": "gold"}})
    assert query(sim, MACHINES)["data"][0]["tags"] == {"backup": "silver"}
    sim.advance(40)
    assert query(sim, MACHINES)["data"][0]["tags"] == {"backup": "gold"}


def test_a_deleted_machine_stays_visible_for_the_lag(sim: Running) -> None:
    sim.ask("DELETE", f"{COMPUTE}/virtualMachines/vm1")
    for _ in range(300):
        if sim.ask("GET", f"{COMPUTE}/virtualMachines/vm1").status == 404:
            break
        sim.advance(0.5)
    assert query(sim, MACHINES)["totalRecords"] == 1
    sim.advance(40)
    assert query(sim, MACHINES)["totalRecords"] == 0


def test_pages_are_continued_by_skip_token_and_hold_everything_once(tmp_path: Path) -> None:
    with inside(tmp_path, TEN) as sim:
        names: list[str] = []
        token: str | None = None
        while True:
            options = {"$top": 4, **({"$skipToken": token} if token else {})}
            page = query(sim, MACHINES + " | order by name asc", options=options)
            assert page["totalRecords"] == 10
            assert page["resultTruncated"] == "false"
            names.extend(row["name"] for row in page["data"])
            token = page.get("$skipToken")
            if token is None:
                break
        assert names == [f"vm{number}" for number in range(10)]


def test_an_answer_says_what_it_cost_and_what_is_left(sim: Running) -> None:
    headers = sim.ask("POST", "/providers/Microsoft.ResourceGraph/resources", {"query": "resources"}).headers
    assert headers["x-ms-resource-graph-request-duration"].startswith("0:00:00:00.")
    assert (headers["x-ms-user-quota-remaining"], headers["x-ms-user-quota-resets-after"]) == ("14", "00:00:05")


def test_only_the_subscriptions_asked_for_are_searched(sim: Running) -> None:
    assert query(sim, MACHINES, subscriptions=[OTHER])["data"] == []
    assert query(sim, MACHINES, subscriptions=[SUBSCRIPTION.upper()])["count"] == 1


def test_containers_are_groups_and_subscriptions(sim: Running) -> None:
    text = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions/resourcegroups' | project name, tags"
    assert {row["name"]: row["tags"] for row in query(sim, text)["data"]} == {"web": {"team": "shop"}, "backups": None}
    text = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project subscriptionId"
    assert {row["subscriptionId"] for row in query(sim, text)["data"]} == {SUBSCRIPTION, OTHER}


def test_the_power_state_is_part_of_a_machine(sim: Running) -> None:
    view = query(sim, MACHINES)["data"][0]["properties"]["extended"]["instanceView"]
    assert view["powerState"]["code"] == "PowerState/running"


def test_a_query_that_cannot_be_read_is_refused_as_recorded(sim: Running) -> None:
    answer = sim.ask("POST", PATH, {"query": "resources | where"})
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert [detail["code"] for detail in answer.body["error"]["details"]] == ["InvalidQuery", "ParserFailure"]


def test_the_sixteenth_query_in_five_seconds_is_throttled_per_principal(sim: Running) -> None:
    answers = [sim.ask("POST", PATH, {"query": "resources | count"}) for _ in range(16)]
    assert [answer.status for answer in answers] == [200] * 15 + [429]
    assert [answers[0].headers[name] for name in ("x-ms-user-quota-remaining", "x-ms-user-quota-resets-after")] == [
        "14",
        "00:00:05",
    ]
    assert sim.ask("POST", PATH, {"query": "resources | count"}, "another").status == 200
    sim.advance(int(answers[15].headers["retry-after"]))
    assert sim.ask("POST", PATH, {"query": "resources | count"}).status == 200


def test_fault_rules_make_the_answer_empty_short_duplicated_or_stale(tmp_path: Path) -> None:
    with inside(tmp_path, TEN) as sim:
        sim.ask("PATCH", f"{COMPUTE}/virtualMachines/vm3", {"tags": {"n": "changed"}})
        sim.advance(60)

        def shown(effect: str) -> list[dict[str, Any]]:
            sim.control(
                "POST",
                "faults",
                {"match": {"operation": "Microsoft.ResourceGraph/*"}, "count": 1, "effect": {"list": effect}},
            )
            found: list[dict[str, Any]] = query(sim, MACHINES, options={"$top": 5})["data"]
            return found

        assert shown("empty") == []
        assert len(query(sim, MACHINES)["data"]) == 10
        sim.control("POST", "faults", {"match": {}, "count": 1, "effect": {"list": "short"}})
        assert query(sim, MACHINES)["totalRecords"] == 5
        names = [row["name"] for row in shown("duplicate")]
        assert len(names) > len(set(names))
        sim.control("POST", "faults", {"match": {}, "count": 1, "effect": {"list": "stale"}})
        assert {row["tags"]["n"] for row in query(sim, MACHINES)["data"]} == {str(number) for number in range(10)}
        assert "changed" in {row["tags"]["n"] for row in query(sim, MACHINES)["data"]}
