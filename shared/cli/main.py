"""`tagback`: what is protected and why, for people and for programs.

Runs where its user runs it, with the settings of their environment and their own `az login`. It reads the ledger; what
it changes is a request row and a message, and the app does the rest. It decides nothing.
"""

from __future__ import annotations

from pathlib import Path

import click

from shared import wiring
from shared.cli import approving, doctor, drills, mounts, pages, questions, restores, wishes
from shared.cli.plans import check
from shared.cli.session import BAD_INPUT, Commands, Session, output_option, session_of


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tagback")
@output_option
def commands() -> None:
    """Tag a VM in Azure and it is backed up: see what is protected, why, and by which recovery points.

    A VM is named by name, group/name, full id or vmId.
    """


@commands.group()
def plans() -> None:
    """The plans that tags can name."""


@plans.command("check")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False, envvar="TAGBACK_PLANS")
@output_option
@click.pass_context
def check_plans(context: click.Context, file: Path | None) -> None:
    """Check a plans file whole and list every problem; without FILE, the one of TAGBACK_PLANS or the shipped one."""
    answer = check(file)
    session_of(context).show(answer, pages.print_check)
    if not answer["ok"]:
        context.exit(BAD_INPUT)


for commands_of in (questions, wishes, approving, doctor, restores, mounts, drills):
    for command in commands_of.COMMANDS:
        commands.add_command(command)


def main() -> None:
    """The console script."""
    commands(obj=Session(wiring.from_environment, wiring.caller))
