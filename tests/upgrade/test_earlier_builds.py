"""This build goes on where any earlier one left off, and the way back is open."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice, pairwise
from typing import Any

import pytest
from azure.data.tables import TableServiceClient

from local.azurite.server import Azurite
from shared.cloud.chance import SystemChance
from shared.cloud.ledger import LEDGER, TableLedger
from shared.cloud.requests import TableRequests
from shared.cloud.rows import SCHEMA, entity_of
from shared.cloud.slices import FIRST, partition
from shared.cloud.storage import Storage
from shared.errors import NewerRows
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.flows.retrying import ask_retry
from shared.messages import parse_request, parse_shard, parse_vm
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import State
from shared.model.request import Progress
from shared.model.rules import Mode
from tests.cli.running import answer, run
from tests.fleet import NOW, RULES, SHARD, Fleet, empty_fleet
from tests.rows import full_machine, full_operation, full_point
from tests.upgrade.builds import BUILDS, DERIVED, KINDS, Build, read

by_build = pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)


def test_every_earlier_form_is_here_and_no_column_was_ever_taken_away() -> None:
    assert len(BUILDS) == 7
    for letter, kind in KINDS.items():
        known = [build.knows[letter] for build in BUILDS]
        assert all(before <= after for before, after in pairwise(known))
        assert known[-1] <= set(kind.__dataclass_fields__), "a column that is gone is a new version: raise SCHEMA"
    assert {row["schema"] for build in BUILDS for row in build.rows} == set(range(1, SCHEMA + 1))


@by_build
def test_what_an_earlier_build_wrote_is_written_again_as_it_was(build: Build) -> None:
    assert {row["RowKey"][0] for row in build.rows} == set(KINDS)
    for before in build.rows:
        after = entity_of(read(before), before["PartitionKey"])
        assert {name: _as_far_as(value, after.get(name)) for name, value in before.items()} == before


def _as_far_as(before: object, after: object) -> object:
    """A value without what an earlier build did not write: members of nested values that came later."""
    if not (isinstance(before, str) and isinstance(after, str) and before[:1] in ("{", "[")):
        return after
    return before if _within(json.loads(before), json.loads(after)) else after


def _within(before: object, after: object) -> bool:
    if isinstance(before, dict) and isinstance(after, dict):
        return all(name in after and _within(value, after[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_within, before, after))
    return before == after


@by_build
def test_what_this_build_writes_survives_an_earlier_one(build: Build) -> None:
    """Going back and forth again: what the earlier build does not know is lost, and has a value to begin anew with."""
    uid = VmUid("ffffffff-0000-4000-8000-000000000001")
    for row in (full_machine(SHARD, uid), full_operation(uid), full_point(SHARD, uid)):
        written = entity_of(row, "p")
        returned = build.through(written)
        again: Any = read(returned)
        unknown = {name for name in type(row).__dataclass_fields__ if name not in build.knows[returned["RowKey"][0]]}
        assert replace(again, **{name: getattr(row, name) for name in unknown}) == row
        assert DERIVED & set(returned) == DERIVED & set(written)


@dataclass
class Storehouse:
    """The ledger and the requests of an earlier build, in a shard of their own."""

    fleet: Fleet
    shard: Shard


@pytest.fixture
def store(azurite: Azurite, storage: Storage) -> Callable[[Build], Storehouse]:
    """Puts a build's rows into real tables as it had them; nothing but the subscription's id is another one."""

    def put(build: Build) -> Storehouse:
        shard = Shard(str(uuid.uuid4()), SHARD.region)
        TableLedger(storage).shards()
        with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
            ledger = tables.create_table_if_not_exists(LEDGER)
            for row in build.rows:
                asked = row["RowKey"].startswith("r|")
                key = {"PartitionKey": "requests" if asked else partition(shard, FIRST)}
                key |= {"RowKey": f"r|{shard.subscription}{row['RowKey'][2:]}"} if asked else {}
                named = {"id": key["RowKey"][2:]} if asked else {}
                moved = {name: _moved(value, shard) for name, value in {**row, **key, **named}.items()}
                ledger.upsert_entity(moved)
            tables.create_table_if_not_exists("shards").upsert_entity(
                {"PartitionKey": "shard", "RowKey": str(shard), "schema": 1}
            )
        fleet = empty_fleet()
        only = OneShard(storage, shard)
        world = replace(fleet.world, ledger=only, requests=TableRequests(storage), chance=SystemChance())
        fleet.stage.world = world
        fleet.stage.azure.subscriptions.append(shard.subscription)
        rules = replace(RULES, subscriptions={shard.subscription: Mode.ENFORCE})
        return Storehouse(Fleet(fleet.stage, rules), shard)

    return put


class OneShard(TableLedger):
    """The ledger as an installation with one shard has it: other tests' are not shown."""

    def __init__(self, storage: Storage, shard: Shard) -> None:
        super().__init__(storage)
        self._only = shard

    def shards(self) -> list[Shard]:
        return [shard for shard in super().shards() if shard == self._only]


def _moved(value: object, shard: Shard) -> object:
    return value.replace(SHARD.subscription, shard.subscription) if isinstance(value, str) else value


