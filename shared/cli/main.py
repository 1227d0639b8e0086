"""`tagback`: what is protected and why, for people and for programs.

Runs where its user runs it, with the settings of their environment and their own `az login`. It reads the ledger; what
it changes is a request row and a message, and the app does the rest. It decides nothing.
"""

from __future__ import annotations

from pathlib import Path

import click

from shared import wiring
from shared.cli import pages
from shared.cli.output import Form, print_json
from shared.cli.plans import check, plans_in
from shared.cli.session import BAD_INPUT, NOT_ALL_IS_WELL, Commands, Session, output_option, session_of
from shared.flows import asking, explaining, holding, lookup, reporting, retrying, show, whatif
from shared.flows.standing import standing


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tagback")
@output_option
def commands() -> None:
    """Tag a VM in Azure and it is backed up: see what is protected, why, and by which recovery points.

    A VM is named by name, group/name or full id.
    """


@commands.command()
@output_option
@click.pass_context
def status(context: click.Context) -> None:
    """Every VM that was seen: protected or not, and why. Exit code 1 when something needs attention."""
    session = session_of(context)
    answer = show.status(standing(*session.open()))
    if session.form is Form.JSON:
        print_json(answer)
    else:
        pages.print_status(answer)
    if not answer["all_is_well"]:
        context.exit(NOT_ALL_IS_WELL)


@commands.command()
@click.argument("vm")
@output_option
@click.pass_context
def points(context: click.Context, vm: str) -> None:
    """The recovery points of a VM, oldest first."""
    session = session_of(context)
    world, _ = session.open()
    answer = show.points(world, lookup.named(lookup.machines(world), vm))
    if session.form is Form.JSON:
        print_json(answer)
    else:
        pages.print_points(answer)


@commands.command()
@click.argument("vm")
@output_option
@click.pass_context
def explain(context: click.Context, vm: str) -> None:
    """Why a VM is protected or not, when its next point is due, and which points go next."""
    session = session_of(context)
    world, rules = session.open()
    answer = explaining.explain(world, rules, lookup.named(lookup.machines(world), vm))
    if session.form is Form.JSON:
        print_json(answer)
    else:
        pages.print_explanation(answer)


@commands.command()
@output_option
@click.pass_context
def jobs(context: click.Context) -> None:
    """What is being done and was done, newest first."""
    session = session_of(context)
    world, rules = session.open()
    answer = show.jobs(world, standing(world, rules))
    if session.form is Form.JSON:
        print_json(answer)
    else:
        pages.print_jobs(answer)


@commands.command()
@click.argument("vm")
@output_option
@click.pass_context
def backup(context: click.Context, vm: str) -> None:
    """Ask for a recovery point of a VM now, beside its plan. A VM that no plan takes is refused with the reason."""
    session = session_of(context)
    world, rules = session.open()
    machine = lookup.named(lookup.machines(world), vm)
    asking.refuse_what_no_plan_takes(world, rules, machine)
    asked = asking.ask_backup(world, machine, session.caller())
    if session.form is Form.JSON:
        print_json({"id": asked.id})
    else:
        pages.print_asked(machine.name, asked.id)


@commands.command()
@click.argument("job", metavar="JOB|VM")
@output_option
@click.pass_context
def retry(context: click.Context, job: str) -> None:
    """Try a failed job again now: one named by its id in `tagback jobs`, or the newest failed one of a VM.

    What waits for a person is looked at again by itself, now and then; this is faster. What was given up begins anew,
    unless a newer slot has begun.
    """
    session = session_of(context)
    world, _ = session.open()
    machine, operation = retrying.failed_job(world, job)
    asked = retrying.ask_retry(world, machine, operation, session.caller())
    if session.form is Form.JSON:
        print_json({"id": asked.id, "job": show.job_id(machine.uid, operation.id)})
    else:
        pages.print_retry(machine.name, operation.id, asked.id)


@commands.command()
@click.argument("vm")
@click.option("--until", required=True, metavar="DAY", help="2027-01-31, or forever; a day that is over ends a hold.")
@click.option("--slot", metavar="SLOT", help="Only the point of this slot, as `tagback points` shows it.")
@output_option
@click.pass_context
def hold(context: click.Context, vm: str, until: str, slot: str | None) -> None:
    """Hold a VM's points: whatever its plan says, none of them is deleted before DAY is over."""
    session = session_of(context)
    world, _ = session.open()
    machine = lookup.named(lookup.machines(world), vm)
    asked = holding.ask_hold(world, machine, until, slot, session.caller())
    if session.form is Form.JSON:
        print_json({"id": asked.id})
    else:
        pages.print_hold(machine.name, asked.hold, asked.id)


@commands.command()
@click.argument("request_id", metavar="ID")
@output_option
@click.pass_context
def request(context: click.Context, request_id: str) -> None:
    """What became of a request: whether it was taken or refused, why, and how its operation stands."""
    session = session_of(context)
    world, _ = session.open()
    asked = asking.request(world, request_id)
    answer = show.request(asked, asking.answering(world, asked))
    if session.form is Form.JSON:
        print_json(answer)
    else:
        pages.print_request(answer)


@commands.command()
@output_option
@click.pass_context
def report(context: click.Context) -> None:
    """Whether every VM keeps what its plan promises, and what stands of it. Exit code 1 when one does not."""
    session = session_of(context)
    world, rules = session.open()
    answer = reporting.report(world, rules, standing(world, rules))
    if session.form is Form.JSON:
        print_json(answer)
    else:
        pages.print_report(answer)
    if not answer["kept"]:
        context.exit(NOT_ALL_IS_WELL)


@commands.command()
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
    if session.form is Form.JSON:
        print_json(answer)
    else:
        pages.print_plan(answer)
    if answer["harms"]:
        context.exit(NOT_ALL_IS_WELL)


@commands.command()
@output_option
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Make the ledger anew from what Azure holds, when its tables were lost. What the ledger still knows stays."""
    session = session_of(context)
    world, rules = session.open()
    by = session.caller()
    asked = [asking.ask_rebuild(world, shard, by) for shard in asking.shards_with_points(world, rules)]
    answer = [{"id": one.id, "subscription": one.shard.subscription, "region": one.shard.region} for one in asked]
    if session.form is Form.JSON:
        print_json(answer)
    else:
        pages.print_rebuilds(answer)


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
    if session_of(context).form is Form.JSON:
        print_json(answer)
    else:
        pages.print_check(answer)
    if not answer["ok"]:
        context.exit(BAD_INPUT)


def main() -> None:
    """The console script."""
    commands(obj=Session(wiring.from_environment, wiring.caller))
