"""az commands as data: read from az.toml, judged against what came back.

A command says what to type, how it ends, which keys its JSON has and which values, and which code a refusal carries.
`$name` in a command stands for a value of the estate or one that an earlier command of the group saved.
"""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from string import Template
from typing import Any

from tests.clients.shell import Outcome

TABLE = Path(__file__).with_name("az.toml")
Search = Callable[[Any, Sequence[str]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the table. `keys` and `equals` hold JMESPath expressions."""

    run: str
    exit: int = 0
    keys: tuple[str, ...] = ()
    equals: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    error: str = ""
    save: Mapping[str, str] = field(default_factory=dict)
    fault: Mapping[str, Any] = field(default_factory=dict)
    executable: bool = False

    def words(self, names: Mapping[str, str]) -> list[str]:
        """What to type after `az`."""
        return [Template(word).substitute(names) for word in shlex.split(self.run)[1:]]

    def expressions(self) -> list[str]:
        """Everything to look up in the answer."""
        return [*self.keys, *self.equals, *self.save.values()]


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that build on each other, typed into a shell of their own; `fresh` ones begin before any login."""

    name: str
    commands: tuple[Command, ...]
    fresh: bool = False


def groups(path: Path = TABLE) -> tuple[Group, ...]:
    """Read the table; a word it does not know is refused, for it would never be checked."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Group(name, tuple(_command(name, row) for row in rows["command"]), bool(rows.get("fresh")))
        for name, rows in document.items()
    )


def _command(group: str, row: Mapping[str, Any]) -> Command:
    known = {each.name for each in fields(Command)}
    strange = set(row) - known
    if strange:
        raise ValueError(f"{TABLE.name}: {group}: unknown {', '.join(sorted(strange))} in {row}")
    command = Command(**{**row, "keys": tuple(row.get("keys", ()))})
    if not command.run.startswith("az "):
        raise ValueError(f"{TABLE.name}: {group}: a command begins with az: {command.run}")
    if command.exit and not command.error:
        raise ValueError(f"{TABLE.name}: {group}: a refusal is known by its error: {command.run}")
    return command


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was wrong with an outcome, and what later commands may use."""

    problems: tuple[str, ...]
    saved: Mapping[str, str] = field(default_factory=dict)


def judged(command: Command, outcome: Outcome, search: Search, names: Mapping[str, str]) -> Verdict:
    """Compare an outcome with what the table says."""
    told = f"\n    stdout: {outcome.stdout[:600]}\n    stderr: {outcome.stderr[-1200:]}"
    if outcome.exit != command.exit:
        return Verdict((f"az exited with {outcome.exit}, not {command.exit}{told}",))
    problems = []
    if filled(command.error, names) not in outcome.stderr:
        problems.append(f"stderr does not say {command.error!r}{told}")
    if command.text is not None and outcome.stdout.strip() != filled(command.text, names):
        problems.append(f"stdout is not {command.text!r}{told}")
    asked = command.expressions()
    if not asked:
        return Verdict(tuple(problems))
    try:
        found = search(json.loads(outcome.stdout), asked)
    except ValueError:
        return Verdict((*problems, f"stdout is not JSON{told}"))
    problems += [f"{key} is missing{told}" for key in command.keys if found[key] is None]
    for expression, value in command.equals.items():
        wanted = filled(value, names)
        if found[expression] != wanted:
            problems.append(f"{expression} is {found[expression]!r}, not {wanted!r}")
    return Verdict(tuple(problems), {name: str(found[expression]) for name, expression in command.save.items()})


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """Put names into every text of a value."""
    if isinstance(value, str):
        return Template(value).substitute(names)
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    return {name: filled(each, names) for name, each in value.items()} if isinstance(value, dict) else value
