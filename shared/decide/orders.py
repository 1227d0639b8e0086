"""Whether an order for a restore can be carried out at all: every problem of it, in words. Pure.

Called where an order is made, and again where it is carried out: a row may have been written by anybody who may write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.model.restore import RestoreMode, RestoreOrder
from shared.model.rules import Rules

# [documented: naming rules of resource groups and virtual machines; a name with a slash would be another path]
GROUP = re.compile(r"[\w().-]{0,89}[\w()-]", re.ASCII)
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
VAULT_MODES = (RestoreMode.DISKS, RestoreMode.NEW, RestoreMode.REBUILD, RestoreMode.IN_PLACE)
"""The modes in which a point of a vault is restored."""

# The options that a mode has no use for.
IDLE: Mapping[RestoreMode, tuple[str, ...]] = {
    RestoreMode.DISKS: ("name", "subnet", "protect"),
    RestoreMode.IN_PLACE: ("name", "group", "subnet", "protect"),
    RestoreMode.REBUILD: ("name",),
    RestoreMode.NEW: (),
    RestoreMode.DRILL: ("name", "subnet", "protect"),
    RestoreMode.FILES: ("name", "group", "subnet", "protect"),
}
OPTIONS = {"name": "--as", "group": "--group", "subnet": "--subnet", "protect": "--protect"}


def problems(order: RestoreOrder) -> list[str]:
    """Every problem of an order; none when it can be carried out."""
    found = []
    if order.before and order.slot:
        found.append("a point is named by --before or by --slot, not by both")
    if (order.mode is RestoreMode.DRILL) != (order.trial is not None):
        found.append("a drill, and nothing else, says what the restored machine has to do")
    for field in IDLE[order.mode]:
        if getattr(order, field):
            found.append(f"{OPTIONS[field]} says nothing when {order.mode} is restored")
    if order.group and not GROUP.fullmatch(order.group):
        found.append(f"{order.group!r} is no name of a resource group")
    if order.name and not NAME.fullmatch(order.name):
        found.append(f"{order.name!r} is no name of a VM")
    if order.subnet and not SUBNET.fullmatch(order.subnet):
        form = "/subscriptions/…/virtualNetworks/NAME/subnets/NAME"
        found.append(f"{order.subnet!r} is not the id of a subnet: {form}")
    return [*found, *_of_vault(order), *_of_files(order)]


def _of_vault(order: RestoreOrder) -> list[str]:
    found = []
    if (order.from_vault or order.staging) and order.mode not in VAULT_MODES:
        found.append(f"--from-vault and --staging say nothing when {order.mode} is restored")
    if order.staging and not STAGING.fullmatch(order.staging):
        form = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/NAME"
        found.append(f"{order.staging!r} is not the id of a storage account: {form}")
    return found


def _of_files(order: RestoreOrder) -> list[str]:
    if order.mode is RestoreMode.FILES:
        return [] if order.reader else ["files are read from a VM that you name: --to VM"]
    said = {"--to": order.reader, "--disk": order.disk}
    return [f"{option} says nothing when {order.mode} is restored" for option, value in said.items() if value]


def outside(subscription: str, rules: Rules) -> str:
    """Why nothing may be made in a subscription; empty when it may."""
    if subscription in rules.subscriptions:
        return ""
    return "its subscription is not among TAGBACK_SUBSCRIPTIONS"
