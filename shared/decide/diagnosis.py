"""Whether an installation has what it needs: rights, providers, quotas, each judged in words. For diagnosing.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from shared.model.point import Engine
from shared.model.rights import Found, Need, Permission, Quota
from shared.model.rules import Mode, Rules

VAULTS = "Microsoft.RecoveryServices"
# Providers that an installation calls, with what for.
PROVIDERS: Mapping[str, str] = {
    "Microsoft.Compute": "machines, disks and snapshots",
    "Microsoft.Network": "the network interfaces that a restore needs to know",
    "Microsoft.EventGrid": "hearing of tags within minutes",
    VAULTS: "the vaults that plans name",
}
NEARLY_USED = 0.9
# What runs out when points are taken or machines are restored; other quotas of a region are not ours to judge.
OURS = re.compile(r"snapshot|disk|^cores$|^virtualmachines$", re.IGNORECASE)


def allows(permissions: Iterable[Permission], action: str) -> bool:
    """Whether any of the roles gives an action and does not take it back itself."""
    return any(_named(each.actions, action) and not _named(each.not_actions, action) for each in permissions)


def _named(patterns: Iterable[str], action: str) -> bool:
    return any(_pattern(each).fullmatch(action) for each in patterns)


def _pattern(text: str) -> re.Pattern[str]:
    """A star stands for any characters, slashes too; case does not count."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.IGNORECASE)


def rights(scope: str, needs: Iterable[Need], permissions: Sequence[Permission]) -> list[Found]:
    """One finding for each action that is missing, or one that says that none is."""
    wanted = {(need.action.lower(), need.role): need for need in needs}
    missing = [need for _, need in sorted(wanted.items()) if not allows(permissions, need.action)]
    if not missing:
        return [Found(scope, "rights", True, f"all {len(wanted)} actions that are needed here are granted")]
    return [
        Found(scope, need.action, False, f"missing for the {need.role}: {need.because}; grant it with infra/")
        for need in missing
    ]


def providers(rules: Rules) -> list[str]:
    """Those that this installation calls: the vaults' only where a plan has a vault."""
    with_vaults = any(plan.vault for plan in rules.plans.by_name.values())
    return [name for name in PROVIDERS if with_vaults or name != VAULTS]


def takes_restore_points(rules: Rules, subscription: str) -> bool:
    """Whether a plan that machines may use takes all their disks at one instant: a region has groups for that."""
    plans = (rules.plans.by_name[name] for name in rules.plans.allowed_in(subscription))
    return any(plan.engine is Engine.RESTORE_POINT for plan in plans)


def provider(scope: str, name: str, state: str) -> Found:
    """Whether a provider may be called at all."""
    if state.lower() == "registered":
        return Found(scope, name, True, "registered")
    return Found(
        scope,
        name,
        False,
        f"{state or 'unknown'}: needed for {PROVIDERS[name]}; az provider register --namespace {name}",
    )


def quotas(scope: str, found: Iterable[Quota]) -> list[Found]:
    """The quotas of ours that are nearly used up."""
    ours = [each for each in found if OURS.search(each.name) and each.limit > 0]
    short = [each for each in ours if each.used >= each.limit * NEARLY_USED]
    if not short:
        return [Found(scope, "quotas", True, f"{len(ours)} quotas of machines, disks and snapshots have room")]
    return [
        Found(scope, each.name, False, f"{each.used} of {each.limit} are used: ask Azure for more before it is full")
        for each in short
    ]


def group(scope: str, owner: str, tagged: str | None) -> Found:
    """Whether a recovery group is there and ours. `tagged` is its owner tag; None where there is no group."""
    if tagged is None:
        return Found(scope, "recovery group", False, "not there: name its region in infra/, or let the keeper make it")
    if tagged != owner:
        shown = tagged or "nobody"
        return Found(scope, "recovery group", False, f"belongs to {shown}, not to {owner}: nothing in it is deleted")
    return Found(scope, "recovery group", True, "there, and ours")


def settings(rules: Rules) -> list[Found]:
    """What the settings leave undone, though nothing is wrong with them."""
    found = []
    if not rules.subscriptions:
        found.append(Found("settings", "TAGBACK_SUBSCRIPTIONS", False, "no subscription is looked after"))
    for subscription, mode in sorted(rules.subscriptions.items()):
        if mode is not Mode.ENFORCE:
            because = "observe: what would be done is only said; set it to enforce when `tagback plan` looks right"
            found.append(Found(f"/subscriptions/{subscription}", "mode", True, because))
    if not rules.topic:
        because = "nobody is told of failures: TAGBACK_TOPIC_ENDPOINT names no topic"
        found.append(Found("settings", "TAGBACK_TOPIC_ENDPOINT", False, because))
    return found or [Found("settings", "settings", True, "read, and nothing is missing")]
