"""`tagback approve`: what waits for two people, and their word on it. Registered by main.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from shared.cli.layout import Column
from shared.cli.output import print_lines, print_table
from shared.cli.session import NEEDS_APPROVAL, output_option, session_of
from shared.errors import BadInput
from shared.flows import approving

WAITING = (
    Column("VM", "vm", 12),
    Column("SLOT", "slot"),
    Column("ASKED BY", "asked_by", 12),
    Column("APPROVED BY", "approved_by", 12),
    Column("BECAUSE", "because", 30),
)


@click.command()
@click.argument("vms", nargs=-1, metavar="VM...")
@click.option("--all", "everything", is_flag=True, help="Every deletion that waits, of every VM.")
@output_option
@click.pass_context
def approve(context: click.Context, vms: tuple[str, ...], everything: bool) -> None:
    """Let unplanned deletions go that wait for approval: the first person asks, a second one approves.

    Without VM it lists what waits. Exit code 4 while something waits for another person.
    """
    session = session_of(context)
    if vms and everything:
        raise BadInput(["name VMs, or give --all, not both"])
    if not vms and not everything:
        world, _ = session.open()
        found = approving.listed(world)
        session.show(found, print_waiting)
        needed = any(not one["approved_by"] for one in found)
    else:
        answer = session.post("/api/approvals", {"vm": list(vms)} if vms else {"all": True})
        session.show(answer, print_answer)
        needed = bool(answer["needs_approval"])
    if needed:
        context.exit(NEEDS_APPROVAL)


def print_waiting(answer: Sequence[Mapping[str, Any]]) -> None:
    if not answer:
        print_lines(["No deletion waits for approval."])
        return
    print_table(WAITING, answer)


def print_answer(answer: Mapping[str, Any]) -> None:
    said = {
        "approved": "Approved, and deleted within the hour unless something else stands in the way:",
        "asked": "Asked for; another person has to approve within 72 hours:",
        "own": "Asked for by you before; another person has to approve:",
    }
    for name, words in said.items():
        if answer[name]:
            print_lines([words, *(f"  {one['vm']} {one['slot']}" for one in answer[name])])


COMMANDS = (approve,)
