"""Files from a vault over the twins: one mount at a time, whose it is, and what becomes of it when its time is over."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.errors import BadInput
from shared.flows import show_restore
from shared.flows.expiring import expire
from shared.flows.mounting import reading
from shared.flows.ordering import ask_restore, ask_undo
from shared.flows.requesting import run as run_request
from shared.model.mount import VaultMount
from shared.model.request import Asked, Progress, Request
from shared.model.vault import JobError
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.mounts import ORDER, PAUSE
from tests.world.scenes import RULES, SHARD
from tests.world.seeded import Run
from tests.world.twins.mounts import VaultMountsTwin
from tests.world.vault_scenes import VM, backed_up

HOURS = timedelta(hours=12)


@pytest.fixture
def world() -> Run:
    made = small_world()
    backed_up(made)
    return made


def asked(world: Run) -> Request:
    record = world.stage.ledger.held(SHARD, VM.uid)
    assert record is not None
    return ask_restore(world.stage.world, record.machine.row, ORDER, "person")


def undone(world: Run, done: Request) -> Request:
    return carried(world, ask_undo(world.stage.world, done.id, "person"))


def carried(world: Run, request: Request, slices: int = 4) -> Request:
    for _ in range(slices):
        perform(world, lambda ports: run_request(ports, RULES, request.id))
        pass_time(world, PAUSE)
    return world.stage.requests.asked[request.id]


def tidied(world: Run) -> list[Request]:
    """What became of everything whose time is over."""
    perform(world, lambda ports: expire(ports, RULES))
    found = [one for one in world.stage.requests.asked.values() if one.asked is Asked.TIDY]
    return [carried(world, one) for one in found]


def the_point(world: Run) -> VaultMount:
    [vault] = world.stage.vaults.all.values()
    [point] = vault.items[VM.id].points
    return VaultMount(vault.id, VM.id, point)


def mounted_by_others(world: Run) -> VaultMount:
    """Somebody has the point mounted, by other means."""
    world.stage.vaults.mounted[the_point(world)] = "theirs"
    return the_point(world)


def audited(world: Run, event: str) -> int:
    return sum(json.loads(line)["event"] == event for _, _, line in world.stage.audit.lines)


def test_a_point_is_mounted_for_twelve_hours_and_told_without_what_connects_to_it(world: Run) -> None:
    done = carried(world, asked(world))
    assert (done.progress, done.because.rpartition(" as of ")[0]) == (Progress.DONE, f"{VM.id.name} can be read")
    assert done.restore is not None
    assert done.restore.expires - done.restore.started_at == HOURS
    [(mount, operation)] = world.stage.vaults.mounted.items()
    told = show_restore.restore(done)
    assert told["mount"] == {
        "vault": str(mount.vault), "vm": str(VM.id), "point": mount.point, "operation": operation,
    }  # fmt: skip
    assert [each["stage"] for each in told["stages"]] == ["survey", "mount"]
    found = reading(world.stage.world, done.id)
    assert (found.mount, found.operation, found.until) == (mount, operation, done.restore.expires)
    assert audited(world, "restore.mounting") == 1


def test_it_is_unmounted_when_its_time_is_over_though_nobody_asks(world: Run) -> None:
    done = carried(world, asked(world))
    pass_time(world, HOURS - timedelta(hours=1))
    assert tidied(world) == []
    pass_time(world, timedelta(hours=1))
    [tidying] = tidied(world)
    assert (tidying.progress, world.stage.vaults.mounted) == (Progress.DONE, {})
    with pytest.raises(BadInput, match="is unmounted"):
        reading(world.stage.world, done.id)


def test_what_was_undone_is_not_unmounted_again_when_somebody_else_reads_the_point(world: Run) -> None:
    done = carried(world, asked(world))
    assert undone(world, done).progress is Progress.DONE
    assert world.stage.vaults.mounted == {}
    with pytest.raises(BadInput, match="is unmounted"):
        reading(world.stage.world, done.id)
    theirs = mounted_by_others(world)
    pass_time(world, HOURS)
    assert [one.progress for one in tidied(world)] == [Progress.DONE]
    assert world.stage.vaults.mounted == {theirs: "theirs"}
    assert audited(world, "restore.unmounting") == 1


def test_what_somebody_else_has_mounted_is_refused_and_stays_mounted(world: Run) -> None:
    theirs = mounted_by_others(world)
    refused = carried(world, asked(world))
    assert (refused.progress, "somebody reads files of this point already" in refused.because) == (
        Progress.REFUSED,
        True,
    )
    with pytest.raises(BadInput, match="has mounted nothing: somebody reads"):
        reading(world.stage.world, refused.id)
    pass_time(world, HOURS)
    assert [one.progress for one in tidied(world)] == [Progress.DONE]
    assert world.stage.vaults.mounted == {theirs: "theirs"}


def test_of_two_who_ask_for_the_same_point_one_is_refused(world: Run) -> None:
    first, second = asked(world), asked(world)
    perform(world, lambda ports: run_request(ports, RULES, first.id))
    assert carried(world, second, 1).progress is Progress.REFUSED
    assert carried(world, first).progress is Progress.DONE
    assert len(world.stage.vaults.ever_mounted) == 1


def test_a_later_request_ends_its_own_mount(world: Run) -> None:
    """The first one's mount was taken away by other means, and its time is over sooner."""
    carried(world, asked(world))
    world.stage.vaults.mounted.clear()
    pass_time(world, timedelta(hours=6))
    later = carried(world, asked(world))
    pass_time(world, timedelta(hours=6))
    tidied(world)
    assert reading(world.stage.world, later.id).operation in world.stage.vaults.mounted.values()
    pass_time(world, timedelta(hours=6))
    tidied(world)
    assert world.stage.vaults.mounted == {}


