"""What `tagback plan` says of Azure Backup is what happens: foretold, then applied, drained, and compared with Azure.

Machines come to stand as their history left them: protected, stopped, never in a vault. Then tags or plans change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from shared.decide.plan import read_plans
from shared.decide.whatif_vault import VaultEffect, VaultProspect
from shared.flows.whatif import Proposal, WhatIf, what_if
from shared.model.identity import VmUid
from shared.model.operation import Kind, Operation
from shared.model.plan import Plans
from shared.model.vault import ItemState
from tests.flows.vaulting import MINUTE, SNAPSHOTS, VAULT, Backed, rules_of
from tests.world.exhaustive import perform
from tests.world.twins.azure import VmTruth

PARTS: Mapping[str, Mapping[str, Any]] = {
    "vault": {"vault": VAULT},
    "longer": {"vault": {**VAULT, "keep": "60d12w"}},
    "shorter": {"vault": {**VAULT, "keep": "7d4w"}},
    "both": {"vault": VAULT, "snapshots": SNAPSHOTS},
    "snapshots": {"snapshots": SNAPSHOTS},
}
KINDS = {
    VaultEffect.GAINS: {Kind.PROTECT, Kind.UNDELETE},
    VaultEffect.CHANGES: {Kind.PROTECT},
    VaultEffect.LOSES: {Kind.STOP},
}
STEP = 5 * MINUTE

values = some.sampled_from(["gold", "silver", "off", "godl"])
shapes = some.sampled_from(sorted(PARTS))


@dataclass(frozen=True)
class History:
    """The tags that a machine had, one after the other."""

    first: str
    then: str


fleets = some.lists(some.builds(History, values, values), min_size=1, max_size=3)


def plans(gold: str, silver: str) -> Plans:
    found, problems = read_plans({"default": "gold", "plans": {"gold": PARTS[gold], "silver": PARTS[silver]}})
    assert problems == ()
    return found


def settled(estate: Backed, span: timedelta = timedelta(hours=1)) -> None:
    estate.live(span, STEP)


def lived(histories: list[History], gold: str, silver: str) -> tuple[Backed, list[VmTruth]]:
    """A fleet in whose vault everything that its history began is done."""
    estate = Backed(replace(rules_of(), plans=plans(gold, silver)))
    vault = estate.vault()
    vms = [estate.vm(number, history.first) for number, history in enumerate(histories, 1)]
    estate.world.stage.vaults.discover(vault)
    settled(estate)
    vms = [estate.tagged(vm, history.then) for vm, history in zip(vms, histories, strict=True)]
    settled(estate)
    return estate, vms


def operations(estate: Backed, vm: VmTruth) -> dict[str, Operation]:
    return {held.row.id: held.row for held in estate.record(vm).operations}


def foretold(found: WhatIf) -> dict[VmUid, VaultProspect]:
    return {one.prospect.after.machine.uid: one.vault for one in found.outlooks}


def asked(estate: Backed, proposal: Proposal) -> WhatIf:
    """What `tagback plan` says now; nothing is written by it."""
    answers: list[WhatIf] = []
    perform(estate.world, lambda ports: answers.append(what_if(ports, estate.rules, proposal)))
    return answers[0]


def check(estate: Backed, vms: list[VmTruth], found: WhatIf) -> None:
    """Drain until all is done: every machine's vault went the way that was foretold, at the cost that was foretold."""
    before = {vm.uid: operations(estate, vm) for vm in vms}
    items = {vm.uid: _item(estate, vm) for vm in vms}
    calls = estate.world.stage.steps.calls.copy()
    for vm in vms:
        estate.look(vm)
    settled(estate)
    made = estate.world.stage.steps.calls - calls
    promised = foretold(found)
    for vm in vms:
        new = [one for key, one in operations(estate, vm).items() if key not in before[vm.uid]]
        begun = [one for one in new if one.kind in (Kind.PROTECT, Kind.STOP, Kind.UNDELETE)]
        said = promised.get(vm.uid, VaultProspect(VaultEffect.SAME))
        kinds, expected = {one.kind for one in begun}, KINDS.get(said.effect, set())
        assert kinds <= expected, f"{said} came to {begun}"
        assert bool(kinds) == bool(expected), f"{said} came to nothing"
        if said.effect in (VaultEffect.SAME, VaultEffect.PERSON):
            assert _item(estate, vm) == items[vm.uid]
        elif said.effect is not VaultEffect.LOSES:
            assert _item(estate, vm) == (ItemState.PROTECTED, said.after)
        if said.effect is VaultEffect.PERSON:
            assert said.because in estate.row(vm).problems
    assert made["vaults.change"] + made["vaults.back_up"] == found.once
    assert made["vaults.write_policy"] <= found.policies


def _item(estate: Backed, vm: VmTruth) -> tuple[ItemState, str] | None:
    holder = estate.world.stage.vaults.holder(vm.id)
    item = holder.items.get(vm.id) if holder else None
    return (item.state, item.policy) if item else None


CALM = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CALM
@given(fleets, shapes, shapes, shapes, shapes)
def test_another_plans_file_does_to_vaults_what_was_foretold(
    histories: list[History], gold: str, silver: str, new_gold: str, new_silver: str
) -> None:
    estate, vms = lived(histories, gold, silver)
    after = plans(new_gold, new_silver)
    found = asked(estate, Proposal(plans=after))
    estate.rules = replace(estate.rules, plans=after)
    check(estate, vms, found)


@CALM
@given(fleets, shapes, shapes, values)
def test_other_tags_do_to_vaults_what_was_foretold(
    histories: list[History], gold: str, silver: str, value: str
) -> None:
    estate, vms = lived(histories, gold, silver)
    found = asked(estate, Proposal(tuple(vm.name for vm in vms), {"backup": value}))
    changed = [replace(vm, tags={"backup": value}) for vm in vms]
    for vm in changed:
        estate.world.stage.azure.write(vm)
    check(estate, changed, found)


def test_what_was_deleted_softly_is_foretold_to_be_taken_back() -> None:
    estate, [vm] = lived([History("gold", "off")], "vault", "snapshots")
    estate.item(vm).soft_deleted = True
    estate.live(timedelta(days=8), timedelta(hours=2))
    found = asked(estate, Proposal((vm.name,), {"backup": "gold"}))
    [said] = foretold(found).values()
    assert (said.effect, said.writes) == (VaultEffect.GAINS, 2)
    changed = replace(vm, tags={"backup": "gold"})
    estate.world.stage.azure.write(changed)
    check(estate, [changed], found)


def test_losing_a_vault_is_harm_even_where_snapshots_go_on() -> None:
    estate, [vm] = lived([History("gold", "gold")], "both", "snapshots")
    found = asked(estate, Proposal((vm.name,), {"backup": "silver"}))
    [said] = foretold(found).values()
    assert said.effect is VaultEffect.LOSES
    assert "no vault part" in said.because
    assert found.harms
