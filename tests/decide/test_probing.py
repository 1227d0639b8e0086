"""What a look at the machine of a drill says, and at the command that runs in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.decide.probing import Finding, Seen, booted, command_body, command_place, commanded, out_of_time
from shared.model.drill import Trial
from shared.model.restore import ArmPath

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TRIAL = Trial(1800, "check", "fine")


def machine(power: str, *agent: str, version: str = "2.11") -> dict[str, Any]:
    view: dict[str, Any] = {"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": f"PowerState/{power}"}]}
    if agent:
        view["vmAgent"] = {"vmAgentVersion": version, "statuses": [{"displayStatus": each} for each in agent]}
    return {"properties": {"instanceView": view}}


def command(**view: object) -> dict[str, Any]:
    return {"properties": {"instanceView": view}}


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        ({}, Finding(Seen.NOT_YET, "its power state is unknown")),
        (machine("starting", "Ready"), Finding(Seen.NOT_YET, "its power state is starting")),
        (machine("running"), Finding(Seen.NOT_YET, "it runs, and its agent is silent")),
        (machine("running", "Not Ready"), Finding(Seen.NOT_YET, "it runs, and its agent is Not Ready")),
        (machine("running", ""), Finding(Seen.NOT_YET, "it runs, and its agent is silent")),
        (
            machine("running", "Updating", "Not Ready"),
            Finding(Seen.NOT_YET, "it runs, and its agent is Updating and Not Ready"),
        ),
        (machine("running", "Ready"), Finding(Seen.PROVEN, "it runs, and its agent 2.11 is ready")),
        (machine("running", "Updating", "ready"), Finding(Seen.PROVEN, "it runs, and its agent 2.11 is ready")),
    ],
)
def test_a_machine_has_booted_once_it_runs_and_its_agent_is_ready(seen: dict[str, Any], found: Finding) -> None:
    assert booted(seen) == found


def test_an_agent_that_names_no_version_is_ready_all_the_same() -> None:
    seen = machine("running", "Ready")
    del seen["properties"]["instanceView"]["vmAgent"]["vmAgentVersion"]
    assert booted(seen) == Finding(Seen.PROVEN, "it runs, and its agent of no version is ready")


@pytest.mark.parametrize("state", ["Running", "Pending", "Unknown", ""])
def test_a_command_that_goes_on_says_nothing_yet(state: str) -> None:
    assert commanded(command(executionState=state), TRIAL).seen is Seen.NOT_YET
    assert commanded({}, TRIAL) == Finding(Seen.NOT_YET, "its command is not begun")


@pytest.mark.parametrize("state", ["Failed", "TimedOut", "Canceled"])
def test_a_command_that_does_not_succeed_refutes(state: str) -> None:
    found = commanded(command(executionState=state, exitCode=0, output="fine"), TRIAL)
    assert found == Finding(Seen.REFUTED, f"its command {state.lower()} with exit code 0: it wrote 'fine'")


def test_a_command_has_to_end_with_zero_and_to_write_what_is_expected() -> None:
    well = command(executionState="Succeeded", exitCode=0, output=" all fine\n")
    assert commanded(well, TRIAL) == Finding(Seen.PROVEN, "its command ended with exit code 0: it wrote 'all fine'")
    assert commanded(command(executionState="Succeeded", output="fine"), TRIAL).seen is Seen.PROVEN
    odd = commanded(command(executionState="Succeeded", exitCode=2, output="fine"), TRIAL)
    assert odd == Finding(Seen.REFUTED, "its command succeeded with exit code 2: it wrote 'fine'")
    other = commanded(command(executionState="Succeeded", exitCode=0), TRIAL)
    assert other == Finding(Seen.REFUTED, "its command did not write 'fine': it wrote nothing")
    assert commanded(command(executionState="Succeeded", exitCode=0), Trial(1800, "check")).seen is Seen.PROVEN


def test_no_more_is_kept_of_what_it_wrote_than_people_need() -> None:
    found = commanded(command(executionState="Failed", exitCode=1, output="x" * 999), TRIAL)
    assert found.words.endswith(f"it wrote {'x' * 200!r}")


def test_a_command_is_a_resource_of_the_machine_under_one_name() -> None:
    assert command_place(ArmPath("/a/virtualMachines/b")) == "/a/virtualMachines/b/runCommands/tagback-drill"
    assert command_body(TRIAL, "westeurope") == {
        "location": "westeurope",
        "properties": {"source": {"script": "check"}, "timeoutInSeconds": 1800, "asyncExecution": False},
    }


def test_a_trial_ends_when_its_time_is_over() -> None:
    assert not out_of_time(TRIAL, NOW, NOW + timedelta(seconds=1799))
    assert out_of_time(TRIAL, NOW, NOW + timedelta(seconds=1800))
