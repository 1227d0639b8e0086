"""`tagback doctor`: a dry run that looks at rights, providers, quotas and groups, and changes nothing. For main.py."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from shared.cli.layout import Column
from shared.cli.output import print_lines, print_table
from shared.cli.session import NOT_ALL_IS_WELL, output_option, session_of
from shared.flows.diagnosing import Examination, examine
from shared.model.rights import Need, Reach

ROLES = Path(__file__).parents[1] / "roles.json"  # infra/roles.json, from which the rights are deployed
MISSING = (Column("SCOPE", "scope", 20), Column("MISSING", "subject", 20), Column("BECAUSE", "because", 30))
LEFT_OUT = "founder"  # granted only where an installation makes groups by itself


def needs_of(roles: tuple[str, ...]) -> tuple[Need, ...]:
    """What the roles need; all of them where none is named."""
    document = json.loads(ROLES.read_text(encoding="utf-8"))["roles"]
    chosen = roles or tuple(role for role in document if role != LEFT_OUT)
    return tuple(
        Need(role, Reach(grant["scope"]), grant["action"], grant["because"])
        for role in chosen
        for grant in document[role]["grants"]
    )


def role_names() -> list[str]:
    return sorted(json.loads(ROLES.read_text(encoding="utf-8"))["roles"])


@click.command()
@click.option(
    "--principal", default="", metavar="OBJECT-ID", help="Whose rights to look at: an app's; without it, yours."
)
@click.option("--role", "roles", multiple=True, type=click.Choice(role_names()), help="Which roles; all by default.")
@output_option
@click.pass_context
def doctor(context: click.Context, principal: str, roles: tuple[str, ...]) -> None:
    """What is missing in Azure: rights, providers, quotas, recovery groups. Exit code 1 if anything is."""
    session = session_of(context)
    world, rules = session.open()
    found = examine(world, rules, session.surroundings(), Examination(needs_of(roles), principal))
    answer = [{"scope": one.scope, "subject": one.subject, "ok": one.well, "because": one.because} for one in found]
    session.show(answer, _print)
    if not all(one["ok"] for one in answer):
        context.exit(NOT_ALL_IS_WELL)


def _print(answer: Sequence[Mapping[str, Any]]) -> None:
    """What is missing as a table; what was looked at and is well as one line."""
    missing = [one for one in answer if not one["ok"]]
    if missing:
        print_table(MISSING, missing)
    print_lines([f"{len(answer) - len(missing)} of {len(answer)} things that were looked at are as they should be"])


COMMANDS = (doctor,)
