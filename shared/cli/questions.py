"""The commands that ask: what is protected and why, by which points, what would change. They change nothing.

Registered by main.py.
"""

from __future__ import annotations

from pathlib import Path

import click

from shared.cli import pages, receipts, restore_pages
from shared.cli.plans import plans_in
from shared.cli.session import NOT_ALL_IS_WELL, output_option, session_of
from shared.flows import asking, explaining, lookup, reporting, show, show_restore, whatif
from shared.flows.standing import standing


@click.command()
@output_option
@click.pass_context
def status(context: click.Context) -> None:
    """Every VM that was seen: protected or not, and why. Exit code 1 when something needs attention."""
    session = session_of(context)
    answer = show.status(standing(*session.open()))
    session.show(answer, pages.print_status)
    if not answer["all_is_well"]:
        context.exit(NOT_ALL_IS_WELL)


@click.command()
@click.argument("vm")
@output_option
@click.pass_context
def points(context: click.Context, vm: str) -> None:
    """The recovery points of a VM, oldest first."""
    session = session_of(context)
    world, _ = session.open()
    known = lookup.machines(world)
    machine = lookup.named(known, vm)
    earlier = [lookup.how_named(one) for one in lookup.predecessors(known, machine)]
    session.show(show.points(world, machine), lambda answer: pages.print_points(answer, earlier))


@click.command()
@click.argument("vm")
@output_option
@click.pass_context
def explain(context: click.Context, vm: str) -> None:
    """Why a VM is protected or not, when its next point is due, and which points go next."""
    session = session_of(context)
    world, rules = session.open()
    answer = explaining.explain(world, rules, lookup.named(lookup.machines(world), vm))
    session.show(answer, pages.print_explanation)


@click.command()
@output_option
@click.pass_context
def jobs(context: click.Context) -> None:
    """What is being done and was done, newest first."""
    session = session_of(context)
    world, rules = session.open()
    answer = show.jobs(world, standing(world, rules))
    session.show(answer, pages.print_jobs)


@click.command()
@click.argument("request_id", metavar="ID")
@output_option
@click.pass_context
def request(context: click.Context, request_id: str) -> None:
    """What became of a request: whether it was taken or refused, why, and how its operation stands."""
    session = session_of(context)
    world, _ = session.open()
    asked = asking.request(world, request_id)
    answer = show.request(asked, asking.answering(world, asked)) | show_restore.beside(asked)
    session.show(answer, restore_pages.print_request if "restore" in answer else receipts.print_request)


@click.command()
@output_option
@click.pass_context
def report(context: click.Context) -> None:
    """Whether every VM keeps what its plan promises, and what stands of it. Exit code 1 when one does not."""
    session = session_of(context)
    world, rules = session.open()
    answer = reporting.report(world, rules, standing(world, rules))
    session.show(answer, pages.print_report)
    if not answer["kept"]:
        context.exit(NOT_ALL_IS_WELL)


@click.command()
@click.argument("vms", nargs=-1, metavar="VM...")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="As if the VMs named had this tag.")
@click.option("--untag", multiple=True, metavar="NAME", help="As if the VMs named had no such tag.")
@click.option("--plans", type=click.Path(dir_okay=False, path_type=Path), help="As if this were the plans file.")
@click.option("--enforce", is_flag=True, help="As if no subscription were only observed.")
@output_option
@click.pass_context
def plan(
    context: click.Context,
    vms: tuple[str, ...],
    tags: tuple[str, ...],
    untag: tuple[str, ...],
    plans: Path | None,
    enforce: bool,
) -> None:
    """What would change if tags, the plans file or a mode were others: machines, points that go earlier, calls.

    Nothing is changed. Exit code 1 when a machine would lose protection or need attention, or a point would go earlier.
    """
    session = session_of(context)
    proposal = whatif.Proposal(vms, whatif.tags_in(tags), untag, plans_in(plans) if plans else None, enforce)
    answer = whatif.plan(*session.open(), proposal)
    session.show(answer, pages.print_plan)
    if answer["harms"]:
        context.exit(NOT_ALL_IS_WELL)


COMMANDS = (status, points, explain, jobs, request, report, plan)
