"""The product does all of its work with exactly the actions of infra/roles.json, and none of the proven ones is idle.

One simulator enforces the roles, with the checks that Azure links to an action. Each role carries out every deed that
the product asks of it; a role that lacks one action cannot carry out one of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from local.azurite.server import Azurite
from shared.errors import CloudError
from shared.flows.asking import ask_rebuild
from shared.flows.draining import drain
from shared.flows.expiring import expire
from shared.flows.holding import ask_hold
from shared.flows.reaping import reap
from shared.flows.registering import reconcile
from shared.flows.requesting import run
from shared.flows.sweeping import sweep
from shared.messages import VmKey
from shared.model.identity import ResourceId, VmUid
from shared.model.machine import Sighting
from shared.model.point import Point, PointState
from shared.model.request import Progress
from shared.model.snapshot import SnapshotOrder
from shared.ports import World
from tests.infra.estate import Estate, estate
from tests.infra.roles import PROVEN, Assignment, Grant, grants, of

ROLES = ("keeper", "reaper", "restorer")
GRANTS = [grant for grant in grants() if grant.role != "founder"]


def without(grant: Grant) -> Assignment:
    """Somebody who holds the grant's role, but for this one grant."""
    left = tuple(each for each in of(grant.role) if each != grant)
    return Assignment(f"{grant.role}-without-{of(grant.role).index(grant)}", left)


