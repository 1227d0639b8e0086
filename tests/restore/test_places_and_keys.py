"""Machines in a zone and in an availability set, under a customer's key: every mode keeps place, key and contents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.flows.asking import filed, new_request
from shared.model.drill import Trial
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.request import Asked, Progress, Request
from shared.model.restore import RestoreMode, RestoreOrder
from tests.restore.estate import VM, Contents, Estate, Wanted, disks_of
from tests.restore.test_drills import of_drills, sums

HERE = {"location": "westeurope"}
KEYS = "2024-03-02"


@pytest.fixture(scope="module")
def key(estate: Estate) -> str:
    place = f"{estate.compute}/diskEncryptionSets/of-the-customer"
    vault = {"id": f"{estate.group}/providers/Microsoft.KeyVault/vaults/v"}
    active = {"keyUrl": "https://vault.example/keys/k/1", "sourceVault": vault}
    body = {**HERE, "identity": {"type": "SystemAssigned"}, "properties": {"activeKey": active}}
    estate.ask("PUT", place, body, KEYS)
    estate.running.advance(60)
    return place.lower()


@pytest.fixture(scope="module")
def machines(estate: Estate, key: str) -> list[ResourceId]:
    """One in a zone with two disks, one in an availability set with three."""
    pair = f"{estate.compute}/availabilitySets/twins"
    estate.ask("PUT", pair, {**HERE, "sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2}}, VM)
    made = estate.machines(
        [Wanted(disks=2, top={"zones": ["2"]}), Wanted(disks=3, properties={"availabilitySet": {"id": pair}})]
    )
    encryption = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": key}
    for machine in made:
        for disk in disks_of(estate.body(machine)).values():
            estate.ask("PATCH", disk, {"properties": {"encryption": encryption}})
    estate.running.advance(60)
    return made


@pytest.fixture(scope="module")
def rows(estate: Estate, machines: list[ResourceId]) -> list[Machine]:
    return estate.protected(*machines)


@pytest.fixture(scope="module")
def before(estate: Estate, machines: list[ResourceId], rows: list[Machine]) -> list[Contents]:
    """What was on their disks when the points were taken; since then they were written over."""
    found = estate.contents(*machines)
    for machine in machines:
        for place in disks_of(estate.body(machine)).values():
            estate.write(place, "encrypted by an intruder")
    return found


def restored(estate: Estate, rows: list[Machine], **said: Any) -> list[Request]:
    done = estate.carried(*(estate.asked(row, RestoreOrder(**said)) for row in rows))
    assert [one.progress for one in done] == [Progress.DONE] * len(done), done
    return done


def is_as_it_was(estate: Estate, machine: str, before: Any, key: str) -> None:
    after = estate.body(machine)
    assert after.get("zones") == before.get("zones")
    own = before["properties"].get("availabilitySet")
    assert str(after["properties"].get("availabilitySet")).lower() == str(own).lower()
    for disk in disks_of(after).values():
        disk_is_alike(estate, disk, before.get("zones"), key)


def disk_is_alike(estate: Estate, disk: str, zones: object, key: str) -> None:
    seen = estate.ask("GET", disk)
    assert (seen.get("zones"), seen["properties"]["encryption"]["diskEncryptionSetId"].lower()) == (zones, key)


def test_disks_alone(estate: Estate, rows: list[Machine], before: list[Contents], key: str) -> None:
    done, state = restored(estate, rows, mode=RestoreMode.DISKS), estate.state()
    for request, row, was in zip(done, rows, before, strict=True):
        assert request.restore is not None
        assert [state[place.lower()]["content"] for place in request.restore.makes] == list(was.values())
        for place in request.restore.makes:
            disk_is_alike(estate, place, estate.body(row.id).get("zones"), key)


def test_beside_and_in_place(estate: Estate, rows: list[Machine], before: list[Contents], key: str) -> None:
    bodies = [estate.body(row.id) for row in rows]
    restored(estate, rows, mode=RestoreMode.NEW)
    restored(estate, rows, mode=RestoreMode.IN_PLACE)
    for places in ([f"{body['id']}-restored" for body in bodies], [str(row.id) for row in rows]):
        assert estate.contents(*places) == before
        for place, body in zip(places, bodies, strict=True):
            is_as_it_was(estate, place, body, key)


def test_lent_to_another_machine(estate: Estate, rows: list[Machine], before: list[Contents], key: str) -> None:
    reader = estate.machine(Wanted(disks=1, top={"zones": ["2"]}))
    [done] = restored(estate, rows[:1], mode=RestoreMode.FILES, reader=str(reader))
    assert done.restore is not None
    [there] = estate.contents(reader)
    assert {one.was: there[one.lun] for one in done.restore.lent} == before[0]
    for one in done.restore.lent:
        disk_is_alike(estate, one.disk, ["2"], key)


def test_drilled(estate: Estate, machines: list[ResourceId], rows: list[Machine], before: list[Contents]) -> None:
    orders = [
        RestoreOrder(RestoreMode.DRILL, trial=Trial(1800, "sha256sum os/0", sums(estate, one))) for one in machines
    ]
    for row, order in zip(rows, orders, strict=True):
        asked = new_request(estate.world, Asked.DRILL, row.shard, row.uid, "person")
        [done] = estate.carried(filed(estate.world, replace(asked, order=order)))
        assert done.progress is Progress.DONE, done
    assert of_drills(estate) == []
