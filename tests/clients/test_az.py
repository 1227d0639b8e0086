"""az does what az.toml says: every group of commands in a shell of its own, in order."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import pytest

from tests.clients.commands import Command, Group, Verdict, groups, judged
from tests.clients.conftest import Tally
from tests.clients.estate import Estate
from tests.clients.shell import Outcome, Shell, shell

GROUPS = groups()
ENOUGH = 80


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_command_of_a_group_ends_as_the_table_says(
    group: Group, azure: Estate, request: pytest.FixtureRequest, tally: Tally
) -> None:
    environment = request.getfixturevalue("unconfigured" if group.fresh else "configured")
    with shell(environment) as opened:
        problems = _played(group, azure, opened)
    tally(f"az {group.name}", len(group.commands), len(group.commands) - len(problems))
    assert not problems, "\n".join(problems)


def _played(group: Group, azure: Estate, opened: Shell) -> list[str]:
    """Type the commands one after another and return one text for each that went wrong."""
    names, wrong = azure.names(), []
    for command in group.commands:
        with azure.broken_once(command.fault) if command.fault else nullcontext():
            verdict = _typed(command, opened, names)
        names.update(verdict.saved)
        if verdict.problems:
            wrong.append("\n  ".join([command.run, *verdict.problems]))
    return wrong


def _typed(command: Command, opened: Shell, names: Mapping[str, str]) -> Verdict:
    try:
        words = command.words(names)
    except KeyError as missing:
        return Verdict((f"nothing saved {missing}: the command it comes from failed",))
    run = opened.run_executable if command.executable else opened.run
    return judged(command, run(words), opened.search, names)


def test_the_table_holds_enough_commands_and_failures_among_them() -> None:
    commands = [command for group in GROUPS for command in group.commands]
    assert len(commands) >= ENOUGH
    assert sum(command.exit != 0 for command in commands) >= 10
    asked = [command for command in commands if command.expressions() or command.error or command.text is not None]
    assert len(asked) >= len(commands) * 3 / 4, "most commands are judged by more than their exit code"


GOOD = Outcome(0, '{"name": "a", "tags": {"b": "c"}}', "")
BAD = Outcome(3, "", "ERROR: (ResourceNotFound) The Resource 'x' was not found.")


@pytest.mark.parametrize(
    ("command", "outcome", "said"),
    [
        (Command("az x"), BAD, "exited with 3, not 0"),
        (Command("az x", exit=3, error="ResourceNotFound"), GOOD, "exited with 0, not 3"),
        (Command("az x", exit=3, error="ScopeLocked"), BAD, "does not say 'ScopeLocked'"),
        (Command("az x", keys=("name", "id")), GOOD, "id is missing"),
        (Command("az x", equals={"tags.b": "d"}), GOOD, "tags.b is 'c', not 'd'"),
        (Command("az x", keys=("name",)), Outcome(0, "no", ""), "not JSON"),
        (Command("az x", text="true"), Outcome(0, "false\n", ""), "stdout is not 'true'"),
    ],
    ids=["exit", "no failure", "other error", "missing key", "other value", "no JSON", "other text"],
)
def test_a_command_that_ends_otherwise_is_a_problem(command: Command, outcome: Outcome, said: str) -> None:
    assert said in "\n".join(judged(command, outcome, dotted, {}).problems)


def test_an_outcome_as_expected_is_no_problem_and_values_are_saved() -> None:
    command = Command("az x", keys=("name",), equals={"tags.b": "$letter"}, save={"kept": "name"})
    assert judged(command, GOOD, dotted, {"letter": "c"}) == Verdict((), {"kept": "a"})


def dotted(document: Any, expressions: Any) -> dict[str, Any]:
    """The part of JMESPath that these tests need."""
    found = {}
    for expression in expressions:
        value = document
        for name in expression.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        found[expression] = value
    return found
