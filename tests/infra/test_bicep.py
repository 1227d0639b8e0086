"""Every file of infra/ is Bicep that hangs together, and no resource says what its published type does not allow.

There is no Bicep compiler here: the grammar is tree-sitter's, the types are those that the compiler itself ships.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree_sitter import Node

from tests.infra.bicep import (
    PARSER,
    Declaration,
    File,
    broken,
    every,
    examples,
    files,
    inner,
    literal,
    parsed,
    properties,
    said,
)
from tests.infra.resource_types import BICEP_OWN, TYPES, Judge, known
from tests.infra.roles import INFRA

FILES = files()
ENDPOINT = "Microsoft.Network/privateEndpoints@2024-05-01"
LINK_SCOPE = "Microsoft.Insights/privateLinkScopes@2021-07-01-preview"
needs_types = pytest.mark.skipif(not TYPES.is_dir(), reason="the published types are not beside this checkout")
# Functions and namespaces of Bicep that infra/ uses [Bicep functions].
FUNCTIONS = {
    "concat", "contains", "empty", "environment", "filter", "first", "flatten", "guid", "items", "join", "last",
    "length", "loadJsonContent", "loadTextContent", "map", "padLeft", "range", "replace", "resourceGroup", "resourceId",
    "split", "subscription", "subscriptionResourceId", "take", "toObject", "union", "uniqueString", "uri",
    "allowed", "batchSize", "description", "minLength", "maxLength", "minValue", "maxValue",
}  # fmt: skip


def shown(file: File) -> str:
    return file.shown


def resources() -> Iterator[tuple[File, Declaration]]:
    for file in FILES:
        for each in file.of("resource").values():
            yield file, each


def modules() -> list[tuple[File, Declaration]]:
    return [(file, each) for file in FILES for each in file.of("module").values()]


def titled(value: object) -> str:
    return value.shown if isinstance(value, File) else getattr(value, "name", "")


@pytest.mark.parametrize("file", [*FILES, *examples()], ids=shown)
def test_a_file_is_bicep(file: File) -> None:
    assert [f"line {node.start_point[0] + 1}: {said(node)[:60]}" for node in broken(file.root)] == []


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_everything_that_can_be_set_or_read_is_described(file: File) -> None:
    assert said(file.root.named_children[0]).startswith("metadata description = '")
    silent = [
        each.name
        for each in file.declarations
        if each.kind in ("parameter", "output", "type")
        and not any(decorator.startswith("description(") for decorator in each.decorators)
    ]
    assert silent == []


@needs_types
@pytest.mark.parametrize(("file", "resource"), [*resources()], ids=titled)
def test_a_resource_is_of_a_published_type_and_says_only_what_that_allows(file: File, resource: Declaration) -> None:
    assert resource.label.lower() in known(), f"{resource.label} is not among the published types"
    type_ = known()[resource.label.lower()]
    problems = []
    for problem in Judge(file).problems(resource.body, type_, resource.name):
        own = re.fullmatch(rf"{resource.name}\.(\w+): there is no such property", problem)
        if not (own and own[1] in BICEP_OWN) and not (resource.is_existing and problem.endswith(" is missing")):
            problems.append(problem)
    assert problems == []


@needs_types
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{ name: 'abc', location: 'x', kind: 'StorageV2', sku: { name: 'Standard_GRS' }, color: 'red' }", "color"),
        ("{ name: 'abc', location: 'x', kind: 'StorageV2' }", "sku is missing"),
        ("{ name: 'A_b', location: 'x', kind: 'StorageV2', sku: { name: 'Standard_GRS' } }", "A_b"),
        (
            "{ name: 'abc', location: 'x', kind: 'StorageV2', sku: { name: 'Standard_GRS' }, "
            "properties: { allowBlobPublicAccess: 'no' } }",
            "BooleanType is wanted",
        ),
        (
            "{ name: 'abc', location: 'x', kind: 'StorageV2', sku: { name: 'Standard_GRS' }, "
            "properties: { accessTier: x ? 'Hot' : 'Warm' } }",
            "'Warm' is none of Hot",
        ),
        (
            "{ name: 'abc', location: 'x', kind: 'StorageV2', sku: { name: 'Standard_GRS' }, id: 'mine' }",
            "id is read-only",
        ),
    ],
)
def test_a_body_that_a_type_forbids_is_noticed(body: str, problem: str) -> None:
    text = f"resource it 'Microsoft.Storage/storageAccounts@2025-06-01' = {body}\n"
    file = File(Path("it.bicep"), PARSER.parse(text.encode()).root_node)
    [resource] = file.declarations
    [found] = Judge(file).problems(resource.body, known()[resource.label.lower()], "it")
    assert problem in found


@needs_types
@pytest.mark.parametrize(
    ("kind", "body", "problem"),
    [
        (ENDPOINT, "{ name: 'x', properties: { subnetId: 'y' } }", "subnetId: there is no such"),
        (ENDPOINT, "{ name: 'x', properties: { subnet: 'y' } }", "an object is wanted"),
        (ENDPOINT, "{ properties: {} }", "name is missing"),
        (
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01",
            "{ name: 'x', properties: { registrationEnabled: 'no' } }",
            "BooleanType is wanted",
        ),
        (
            "Microsoft.Network/privateDnsZones@2024-06-01",
            "{ name: 'x', properties: { numberOfRecordSets: 3 } }",
            "numberOfRecordSets is read-only",
        ),
        (LINK_SCOPE, "{ name: 'x', location: 'global', properties: {} }", "accessModeSettings is missing"),
        (
            LINK_SCOPE,
            "{ name: 'x', location: 'global', properties: { accessModeSettings: "
            "{ ingestionAccessMode: 'Private', queryAccessMode: 'Open' } } }",
            "'Private' is none of Open, PrivateOnly",
        ),
    ],
)
def test_a_body_that_the_types_written_down_here_forbid_is_noticed(kind: str, body: str, problem: str) -> None:
    text = f"resource it '{kind}' = {body}\n"
    file = File(Path("it.bicep"), PARSER.parse(text.encode()).root_node)
    [resource] = file.declarations
    [found] = Judge(file).problems(resource.body, known()[resource.label.lower()], "it")
    assert problem in found


@pytest.mark.parametrize(("file", "module"), modules(), ids=titled)
def test_a_module_is_called_with_what_it_takes(file: File, module: Declaration) -> None:
    called = parsed((file.path.parent / module.label).resolve())
    takes, given = called.of("parameter"), properties(properties(module.body)["params"])
    assert sorted(set(given) - set(takes)) == [], "there is no such parameter"
    assert sorted({name for name, each in takes.items() if each.is_required} - set(given)) == [], "missing"
    for name, value in given.items():
        assert choices(takes[name]) is None or literal(value) is None or literal(value) in (choices(takes[name]) or ())


@pytest.mark.parametrize(("file", "module"), modules(), ids=titled)
def test_a_module_is_deployed_where_it_is_meant_to_be(file: File, module: Declaration) -> None:
    called = parsed((file.path.parent / module.label).resolve())
    at = said(properties(module.body)["scope"]) if "scope" in properties(module.body) else file.scope
    kind = "subscription" if at.startswith("subscription") else "resourceGroup"
    assert kind == called.scope


def choices(parameter: Declaration) -> list[str] | None:
    """The values that `@allowed` lists."""
    listed = [decorator for decorator in parameter.decorators if decorator.startswith("allowed(")]
    return re.findall(r"'([^']*)'", listed[0]) if listed else None


def names_in(file: File) -> Iterator[tuple[str, Node]]:
    """Every identifier that an expression names, with where."""
    for node in every(file.root, "identifier"):
        parent = node.parent
        assert parent is not None
        first = parent.named_children[0] == node
        is_key = parent.type == "object_property" and first and len(parent.named_children) > 1
        is_declared = parent.type.endswith("_declaration") and first
        if not is_key and not is_declared and parent.type not in ("metadata_declaration", "type"):
            yield said(node), node


def bound_around(node: Node) -> set[str]:
    """The names that loops and lambdas around a node bind."""
    bound: set[str] = set()
    at: Node | None = node
    while at is not None:
        if at.type == "for_statement":
            first = at.named_children[0]
            bound |= {said(each) for each in ([first] if first.type == "identifier" else first.named_children)}
        if at.type == "lambda_expression":
            head = at.named_children[0]
            bound |= {said(head)} if head.type == "identifier" else {said(each) for each in every(head, "identifier")}
        at = at.parent
    return bound


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_every_name_is_declared_and_every_declaration_is_used(file: File) -> None:
    declared = {each.name for each in file.declarations} | FUNCTIONS
    used, unknown = set(), []
    for name, node in names_in(file):
        used.add(name)
        if name not in declared and name not in bound_around(node):
            unknown.append(f"line {node.start_point[0] + 1}: {name}")
    assert unknown == []
    types = {said(node) for each in file.of("parameter").values() for node in every(each.node, "identifier")}
    idle = {each.name for each in file.declarations if each.kind in ("parameter", "variable", "type")} - used - types
    assert sorted(idle) == []


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_an_output_that_is_read_exists(file: File) -> None:
    calls = file.of("module")
    for found in re.finditer(r"\b(\w+)(?:\[\w+\])?\.outputs\.(\w+)", said(file.root)):
        called = parsed((file.path.parent / calls[found[1]].label).resolve())
        assert found[2] in called.of("output"), found[0]


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_a_file_that_is_loaded_exists(file: File) -> None:
    for node in every(file.root, "call_expression"):
        if said(node).startswith(("loadJsonContent(", "loadTextContent(")):
            first = next(every(node, "string"))
            assert (file.path.parent / str(literal(first))).is_file()


@pytest.mark.parametrize("example", examples(), ids=shown)
def test_an_example_gives_main_what_it_takes(example: File) -> None:
    main = parsed(INFRA / "main.bicep")
    takes, given = main.of("parameter"), example.of("variable")
    assert sorted(set(given) - set(takes)) == []
    assert sorted({name for name, each in takes.items() if each.is_required} - set(given)) == []
    for name, each in given.items():
        assert each.value is not None
        value = literal(each.value)
        assert choices(takes[name]) is None or value in (choices(takes[name]) or ()), name
    shape = set(properties(inner(main.find("protectedSubscription").node.named_children[-1])))
    protected = given["protected"].value
    assert protected is not None
    assert all(set(properties(each)) == shape for each in protected.named_children if each.type == "object")


def test_the_parameters_that_azd_fills_in_are_those_of_main() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    takes = parsed(INFRA / "main.bicep").of("parameter")
    assert set(given) <= set(takes)
    assert {name for name, each in takes.items() if each.is_required} <= set(given)
