"""Compares what the command line tells with what is known to be so. Used by the demo and the end-to-end tests."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from local.demo.report import CommandLine, Screen
from local.demo.story import SLOT, Finding, Story

ASKED_FOR = "web-1"
DONE_WITHIN = timedelta(hours=1)


def status_is_told(story: Story, tagback: CommandLine) -> Finding:
    """Every machine's status as the story has it, for machines whose story was played to its end."""
    finding = Finding()
    answer = tagback.run("status", "--output", "json")
    try:
        machines = answer.document()["machines"]
    except (json.JSONDecodeError, KeyError):
        finding.expect(False, f"no JSON document: {answer.output[:200]} {answer.errors[-300:]}", "tagback status")
        return finding
    told = {}
    for entry in sorted(machines, key=lambda entry: entry["status"] != "gone"):
        told[str(entry["id"]).lower()] = entry  # a machine made again stands beside its gone namesake
    for machine in story.scenario.machines:
        if any(story.scenario.start + turn.at >= story.end for turn in machine.turns):
            continue
        entry = told.get(machine.id.lower(), {"status": "not listed", "because": ""})
        what = f"is told to be {entry['status']} ({entry['because']}), is {machine.status}"
        finding.expect(entry["status"] == machine.status, what, machine.name)
        finding.expect(bool(entry["because"]), "no reason is told", machine.name)
    troubled = any(machine.status in ("unprotected", "degraded") for machine in story.scenario.machines)
    finding.expect(answer.code == int(troubled), f"exit code {answer.code}", "tagback status")
    return finding


def ask_on_demand(screen: Screen, tagback: CommandLine) -> None:
    """A person asks for a recovery point now."""
    answer = tagback.run("backup", ASKED_FOR)
    said = " ".join((answer.output + answer.errors).split())
    screen.line(f"$ tagback backup {ASKED_FOR}  ->  {said} (exit {answer.code})")


def the_asked_point_is_there(asked: datetime, tagback: CommandLine) -> Finding:
    """The point asked for is complete."""
    finding = Finding()
    points = tagback.run("points", ASKED_FOR, "--output", "json").document()
    slots = [datetime.fromisoformat(point["slot"]) for point in points if point["complete"]]
    there = any(asked <= slot + timedelta(minutes=1) and slot <= asked + DONE_WITHIN for slot in slots)
    finding.expect(there, "no complete point of the time it was asked for", ASKED_FOR, asked.strftime(SLOT))
    return finding