def test_one_whose_time_is_over_before_it_is_mounted_is_put_back(world: Run) -> None:
    request = carried(world, asked(world), 1)
    assert request.progress is Progress.ASKED
    pass_time(world, HOURS)
    failed = carried(world, request)
    assert (failed.progress, "its time was over" in failed.because) == (Progress.FAILED, True)
    assert world.stage.vaults.mounted == {}


def test_a_point_that_is_gone_is_neither_mounted_nor_looked_for(world: Run) -> None:
    done = carried(world, asked(world))
    vault = world.stage.vaults.all[the_point(world).vault]
    vault.items[VM.id].points.clear()
    refused = carried(world, asked(world))
    assert (refused.progress, "has the point no more" in refused.because) == (Progress.REFUSED, True)
    assert undone(world, done).progress is Progress.DONE


def test_what_the_vault_could_not_do_is_asked_for_again(world: Run) -> None:
    world.stage.vaults.mount_fates += [JobError("InternalError", "it could not be mounted")]
    request = carried(world, asked(world), 3)
    assert request.restore is not None
    assert (request.progress, request.restore.failure and request.restore.failure.code) == (
        Progress.ASKED,
        "InternalError",
    )
    pass_time(world, timedelta(hours=1))
    done = carried(world, request)
    assert done.progress is Progress.DONE
    world.stage.vaults.mount_fates += [JobError("InternalError", "it could not be unmounted")]
    undoing = undone(world, done)
    assert (undoing.progress, list(world.stage.vaults.mounted)) == (Progress.ASKED, [the_point(world)])
    pass_time(world, timedelta(hours=1))
    assert carried(world, undoing).progress is Progress.DONE
    assert world.stage.vaults.mounted == {}


def test_who_is_faster_than_our_asking_keeps_the_point(world: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mounted by other means after it was looked at: the vault refuses ours, and nothing of theirs is unmounted."""
    ours, theirs = VaultMountsTwin.mount, the_point(world)

    def later(twin: VaultMountsTwin, mount: VaultMount, *, again: bool) -> str:
        world.stage.vaults.mounted[theirs] = "theirs"
        return ours(twin, mount, again=again)

    monkeypatch.setattr(VaultMountsTwin, "mount", later)
    request = carried(world, asked(world))
    assert request.restore is not None
    assert request.restore.recovery is not None
    assert request.restore.recovery.task.sent_at is None
    assert request.restore.failure is not None
    assert request.restore.failure.code == "UserErrorUnableToOpenMount"
    pass_time(world, timedelta(days=2))
    assert carried(world, request).progress is Progress.FAILED
    assert world.stage.vaults.mounted == {theirs: "theirs"}