@pytest.fixture(scope="module")
def site(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    whole = [Assignment(role, of(role)) for role in ROLES]
    founder = Assignment("founder", (*of("keeper"), *of("founder")))
    folder = tmp_path_factory.mktemp("roles")
    with estate(folder, azurite, (*whole, founder, *(without(grant) for grant in GRANTS))) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Turn:
    """One principal's turn at the deeds of its role."""

    site: Estate
    world: World

    def snapshot(self, by: World) -> ResourceId:
        """A snapshot that somebody else has made."""
        source = ResourceId.parse(str(self.site.vm("vm2")).replace("virtualmachines/vm2", "disks/vm2-os"))
        place = by.snapshots.place(self.site.shard, f"tb-{uuid.uuid4().hex}")
        by.snapshots.create(SnapshotOrder(place, source, self.site.shard, {"tagback-slot": "20261120T0200Z"}))
        self.site.clock.sleep(60)
        return place


def _interfaces_and_extensions(seen: Sighting) -> bool:
    return bool(seen.model["interfaces"]) and bool(seen.model["extensions"])


def _fleet(turn: Turn) -> bool:
    pages = turn.world.inventory.fleet([turn.site.subscription])
    seen = {sighting.name: sighting for page in pages for sighting in page}
    return {"vm1", "vm2"} <= set(seen) and seen["vm1"].group is not None


def _shard(turn: Turn) -> bool:
    seen = {sighting.name: sighting for sighting in turn.world.inventory.shard(turn.site.shard).values()}
    return "vm1" in seen and all(disk.uid for disk in seen["vm1"].disks)


def _shard_with_models(turn: Turn) -> bool:
    seen = {sighting.name: sighting for sighting in turn.world.inventory.shard(turn.site.shard).values()}
    return "vm1" in seen and _interfaces_and_extensions(seen["vm1"])


def _look(turn: Turn) -> bool:
    found = turn.world.inventory.look(turn.site.vm("vm1"))
    return isinstance(found, Sighting) and found.group is not None


def _examine(turn: Turn) -> bool:
    found = turn.world.inventory.examine(turn.site.vm("vm1"))
    return isinstance(found, Sighting) and _interfaces_and_extensions(found)


def _enabled(turn: Turn) -> bool:
    return turn.world.inventory.enabled(turn.site.subscription)


def _captured(turn: Turn) -> bool:
    turn.world.snapshots.prepare(turn.site.shard)
    place = turn.snapshot(turn.world)
    return turn.world.snapshots.find(place) is not None


def _merged(turn: Turn) -> bool:
    with turn.site.acting("keeper") as (keeper, _):
        place = turn.snapshot(keeper)
        turn.world.snapshots.merge(place, {"backup-hold": "2027-01-01"})
        return keeper.snapshots.find(place).tags["backup-hold"] == "2027-01-01"  # type: ignore[union-attr]  # just made


def _listed(turn: Turn) -> bool:
    with turn.site.acting("keeper") as (keeper, _):
        place = turn.snapshot(keeper)
    return place in {seen.id for seen in turn.world.holdings.snapshots(turn.site.shard)}


def _shards(turn: Turn) -> bool:
    return list(turn.world.holdings.shards(turn.site.subscription)) == [turn.site.shard]


def _deleted(turn: Turn) -> bool:
    with turn.site.acting("keeper") as (keeper, _):
        place = turn.snapshot(keeper)
        turn.world.deletions.delete(turn.site.shard, place)
        turn.site.clock.sleep(60)
        return keeper.snapshots.find(place) is None


def _told_the_time(turn: Turn) -> bool:
    return turn.world.deletions.azure_now(turn.site.shard).year == turn.site.clock.now().year


Deed = Callable[[Turn], bool]
DEEDS: Mapping[str, tuple[Deed, ...]] = {
    "keeper": (_fleet, _shard_with_models, _look, _examine, _enabled, _captured, _merged),
    "reaper": (_shard, _look, _listed, _told_the_time, _deleted),
    "restorer": (_shards, _listed, _fleet, _look, _merged),
}


def failing(site: Estate, principal: str, deeds: tuple[Deed, ...]) -> list[str]:
    """The deeds that the principal cannot carry out."""
    failed = []
    for deed in deeds:
        # A world of its own for each: a scope that was denied to one deed is shut for what follows.
        with site.acting(principal) as (world, _):
            try:
                done = deed(Turn(site, world))
            except CloudError:
                done = False
        if not done:
            failed.append(deed.__name__)
    return failed


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_enough_for_every_deed_of_it(site: Estate, role: str) -> None:
    assert failing(site, role, DEEDS[role]) == []


@pytest.mark.parametrize("grant", [grant for grant in GRANTS if grant.evidence in PROVEN], ids=str)
def test_without_any_proven_action_of_a_role_a_deed_fails(site: Estate, grant: Grant) -> None:
    assert failing(site, without(grant).principal, DEEDS[grant.role])


def test_a_missing_recovery_group_is_made_by_whoever_may(site: Estate) -> None:
    other = type(site.shard)(site.subscription, "northeurope")
    with site.acting("keeper") as (world, _), pytest.raises(CloudError, match="resourceGroups/write"):
        world.snapshots.prepare(other)
    with site.acting("founder") as (world, _):
        world.snapshots.prepare(other)
        assert other in world.holdings.shards(site.subscription)


def _points(world: World, site: Estate, uid: VmUid) -> list[Point]:
    return [held.row for held in world.ledger.points(site.shard, uid)]


def test_machines_are_kept_held_reaped_and_rebuilt_by_three_identities(site: Estate) -> None:
    with (
        site.acting("keeper") as (keeper, rules),
        site.acting("reaper") as (reaper, _),
        site.acting("restorer") as (restorer, _),
    ):
        site.running.control("DELETE", "calls")
        sweep(keeper, rules)
        reconcile(keeper, rules, VmKey(site.vm("vm1")))
        [machine] = [held.row for held in keeper.ledger.machines(site.shard)]
        for night in range(3):
            site.until(2, 31)
            drain(keeper, rules, site.shard)
            site.clock.sleep(120)
            drain(keeper, rules, site.shard)
            assert len(_points(keeper, site, machine.uid)) == night + 1
            if night == 1:
                asked = ask_hold(restorer, machine, "2099-01-01", None, "somebody")
                run(restorer, rules, asked.id)
                assert restorer.requests.find(asked.id).progress is Progress.DONE  # type: ignore[union-attr]  # asked
                ask = ask_hold(restorer, machine, "2026-01-01", None, "somebody")
                run(restorer, rules, ask.id)
        for _ in range(2):
            expire(reaper, rules)
            site.clock.sleep(4000)
            reap(reaper, rules, site.shard)
        left = _points(keeper, site, machine.uid)
        assert [point.state for point in left] == [PointState.COMPLETE]
        asked = ask_rebuild(restorer, site.shard, "somebody")
        run(restorer, rules, asked.id)
        assert restorer.requests.find(asked.id).progress is Progress.DONE  # type: ignore[union-attr]  # asked
        assert [point.slot for point in _points(keeper, site, machine.uid)] == [point.slot for point in left]
    calls = site.running.control("GET", "calls")
    assert {call["principal"] for call in calls} >= set(ROLES)
    assert [call for call in calls if call["status"] == 403] == []
