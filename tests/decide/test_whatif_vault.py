"""What a change means for a machine's vault, by how its row says that it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.decide.plan import read_plans
from shared.decide.policies import policy_of
from shared.decide.whatif import Side, side
from shared.decide.whatif_vault import VaultEffect, VaultProspect, vault_prospect
from shared.model.identity import ResourceId
from shared.model.plan import Plans
from shared.model.rules import Mode, Rules
from shared.model.vault import Protection, Standing
from tests.decide.plans import NOW, RULES, SUBSCRIPTION, machine

VAULT = ResourceId("sub", "backups", "microsoft.recoveryservices/vaults", "rsv")
SNAPSHOTS = {"at": ["02:00"], "keep": "7d"}


def plans(keep: str) -> Plans:
    vault = {"vault": {"at": "22:00", "keep": keep}} if keep else {}
    found, problems = read_plans({"default": "silver", "plans": {"silver": {"snapshots": SNAPSHOTS, **vault}}})
    assert problems == ()
    return found


def rules(keep: str) -> Rules:
    return replace(RULES, plans=plans(keep))


def policy(keep: str) -> str:
    part = plans(keep).by_name["silver"].vault
    assert part is not None
    return policy_of("silver", part, machine().uid).name


def stands(state: Standing | None, keep: str, policy_name: str = "") -> Side:
    known = Protection(state, "", NOW, "asked", VAULT, policy_name, NOW) if state else None
    return side(machine(protection=known), (), rules(keep), NOW)


def becomes(before: Side, keep: str) -> VaultProspect:
    return vault_prospect(before, side(before.machine, (), rules(keep), NOW), NOW)


@pytest.mark.parametrize(
    ("state", "effect", "writes"),
    [
        (None, VaultEffect.GAINS, 2),
        (Standing.WANTED, VaultEffect.GAINS, 2),
        (Standing.NONE, VaultEffect.GAINS, 2),
        (Standing.STOPPED, VaultEffect.GAINS, 1),
        (Standing.DELETED, VaultEffect.GAINS, 2),
        (Standing.ELSEWHERE, VaultEffect.PERSON, 0),
    ],
)
def test_a_plan_that_gains_a_vault(state: Standing | None, effect: VaultEffect, writes: int) -> None:
    found = becomes(stands(state, ""), "30d")
    assert (found.effect, found.writes, found.after) == (effect, writes, policy("30d") if writes else "")
    assert found.harms is (effect is VaultEffect.PERSON)
    assert found.because
    assert ("taken back" in found.because) is (state is Standing.DELETED)


def test_a_policy_that_a_stopped_machine_had_is_not_what_it_has() -> None:
    found = becomes(stands(Standing.STOPPED, "", policy("30d")), "30d")
    assert (found.effect, found.before, found.after) == (VaultEffect.GAINS, "", policy("30d"))


@pytest.mark.parametrize("state", [Standing.PENDING, Standing.PROTECTED])
def test_a_plan_that_loses_its_vault_stops_what_is_protected(state: Standing) -> None:
    found = becomes(stands(state, "30d", policy("30d")), "")
    assert (found.effect, found.before, found.after, found.writes) == (VaultEffect.LOSES, policy("30d"), "", 1)
    assert (found.harms, found.because) == (
        True,
        "plan silver has no vault part: protection stops, what it has is kept",
    )


@pytest.mark.parametrize("state", [Standing.STOPPED, Standing.DELETED, Standing.NONE])
def test_a_plan_that_loses_its_vault_is_nothing_to_what_is_not_protected(state: Standing) -> None:
    assert becomes(stands(state, "30d"), "").effect is VaultEffect.SAME


def test_a_longer_keep_is_another_policy_and_a_shorter_one_is_for_a_person() -> None:
    protected = stands(Standing.PROTECTED, "30d", policy("30d"))
    longer, shorter, same = (becomes(protected, keep) for keep in ("60d", "7d", "30d"))
    assert (longer.effect, longer.before, longer.after) == (VaultEffect.CHANGES, policy("30d"), policy("60d"))
    assert not longer.harms
    assert shorter == VaultProspect(VaultEffect.PERSON, shorter.because, policy("30d"), policy("30d"))
    assert "daily points from 30 to 7 days" in shorter.because
    assert same == VaultProspect(VaultEffect.SAME, before=policy("30d"), after=policy("30d"))


def test_another_policy_for_a_machine_that_is_on_its_way_into_a_vault_is_told() -> None:
    found = becomes(stands(Standing.WANTED, "30d"), "60d")
    assert (found.effect, found.before, found.after) == (VaultEffect.GAINS, "", policy("60d"))


def test_a_misspelt_plan_has_its_last_good_ones_policy_while_its_grace_runs() -> None:
    row = machine(tags={"backup": "slver"}, grace_from=NOW)
    found = becomes(side(row, (), rules(""), NOW), "30d")
    assert (found.effect, found.after) == (VaultEffect.GAINS, policy("30d"))


def test_a_first_backup_that_is_still_to_come_is_counted() -> None:
    known = Protection(Standing.STOPPED, "", NOW, "asked", VAULT)
    before = side(machine(protection=known), (), rules(""), NOW)
    assert becomes(before, "30d").writes == 2


def test_where_nothing_may_be_done_any_more_what_is_protected_stays_so() -> None:
    known = Protection(Standing.PROTECTED, "", NOW, "asked", VAULT, policy("30d"))
    before = side(machine(protection=known), (), rules("30d"), NOW)
    observing = replace(rules("30d"), subscriptions={SUBSCRIPTION: Mode.OBSERVE})
    after = side(before.machine, (), observing, NOW)
    assert vault_prospect(before, after, NOW) == VaultProspect(
        VaultEffect.SAME, before=policy("30d"), after=policy("30d")
    )


def test_what_is_begun_already_is_no_effect_of_the_change() -> None:
    assert becomes(stands(None, "30d"), "30d").effect is VaultEffect.SAME
