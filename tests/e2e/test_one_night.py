"""A VM tagged in Azure is registered, captured at its slot, and told about: the whole product, for real."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.e2e.night import Night, night

KIBIBYTE = 1024


def test_a_tagged_vm_has_a_complete_point_after_its_first_night(tmp_path: Path) -> None:
    told = tmp_path / "telemetry.jsonl"
    settings = {"TAGBACK_TELEMETRY": str(told), "TAGBACK_TELEMETRY_SHARE": "1"}
    with night(tmp_path, ["web-1", "data-1", "bare-1"], **settings) as played:
        played.conductor.run(played.end)
        _, findings = played.judged()
        assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
        assert findings["S2"].checked >= 1, "the slot of 02:00 was due"
        status = played.tagback.run("status", "--output", "json")
        statuses = {machine["vm"]: machine["status"] for machine in status.document()["machines"]}
        assert statuses == {"web-1": "protected", "data-1": "protected", "bare-1": "excluded"}
        assert status.code == 0
        answer = requests.get(
            f"{played.stack.host_url}/api/status",
            headers={"x-functions-key": played.stack.keys["default"]},
            timeout=30,
        )
        assert {machine["vm"]: machine["status"] for machine in answer.json()["machines"]} == statuses
        every_operation_has_one_trace(played, told.read_text(encoding="utf-8").splitlines())


def every_operation_has_one_trace(played: Night, lines: list[str]) -> None:
    """From the event over the queue to the calls, as they were made; a daily point takes less than a kibibyte."""
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for line in lines:
        span = json.loads(line)
        if "trace" in span:
            traces[span["trace"]].append(span)
            sizes[span["trace"]] += len(line) + 1
    wholes = [span for spans in traces.values() for span in spans if "parent" not in span]
    assert {whole["trace"] for whole in wholes} == set(traces), "each trace has the span of its operation"
    operations = {(whole["vm"], whole["operation"]) for whole in wholes}
    assert len(operations) == len(wholes) == len(traces), "each trace is one operation of one machine"
    by_origin: dict[str, list[str]] = defaultdict(list)
    for whole in wholes:
        by_origin[whole["operation"].partition("-")[0]].append(whole["trace"])
        assert {span["parent"] for span in traces[whole["trace"]] if span is not whole} == {whole["span"]}
    for trace in by_origin["enrolment"]:
        names = {span["name"] for span in traces[trace]}
        assert {"event", "queue vms", "GET virtualmachines", "PUT snapshots", "capture"} <= names
    assert len(by_origin["enrolment"]) == 2
    assert by_origin["slot"]
    assert max(sizes[trace] for trace in by_origin["slot"]) <= KIBIBYTE
    told = {span["resource"] for spans in traces.values() for span in spans if span["name"] == "PUT snapshots"}
    calls = [json.loads(line) for line in (played.cast.script.folder / "calls.jsonl").read_text().splitlines()]
    puts = [urlsplit(call["path"]).path.lower() for call in calls if call["method"] == "PUT"]
    assert told == {path.rpartition("/")[2] for path in puts if "/snapshots/" in path}
