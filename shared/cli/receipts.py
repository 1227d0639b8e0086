"""What the command line says once something was asked for, and how to watch it. Used by wishes.py and questions.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.cli.output import print_lines, words

Json = Mapping[str, Any]


def print_asked(name: str, request: str) -> None:
    print_lines(
        [
            f"Asked for a recovery point of {name}: request {request}.",
            f"Watch it with `tagback request {request}`, `tagback jobs` and `tagback points {name}`.",
        ]
    )


def print_retry(name: str, job: str, request: str) -> None:
    print_lines(
        [
            f"Asked that {job} of {name} be tried again: request {request}.",
            f"Watch it with `tagback request {request}` and `tagback jobs`.",
        ]
    )


def print_hold(name: str, until: str, request: str) -> None:
    print_lines(
        [
            f"Asked that the points of {name} be held until {until}: request {request}.",
            f"They are held once `tagback request {request}` says so.",
        ]
    )


def print_brake(what: str, goes_on: str, request: str) -> None:
    print_lines([f"Asked that {what} {goes_on}: request {request}.", "`tagback status` shows what is stopped."])


def print_rebuilds(answer: Sequence[Json]) -> None:
    if not answer:
        print_lines(["Azure holds no recovery group of this installation: there is nothing to make the ledger from."])
        return
    print_lines([f"{one['subscription']} in {one['region']}: request {one['id']}" for one in answer])
    print_lines(["", "Watch them with `tagback request ID`. Nothing that the ledger still knows is overwritten."])


def print_request(answer: Json) -> None:
    because = f": {answer['because']}" if answer["because"] else ""
    lines = [
        f"{answer['asked']} of {answer['vm_uid'] or 'the ledger'}, asked for at {words(answer['at'])} by {answer['by']}"
    ]
    lines.append(f"{answer['progress']}{because}")
    if answer["outcome"]:
        lines.append(f"its operation {answer['job']} is {answer['outcome']['state']}: {answer['outcome']['because']}")
    print_lines(lines)


def print_cancel(name: str, job: str, request: str) -> None:
    print_lines(
        [
            f"Asked the vault to cancel {job} of {name}: request {request}.",
            f"Watch it with `tagback request {request}` and `tagback jobs`.",
        ]
    )


def print_delete_data(name: str, request: str) -> None:
    print_lines(
        [
            f"Asked that the vault delete everything it has of {name}: request {request}.",
            f"Two people have to agree to it: `tagback approve {name}`.",
        ]
    )
