"""`tagback restore`: a machine comes back, and its progress is shown until it has. Registered by main.py.

It leaves a request and the app does the work; with --from-azure this process does it, and needs Azure alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from shared.cli import restore_pages as pages
from shared.cli.session import NEEDS_APPROVAL, NOT_ALL_IS_WELL, Session, output_option, session_of
from shared.errors import BadInput
from shared.flows import asking, direct, lookup, ordering, setbacks
from shared.flows.ordering import Several, Words
from shared.flows.show_restore import restore as shown
from shared.model.request import Progress, Request
from shared.model.restore import RestoreMode
from shared.ports import World

EVERY = 2.0  # seconds between two looks at a request that is followed
UNDO = "undo"
MODES = (
    "rebuild: under its own name, which must be free; new: beside the one that is there; in-place: the VM that is "
    "there gets the disks of the point; disks: only disks; files: the disks are attached to the VM of --to for a day, "
    "or, with --from-vault, the vault mounts the point for 12 hours."
)


@dataclass(frozen=True, slots=True)
class Following:
    """Whether to stay until the end."""

    stays: bool


@click.command()
@click.argument("words", nargs=-1, metavar="VM... | undo REQUEST")
@click.option("--all-in", default="", metavar="GROUP", help="Every VM of a resource group, after those named.")
@click.option("--together", default="", metavar="NAME", help="Every VM tagged backup-group = NAME, after those named.")
@click.option("--with-plan", default="", metavar="PLAN", help="Every VM of a plan, after those named.")
@click.option("--mode", default=RestoreMode.REBUILD.value, show_default=True, metavar="MODE", help=MODES)
@click.option(
    "--before", default="", metavar="TIME", help="The newest point before this local time: '2026-11-20 14:30'."
)
@click.option("--zone", default="", metavar="ZONE", help="The time zone of --before; UTC unless given.")
@click.option("--slot", default="", metavar="SLOT", help="The point of this slot, as `tagback points` shows it.")
@click.option("--at-least", default="", metavar="PROMISE", help="The newest point that promises so much: application.")
@click.option("--as", "name", default="", metavar="NAME", help="The new machine's name; with --mode new.")
@click.option("--group", default="", metavar="GROUP", help="The resource group to restore to, by name or id.")
@click.option("--subnet", default="", metavar="ID", help="The subnet of new network interfaces.")
@click.option("--protect", is_flag=True, help="Give the machine its backup tags back when all is done.")
@click.option("--from-vault", is_flag=True, help="A point of Azure Backup, even where there are snapshots.")
@click.option("--staging", default="", metavar="ID", help="The storage account by which a vault restores.")
@click.option("--region", default="", metavar="REGION", help="In the region paired with the VM's; with --from-vault.")
@click.option("--to", default="", metavar="VM", help="The VM that reads the files; with --mode files.")
@click.option("--disk", default="", metavar="DISK", help="Only this disk: os, a LUN, or its name; with --mode files.")
@click.option("--follow/--no-wait", default=True, show_default=True, help="Stay until it has ended.")
@click.option(
    "--from-azure", is_flag=True, help="From snapshots and their tags alone: the app and its tables may be gone."
)
@output_option
@click.pass_context
def restore(context: click.Context, /, words: tuple[str, ...], follow: bool, from_azure: bool, **said: Any) -> None:
    """Bring VMs back whole from a recovery point, the most urgent first; by default the newest complete one of each.

    What cannot come back is listed. `restore undo REQUEST` removes what a restore made, or swaps the old disks back.
    Exit code 1 when it could not be done, 4 when a vault wants another person's approval for it.
    """
    session = session_of(context)
    following = Following(follow)
    several = Several(*(said.pop(name) for name in ("all_in", "together", "with_plan")))
    if len(words) == 2 and words[0] == UNDO:
        ended = [_undone(session, words[1], following)]
    elif from_azure:
        ended = [_from_azure(session, words, Words(**said))]
    else:
        ended = _restored(session, words, several, Words(**said), following)
    if any(needs_approval(one) for one in ended):
        context.exit(NEEDS_APPROVAL)
    if any(one.progress in (Progress.FAILED, Progress.REFUSED) for one in ended):
        context.exit(NOT_ALL_IS_WELL)


def needs_approval(ended: Request) -> bool:
    """Whether it ended because other people have to allow it first."""
    failure = ended.restore.failure if ended.restore else None
    return (
        ended.progress is Progress.FAILED and failure is not None and failure.remedy.startswith(setbacks.NEEDS_APPROVAL)
    )


def _from_azure(session: Session, words: tuple[str, ...], said: Words) -> Request:
    if len(words) != 1:
        raise BadInput(["with --from-azure one VM is restored by one command"])
    order = ordering.order_of(said)
    if order.mode is RestoreMode.FILES:
        raise BadInput(
            ["with --from-azure nobody would take the disks away again: --mode disks, and attach them by hand"]
        )
    world, rules = session.open()
    alone = direct.alone(world)
    machine = direct.meant(direct.remembered(alone, rules), words[0])
    with pages.progress(session.form) as tell:
        done = direct.restore(alone, rules, machine, order, lambda now: tell(shown(now)))
    session.show(shown(done), pages.print_end)
    return done


def _restored(
    session: Session, words: tuple[str, ...], several: Several, said: Words, following: Following
) -> list[Request]:
    """Every machine that is meant is asked for before the first is waited for."""
    order = ordering.order_of(said)
    world, _ = session.open()
    known = lookup.machines(world)
    machines, order = ordering.meant(known, words, several), ordering.with_reader(known, order)
    chosen, by = ordering.all_foreseen(world, machines, order), session.caller()
    asked, caution = [], ordering.lagging(order)
    for machine, point in zip(machines, chosen, strict=True):
        asked.append(ordering.ask_restore(world, machine, order, by))
        pages.tell_begin(session.form, machine.name, asked[-1].id, point.point.slot, point.lost, caution)
    if len(asked) == 1:
        return [followed(session, world, asked[0], following)]
    ended = [_waited(session, world, one) for one in asked] if following.stays else asked
    session.show([shown(one) for one in ended], pages.print_ends if following.stays else pages.print_all_asked)
    return ended


def _undone(session: Session, request_id: str, following: Following) -> Request:
    world, _ = session.open()
    asked = ordering.ask_undo(world, request_id, session.caller())
    return followed(session, world, asked, following)


def followed(session: Session, world: World, asked: Request, following: Following) -> Request:
    """The request as it ended; as it was asked where nobody waits for that."""
    if not following.stays:
        session.show(shown(asked), pages.print_asked)
        return asked
    now = _waited(session, world, asked)
    session.show(shown(now), pages.print_end)
    return now


def _waited(session: Session, world: World, asked: Request) -> Request:
    now = asked
    with pages.progress(session.form) as tell:
        while now.progress is Progress.ASKED:
            tell(shown(now))
            world.clock.sleep(EVERY)
            now = asking.request(world, asked.id)
    return now


COMMANDS = (restore,)
