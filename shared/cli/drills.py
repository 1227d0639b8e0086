"""`tagback drill`: tries out whether machines can be restored, and shows what came of it. Registered by main.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import click

from shared.cli.layout import Column
from shared.cli.output import print_lines, print_table, words
from shared.cli.restores import Following, followed
from shared.cli.session import NOT_ALL_IS_WELL, output_option, session_of
from shared.flows import drilling, lookup, show_drills
from shared.flows.standing import standing
from shared.model.request import Progress
from shared.model.span import told

Json = Mapping[str, Any]
DRILLS = (
    Column("VM", "vm", 12),
    Column("PLAN", "plan"),
    Column("LAST VERIFIED", "last_verified"),
    Column("RTO", "rto"),
    Column("RPO", "rpo"),
    Column("LAST DRILL", "verdict"),
    Column("NEXT", "next_drill"),
    Column("BECAUSE", "said", 30),
)


@click.command()
@click.argument("vm", required=False, default="")
@click.option("--follow/--no-wait", default=True, show_default=True, help="Stay until it has ended.")
@output_option
@click.pass_context
def drill(context: click.Context, vm: str, follow: bool) -> None:
    """Restore a VM into a network of its own, try it, and remove it again; without VM, how it stands with drills.

    Exit code 1 when the drill failed; without VM, when a drill failed or the last verified restore is too old.
    """
    session = session_of(context)
    world, rules = session.open()
    if not vm:
        answer = show_drills.drills(world, rules, standing(world, rules))
        session.show(answer, print_drills)
        if not answer["all_is_well"]:
            context.exit(NOT_ALL_IS_WELL)
        return
    machine = lookup.named(lookup.machines(world), vm)
    asked = drilling.ask_drill(world, rules, machine, session.caller())
    ended = followed(session, world, asked, Following(follow))
    if ended.progress in (Progress.FAILED, Progress.REFUSED):
        context.exit(NOT_ALL_IS_WELL)


def print_drills(answer: Json) -> None:
    if not answer["machines"]:
        print_lines(["No plan has drills, and no VM was ever drilled. `tagback drill VM` tries one out."])
        return
    print_table(DRILLS, [_row(machine) for machine in answer["machines"]])
    problems = [f"{machine['vm']}: {problem}" for machine in answer["machines"] for problem in machine["problems"]]
    if problems:
        print_lines(["", "Problems:", *(f"  {problem}" for problem in problems)])
    print_lines(["", f"As of {words(answer['as_of'])}."])


def _row(machine: Json) -> Json:
    last = machine["drill"]
    verdict = "" if last is None else "proven" if last["proven"] else "failed"
    spans = {name: _span(machine[f"{name}_seconds"]) for name in ("rto", "rpo")}
    return {**machine, **spans, "verdict": verdict, "said": machine["because"]}


def _span(seconds: int | None) -> str | None:
    return None if seconds is None else told(timedelta(seconds=seconds))


COMMANDS = (drill,)
