"""`tagback script`: what connects a machine to a recovery point that a vault has mounted. Registered by main.py.

It is fetched from Azure with the rights of whoever runs this, and given to nobody else: the app holds no right to it,
and neither script nor password is ever in a table, a log or an answer of the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from shared.cli.output import print_lines, words
from shared.cli.session import Session, output_option, session_of
from shared.errors import BadInput
from shared.flows import mounting
from shared.flows.show import instant
from shared.model.mount import Script

OWNERS_ALONE = 0o600


@click.command()
@click.argument("request")
@click.option(
    "--into",
    required=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder that the script is written to, under the name that it has to have, for you alone.",
)
@output_option
@click.pass_context
def script(context: click.Context, request: str, into: Path) -> None:
    """Fetch the script of a mounted recovery point (`restore VM --mode files --from-vault`), and show its password.

    Your own `az login` needs the right for it. Whoever has both reads every file of the point: the password is shown
    here alone, and can be fetched again until the point is unmounted.
    """
    session = session_of(context)
    session.show(_fetched(session, request, into), _print)


def _fetched(session: Session, request: str, into: Path) -> Mapping[str, Any]:
    world, _ = session.open()
    reading = mounting.reading(world, request)
    found = session.scripts().script(reading.mount, reading.operation)
    return {
        "id": request,
        "system": found.system,
        "name": found.name,
        "file": str(_written(into, found)) if found.text else None,
        "url": found.url or None,
        "password": found.password,
        "until": instant(reading.until),
    }


def _written(folder: Path, found: Script) -> Path:
    place = folder / found.name
    try:
        place.touch(OWNERS_ALONE, exist_ok=False)
    except OSError as error:
        raise BadInput([f"{place} cannot be made: {error.strerror}"]) from error
    place.write_text(found.text, encoding="utf-8", newline="\n")
    return place


def _print(answer: Mapping[str, Any]) -> None:
    if answer["file"]:
        lines = [
            f"The script is {answer['file']}: run it as root, where the files are to be read ({answer['system']})."
        ]
    else:
        lines = [f"Download {answer['url']}", f"as {answer['name']}: it takes what it needs from that name."]
        lines += [f"Run it as administrator, where the files are to be read ({answer['system']})."]
    lines += [f"It asks for this password: {answer['password']}", "It is written nowhere: keep it to yourself.", ""]
    lines += [f"The point is mounted until {words(answer['until'])}, or sooner: unmount, then"]
    print_lines([*lines, f"tagback restore undo {answer['id']}"])


COMMANDS = (script,)
