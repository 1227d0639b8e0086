"""Whether an order for a restore can be carried out at all: every problem of it, in words. Pure.

Called where an order is made, and again where it is carried out: a row may have been written by anybody who may write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.model.identity import subscription_of
from shared.model.restore import RestoreMode, RestoreOrder
from shared.model.rules import Rules

# [documented: naming rules of resource groups and virtual machines; a name with a slash would be another path]
GROUP = re.compile(r"[\w().-]{0,89}[\w()-]", re.ASCII)
GROUP_ID = re.compile(rf"/subscriptions/[\w-]+/resourcegroups/{GROUP.pattern}", re.ASCII | re.IGNORECASE)
NAME = re.compile(r"[A-Za-z0-9]([\w.-]{0,62}[A-Za-z0-9_])?", re.ASCII)
SUBNET = re.compile(
    r"/subscriptions/[\w-]+/resourcegroups/[\w().-]+/providers/microsoft\.network"
    r"/virtualnetworks/[\w.-]+/subnets/[\w.-]+",
    re.ASCII | re.IGNORECASE,
)
STAGING = re.compile(
    r"/subscriptions/[\w-]+/resourcegroups/[\w().-]+/providers/microsoft\.storage/storageaccounts/[a-z0-9]{3,24}",
    re.ASCII | re.IGNORECASE,
)
REGION = re.compile(r"[a-z0-9]{1,60}", re.ASCII)
VAULT_MODES = (RestoreMode.DISKS, RestoreMode.NEW, RestoreMode.REBUILD, RestoreMode.IN_PLACE)
"""The modes in which a point of a vault is restored."""

# The options that a mode has no use for.
IDLE: Mapping[RestoreMode, tuple[str, ...]] = {
    RestoreMode.DISKS: ("name", "subnet", "protect"),
    RestoreMode.IN_PLACE: ("name", "group", "subnet", "protect", "region"),
    RestoreMode.REBUILD: ("name",),
    RestoreMode.NEW: (),
    RestoreMode.DRILL: ("name", "subnet", "protect", "region"),
    RestoreMode.FILES: ("name", "group", "subnet", "protect", "region"),
}
OPTIONS = {"name": "--as", "group": "--group", "subnet": "--subnet", "protect": "--protect", "region": "--region"}


def problems(order: RestoreOrder) -> list[str]:
    """Every problem of an order; none when it can be carried out."""
    found = []
    if order.before and order.slot:
        found.append("a point is named by --before or by --slot, not by both")
    if order.at_least and order.slot:
        found.append("--at-least says nothing when a point is named by --slot")
    if (order.mode is RestoreMode.DRILL) != (order.trial is not None):
        found.append("a drill, and nothing else, says what the restored machine has to do")
    for field in IDLE[order.mode]:
        if getattr(order, field):
            found.append(f"{OPTIONS[field]} says nothing with --mode {order.mode}")
    if order.group and not (GROUP.fullmatch(order.group) or GROUP_ID.fullmatch(order.group)):
        found.append(f"{order.group!r} is no name of a resource group")
    if order.name and not NAME.fullmatch(order.name):
        found.append(f"{order.name!r} is no name of a VM")
    if order.subnet and not SUBNET.fullmatch(order.subnet):
        form = "/subscriptions/…/virtualNetworks/NAME/subnets/NAME"
        found.append(f"{order.subnet!r} is not the id of a subnet: {form}")
    return [*found, *_of_vault(order), *_of_region(order), *_of_files(order)]


def _of_vault(order: RestoreOrder) -> list[str]:
    found = []
    if order.mode is RestoreMode.FILES and order.staging:
        found.append("--staging says nothing with --mode files: a vault mounts a point without one")
    elif order.mode not in (*VAULT_MODES, RestoreMode.FILES) and (order.from_vault or order.staging):
        found.append(f"--from-vault and --staging say nothing with --mode {order.mode}")
    if order.staging and not STAGING.fullmatch(order.staging):
        form = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/NAME"
        found.append(f"{order.staging!r} is not the id of a storage account: {form}")
    return found


def _of_region(order: RestoreOrder) -> list[str]:
    """A paired region has nothing of the machine's: all that it is restored to there is named."""
    if not order.region or "region" in IDLE[order.mode]:
        return []
    found = [] if REGION.fullmatch(order.region) else [f"{order.region!r} is no name of a region such as northeurope"]
    if not order.from_vault:
        found.append("only points of vaults are restored in another region: --from-vault")
    wanted = {"--group": order.group, "--staging": order.staging}
    if order.mode is not RestoreMode.DISKS:
        wanted["--subnet"] = order.subnet
    if lacking := [option for option, value in wanted.items() if not value]:
        found.append(f"nothing of the machine's is used in another region: name what is there by {', '.join(lacking)}")
    return found


def _of_files(order: RestoreOrder) -> list[str]:
    said = {"--to": order.reader, "--disk": order.disk}
    if order.mode is not RestoreMode.FILES:
        return [f"{option} says nothing with --mode {order.mode}" for option, value in said.items() if value]
    if order.from_vault:
        because = "a vault mounts a point wherever its script is run"
        return [f"{option} says nothing with --from-vault: {because}" for option, value in said.items() if value]
    either = "files are read from a VM that you name: --to VM; or --from-vault, from a point that a vault mounts"
    return [] if order.reader else [either]


def group_path(order: RestoreOrder, subscription: str) -> str:
    """The path of the group that is asked for, in a machine's own subscription unless its id says another; or empty."""
    if not order.group or order.group.startswith("/"):
        return order.group
    return f"/subscriptions/{subscription}/resourceGroups/{order.group}"


def unreachable(order: RestoreOrder, subscription: str, rules: Rules, *, of_vault: bool) -> str:
    """Why a point of a machine in one subscription may not be restored where the order says; empty when it may."""
    target = subscription_of(group_path(order, subscription)) or subscription
    if target == subscription:
        return ""
    if not of_vault:
        return "only points of vaults are restored into another subscription: --from-vault"
    if refusal := outside(target, rules):
        return f"the resource group {order.group}: {refusal}"
    needs_network = order.mode in (RestoreMode.NEW, RestoreMode.REBUILD)
    if needs_network and subscription_of(order.subnet) != target:
        return f"a machine in another subscription needs a network there: --subnet in {target}"
    return ""


def unpaired(order: RestoreOrder, subscription: str, region: str) -> str:
    """Why a machine of one subscription and region is not restored in the region of an order; empty when it may be."""
    if not order.region:
        return ""
    if order.region == region:
        return f"{region} is the machine's own region: it is restored there without --region"
    if subscription_of(group_path(order, subscription)) != subscription:
        return "nothing is restored into another region and another subscription at once: --group in its own"
    return ""


def outside(subscription: str, rules: Rules) -> str:
    """Why nothing may be made in a subscription; empty when it may."""
    if subscription in rules.subscriptions:
        return ""
    return "its subscription is not among TAGBACK_SUBSCRIPTIONS"
