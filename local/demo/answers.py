"""Compares what the command line tells with what is known to be so. Used by the demo and the end-to-end tests."""

from __future__ import annotations

import json

from local.demo.report import CommandLine
from local.demo.story import Finding, Story


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
