"""How a restore is shown: each step as it ends, then what came back, what is lacking, what to do next.

Used by restores.py. Progress goes to standard error, so that standard output has the answer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from shared.cli.output import Form, print_lines, printable, words
from shared.flows.direct import ALONE
from shared.flows.show_restore import SAID
from shared.model.restore import RestoreMode, Stage
from shared.model.span import told

Json = Mapping[str, Any]
MARKS = {"done": ("✓", "green"), "under-way": ("…", "cyan"), "waiting": ("·", "dim"), "stopped": ("✗", "bold red")}


def tell_begin(form: Form, name: str, request: str, slot: datetime, lost: timedelta, caution: str = "") -> None:
    """What was asked for, what is not in the point, and what else to know of it."""
    if form is Form.TABLE:
        for line in (
            f"Restoring {name} from the point of {slot:%Y-%m-%d %H:%M}Z: the last {told(lost)} are not in it.",
            *([caution] if caution else []),
            f"Request {request}; Ctrl-C leaves it to the app, `tagback request {request}` tells how it stands.",
        ):
            click.echo(printable(line), err=True)


@contextmanager
def progress(form: Form) -> Iterator[Callable[[Json], None]]:
    """Tells each look at a restore: as a list that changes in a terminal, as a line per step elsewhere."""
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    if form is Form.JSON:
        yield lambda _: None
    elif console.is_terminal:
        with Live(console=console, transient=True, auto_refresh=False) as live:
            yield lambda now: live.update(_list(now), refresh=True)
    else:
        before: set[str] = set()
        yield lambda now: _tell_new(now, before)


def _list(now: Json) -> Text:
    text = Text()
    for each in now.get("stages", ()):
        mark, style = MARKS[each["state"]]
        text.append(f" {mark} {_said(each)}\n", style=style)
    if error := now.get("error"):
        text.append(f" {_trouble(now, error)}\n", style="yellow")
    return text


def _tell_new(now: Json, before: set[str]) -> None:
    lines = [_said(each) for each in now.get("stages", ()) if each["state"] == "done"]
    if error := now.get("error"):
        lines.append(_trouble(now, error))
    for line in lines:
        if line not in before:
            before.add(line)
            click.echo(f"  {printable(line)}", err=True)


def _said(each: Json) -> str:
    return SAID[Stage(each["stage"])]


def _trouble(now: Json, error: Json) -> str:
    remedy = f" {error['remedy']}." if error["remedy"] else ""
    return f"{error['code']}: {error['message']}{remedy} Next try: {words(now.get('next_look'))}"


def print_asked(answer: Json) -> None:
    print_lines([f"Asked: {answer['id']}. `tagback request {answer['id']}` tells how it stands."])


def print_all_asked(answers: Sequence[Json]) -> None:
    for answer in answers:
        print_asked(answer)


def print_ends(answers: Sequence[Json]) -> None:
    for answer in answers:
        print_lines(["", str(answer.get("machine") or answer["id"])])
        print_end(answer)


def print_request(answer: Json) -> None:
    """A restore among the requests: its steps, then what came of it so far."""
    restore = answer["restore"]
    steps = [f"{MARKS[each['state']][0]} {_said(each)}" for each in restore.get("stages", ())]
    print_lines([f"{restore['asked']} {restore['id']} ({restore['mode']})", *steps])
    print_end(restore)


def _lent(lent: Sequence[Json]) -> Iterator[str]:
    """Which disk is where, and how it is read without being changed: Azure attaches no disk read-only."""
    for one in lent:
        was = one["was"] if one["was"] == "OS disk" else f"disk of {one['was']}"
        yield f"  LUN {one['lun']}: the {was} ({one['of']}), {one['linux']}"
    yield ""
    yield f"Linux:   lsblk -f {lent[0]['linux']}, then mount -o ro,noload (ext4) or -o ro,norecovery,nouuid (xfs)"
    yield "Windows: Get-Disk | ft Number, Location; Set-Disk N -IsReadOnly $true; Set-Disk N -IsOffline $false"


def print_end(answer: Json) -> None:
    """What came of it, for people."""
    lines = [f"{answer['progress']}: {answer['because']}"]
    if error := answer.get("error"):
        lines.append(f"{error['code']}: {error['message']}")
        lines += [error["remedy"]] if error["remedy"] else []
    if answer["progress"] == "done" and answer.get("lent"):
        until = words(answer["kept_until"])
        lines += [*_lent(answer["lent"]), "", f"They go again at {until}, or sooner: unmount, then"]
        lines += [f"tagback restore undo {answer['id']}"]
    elif answer["progress"] == "done" and answer.get("mount"):
        lines += ["", "Its script and the password, by your own rights in Azure, where the files are to be read:"]
        lines += [f"tagback script {answer['id']} --into FOLDER", ""]
        lines += [f"It is unmounted at {words(answer['kept_until'])}, or sooner: unmount there, then"]
        lines += [f"tagback restore undo {answer['id']}"]
    elif answer["progress"] == "done" and answer["asked"] == "restore":
        lines += [f"  {place}" for place in (answer["makes"] or [answer["machine"]])]
        if answer["lacking"]:
            lines += ["", "Not as it was:", *(f"  - {one}" for one in answer["lacking"])]
        if answer["old_disks"]:
            lines += ["", f"The disks that were there are kept until {words(answer['kept_until'])}."]
        lines += ["", f"To take it back: {_removal(answer)}"]
    elif answer["mode"] == RestoreMode.DRILL:
        lines += [f"  {one}" for one in (answer.get("trial") or {}).get("seen", ())]
    elif answer["progress"] == "failed" and answer.get("makes") and answer["mode"] != RestoreMode.FILES:
        lines += ["", f"What it made is left; to remove it: {_removal(answer)}"]
    print_lines(lines)


def _removal(answer: Json) -> str:
    """How what a restore made is removed again: by us where the app knows of it, by hand otherwise."""
    if answer["by"] == ALONE:
        return f"delete by hand what is tagged tagback-restore = {answer['id']}; the app knows nothing of it"
    return f"tagback restore undo {answer['id']}"
