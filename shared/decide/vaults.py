"""Which vault a machine goes to: one of ours with room, by tag or by name; else one that is to be made.

A vault is ours when it carries the installation's owner tag, or the name that the settings give. It must be in the
machine's region and subscription. Limits: azure-facts 5.2 and 5.12 (1,000 VMs per vault; we stop at 900).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from shared.model.identity import ResourceId, Shard
from shared.model.rules import Rules
from shared.model.vault import VaultOrder, VaultSeen

VAULT_TYPE = "microsoft.recoveryservices/vaults"
OWNER_TAG = "tagback-owner"
MOST_MACHINES = 900
MOST_VAULTS = 20  # of one shard: beyond it somebody should look at what is going on


@dataclass(frozen=True, slots=True)
class Use:
    """A vault that is there and has room."""

    vault: ResourceId
    because: str


@dataclass(frozen=True, slots=True)
class Make:
    """A vault that is to be made."""

    order: VaultOrder
    because: str


@dataclass(frozen=True, slots=True)
class Await:
    """A vault that is being made."""

    vault: ResourceId
    because: str


@dataclass(frozen=True, slots=True)
class NoVault:
    """Nothing may be made, or too many are."""

    because: str
    remedy: str


Choice: TypeAlias = Use | Make | Await | NoVault


def is_ours(vault: VaultSeen, rules: Rules) -> bool:
    """Whether this installation puts machines into a vault."""
    owner = next((value for name, value in vault.tags.items() if name.lower() == OWNER_TAG), "")
    base = _name(rules.vaults.pattern, vault.region, 1)
    numbered = vault.id.name.removeprefix(f"{base}-")
    return owner == rules.owner or vault.id.name == base or (numbered != vault.id.name and numbered.isdecimal())


def choose(
    vaults: Iterable[VaultSeen], machines: Mapping[ResourceId, int], group: str, shard: Shard, rules: Rules
) -> Choice:
    """The vault for one more machine of a shard. `machines` counts what each holds, `group` is where new ones go."""
    ours = sorted((one for one in vaults if is_ours(one, rules)), key=lambda one: (len(one.id.name), one.id))
    for vault in ours:
        held = machines.get(vault.id, 0)
        if held < MOST_MACHINES:
            what = f"vault {vault.id.name} holds {held} machines of {MOST_MACHINES}"
            return Use(vault.id, what) if vault.ready else Await(vault.id, f"vault {vault.id.name} is being made")
    full = f"every vault of {shard.region} is full" if ours else f"there is no vault of ours in {shard.region}"
    if not rules.vaults.create:
        remedy = f"make one tagged {OWNER_TAG} = {rules.owner}, or set TAGBACK_VAULT_CREATE to on"
        return NoVault(f"{full}, and none may be made", remedy)
    if len(ours) >= MOST_VAULTS:
        return NoVault(f"{full}, and there are {len(ours)} of them", "split the machines over subscriptions")
    return Make(_order(ours, group, shard, rules), full)


def _order(ours: Iterable[VaultSeen], group: str, shard: Shard, rules: Rules) -> VaultOrder:
    taken = {vault.id.name for vault in ours}
    names = (_name(rules.vaults.pattern, shard.region, number) for number in range(1, MOST_VAULTS + 2))
    name = next(one for one in names if one not in taken)
    return VaultOrder(
        id=ResourceId(shard.subscription, group.lower(), VAULT_TYPE, name),
        region=shard.region,
        redundancy=rules.vaults.redundancy,
        immutable=rules.vaults.immutable,
        tags={OWNER_TAG: rules.owner},
    )


def _name(pattern: str, region: str, number: int) -> str:
    base = pattern.replace("{region}", region).lower()
    return base if number == 1 else f"{base}-{number}"
