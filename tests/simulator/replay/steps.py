"""Turns a session into steps: in-scope exchanges with repeated equal polls folded into one. Pure.

The number of steps is the session's denominator; it depends on the recording and the provider table alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulator.replay.forms import address_of, outline, time_form
from tests.simulator.replay.recordings import Exchange, Session
from tests.simulator.replay.scope import MEASURED, in_scope, is_carried_out


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange to compare, or (`compared` false) to carry out; `repeats` equal polls were folded into it."""

    exchange: Exchange
    compared: bool = True
    repeats: int = 1


def steps_of(session: Session) -> list[Step]:
    """Fold the session into steps."""
    found: list[Step] = []
    for step in _wanted(session):
        if found and step.compared and found[-1].compared and _same_poll(found[-1].exchange, step.exchange):
            found[-1] = Step(found[-1].exchange, True, found[-1].repeats + 1)
        else:
            found.append(step)
    return found


def _wanted(session: Session) -> Iterator[Step]:
    for exchange in session.exchanges:
        if in_scope(exchange):
            yield Step(exchange)
        elif is_carried_out(exchange):
            yield Step(exchange, compared=False)


def _same_poll(first: Exchange, second: Exchange) -> bool:
    return (
        first.method == second.method == "GET"
        and first.status == second.status
        and address_of(first.target) == address_of(second.target)
        and state_of(first.body) == state_of(second.body)
    )


def state_of(body: Any, key: str = "") -> Any:
    """Blank what changes from poll to poll without meaning anything: times and measures."""
    if isinstance(body, dict):
        return {name: state_of(value, name.lower()) for name, value in body.items()}
    if isinstance(body, list):
        return [state_of(value) for value in body]
    if key in MEASURED:
        return type(body).__name__
    if isinstance(body, str):
        return time_form(body) or outline(body)
    return body
