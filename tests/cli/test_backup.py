"""`tagback backup`: a request row, and then the message that names it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.flows.requesting import run as run_request
from shared.model.machine import Machine, Status
from shared.model.request import Asked, Progress
from shared.model.rules import Mode
from tests.cli.running import ASKER, answer, run
from tests.fleet import NOW, SHARD, SUBSCRIPTION, Fleet, empty_fleet, machine, uid_of, usual_fleet


def test_what_was_asked_is_recorded_and_sent() -> None:
    fleet = usual_fleet()
    result = run(fleet, "backup", "web-1", "--output", "json")
    document = answer(result)
    request = fleet.world.requests.find(document["id"])
    assert request is not None
    assert (request.asked, request.shard, request.uid, request.progress) == (
        Asked.BACKUP,
        SHARD,
        uid_of(1),
        Progress.ASKED,
    )
    assert (request.by, request.at) == (ASKER, NOW)
    (message,) = fleet.stage.queues.messages.values()
    assert (message.queue, message.text) == ("requests", f'{{"request": "{document["id"]}"}}')
    assert (list(document), result.exit_code) == (["id"], 0)


def test_a_person_is_told_how_to_watch_it() -> None:
    usual = usual_fleet()
    result = run(usual, "backup", "web/web-1")
    assert result.stdout.startswith("Asked for a recovery point of web-1: request ")
    assert "`tagback points web-1`" in result.stdout
    request = next(iter(usual.stage.requests.asked))
    assert f"`tagback request {request}`" in result.stdout


def test_nothing_is_asked_for_a_machine_that_was_never_seen() -> None:
    fleet = usual_fleet()
    assert run(fleet, "backup", "nobody").exit_code == 3
    assert not fleet.stage.requests.asked
    assert not fleet.stage.queues.messages


REFUSED = [
    ("never asked for", machine(1, "web-1", Status.EXCLUDED), "it has no tag 'backup'"),
    ("opted out", replace(machine(1, "web-1", Status.EXCLUDED), tags={"backup": "off"}), "its tag backup is off"),
    ("misnamed", replace(machine(1, "web-1"), tags={"backup": "slver"}, plan=""), "names no plan; allowed: silver"),
    ("gone", machine(1, "web-1", Status.GONE), "no VM of this vmId exists"),
    ("absent", replace(machine(1, "web-1"), absent_since=NOW), "found nothing under its id; it is gone when a second"),
    ("no disk", replace(machine(1, "web-1"), disks=(), unsupported=("OS disk: ephemeral",)), "OS disk: ephemeral"),
]


@pytest.mark.parametrize(("one", "reason"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_machine_that_no_plan_takes_is_refused_at_once_with_the_reason(one: Machine, reason: str) -> None:
    fleet = empty_fleet()
    fleet.put(one)
    result = run(fleet, "backup", "web-1", "--output", "json")
    [problem] = answer(result)["problems"]
    assert problem.startswith("web-1 cannot be backed up: ")
    assert reason in problem
    assert (result.exit_code, dict(fleet.stage.requests.asked), len(fleet.stage.queues.messages)) == (2, {}, 0)


def test_a_machine_that_is_only_observed_is_refused_at_once() -> None:
    fleet = Fleet(usual_fleet().stage, replace(usual_fleet().rules, subscriptions={SUBSCRIPTION: Mode.OBSERVE}))
    result = run(fleet, "backup", "web-1")
    assert (result.exit_code, "only observed" in result.stderr) == (2, True)


def test_what_became_of_a_request_can_be_seen() -> None:
    fleet = usual_fleet()
    request = answer(run(fleet, "backup", "web-1", "--output", "json"))["id"]
    assert "asked" in run(fleet, "request", request).stdout.splitlines()[1]
    run_request(*fleet.open(), request)
    document = answer(run(fleet, "request", request, "--output", "json"))
    assert (document["progress"], document["outcome"]["state"]) == ("taken", "intended")
    assert run(fleet, "request", request).stdout.splitlines()[-1].endswith(f"asked for by {ASKER}")


def test_a_request_that_was_refused_later_says_why() -> None:
    fleet = usual_fleet()
    request = answer(run(fleet, "backup", "web-1", "--output", "json"))["id"]
    observed = Fleet(fleet.stage, replace(fleet.rules, subscriptions={SUBSCRIPTION: Mode.OBSERVE}))
    run_request(*observed.open(), request)
    lines = run(fleet, "request", request).stdout.splitlines()
    assert lines[1].startswith("refused: no plan takes it")
    assert len(lines) == 2


@pytest.mark.parametrize("text", ["none", "a/b", "x#y", "", "\x01"])
def test_a_request_that_does_not_exist_is_not_found(text: str) -> None:
    assert run(usual_fleet(), "request", text).exit_code == 3
