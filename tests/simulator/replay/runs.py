"""Plays many sessions against one simulator process: seeds their subscriptions, keeps them apart. Called by the entry
point and the tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.simulator.replay.bystanders import foreign, made_by_the_way
from tests.simulator.replay.forms import GUID
from tests.simulator.replay.player import Result, Service, play, symbols_for
from tests.simulator.replay.recordings import REALDATA, Session, read_session, session_files
from tests.simulator.replay.scope import in_scope
from tests.simulator.replay.simulator import running_simulator

EARLIEST = datetime(2017, 1, 1, tzinfo=UTC)


@cache
def sessions(pattern: str = "*", root: Path = REALDATA) -> tuple[Session, ...]:
    """Every session with something in scope, by a glob on its name."""
    names = [name for name in session_files(root) if fnmatchcase(name, pattern) or fnmatchcase(name, f"*{pattern}*")]
    read = (read_session(name, session_files(root)[name]) for name in names)
    return tuple(each for each in read if any(map(in_scope, each.exchanges)))


def subscriptions_of(session: Session) -> set[str]:
    """Every recorded subscription a session names or shows resources of."""
    others = [*foreign(session), *(each for _, each in made_by_the_way(session))]
    found = {each["id"].split("/")[2].lower() for each in others}
    for exchange in session.exchanges:
        if not in_scope(exchange):
            continue
        segments = exchange.target.lower().replace("%2f", "/").split("/")
        for before, after in pairwise(segments):
            guid = GUID.match(after)
            if before == "subscriptions" and guid is not None:
                found.add(guid.group())
        if isinstance(exchange.request, dict):
            found.update(each.lower() for each in exchange.request.get("subscriptions") or [] if isinstance(each, str))
    return found


def seed_file(chosen: Iterable[Session], folder: Path) -> Path:
    """Write the simulator's seed: each session's subscriptions, as recorded names and as others."""
    lines: list[str] = []
    for session in chosen:
        for renamed in (False, True):
            symbols = symbols_for(session, renamed=renamed)
            lines += [
                f'[[subscription]]\nid = "{symbols.subscription(each)}"' for each in sorted(subscriptions_of(session))
            ]
    path = folder / "replay.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def play_all(chosen: Sequence[Session], service: Service, *ways: bool) -> tuple[list[Result], ...]:
    """Play the sessions in the order of their time, each in the given ways: as recorded (false), renamed (true)."""
    in_time = sorted(chosen, key=lambda session: (session.began or EARLIEST, session.name))
    found: dict[tuple[str, bool], Result] = {}
    for session in in_time:
        for renamed in ways:
            found[session.name, renamed] = play(session, symbols_for(session, renamed=renamed), service)
    return tuple([found[session.name, renamed] for session in chosen] for renamed in ways)


def start_of(chosen: Iterable[Session]) -> datetime:
    """The time the earliest of the sessions began."""
    return min((session.began for session in chosen if session.began), default=EARLIEST)


def replay(chosen: Sequence[Session], folder: Path, *, renamed: bool = False) -> list[Result]:
    """Play the sessions against a simulator of their own."""
    with running_simulator(seed_file(chosen, folder), start_of(chosen)) as simulator:
        return play_all(chosen, simulator, renamed)[0]
