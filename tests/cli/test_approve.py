"""`tagback approve`: lists what waits, asks the API, and says by its exit code whether another person is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shared.cli.main import commands
from shared.cli.session import Session
from shared.errors import Forbidden
from shared.flows.approving import approve
from tests.cli.running import answer, run
from tests.fleet import usual_fleet
from tests.flows.deleting import Estate
from tests.flows.test_approving import overflowing
from tests.web.test_writes import post


@pytest.fixture
def estate() -> Estate:
    made = Estate()
    overflowing(made)
    return made


def run_as(estate: Estate, who: str, *words: str) -> Result:
    """As `who`, over the API's own code."""

    def asked(path: str, document: Mapping[str, object]) -> Mapping[str, Any]:
        assert path == "/api/approvals"
        reply = post(estate.fleet, dict(document), f"Bearer {who}", path)
        if reply.status == 403:
            raise Forbidden(reply.document["detail"])
        assert reply.status in (200, 202)
        found: Mapping[str, Any] = reply.document
        return found

    return CliRunner().invoke(commands, list(words), obj=Session(estate.fleet.open, lambda: who, post=asked))


def test_the_first_person_needs_a_second_and_the_second_needs_nobody(estate: Estate) -> None:
    first = run_as(estate, "boss", "approve", "web-1", "--output", "json")
    assert first.exit_code == 4
    assert [one["vm"] for one in json.loads(first.stdout)["asked"]] == ["web-1", "web-1"]
    again = run_as(estate, "boss", "approve", "--all")
    assert (again.exit_code, "another person" in again.stderr) == (4, True)
    second = run_as(estate, "bob", "approve", "--all")
    assert (second.exit_code, "Approved" in second.stdout) == (0, True)
    assert run(estate.fleet, "approve").exit_code == 0


def test_who_has_no_role_needs_somebody_who_has(estate: Estate) -> None:
    result = run_as(estate, "ann", "approve", "--all", "--output", "json")
    assert result.exit_code == 4
    assert "Tagback.Approve" in json.loads(result.stdout)["problems"][0]


def test_what_waits_is_listed_and_needs_approval(estate: Estate) -> None:
    result = run(estate.fleet, "approve")
    assert result.exit_code == 4
    assert "second" in result.stdout
    approve(estate.fleet.world, [], "ann")
    [first, _] = answer(run(estate.fleet, "approve", "--output", "json"))
    assert (first["asked_by"], first["approved_by"]) == ("ann", None)


def test_where_nothing_waits_all_is_fine() -> None:
    result = run(usual_fleet(), "approve")
    assert (result.exit_code, result.stdout) == (0, "No deletion waits for approval.\n")


def test_names_and_all_do_not_go_together(estate: Estate) -> None:
    assert run(estate.fleet, "approve", "web-1", "--all").exit_code == 2


def test_without_an_address_it_says_what_to_set(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    monkeypatch.setenv("TAGBACK_SUBSCRIPTIONS", "11111111-1111-1111-1111-111111111111")
    result = run(estate.fleet, "approve", "--all")
    assert (result.exit_code, "TAGBACK_API_ENDPOINT" in result.stderr) == (2, True)


def test_a_deletion_that_waits_for_people_is_shown_and_harms_nobody(estate: Estate) -> None:
    result = run(estate.fleet, "status", "--output", "json")
    assert result.exit_code == 0
    [machine] = answer(result)["machines"]
    assert machine["frozen"].startswith("2 deletions wait: today's unplanned deletions are used up")
    assert "2 deletions wait" in run(estate.fleet, "status").stdout


@pytest.mark.parametrize(
    "body",
    [{}, {"all": False}, {"vm": []}, {"vm": "web-1"}, {"vm": [1]}, {"vm": ["web-1"], "all": True}, {"all": 1, "x": 2}],
)
def test_the_api_refuses_a_body_that_says_not_what_is_meant(estate: Estate, body: dict[str, object]) -> None:
    assert post(estate.fleet, body, "Bearer bob", "/api/approvals").status == 400


def test_who_asked_is_refused_by_the_api_itself(estate: Estate) -> None:
    assert post(estate.fleet, {"all": True}, "Bearer bob", "/api/approvals").status == 202
    reply = post(estate.fleet, {"all": True}, "Bearer bob", "/api/approvals")
    assert (reply.status, "another person" in reply.document["detail"]) == (403, True)
    assert post(estate.fleet, {"vm": ["nobody"]}, "Bearer bob", "/api/approvals").status == 404
