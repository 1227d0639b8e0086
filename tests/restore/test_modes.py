"""Every mode, over one to four disks: what comes back holds what was captured, and nothing else changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.request import Progress, Request
from shared.model.restore import RestoreMode, RestoreOrder
from tests.restore.estate import NET, VM, Contents, Estate, Wanted, disks_of

COUNTS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Fleet:
    """Machines of one to four disks, as they were when their points were taken."""

    machines: list[ResourceId]
    rows: list[Machine]
    bodies: list[Any]
    held: list[Contents]


def fleet(estate: Estate) -> Fleet:
    machines = estate.machines([Wanted(disks=count) for count in COUNTS])
    rows, held = estate.protected(*machines), estate.contents(*machines)
    assert [len({str(content) for content in each.values()}) for each in held] == list(COUNTS)
    return Fleet(machines, rows, [estate.body(machine) for machine in machines], held)


def restored(estate: Estate, known: Fleet, mode: RestoreMode) -> list[Request]:
    done = estate.carried(*(estate.asked(row, RestoreOrder(mode)) for row in known.rows))
    assert [one.progress for one in done] == [Progress.DONE] * len(done), done
    return done


def attached(body: Any) -> dict[int | None, tuple[Any, ...]]:
    """How each disk is attached, by its LUN."""
    profile = body["properties"]["storageProfile"]
    found: dict[int | None, tuple[Any, ...]] = {
        disk["lun"]: (disk["caching"], disk["deleteOption"]) for disk in profile["dataDisks"]
    }
    return found | {None: (profile["osDisk"]["caching"], profile["osDisk"]["deleteOption"])}


def power(estate: Estate, machine: object) -> str:
    view = estate.ask("GET", f"{machine}/instanceView", version=VM)
    return next(str(each["code"]) for each in view["statuses"] if each["code"].startswith("PowerState/"))


def test_deleted_machines_are_rebuilt_under_their_own_names(estate: Estate) -> None:
    known = fleet(estate)
    estate.delete(*known.machines)
    restored(estate, known, RestoreMode.REBUILD)
    assert estate.contents(*known.machines) == known.held
    for machine, before in zip(known.machines, known.bodies, strict=True):
        after = estate.body(machine)
        assert (after["name"], attached(after)) == (before["name"], attached(before))
        for same in ("networkProfile", "hardwareProfile"):
            assert after["properties"][same] == before["properties"][same]
        assert after["properties"]["vmId"] != before["properties"]["vmId"]
        assert (after["tags"]["backup"], after["tags"]["Env"]) == ("off", "prod")


def test_machines_come_back_beside_those_that_are_there(estate: Estate) -> None:
    known = fleet(estate)
    for before in known.bodies:
        for place in disks_of(before).values():
            estate.write(place, "written since")
    restored(estate, known, RestoreMode.NEW)
    assert [estate.body(machine) for machine in known.machines] == known.bodies
    copies = [f"{before['id']}-restored" for before in known.bodies]
    assert estate.contents(*copies) == known.held
    for copy, before in zip(copies, known.bodies, strict=True):
        [card] = estate.body(copy)["properties"]["networkProfile"]["networkInterfaces"]
        assert card["id"] != before["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
        address = estate.ask("GET", card["id"], version=NET)["properties"]["ipConfigurations"][0]["properties"]
        assert address["subnet"]["id"] == estate.subnet("a")


def test_machines_in_place_get_the_disks_of_the_point_until_that_is_undone(estate: Estate) -> None:
    known = fleet(estate)
    for before in known.bodies:
        for place in disks_of(before).values():
            estate.write(place, "encrypted by an intruder")
    spoilt = estate.contents(*known.machines)
    done = restored(estate, known, RestoreMode.IN_PLACE)
    assert estate.contents(*known.machines) == known.held
    for machine, before in zip(known.machines, known.bodies, strict=True):
        after = estate.body(machine)
        assert (after["properties"]["vmId"], attached(after)) == (before["properties"]["vmId"], attached(before))
        assert (after["tags"], power(estate, machine)) == (before["tags"], "PowerState/running")
        for place in disks_of(before).values():
            old = estate.ask("GET", place)
            assert old["properties"]["diskState"] == "Unattached"
            assert {"tagback-restore", "tagback-expires"} <= old["tags"].keys()
    last, request = known.machines[-1], done[-1]
    undone = estate.undone(request)
    assert undone.progress is Progress.DONE, undone
    assert estate.contents(last) == spoilt[-1:]
    assert disks_of(estate.body(last)) == disks_of(known.bodies[-1])
    assert power(estate, last) == "PowerState/running"
    assert request.restore is not None
    assert [estate.find(place) for place in request.restore.makes] == [None] * 4
    for place in disks_of(known.bodies[-1]).values():
        assert "tagback-expires" not in (estate.ask("GET", place).get("tags") or {})


def test_disks_alone_come_back_beside_the_machine(estate: Estate) -> None:
    known = fleet(estate)
    done = restored(estate, known, RestoreMode.DISKS)
    state = estate.state()
    for request, held in zip(done, known.held, strict=True):
        assert request.restore is not None
        assert [state[place.lower()]["content"] for place in request.restore.makes] == list(held.values())
        for place in request.restore.makes:
            disk = state[place.lower()]
            assert disk["properties"]["diskState"] == "Unattached"
            assert (disk["properties"]["networkAccessPolicy"], disk["sku"]["name"]) == ("DenyAll", "Premium_LRS")
            assert disk["tags"]["tagback-restore"] == request.id
            assert "tagback-expires" not in disk["tags"]
    assert [estate.body(machine) for machine in known.machines] == known.bodies


@pytest.mark.parametrize("mode", [RestoreMode.REBUILD, RestoreMode.NEW, RestoreMode.DISKS])
def test_undoing_removes_what_was_made_and_nothing_else(estate: Estate, mode: RestoreMode) -> None:
    machine = estate.machine(Wanted(disks=2))
    [row] = estate.protected(machine)
    if mode is RestoreMode.REBUILD:
        estate.delete(machine)
    before = estate.state().keys()
    done = estate.restored(row, RestoreOrder(mode))
    assert done.progress is Progress.DONE, done
    assert estate.state().keys() > before
    undone = estate.undone(done)
    assert undone.progress is Progress.DONE, undone
    assert estate.state().keys() == before
