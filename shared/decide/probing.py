"""What one look at the machine of a drill says: it runs, its agent is ready, its command wrote what it should. Pure.

Called by flows/proving.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.decide.subtraction import Body, at
from shared.decide.swapping import power
from shared.model.drill import Trial
from shared.model.restore import ArmPath

COMMAND_NAME = "tagback-drill"
SHOWN = 200  # characters of what a command wrote that are kept as evidence
READY = "ready"
# How a managed run command stands [sdk: ExecutionState]; any other state is one in which it goes on.
OVER = frozenset({"succeeded", "failed", "timedout", "canceled"})


class Seen(StrEnum):
    """What a look came to."""

    PROVEN = "proven"
    NOT_YET = "not yet"
    REFUTED = "refuted"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, in words that are kept as evidence or, where it is not as it should be, as the reason."""

    seen: Seen
    words: str


def booted(machine: Body) -> Finding:
    """Whether a machine runs, and its agent reports that it is ready [azure-facts 3.6]."""
    state = power(machine)
    if state != "running":
        return Finding(Seen.NOT_YET, f"its power state is {state or 'unknown'}")
    agent = at(machine, "properties.instanceView.vmAgent") or {}
    said = [str(status.get("displayStatus") or "").strip() for status in agent.get("statuses") or ()]
    if not any(word.lower() == READY for word in said):
        return Finding(Seen.NOT_YET, f"it runs, and its agent is {' and '.join(filter(None, said)) or 'silent'}")
    return Finding(Seen.PROVEN, f"it runs, and its agent {agent.get('vmAgentVersion', 'of no version')} is ready")


def command_place(machine: ArmPath) -> ArmPath:
    """A managed run command: found again by its name, so that it is run once."""
    return ArmPath(f"{machine}/runCommands/{COMMAND_NAME}")


def command_body(trial: Trial, region: str) -> dict[str, Any]:
    """The command, with the time that it may take."""
    properties = {"source": {"script": trial.command}, "timeoutInSeconds": trial.boot_seconds, "asyncExecution": False}
    return {"location": region, "properties": properties}


def commanded(command: Body, trial: Trial) -> Finding:
    """Whether the command ended as it should."""
    view = at(command, "properties.instanceView") or {}
    state = str(view.get("executionState") or "").strip()
    if state.lower() not in OVER:
        return Finding(Seen.NOT_YET, f"its command is {state or 'not begun'}")
    wrote, code = str(view.get("output") or "").strip(), view.get("exitCode")
    shown = f"it wrote {wrote[:SHOWN]!r}" if wrote else "it wrote nothing"
    if state.lower() != "succeeded" or code not in (0, None):
        return Finding(Seen.REFUTED, f"its command {state.lower()} with exit code {code}: {shown}")
    if trial.expects and trial.expects not in wrote:
        return Finding(Seen.REFUTED, f"its command did not write {trial.expects!r}: {shown}")
    return Finding(Seen.PROVEN, f"its command ended with exit code {code}: {shown}")


def out_of_time(trial: Trial, since: datetime, now: datetime) -> bool:
    """Whether a machine that is there since an instant has had all the time that its trial gives it."""
    return now >= since + timedelta(seconds=trial.boot_seconds)
