"""`tagback delete-data`: a wish is filed, it needs approval, and what surely cannot be is refused with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.decide.emptying import wished
from shared.decide.vaults import VAULT_TYPE
from shared.flows.requesting import run as run_request
from shared.model.identity import ResourceId
from shared.model.machine import Status
from shared.model.operation import Kind, State
from shared.model.request import Asked, Progress
from shared.model.vault import Protection, Standing
from tests.cli.running import ASKER, answer, run
from tests.fleet import NOW, SUBSCRIPTION, Fleet, empty_fleet, machine

VAULT = ResourceId(SUBSCRIPTION, "backups", VAULT_TYPE, "rsv")


def fleet(state: Standing = Standing.STOPPED) -> Fleet:
    made = empty_fleet()
    off = replace(machine(1, "web-1", Status.EXCLUDED), protection=Protection(state, "", NOW, vault=VAULT))
    made.put(off)
    return made


def test_a_wish_is_filed_and_needs_approval() -> None:
    estate = fleet()
    result = run(estate, "delete-data", "web-1", "--because", "it was a test", "--output", "json")
    assert result.exit_code == 4
    request = estate.world.requests.find(answer(result)["id"])
    assert request is not None
    assert (request.asked, request.by, request.reason) == (Asked.DELETE_DATA, ASKER, "it was a test")
    run_request(estate.world, estate.rules, request.id)
    settled = estate.world.requests.find(request.id)
    assert settled is not None
    assert (settled.progress, settled.operation) == (Progress.TAKEN, wished(machine(1, "web-1"), request).id)
    assert "tagback approve web-1" in settled.because
    shown = answer(run(estate, "approve", "--output", "json"))
    assert [(one["vm"], one["asked_by"]) for one in shown] == [("web-1", None)]
    [job] = answer(run(estate, "jobs", "--output", "json"))
    assert (job["kind"], job["state"]) == (Kind.EMPTY.value, State.NEEDS_PERSON.value)


def test_a_person_is_told_who_has_to_agree() -> None:
    printed = run(fleet(), "delete-data", "web-1", "--because", "it was a test").stdout
    assert "Two people have to agree to it: `tagback approve web-1`." in printed


@pytest.mark.parametrize("state", [one for one in Standing if one is not Standing.STOPPED], ids=str)
def test_only_what_is_stopped_is_deleted(state: Standing) -> None:
    result = run(fleet(state), "delete-data", "web-1", "--because", "it was a test")
    assert (result.exit_code, "only what a vault of ours has stopped to protect" in result.stderr) == (2, True)
    assert state.value in result.stderr


@pytest.mark.parametrize(
    ("words", "code"), [(["web-1"], 2), (["web-1", "--because", " "], 2), (["nobody", "--because", "x"], 3)]
)
def test_it_is_said_of_whom_and_why(words: list[str], code: int) -> None:
    assert run(fleet(), "delete-data", *words).exit_code == code
