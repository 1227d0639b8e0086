"""What every command shares: how the world is opened, the form of the answer, and what errors become.

Used by main.py, and by tests that bring a world of their own. The world is opened on first use, so that `--help` and
`plans check` need no settings.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import click

from shared import wiring
from shared.cli.output import Form, print_json, printable
from shared.errors import BadInput, CloudError, Forbidden, LostRace, NewerRows, TagbackError, Unknown
from shared.model.rules import Rules
from shared.ports import Surroundings, World
from shared.ports.mounts import MountScripts

Document = TypeVar("Document")

NOT_ALL_IS_WELL = 1
BAD_INPUT = 2
NOT_FOUND = 3
NEEDS_APPROVAL = 4
AZURE_FAILED = 5
UNFORESEEN = 70  # EX_SOFTWARE of sysexits.h: no monitor may take a fault of ours for an answer about machines
EXIT_CODES = {
    0: "fine",
    NOT_ALL_IS_WELL: "not all is well: something is unprotected, degraded, given up, or waits for a person",
    BAD_INPUT: "bad input: arguments, settings or a plans file; every problem is listed",
    NOT_FOUND: "no VM or request of that name",
    NEEDS_APPROVAL: "another person has to approve, or has to have the role for it",
    AZURE_FAILED: "Azure refused, or could not be reached",
    UNFORESEEN: "a fault of this program; standard error has the traceback",
}


@dataclass(slots=True)
class Session:
    """One run of the command line."""

    open: Callable[[], tuple[World, Rules]]
    caller: Callable[[], str]
    surroundings: Callable[[], Surroundings] = wiring.surroundings
    post: Callable[[str, Mapping[str, object]], Mapping[str, Any]] = wiring.post
    scripts: Callable[[], MountScripts] = wiring.mount_scripts
    form: Form = Form.TABLE

    def show(self, answer: Document, page: Callable[[Document], None]) -> None:
        """One JSON document where that was asked for, else the page for people."""
        if self.form is Form.JSON:
            print_json(answer)
        else:
            page(answer)


def exit_code(error: TagbackError) -> int:
    """The exit code that the contract gives to a kind of error."""
    match error:
        case BadInput():
            return BAD_INPUT
        case Unknown():
            return NOT_FOUND
        case Forbidden():
            return NEEDS_APPROVAL
        case _:
            return AZURE_FAILED


def report(error: TagbackError, form: Form) -> None:
    """Words for people on standard error, and the one document on standard output where JSON was asked for."""
    problems = list(error.problems) if isinstance(error, BadInput) else [str(error)]
    for problem in problems:
        click.echo(f"tagback: {printable(problem)}", err=True)
    if form is Form.JSON:
        _print_error(exit_code(error), problems)


def report_misuse(error: click.UsageError, form: Form) -> None:
    """The same for words on the command line that click refuses."""
    error.show()
    if form is Form.JSON:
        _print_error(BAD_INPUT, [error.format_message()])


def _print_error(code: int, problems: list[str]) -> None:
    print_json({"error": EXIT_CODES[code], "exit_code": code, "problems": problems})


class Commands(click.Group):
    """A group whose commands may raise TagbackErrors."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        session: Session = extra["obj"]
        session.form = form_in(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            report_misuse(error, session.form)
            raise click.exceptions.Exit(BAD_INPUT) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            report_misuse(error, session_of(ctx).form)
            ctx.exit(BAD_INPUT)
        except (BadInput, Unknown, Forbidden, CloudError, LostRace, NewerRows) as error:
            report(error, session_of(ctx).form)
            ctx.exit(exit_code(error))
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:  # the outermost edge: Python itself would end with 1, which says "not all is well"
            traceback.print_exception(error)
            if session_of(ctx).form is Form.JSON and not isinstance(error, OSError):
                _print_error(UNFORESEEN, [f"{type(error).__name__}: {error}"])
            ctx.exit(UNFORESEEN)


def form_in(words: Sequence[str]) -> Form:
    """The form that a whole command line asks for, as far as it can be told before click has understood it."""
    asked = [after for word, after in pairwise((*words, "")) if word == "--output"]
    asked += [word.removeprefix("--output=") for word in words if word.startswith("--output=")]
    return Form.JSON if Form.JSON in asked else Form.TABLE


def session_of(context: click.Context) -> Session:
    """The session that main (or a test) started the command line with."""
    session = context.find_object(Session)
    assert session is not None, "the command line is started with a Session as its object"
    return session


def choose_form(context: click.Context, _: click.Parameter, value: str | None) -> None:
    """Remember the form of the answer, wherever on the line the option stands."""
    if value is not None:
        session_of(context).form = Form(value)


output_option = click.option(
    "--output",
    type=click.Choice([form.value for form in Form]),
    help="table (default) for people, json for programs: one document on standard output.",
    callback=choose_form,
    expose_value=False,
    is_eager=True,
)
