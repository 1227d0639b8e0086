"""Which vault a machine goes to, and which one is made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.decide.vaults import MOST_MACHINES, MOST_VAULTS, VAULT_TYPE, Await, Make, NoVault, Use, choose, is_ours
from shared.model.identity import ResourceId, Shard
from shared.model.rules import Rules
from shared.model.vault import Redundancy, VaultRules, VaultSeen
from tests.fleet import RULES

SHARD = Shard("11111111-1111-1111-1111-111111111111", "westeurope")
GROUP = "Tagback-WestEurope"


def vault(name: str, owner: str = "", ready: bool = True) -> VaultSeen:
    tags = {"Tagback-Owner": owner} if owner else {}
    return VaultSeen(ResourceId(SHARD.subscription, "backups", VAULT_TYPE, name), SHARD.region, tags, ready)


def chosen(*vaults: VaultSeen, rules: Rules = RULES, **held: int) -> Use | Make | Await | NoVault:
    counts = {one.id: held.get(one.id.name.replace("-", "_"), 0) for one in vaults}
    return choose(vaults, counts, GROUP, SHARD, rules)


@pytest.mark.parametrize(
    ("seen", "ours"),
    [
        (vault("anything", RULES.owner), True),
        (vault("anything", "somebody-else"), False),
        (vault("anything"), False),
        (vault("tagback-westeurope"), True),
        (vault("tagback-westeurope-2"), True),
        (vault("tagback-westeurope-old"), False),
        (vault("tagback-westeurope2"), False),
    ],
    ids=lambda seen: str(getattr(seen, "id", seen)).rpartition("/")[2],
)
def test_a_vault_is_ours_by_its_tag_or_by_its_name(seen: VaultSeen, ours: bool) -> None:
    assert is_ours(seen, RULES) is ours


def test_the_first_of_ours_with_room_is_used() -> None:
    found = chosen(vault("theirs"), vault("b", RULES.owner), vault("a", RULES.owner), a=MOST_MACHINES)
    assert isinstance(found, Use)
    assert (found.vault.name, found.because) == ("b", "vault b holds 0 machines of 900")


def test_the_tenth_vault_comes_after_the_second() -> None:
    first, second, tenth = vault("tagback-westeurope"), vault("tagback-westeurope-2"), vault("tagback-westeurope-10")
    found = chosen(tenth, second, first, tagback_westeurope=MOST_MACHINES)
    assert isinstance(found, Use)
    assert found.vault == second.id


def test_one_that_is_being_made_is_waited_for() -> None:
    found = chosen(vault("a", RULES.owner, ready=False))
    assert found == Await(vault("a").id, "vault a is being made")


def test_where_there_is_none_one_is_made_as_the_settings_say() -> None:
    told = VaultRules(True, "RSV-{region}", Redundancy.ZONE, immutable=True)
    found = chosen(vault("theirs"), rules=replace(RULES, vaults=told))
    assert isinstance(found, Make)
    order = found.order
    assert (order.id.name, order.id.group, order.region) == ("rsv-westeurope", "tagback-westeurope", "westeurope")
    assert (order.redundancy, order.immutable) == (Redundancy.ZONE, True)
    assert order.tags == {"tagback-owner": RULES.owner}


def test_another_is_made_when_all_are_full() -> None:
    found = chosen(vault("tagback-westeurope"), tagback_westeurope=MOST_MACHINES)
    assert isinstance(found, Make)
    assert found.order.id == ResourceId(SHARD.subscription, "tagback-westeurope", VAULT_TYPE, "tagback-westeurope-2")
    assert found.because == "every vault of westeurope is full"


def test_without_leave_none_is_made() -> None:
    found = chosen(rules=replace(RULES, vaults=VaultRules(create=False)))
    assert found == NoVault(
        "there is no vault of ours in westeurope, and none may be made",
        f"make one tagged tagback-owner = {RULES.owner}, or set TAGBACK_VAULT_CREATE to on",
    )


def test_vaults_without_end_are_never_made() -> None:
    full = [vault(f"v{number}", RULES.owner) for number in range(MOST_VAULTS)]
    found = choose(full, {one.id: MOST_MACHINES for one in full}, GROUP, SHARD, RULES)
    assert found == NoVault(
        f"every vault of westeurope is full, and there are {MOST_VAULTS} of them",
        "split the machines over subscriptions",
    )


def test_the_last_vault_that_may_be_made_has_its_number() -> None:
    base = "tagback-westeurope"
    full = [vault(base), *(vault(f"{base}-{number}") for number in range(2, MOST_VAULTS))]
    found = choose(full, {one.id: MOST_MACHINES for one in full}, GROUP, SHARD, RULES)
    assert isinstance(found, Make)
    assert found.order.id.name == f"{base}-{MOST_VAULTS}"


def test_a_vault_that_nobody_counted_holds_none() -> None:
    assert choose([vault("a", RULES.owner)], {}, GROUP, SHARD, RULES) == Use(
        vault("a").id, "vault a holds 0 machines of 900"
    )
