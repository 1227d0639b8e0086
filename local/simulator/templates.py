"""Deployment templates as they are read: what is to be made, after what, with parameters and variables filled in.

Used by deployments.py. Only the expressions that name a parameter or a variable are evaluated; others are refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.simulator.answers import ArmError, Document

EXPRESSION = re.compile(r"^\[(?!\[)(.*)\]$", re.S)
NAMED = re.compile(r"^(parameters|variables)\('([^']+)'\)$", re.I)
KEPT = ("location", "tags", "zones", "identity", "sku", "plan", "kind", "properties", "extendedLocation", "managedBy")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One resource of a template: its id, api-version and body, and the ids it waits for."""

    id: str
    version: str
    body: Document
    after: tuple[str, ...]

    def state(self) -> Document:
        """Write it down for the journal."""
        return {"id": self.id, "version": self.version, "body": self.body, "after": list(self.after)}


def read(scope: str, properties: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """Return the resources of a deployment's template, as written."""
    template = properties.get("template")
    if not isinstance(template, dict) or not isinstance(template.get("resources"), list):
        message = "The request content was invalid: a deployment names a template with resources."
        raise ArmError(400, "InvalidRequestContent", message)
    given = {name: each.get("value") for name, each in (properties.get("parameters") or {}).items()}
    declared = template.get("parameters") or {}
    known = {name: each["defaultValue"] for name, each in declared.items() if "defaultValue" in each} | given
    _check_parameters(declared, known)
    values = {"parameters": known, "variables": template.get("variables") or {}}
    resources = [_filled(each, values) for each in template["resources"]]
    ids = [_id(scope, str(each["type"]), str(each["name"])) for each in resources]
    return tuple(_wanted(resource, own, ids) for resource, own in zip(resources, ids, strict=True))


def _check_parameters(declared: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    missing = sorted(name for name in declared if name not in known)
    if missing:
        message = f"Deployment template validation failed: The value for the template parameter '{missing[0]}' is "
        raise ArmError(400, "InvalidTemplate", message + "not provided.")


def _wanted(resource: Mapping[str, Any], own: str, ids: list[str]) -> Wanted:
    """Find what a resource waits for: dependsOn names ids or their ends, in any letter case (recorded)."""
    ends = [str(each).strip("/").lower() for each in resource.get("dependsOn") or []]
    after = tuple(each for each in ids if any(each.lower().endswith(end) for end in ends))
    body = {name: without_nulls(resource[name]) for name in KEPT if resource.get(name) is not None}
    return Wanted(own, str(resource["apiVersion"]), body, after)


def _filled(value: Any, values: Mapping[str, Mapping[str, Any]]) -> Any:
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    if isinstance(value, dict):
        return {name: _filled(each, values) for name, each in value.items()}
    found = EXPRESSION.match(value) if isinstance(value, str) else None
    if found is None:
        return value[1:] if isinstance(value, str) and value.startswith("[[") else value
    named = NAMED.match(found[1].strip())
    if named is None or named[2] not in values[named[1].lower()]:
        raise ArmError(501, "NotImplemented", f"The simulator does not evaluate the template expression {value}.")
    return _filled(values[named[1].lower()][named[2]], values) if named[1].lower() == "variables" else (
        values["parameters"][named[2]]
    )  # fmt: skip


def without_nulls(value: Any) -> Any:
    """Leave out nulls, and objects that held nothing else: deployments do not pass them on (recorded)."""
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: without_nulls(each) for name, each in value.items() if each is not None}
    return {name: each for name, each in kept.items() if each != {} or value[name] == {}}


def _id(scope: str, kind: str, name: str) -> str:
    namespace, *types = kind.split("/")
    pairs = "/".join(f"{each}/{part}" for each, part in zip(types, name.split("/"), strict=False))
    return f"{scope}/providers/{namespace}/{pairs}"
