"""`python -m tests.infra.arm DIR`: every resource of infra/ as an ARM template, for scanners that read no modern Bicep.

Expressions are not evaluated: of a condition the private variant's side is taken, of a variable and a default what it
says, of the rest its text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.bicep import File, files, inner, items, literal, properties, said

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
# Conditions that hold in the private variant; every other one does not.
HOLDING = {"access == 'private'", "empty(subnetId)", "delivery == 'queue'", "isNew"}
BICEP_OWN = ("parent", "scope", "dependsOn")


def rendered(file: File, node: Node) -> Any:
    """A value as JSON."""
    node = inner(node)
    form = FORMS.get(node.type)
    return form(file, node) if form else f"[{said(node)}]"


def _chosen(file: File, node: Node) -> Any:
    condition, first, second = node.named_children
    return rendered(file, first if said(condition) in HOLDING else second)


def _named(file: File, node: Node) -> Any:
    found = {**file.of("parameter"), **file.of("variable")}.get(said(node))
    if found is None or found.value is None:
        return f"[parameters('{said(node)}')]"
    return rendered(file, found.value)


FORMS: Mapping[str, Callable[[File, Node], Any]] = {
    "object": lambda file, node: {name: rendered(file, value) for name, value in properties(node).items()},
    "array": lambda file, node: [rendered(file, each) for each in items(node)],
    "string": lambda _, node: literal(node) if literal(node) is not None else f"[{said(node)}]",
    "number": lambda _, node: int(said(node)),
    "boolean": lambda _, node: said(node) == "true",
    "null": lambda _, node: None,
    "ternary_expression": _chosen,
    "identifier": _named,
}


def templates() -> dict[str, dict[str, Any]]:
    """A template for each resource that is made, by its file and name."""
    made = {}
    for file in files():
        for resource in file.of("resource").values():
            if not resource.is_existing:
                kind, _, version = resource.label.partition("@")
                body = {name: value for name, value in rendered(file, resource.body).items() if name not in BICEP_OWN}
                whole = {"type": kind, "apiVersion": version, "name": resource.name, **body}
                made[f"{file.path.stem}-{resource.name}"] = {
                    "$schema": SCHEMA,
                    "contentVersion": "1.0.0.0",
                    "resources": [whole],
                }
    return made


def main(folder: Path) -> None:
    """Write them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, template in templates().items():
        (folder / f"{name}.json").write_text(json.dumps(template, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
