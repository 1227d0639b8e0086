"""What would happen if tags, the plans file or a mode were others: for `tagback plan` and the API. Changes nothing.

It asks the decisions that registering, capturing and deleting ask, for every machine of the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.decide.whatif import Calls, Death, Effect, Prospect, calls, deaths, prospect, side
from shared.decide.whatif_vault import VaultEffect, VaultProspect, vault_prospect
from shared.errors import BadInput
from shared.flows import lookup
from shared.flows.show import Json, instant
from shared.flows.standing import operations_by_machine
from shared.model.machine import Machine
from shared.model.plan import Plans
from shared.model.rules import Mode, Rules
from shared.ports import World


@dataclass(frozen=True, slots=True)
class Proposal:
    """The change in question. `tags` and `untagged` are about the machines named; all else is about every machine."""

    vms: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    untagged: tuple[str, ...] = ()
    plans: Plans | None = None
    enforce: bool = False

    def rules(self, told: Rules) -> Rules:
        """What the app would be told."""
        modes = dict.fromkeys(told.subscriptions, Mode.ENFORCE) if self.enforce else told.subscriptions
        return replace(told, plans=self.plans or told.plans, subscriptions=modes)

    def tags_of(self, machine: Machine) -> dict[str, str]:
        """The opt-in tags that a machine named would have."""
        gone = {name.strip().lower() for name in self.untagged}
        given = {name.strip().lower(): value for name, value in self.tags.items()}
        return {name: value for name, value in {**machine.tags, **given}.items() if name.lower() not in gone}


def tags_in(texts: Sequence[str]) -> dict[str, str]:
    """Tags as people write them, `NAME=VALUE`; BadInput with every one that has another form."""
    pairs = [text.partition("=") for text in texts]
    wrong = [text for text, pair in zip(texts, pairs, strict=True) if not (pair[0].strip() and pair[1])]
    if wrong:
        raise BadInput([f"{text!r} is no tag; allowed: NAME=VALUE" for text in wrong])
    return {name.strip(): value.strip() for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Outlook:
    """A machine that the change touches, and the points that it lets go earlier."""

    prospect: Prospect
    deaths: tuple[Death, ...]
    vault: VaultProspect


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The whole answer: what changes, how many machines stay as they are, and the calls of an ordinary day.

    `vaults` counts what becomes of machines' vaults; `once` are the writes about them that this takes. Beside those at
    most `policies` are written: whether a vault has one already is not known here.
    """

    as_of: datetime
    outlooks: tuple[Outlook, ...]
    counts: Mapping[Effect, int]
    before: Calls
    after: Calls
    vaults: Mapping[VaultEffect, int]
    once: int
    policies: int

    @property
    def harms(self) -> bool:
        """Whether a machine loses protection or needs attention by it, or a point goes earlier than it would have."""
        return any(one.prospect.harms or one.deaths or one.vault.harms for one in self.outlooks)


def what_if(world: World, rules: Rules, proposal: Proposal) -> WhatIf:
    """Judge every machine of the ledger under the proposal; BadInput or Unknown for one that cannot be judged."""
    now = world.clock.now()
    machines = lookup.machines(world)
    named = _named(machines, proposal, rules)
    told = proposal.rules(rules)
    outlooks, counts, vaults = [], Counter[Effect](), Counter[VaultEffect]()
    assigned, wanted, writes = set[str](), set[str](), 0
    before = after = Calls(0, 0)
    for found in _prospects(world, rules, told, _tags(machines, named, proposal), now):
        counts[found.effect] += 1
        before, after = before + calls(found.before, now), after + calls(found.after, now)
        vault = vault_prospect(found.before, found.after, now)
        vaults[vault.effect] += 1
        assigned, wanted, writes = assigned | {vault.before}, wanted | {vault.after}, writes + vault.writes
        same = found.effect is Effect.SAME and vault.effect is VaultEffect.SAME
        if not same or found.keeps_otherwise(now):
            dying = _dying(world, found, now)
            if dying or not same:
                outlooks.append(Outlook(found, dying, vault))
    policies = len(wanted - assigned - {""})
    return WhatIf(now, tuple(outlooks), counts, before, after, vaults, writes, policies)


