"""`tagback restore --from-azure`: the tables are deleted and no app runs; Azure alone brings the machine back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.cloud.storage import Storage
from shared.errors import Unavailable
from shared.flows import direct
from shared.model.request import Progress
from shared.model.restore import RestoreMode, RestoreOrder
from tests.cli.running import answer, run_with
from tests.restore.estate import Estate, Wanted


class LostModels:
    """The storage account is gone."""

    def keep(self, model: object) -> str:
        raise Unavailable("NameResolutionError", "no such account")

    def load(self, reference: str) -> dict[str, object]:
        raise Unavailable("NameResolutionError", "no such account")


def lose_every_table(storage: Storage) -> None:
    for name in ("ledger", "shards"):
        storage.table(name).delete_table()


def test_a_deleted_machine_comes_back_when_the_tables_are_deleted_and_no_app_runs(
    estate: Estate, storage: Storage
) -> None:
    machine = estate.machine(Wanted(disks=3))
    estate.protected(machine)
    held = estate.contents(machine)
    estate.delete(machine)
    lose_every_table(storage)
    words = ("restore", machine.name, "--from-azure", "--output", "json")
    result = run_with(lambda: (estate.world, estate.rules), *words)
    assert result.exit_code == 0, result.stderr
    told = answer(result)
    assert (told["progress"], told["stages"][-1]["state"]) == ("done", "done")
    assert estate.contents(machine) == held
    assert estate.body(machine)["tags"]["backup"] == "off"
    again = run_with(lambda: (estate.world, estate.rules), *words)
    assert (again.exit_code, answer(again)["id"]) == (0, told["id"]), "the same command finds what it made"
    assert estate.contents(machine) == held


def test_what_was_begun_by_a_command_that_died_is_gone_on_with(estate: Estate) -> None:
    machine = estate.machine(Wanted(disks=2))
    estate.protected(machine)
    held = estate.contents(machine)
    estate.delete(machine)
    order = RestoreOrder(RestoreMode.REBUILD)

    class Died(Exception):
        pass

    for looks in (1, 2):
        left = [looks]

        def die(_: object, left: list[int] = left) -> None:
            left[0] -= 1
            if not left[0]:
                raise Died

        world = direct.alone(estate.world)
        found = direct.meant(direct.remembered(world, estate.rules), machine.name)
        with pytest.raises(Died):
            direct.restore(world, estate.rules, found, order, die)
    before = estate.state().keys()
    world = direct.alone(estate.world)
    found = direct.meant(direct.remembered(world, estate.rules), machine.name)
    done = direct.restore(world, estate.rules, found, order, lambda _: None)
    assert done.progress is Progress.DONE, done
    assert estate.contents(machine) == held
    assert done.restore is not None
    assert {place.lower() for place in done.restore.makes} <= estate.state().keys()
    new = estate.state().keys() - before
    assert new <= {place.lower() for place in done.restore.makes}, "nothing was made twice"


def test_without_any_model_the_disks_come_back_and_a_machine_is_refused_with_the_reason(estate: Estate) -> None:
    machine = estate.machine(Wanted(disks=2))
    estate.protected(machine)
    [held] = estate.contents(machine)
    estate.delete(machine)
    lost = replace(estate.world, models=LostModels())
    refused = run_with(lambda: (lost, estate.rules), "restore", machine.name, "--from-azure")
    assert refused.exit_code == 2
    assert "only its disks can be brought back: --mode disks" in refused.stderr
    words = ("restore", machine.name, "--from-azure", "--mode", "disks", "--output", "json")
    told = answer(run_with(lambda: (lost, estate.rules), *words))
    assert told["progress"] == "done"
    state = estate.state()
    assert [state[place.lower()]["content"] for place in told["makes"]] == list(held.values())
    again = run_with(lambda: (lost, estate.rules), *words[:-2])
    assert f"delete by hand what is tagged tagback-restore = {told['id']}" in again.stdout
