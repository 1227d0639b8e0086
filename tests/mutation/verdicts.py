"""What became of every mutant: read from the files that mutmut leaves beside the mutated modules."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MUTANT = re.compile(r"x(ǁ(?P<type>\w+)ǁ|_)(?P<function>\w+)__mutmut_(?P<number>\d+)$")
SURVIVED = 0
UNTESTED = 33
TOLD = {SURVIVED: "survived", UNTESTED: "no test reaches it"}


class Fate(StrEnum):
    """How a mutant ended."""

    KILLED = "killed"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted change. `change` shows it as lines taken out (-) and put in (+), so that it means the same when the
    numbers of other mutants shift."""

    module: str
    function: str
    fate: Fate
    change: str

    @property
    def place(self) -> str:
        return f"{self.module}.{self.function}"


def mutants(tree: Path) -> Iterator[Mutant]:
    """Every mutant of a tree in which mutmut has run. RuntimeError for one without a verdict."""
    for told in sorted((tree / "mutants" / "shared" / "decide").glob("*.py.meta")):
        mutated = told.with_suffix("")
        functions = _functions(mutated.read_text())
        for key, code in json.loads(told.read_text())["exit_code_by_key"].items():
            if code is None:
                raise RuntimeError(f"{key} was not judged: the run was cut short")
            name = key.rpartition(".")[2]
            fate = Fate.SURVIVED if code in TOLD else Fate.KILLED
            change = _change(functions, name) if fate is Fate.SURVIVED else ""
            yield Mutant(mutated.stem, _plain(name), fate, change)


def _plain(name: str) -> str:
    match = MUTANT.search(name)
    assert match is not None, f"mutmut names its mutants otherwise than it did: {name}"
    return f"{match['type']}.{match['function']}" if match["type"] else match["function"]


def _functions(text: str) -> dict[str, list[str]]:
    """The body of every function of a mutated module, as lines without comments or layout."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name:
            found[node.name] = ast.unparse(node).splitlines()[1:]
    return found


def _change(functions: dict[str, list[str]], name: str) -> str:
    original = functions[re.sub(r"__mutmut_\d+$", "__mutmut_orig", name)]
    lines = difflib.unified_diff(original, functions[name], lineterm="", n=0)
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines if not line.startswith(("---", "+++", "@@")))
