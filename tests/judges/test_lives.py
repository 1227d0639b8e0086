"""What a machine asked for, from when to when, as the judges read it from the script."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from local.judges.evidence import Evidence
from local.judges.lives import Machine, machines
from local.judges.script import Script

PLANS = """
default = "a"
[plans.a.snapshots]
at = ["02:00"]
keep = "7d"
[plans.b.snapshots]
at = ["03:00"]
keep = "7d"
"""
ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m"
THERE = ID.replace("/g/", "/other/")


def day(number: int) -> str:
    return f"2027-03-{number:02}T00:00:00+00:00"


def vm(born: int = 1, gone: int | None = None, place: str = ID) -> dict[str, Any]:
    storage = {"osDisk": {"managedDisk": {"id": f"{ID}-disk"}}}
    return {
        "id": place, "name": "m", "type": "Microsoft.Compute/virtualMachines", "location": "westeurope",
        "properties": {"vmId": f"U{born}", "storageProfile": storage}, "born": day(born), "gone": gone and day(gone),
    }  # fmt: skip


def disk() -> dict[str, Any]:
    kind = {"id": f"{ID}-disk", "type": "Microsoft.Compute/disks", "properties": {"uniqueId": "D"}}
    return {**kind, "born": day(1), "gone": None}


def lives(resources: list[dict[str, Any]], acts: list[dict[str, Any]], mode: str = "") -> tuple[Machine, ...]:
    begin = {"do": "begin", "at": day(1), "until": day(31), "subscriptions": [f"s{mode}"]}
    script = Script((begin, {"do": "plans", "at": day(1), "text": PLANS}, *acts))
    return machines(Evidence((), (), (), (), (*resources, disk()), ()), script)


def tagged(at: int, place: str = ID, **tags: str) -> dict[str, Any]:
    return {"do": "tag", "at": day(at), "machine": place, "tags": tags}


def told(machine: Machine) -> list[tuple[int, int, str]]:
    return [(one.since.day, one.until.day, one.plan.name if one.plan else "") for one in machine.stretches]


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([tagged(1, Backup="A")], [(1, 31, "a")]),
        ([tagged(1, backup="on"), tagged(9, backup="b")], [(1, 9, "a"), (9, 31, "b")]),
        ([tagged(1, backup="a"), tagged(9, backup="off")], [(1, 9, "a"), (9, 31, "")]),
        ([tagged(1, backup="a"), tagged(9)], [(1, 9, "a"), (9, 31, "")]),
        ([tagged(1, backup="a"), tagged(9, backup="typo")], [(1, 9, "a"), (9, 16, "a"), (16, 31, "")]),
        ([tagged(1, backup="typo")], [(1, 31, "")]),
        (
            [tagged(1, backup="a"), tagged(9, backup="x"), tagged(12, backup="b")],
            [(1, 9, "a"), (9, 12, "a"), (12, 31, "b")],
        ),
    ],
    ids=["case", "another plan", "off", "untagged", "typo", "never good", "typo mended"],
)
def test_tags_are_followed(acts: list[dict[str, Any]], expected: list[tuple[int, int, str]]) -> None:
    assert told(lives([vm()], acts)[0]) == expected


def test_each_incarnation_has_the_tags_of_its_own_time() -> None:
    first, second = lives([vm(1, 9), vm(11)], [tagged(1, backup="a"), tagged(11, backup="b")])
    assert (told(first), told(second)) == ([(1, 9, "a")], [(11, 31, "b")])


def test_a_machine_that_moved_keeps_what_it_asked_for_before() -> None:
    moved = {"do": "move", "at": day(9), "until": day(9), "machine": ID, "to": THERE}
    machine = lives([vm(place=THERE)], [tagged(1, backup="a"), moved, tagged(12, THERE, backup="b")])[0]
    assert told(machine) == [(1, 12, "a"), (12, 31, "b")]


def test_a_machine_that_moved_is_one_machine_and_not_gone() -> None:
    moved = {"do": "move", "at": day(9), "until": day(9), "machine": ID, "to": THERE}
    for places in ([vm(gone=9), vm(place=THERE)], [vm(place=THERE), vm(gone=9)]):
        [machine] = lives(places, [tagged(1, backup="a"), moved])
        assert (machine.id, machine.gone, told(machine)) == (THERE.lower(), None, [(1, 31, "a")])
    [machine] = lives([vm(gone=9), vm(place=THERE, gone=12)], [tagged(1, backup="a"), moved])
    assert (machine.id, told(machine)) == (THERE.lower(), [(1, 12, "a")])


def test_nothing_is_asked_of_a_subscription_that_is_only_observed() -> None:
    assert told(lives([vm()], [tagged(1, backup="a")], "=observe")[0]) == [(1, 31, "")]


def test_a_new_plans_file_counts_from_its_day() -> None:
    other = {"do": "plans", "at": day(20), "text": PLANS.replace("plans.a", "plans.c").replace('"a"', '"c"')}
    machine = lives([vm()], [tagged(1, backup="on"), other])[0]
    assert told(machine) == [(1, 20, "a"), (20, 31, "c")]


def test_asked_is_asked_all_the_time() -> None:
    machine = lives([vm()], [tagged(1, backup="a"), tagged(9, backup="off")])[0]
    moment = datetime(2027, 3, 1, tzinfo=UTC)
    assert machine.asked(moment, moment.replace(day=8))
    assert not machine.asked(moment, moment.replace(day=10))
    assert not machine.asked(moment.replace(year=2026), moment)


def test_a_script_without_beginning_or_plans_is_refused() -> None:
    with pytest.raises(ValueError, match="begin"):
        Script(())
    with pytest.raises(ValueError, match="plans"):
        Script(({"do": "begin", "at": day(1), "until": day(2), "subscriptions": []},))
