"""Machines whose disks were taken as one: every mode brings back what the restore point holds, and so does a drill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from shared.flows.asking import filed, new_request
from shared.model.drill import Trial
from shared.model.identity import COLLECTION_TYPE, ResourceId
from shared.model.machine import Machine
from shared.model.point import Engine
from shared.model.request import Asked, Progress
from shared.model.restore import RestoreMode, RestoreOrder
from tests.restore.estate import Estate, Wanted, disks_of
from tests.restore.test_drills import of_drills, sums

COUNTS = (1, 4)  # how many disks there are makes no difference between engines: test_modes.py has every number


@pytest.fixture
def whole(estate: Estate) -> Estate:
    """The installation, with plans that take all disks of a machine at one instant."""
    plans = estate.rules.plans
    by_name = {name: replace(plan, engine=Engine.RESTORE_POINT) for name, plan in plans.by_name.items()}
    return replace(estate, rules=replace(estate.rules, plans=replace(plans, by_name=by_name)))


def taken(estate: Estate, *machines: ResourceId) -> list[Machine]:
    """The machines registered, each with one complete point that is a restore point."""
    rows = estate.protected(*machines)
    points = [held.row for row in rows for held in estate.world.ledger.points(row.shard, row.uid)]
    assert [(point.complete, point.parts[0].id.type) for point in points] == [(True, COLLECTION_TYPE)] * len(rows)
    return rows


def overwritten(estate: Estate, *machines: ResourceId) -> None:
    for machine in machines:
        for place in disks_of(estate.body(machine)).values():
            estate.write(place, "written since")


def restored(estate: Estate, rows: list[Machine], mode: RestoreMode) -> Mapping[str, object]:
    """Everything that there is once all of them are restored."""
    done = estate.carried(*(estate.asked(row, RestoreOrder(mode)) for row in rows))
    assert [one.progress for one in done] == [Progress.DONE] * len(done), done
    return estate.state()


@pytest.mark.parametrize("mode", [RestoreMode.REBUILD, RestoreMode.NEW, RestoreMode.IN_PLACE])
def test_machines_of_one_and_of_four_disks_come_back_from_restore_points(whole: Estate, mode: RestoreMode) -> None:
    machines = whole.machines([Wanted(disks=count) for count in COUNTS])
    rows, held, before = taken(whole, *machines), whole.contents(*machines), whole.state()
    if mode is RestoreMode.REBUILD:
        whole.delete(*machines)
    else:
        overwritten(whole, *machines)
    after = restored(whole, rows, mode)
    places = [f"{before[str(machine)]['id']}-restored" if mode is RestoreMode.NEW else machine for machine in machines]
    assert whole.contents(*places) == held
    made = {disk.lower() for place in places for disk in disks_of(whole.body(place)).values()}
    sources = {str(body_of(after[disk])["creationData"]["sourceResourceId"]).lower() for disk in made}
    assert len(sources) == sum(COUNTS)
    assert all("/diskrestorepoints/" in source for source in sources)


def body_of(thing: object) -> Mapping[str, Mapping[str, object]]:
    assert isinstance(thing, dict)
    found: Mapping[str, Mapping[str, object]] = thing["properties"]
    return found


def test_a_drill_takes_its_disks_from_the_restore_point_and_leaves_nothing(whole: Estate) -> None:
    machine = whole.machine(Wanted(disks=2))
    [row] = taken(whole, machine)
    overwritten(whole, machine)
    since = whole.contents(machine)
    trial = Trial(1800, "sha256sum os/0 1/7", sums(whole, machine))
    request = new_request(whole.world, Asked.DRILL, row.shard, row.uid, "person")
    [done] = whole.carried(filed(whole.world, replace(request, order=RestoreOrder(RestoreMode.DRILL, trial=trial))))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    assert all(source.snapshot.type == COLLECTION_TYPE for source in done.restore.sources)
    given = whole.row(machine).drill
    assert given is not None
    assert given.proven
    assert whole.row(machine).last_verified == given.at
    assert (whole.contents(machine), of_drills(whole)) == (since, [])
