"""The commands that want something done: each leaves a request row and a message, and the app does the rest.

Registered by main.py.
"""

from __future__ import annotations

import click

from shared.cli import receipts
from shared.cli.session import NEEDS_APPROVAL, output_option, session_of
from shared.flows import asking, cancelling, emptying, holding, lookup, pausing, retrying, show


@click.command()
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
    session.show({"id": asked.id}, lambda _: receipts.print_asked(machine.name, asked.id))


@click.command()
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
    session.show(
        {"id": asked.id, "job": show.job_id(machine.uid, operation.id)},
        lambda _: receipts.print_retry(machine.name, operation.id, asked.id),
    )


@click.command()
@click.argument("job", metavar="JOB|VM")
@output_option
@click.pass_context
def cancel(context: click.Context, job: str) -> None:
    """Cancel a job of Azure Backup: one named by its id in `tagback jobs`, or the newest running one of a VM.

    The vault only does so while it still takes the snapshot. A backup that was cancelled is not begun again by itself.
    """
    session = session_of(context)
    world, _ = session.open()
    machine, operation = cancelling.running_job(world, job)
    asked = cancelling.ask_cancel(world, machine, operation, session.caller())
    session.show(
        {"id": asked.id, "job": show.job_id(machine.uid, operation.id)},
        lambda _: receipts.print_cancel(machine.name, operation.id, asked.id),
    )


@click.command("delete-data")
@click.argument("vm")
@click.option("--because", required=True, metavar="REASON", help="Why: those who have to agree are shown it.")
@output_option
@click.pass_context
def delete_data(context: click.Context, vm: str, because: str) -> None:
    """Ask that a vault delete everything it has of a VM, whose protection has stopped. Nothing goes by this alone.

    Two people have to agree with `tagback approve`. Where the vault deletes softly it can be taken back for a while.
    Exit code 4: it needs approval.
    """
    session = session_of(context)
    world, rules = session.open()
    machine = lookup.named(lookup.machines(world), vm)
    asked = emptying.ask_delete(world, rules, machine, because, session.caller())
    session.show({"id": asked.id}, lambda _: receipts.print_delete_data(machine.name, asked.id))
    context.exit(NEEDS_APPROVAL)


@click.command()
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
    session.show({"id": asked.id}, lambda _: receipts.print_hold(machine.name, asked.hold, asked.id))


@click.command()
@output_option
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Make the ledger anew from what Azure holds, when its tables were lost. What the ledger still knows stays."""
    session = session_of(context)
    world, rules = session.open()
    by = session.caller()
    asked = [asking.ask_rebuild(world, shard, by) for shard in asking.shards_with_points(world, rules)]
    answer = [{"id": one.id, "subscription": one.shard.subscription, "region": one.shard.region} for one in asked]
    session.show(answer, receipts.print_rebuilds)


@click.command()
@click.argument("what", type=click.Choice(pausing.CHOICES))
@click.option("--because", required=True, metavar="REASON", help="Why: everybody who looks is shown it.")
@output_option
@click.pass_context
def pause(context: click.Context, what: str, because: str) -> None:
    """Stop captures, deletions or all of it, everywhere, until somebody resumes. What Azure has accepted ends."""
    session = session_of(context)
    world, _ = session.open()
    asked = pausing.ask_pause(world, what, because, session.caller())
    session.show({"id": asked.id}, lambda _: receipts.print_brake(what, "be stopped", asked.id))


@click.command()
@click.argument("what", type=click.Choice(pausing.CHOICES))
@click.option("--because", default="", metavar="REASON", help="Why; kept in the audit log.")
@output_option
@click.pass_context
def resume(context: click.Context, what: str, because: str) -> None:
    """Let go on what was paused. Of the slots that passed meanwhile the newest is caught up."""
    session = session_of(context)
    world, _ = session.open()
    asked = pausing.ask_resume(world, what, because, session.caller())
    session.show({"id": asked.id}, lambda _: receipts.print_brake(what, "go on", asked.id))


COMMANDS = (backup, retry, cancel, hold, delete_data, rebuild, pause, resume)
