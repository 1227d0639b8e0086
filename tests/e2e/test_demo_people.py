"""What people do in the demo, on real parts: a machine is put back in place and changed back, and two want one name."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

from local.demo import in_place, rivals
from local.demo.cast import Cast
from local.demo.scenario import MachineStory
from tests.e2e.night import night


def there_and_back(cast: Cast, machine: MachineStory) -> None:
    in_place.undo(cast, machine, in_place.swap(cast, machine, cast.now()))


def test_a_machine_is_put_back_and_changed_back_and_nobody_takes_the_name_of_another(tmp_path: Path) -> None:
    with night(tmp_path, ["web-1"]) as played:
        cast, start, [machine] = played.cast, played.scenario.start, played.scenario.machines
        cast.at(start + timedelta(minutes=20), "race", partial(rivals.race, cast, machine, "spare-1"))
        cast.at(start + timedelta(minutes=100), "swap", partial(there_and_back, cast, machine))
        played.conductor.run(played.end)
        world, findings = played.judged()
    assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
    swap, undo = world.script.of("swap")
    assert swap.said["before"] == undo.said["after"]
    assert set(swap.said["before"]).isdisjoint(swap.said["after"])
    spare = [call for call in world.calls if call["method"] == "PUT" and "/virtualMachines/spare-1" in call["path"]]
    assert [call["status"] for call in spare] == [412]
    assert len(world.wholes) == 3, "at its enrolment, in the midst of the restore, and at its slot"