def _named(machines: Sequence[Machine], proposal: Proposal, rules: Rules) -> frozenset[str]:
    """The uids of the machines whose tags change."""
    names = [*proposal.tags, *proposal.untagged]
    foreign = [name for name in names if not _is_ours(name, rules.prefix)]
    problems = [f"{name!r} is no tag of ours; allowed: {rules.prefix}, {rules.prefix}-..." for name in foreign]
    if names and not proposal.vms:
        problems.append("tags change on VMs: name at least one")
    if proposal.vms and not names:
        problems.append("a VM is named and no tag: say which tag is put or taken off")
    if problems:
        raise BadInput(problems)
    return frozenset(lookup.named(machines, vm).uid for vm in proposal.vms)


def _is_ours(name: str, prefix: str) -> bool:
    folded = name.strip().lower()
    return folded == prefix or folded.startswith(f"{prefix}-")


def _tags(
    machines: Sequence[Machine], named: frozenset[str], proposal: Proposal
) -> Iterator[tuple[Machine, Mapping[str, str]]]:
    for machine in machines:
        yield machine, proposal.tags_of(machine) if machine.uid in named else machine.tags


def _prospects(
    world: World, rules: Rules, told: Rules, tagged: Iterator[tuple[Machine, Mapping[str, str]]], now: datetime
) -> Iterator[Prospect]:
    operations = operations_by_machine(world)
    for machine, tags in tagged:
        own = operations.get(machine.uid, ())
        yield prospect(side(machine, own, rules, now), tags, told, now)


def _dying(world: World, found: Prospect, now: datetime) -> tuple[Death, ...]:
    machine = found.before.machine
    points = [held.row for held in world.ledger.points(machine.shard, machine.uid)]
    return deaths(found, points, now)


def plan(world: World, rules: Rules, proposal: Proposal) -> Json:
    """The answer as the command line and the API give it."""
    found = what_if(world, rules, proposal)
    return {
        "as_of": instant(found.as_of),
        "harms": found.harms,
        "counts": {effect.value: found.counts.get(effect, 0) for effect in Effect},
        "vaults": {effect.value: found.vaults.get(effect, 0) for effect in VaultEffect},
        "calls_per_day": {"before": _calls(found.before), "after": _calls(found.after)},
        "vault_writes_once": {"machines": found.once, "policies_at_most": found.policies},
        "changes": [_change(outlook) for outlook in found.outlooks],
    }


def _calls(each: Calls) -> Json:
    return {"writes": round(each.writes, 2), "deletes": round(each.deletes, 2)}


def _change(outlook: Outlook) -> Json:
    before, after = outlook.prospect.before, outlook.prospect.after
    return {
        "vm": after.machine.name,
        "id": str(after.machine.id),
        "effect": outlook.prospect.effect.value,
        "because": list(outlook.prospect.because),
        "plan": {"before": before.plan.name if before.plan else None, "after": after.plan.name if after.plan else None},
        "status": {"before": before.machine.status.value, "after": after.machine.status.value},
        "next_due": instant(after.machine.work_at),
        "problems": list(after.machine.problems),
        "deletes": [_death(death) for death in outlook.deaths],
        "vault": _vault(outlook.vault),
    }


def _vault(found: VaultProspect) -> Json:
    policy = {"before": found.before or None, "after": found.after or None}
    return {"effect": found.effect.value, "because": found.because, "policy": policy}


def _death(death: Death) -> Json:
    return {
        "slot": instant(death.point.slot),
        "at": instant(death.at),
        "otherwise": instant(death.otherwise),
        "because": death.because,
    }
