"""The shape of the product: which layer may import which, who may import the SDKs, and how large things get.

Read from the source with `ast`, so that nothing has to be importable and nothing escapes by a lazy import.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAX_MODULE = 250
MAX_FUNCTION = 30
MAX_FUNCTION_APP = 150

# One line per layer: what of the product it may import. Names are module prefixes; the layer itself is always allowed.
ALLOWED: dict[str, tuple[str, ...]] = {
    "shared.model": (),
    "shared.errors": (),
    "shared.messages": ("shared.model", "shared.errors"),
    "shared.ports": ("shared.model", "shared.errors"),
    "shared.decide": ("shared.model",),
    "shared.settings": ("shared.decide", "shared.model", "shared.errors"),
    "shared.cloud": ("shared.ports", "shared.model", "shared.errors"),
    "shared.flows": ("shared.decide", "shared.ports", "shared.messages", "shared.model", "shared.errors"),
    "shared.web": ("shared.flows", "shared.ports", "shared.model", "shared.errors"),
    "shared.cli": (
        "shared.flows",
        "shared.wiring",
        "shared.settings",
        "shared.ports",
        "shared.model",
        "shared.errors",
    ),
    "shared.wiring": ("shared",),
    "function_app": ("shared",),
}

# Module → what it may import beyond its layer, and why.
ALSO_ALLOWED: dict[str, tuple[tuple[str, ...], str]] = {
    "shared.cloud.pace": (("shared.decide.pace",), "decide/pace is pure: bucket and now in, wait out"),
    "shared.cloud.sightings": (("shared.decide.tag_values",), "what leaves a disk out is decided with the other tags"),
    "shared.cloud.authority": (("shared.decide.bearer",), "decide/bearer is pure: claims and now in, verdict out"),
    "shared.cloud.traces": (("shared.decide.traces",), "decide/traces is pure: rows and calls in, spans out"),
    "shared.cloud.telemetry": (("shared.decide.traces",), "which traces are told is decided with them"),
    "shared.cloud.callers": (("shared.decide.rates",), "decide/rates is pure: bucket and now in, wait out"),
    "shared.cloud.gates": (("shared.decide.gate",), "decide/gate is pure: gate and now in, wait out"),
}

# Package → the only places that import it.
HOMES: dict[str, tuple[str, ...]] = {
    "azure.mgmt": ("shared.cloud",),
    "azure.core": ("shared.cloud",),
    "azure.identity": ("shared.cloud",),
    "azure.data": ("shared.cloud",),
    "azure.storage": ("shared.cloud",),
    "azure.eventgrid": ("shared.cloud",),
    "azure.monitor": ("shared.cloud.telemetry",),
    "opentelemetry": ("shared.cloud.telemetry",),
    "tenacity": ("shared.cloud",),
    "jwt": ("shared.cloud",),
    "azure.functions": ("function_app",),
    "click": ("shared.cli",),
    "rich": ("shared.cli",),
    "werkzeug": ("shared.web",),
    "jinja2": ("shared.web.dashboard",),
    "cronsim": ("shared.decide.cron",),
    "shared": ("shared", "function_app"),
    "local": (),
    "tests": (),
}

# `path` or `path:function` → lines allowed, and why it is better whole.
LARGER: dict[str, tuple[int, str]] = {
    "shared/wiring.py:_built": (41, "the object graph in one place, about a line per part"),
}


def product_files() -> list[Path]:
    entry = ROOT / "function_app.py"
    return sorted((ROOT / "shared").rglob("*.py")) + [entry] * entry.exists()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere in it; `from a.b import c` counts as `a.b.c`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def under(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


def layer_of(module: str) -> str:
    return next((layer for layer in ALLOWED if under(module, (layer,))), "")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", product_files(), ids=relative)
def test_a_module_imports_only_what_its_layer_allows(path: Path) -> None:
    module = module_name(path)
    if module == "shared":
        assert list(imports(path)) == []
        return
    layer = layer_of(module)
    assert layer, f"{module} belongs to no layer of the design: add it to ALLOWED with what it may import"
    beyond, _ = ALSO_ALLOWED.get(module, ((), ""))
    allowed = (layer, *ALLOWED[layer], *beyond)
    wrong = [name for name in imports(path) if under(name, ("shared",)) and not under(name, allowed)]
    assert wrong == []


@pytest.mark.parametrize("path", product_files(), ids=relative)
def test_a_package_is_imported_only_where_it_is_at_home(path: Path) -> None:
    module = module_name(path)
    wrong = [
        name
        for name in imports(path)
        for package, homes in HOMES.items()
        if under(name, (package,)) and not under(module, homes)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", sorted((ROOT / "shared" / "decide").rglob("*.py")), ids=relative)
def test_decisions_import_only_the_model_the_standard_library_and_what_reads_cron(path: Path) -> None:
    known = {*sys.stdlib_module_names, "cronsim"}
    wrong = [
        name
        for name in imports(path)
        if not under(name, ("shared.model", "shared.decide")) and name.split(".")[0] not in known
    ]
    assert wrong == []


@pytest.mark.parametrize("path", sorted((ROOT / "local").rglob("*.py")), ids=relative)
def test_the_stand_ins_know_nothing_of_the_product(path: Path) -> None:
    if "node_modules" not in path.parts and ".run" not in path.parts:
        assert [name for name in imports(path) if under(name, ("shared", "function_app", "tests"))] == []


@pytest.mark.parametrize("path", product_files(), ids=relative)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    sizes = {relative(path): (len(text.splitlines()), MAX_FUNCTION_APP if path.parent == ROOT else MAX_MODULE)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            sizes[f"{relative(path)}:{node.name}"] = (lines_of(node), MAX_FUNCTION)
    over = {name: size for name, (size, limit) in sizes.items() if size > LARGER.get(name, (limit, ""))[0]}
    assert over == {}


def lines_of(function: ast.FunctionDef) -> int:
    """Lines from `def` to the end, without the docstring: explaining a contract does not make a function large."""
    first, *rest = function.body
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and bool(rest)
    assert function.end_lineno is not None
    assert first.end_lineno is not None
    length = function.end_lineno - function.lineno + 1
    return length - (first.end_lineno - first.lineno + 1) * documented


def test_every_exception_is_still_needed() -> None:
    modules = {module_name(path): path for path in product_files()}
    for module, (beyond, _) in ALSO_ALLOWED.items():
        assert module not in modules or any(under(name, beyond) for name in imports(modules[module]))
    for name in LARGER:
        assert (ROOT / name.partition(":")[0]).exists()


def test_every_module_says_what_it_is_for() -> None:
    silent = [relative(path) for path in product_files() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


@pytest.mark.parametrize(
    ("module", "imported", "is_allowed"),
    [
        ("shared.decide.tags", "shared.ports.World", False),
        ("shared.decide.tags", "shared.model.plan.Plan", True),
        ("shared.flows.sweep", "shared.cloud.ledger", False),
        ("shared.cloud.ledger", "shared.flows.sweep", False),
        ("shared.web.api", "shared.decide.tags", False),
        ("shared.modelled", "shared.model", False),
    ],
)
def test_the_rules_tell_right_from_wrong(module: str, imported: str, is_allowed: bool) -> None:
    layer = layer_of(module)
    assert under(imported, (layer, *ALLOWED.get(layer, ()))) is is_allowed
