"""Scenes of the demo on real parts: what they show is so, what is counted is what happened, every promise holds."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from local.demo import counts
from local.demo.scenes import killed_in_a_put, rebuilt_from_azure
from tests.e2e.night import night


def test_a_kill_in_the_middle_of_a_put_is_adopted_and_lost_tables_come_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with night(tmp_path, ["web-1", "phoenix-1", "bare-1"]) as played:
        cast, start = played.cast, played.scenario.start
        cast.at(start + timedelta(minutes=45), "kill", partial(killed_in_a_put, cast))
        cast.at(start + timedelta(minutes=130), "rebuild", partial(rebuilt_from_azure, cast))
        played.conductor.run(played.end)
        rules = played.observer.simulator("faults")
        world, findings = played.judged()
    assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
    log = (tmp_path / "run" / "logs" / "host.log").read_text()
    assert counts.adopted(world, rules) == log.count("part.adopted ") >= 1, "as many as the product says"
    assert counts.faults(world, rules)["F16"] == 1
    told = capsys.readouterr().out
    assert "the answer was lost and the snapshot is ours" in told
    assert "The snapshot was asked for 1 time." in told
    assert "$ tagback rebuild" in told
    [kill] = world.script.of("kill")
    assert kill.said["mid_put"] is True
    assert len(world.wholes) == 4, "two machines, each at its enrolment and at its slot"
