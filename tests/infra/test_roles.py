"""The product does all of its work with exactly the actions of infra/roles.json, and none of the proven ones is idle.

One simulator enforces the roles, with the checks that Azure links to an action. Each role carries out every deed that
the product asks of it; a role that lacks one action cannot carry out one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.azurite.server import Azurite
from shared.decide.vaults import VAULT_TYPE
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
from shared.model.point import Point, PointState
from shared.model.request import Progress
from shared.model.vault import Redundancy, VaultOrder
from shared.ports import World
from tests.infra.deeds import DEEDS, failing, prepared
from tests.infra.estate import REGION, Estate, estate
from tests.infra.roles import PROVEN, Assignment, Grant, grants, of

ROLES = tuple(DEEDS)
APPS = ("keeper", "reaper", "operator")
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


@pytest.fixture(scope="module")
def vault(site: Estate) -> ResourceId:
    return prepared(site)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_enough_for_every_deed_of_it(site: Estate, vault: ResourceId, role: str) -> None:
    assert failing(site, role, DEEDS[role], vault) == []


@pytest.mark.parametrize("grant", [grant for grant in GRANTS if grant.evidence in PROVEN], ids=str)
def test_without_any_proven_action_of_a_role_a_deed_fails(site: Estate, vault: ResourceId, grant: Grant) -> None:
    assert failing(site, without(grant).principal, DEEDS[grant.role], vault)


def test_a_missing_recovery_group_is_made_by_whoever_may(site: Estate) -> None:
    other = type(site.shard)(site.subscription, "northeurope")
    with site.acting("keeper") as (world, _), pytest.raises(CloudError, match="resourceGroups/write"):
        world.snapshots.prepare(other)
    with site.acting("founder") as (world, _):
        world.snapshots.prepare(other)
        assert other in world.holdings.shards(site.subscription)


def test_a_missing_vault_is_made_by_whoever_may(site: Estate) -> None:
    place = ResourceId(site.subscription, f"tagback-{REGION}", VAULT_TYPE, "rsv-new")
    order = VaultOrder(place, REGION, Redundancy.LOCAL, immutable=False, tags={})
    with site.acting("keeper") as (world, _), pytest.raises(CloudError, match="aults/write"):
        world.vaults.make(order)
    with site.acting("founder") as (world, _):
        world.vaults.make(order)


def _points(world: World, site: Estate, uid: VmUid) -> list[Point]:
    return [held.row for held in world.ledger.points(site.shard, uid)]


def test_machines_are_kept_held_reaped_and_rebuilt_by_three_identities(site: Estate) -> None:
    with (
        site.acting("keeper") as (keeper, rules),
        site.acting("reaper") as (reaper, _),
        site.acting("operator") as (operator, _),
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
                asked = ask_hold(operator, machine, "2099-01-01", None, "somebody")
                run(operator, rules, asked.id)
                assert operator.requests.find(asked.id).progress is Progress.DONE  # type: ignore[union-attr]  # asked
                ask = ask_hold(operator, machine, "2026-01-01", None, "somebody")
                run(operator, rules, ask.id)
        for _ in range(2):
            expire(reaper, rules)
            site.clock.sleep(4000)
            reap(reaper, rules, site.shard)
        left = _points(keeper, site, machine.uid)
        assert [point.state for point in left] == [PointState.COMPLETE]
        asked = ask_rebuild(operator, site.shard, "somebody")
        run(operator, rules, asked.id)
        assert operator.requests.find(asked.id).progress is Progress.DONE  # type: ignore[union-attr]  # asked
        assert [point.slot for point in _points(keeper, site, machine.uid)] == [point.slot for point in left]
    calls = site.running.control("GET", "calls")
    assert {call["principal"] for call in calls} >= set(APPS)
    assert [call for call in calls if call["status"] == 403] == []