@by_build
def test_people_see_the_fleet_of_an_earlier_build_as_it_was(build: Build, store: Callable[[Build], Storehouse]) -> None:
    house = store(build)
    status = answer(run(house.fleet, "status", "--output", "json"))
    seen = {machine["vm"]: machine["status"] for machine in status["machines"]}
    assert (seen["web-1"], seen["jump"]) == ("protected", "excluded")
    points = answer(run(house.fleet, "points", "web-1", "--output", "json"))
    assert [point["complete"] for point in points] == [True, True]
    jobs = {(job["vm"], job["state"]) for job in answer(run(house.fleet, "jobs", "--output", "json"))}
    assert {("web-1", "started"), ("late-1", "needs-person")} <= jobs
    assert answer(run(house.fleet, "explain", "web-1", "--output", "json"))["plan"] == "silver"


@by_build
def test_what_an_earlier_build_was_asked_for_is_done_by_this_one(
    build: Build, store: Callable[[Build], Storehouse]
) -> None:
    house = store(build)
    world, rules = house.fleet.open()
    [text] = build.messages["requests"]
    asked = f"{house.shard.subscription}{parse_request(text)}"
    run_request(world, rules, asked)
    settled = world.requests.find(asked)
    assert settled is not None
    assert (settled.progress, settled.operation) == (Progress.TAKEN, "request-20261120T1200Z-disk")
    [shard] = {parse_shard(message) for message in build.messages["shards"]}
    assert shard == SHARD


@by_build
def test_rows_of_an_earlier_build_are_changed_under_their_etags(
    build: Build, store: Callable[[Build], Storehouse]
) -> None:
    """A machine that was not found is missed, a job that waits for a person is tried again: real transitions."""
    house = store(build)
    world, rules = house.fleet.open()
    known = {held.row.name: held.row for held in world.ledger.machines(house.shard)}
    for text in build.messages["vms"]:
        key = parse_vm(str(_moved(text, house.shard)))
        reconcile(world, rules, key)
    uid = known["web-1"].uid
    record = world.ledger.record(house.shard, uid)
    assert record is not None
    assert record.machine.row.absent_since == NOW
    assert len(world.ledger.points(house.shard, uid)) == 2
    late = known["late-1"]
    [job] = [held.row for held in world.ledger.operations(house.shard) if held.row.uid == late.uid]
    assert job.state is State.NEEDS_PERSON
    asked = ask_retry(world, late, job, "ann")
    run_request(world, rules, asked.id)
    [after] = [held.row for held in world.ledger.operations(house.shard) if held.row.uid == late.uid]
    assert after.next_look is not None
    assert after.next_look <= NOW + timedelta(minutes=1)


@by_build
def test_messages_of_an_earlier_build_are_understood_and_so_are_later_ones_with_more_in_them(build: Build) -> None:
    questions = [parse_vm(text) for text in build.messages["vms"]]
    assert [key.shard for key in questions] == [None, SHARD]
    for text, key in zip(build.messages["vms"], questions, strict=True):
        assert parse_vm(text[:-1] + ', "heard": "2026-11-20T12:00:00+00:00", "more": "later"}') == key


@pytest.mark.parametrize("letter", KINDS)
def test_rows_of_a_later_version_are_handed_back_whatever_they_hold(letter: str) -> None:
    [*_, newest] = BUILDS
    for row in newest.of(letter):
        with pytest.raises(NewerRows, match="deploy the newer one again"):
            read({**row, "schema": SCHEMA + 1, "status": 7, "slot": "never"})


@pytest.mark.parametrize(
    ("letter", "column"),
    [
        ("m", "status"),
        ("o", "state"),
        ("o", "kind"),
        ("o", "origin"),
        ("p", "state"),
        ("r", "asked"),
        ("r", "progress"),
    ],
)
def test_a_word_that_only_a_later_build_knows_is_left_to_it(letter: str, column: str) -> None:
    [*_, newest] = BUILDS
    with pytest.raises(NewerRows, match=r"'levitated' is not a valid \w+: a newer Tagback wrote it"):
        read({**newest.of(letter)[0], column: "levitated"})


def test_a_fleet_with_one_row_of_a_later_build_is_left_to_it(
    azurite: Azurite, store: Callable[[Build], Storehouse]
) -> None:
    house = store(BUILDS[-1])
    with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        ledger = tables.get_table_client(LEDGER)
        key = {"PartitionKey": partition(house.shard, FIRST), "RowKey": f"m|{_first(house).uid}"}
        ledger.upsert_entity({**ledger.get_entity(**_named(key)), "status": "levitated"})
    world, _ = house.fleet.open()
    shown = (held.row.name for held in world.ledger.machines(house.shard))
    assert len(list(islice(shown, 4))) == 4, "what can be read is shown first"
    with pytest.raises(NewerRows):
        next(shown)


def _first(house: Storehouse) -> Machine:
    return next(iter(house.fleet.world.ledger.machines(house.shard))).row


def _named(key: dict[str, str]) -> dict[str, str]:
    return {"partition_key": key["PartitionKey"], "row_key": key["RowKey"]}
