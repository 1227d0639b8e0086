"""What resources may be called, by type (documented: naming rules, SDK docstrings). Pure; asked on every creation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from local.simulator.answers import ArmError
from local.simulator.ids import parse


@dataclass(frozen=True, slots=True)
class Rule:
    """Characters and length of a type's names."""

    form: re.Pattern[str]
    longest: int
    said: str


_DISK = Rule(re.compile(r"^[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?$"), 80, "letters, digits, '_', '-' and '.'")
_PLAIN = Rule(re.compile(r"^[^<>%&\\?/#]+$"), 260, "none of <>%&\\?/#")  # locks have spaces (recorded)
RULES: Mapping[str, Rule] = {
    "microsoft.resources/subscriptions/resourcegroups": Rule(
        re.compile(r"^[\w.()-]*[\w()-]$"), 90, "letters, digits, '_', '-', '.', '(' and ')', no '.' at the end"
    ),
    "microsoft.compute/disks": _DISK,
    "microsoft.compute/snapshots": _DISK,
    "microsoft.compute/images": _DISK,
    "microsoft.compute/virtualmachines": Rule(
        re.compile(r"^(?!_)[^\\/\"'\[\]:|<>+=;,?*@&\s]*[^\\/\"'\[\]:|<>+=;,?*@&\s.-]$"), 64, "no special characters"
    ),
    "microsoft.compute/restorepointcollections": _DISK,
    "microsoft.compute/restorepointcollections/restorepoints": _DISK,
    "microsoft.compute/diskencryptionsets": _DISK,
    "microsoft.compute/availabilitysets": _DISK,
    "microsoft.eventgrid/topics": Rule(re.compile(r"^[A-Za-z0-9-]{3,}$"), 50, "letters, digits and '-', 3 at least"),
    "microsoft.eventgrid/eventsubscriptions": Rule(
        re.compile(r"^[A-Za-z0-9-]{3,}$"), 64, "letters, digits and '-', 3 at least"
    ),
}


def check(kind: str, name: str) -> None:
    """Refuse a name its type cannot have (code assumed; ARM's own rule holds for types not listed)."""
    rule = RULES.get(kind.lower(), _PLAIN)
    if len(name) <= rule.longest and rule.form.match(name):
        return
    code = "InvalidResourceGroupName" if kind.lower().endswith("/resourcegroups") else "InvalidResourceName"
    message = f"Resource name {name} is invalid. The name can be up to {rule.longest} characters long: {rule.said}."
    raise ArmError(400, code, message)


def kind_and_name(path: str) -> tuple[str, str]:
    """Return the type and name a path creates; no type where neither a group nor a resource is named."""
    parsed = parse(path)
    segments = [each for each in path.split("/") if each]
    if parsed.type:
        return parsed.type, parsed.name
    group = len(segments) == 4 and segments[2].lower() == "resourcegroups"
    return ("microsoft.resources/subscriptions/resourcegroups", segments[3]) if group else ("", "")
