"""Plays one session against a service and says, step by step, what came out differently.

The service is the simulator or, in the harness's own test, an echo of the recording. The player sends what the
recorded client sent (in today's names), waits in virtual time where the client waited, and never looks inside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote

from tests.simulator.replay.beforehand import beforehand, scrubbed_request, touched_groups
from tests.simulator.replay.bystanders import changes_by_others, foreign, made_by_the_way
from tests.simulator.replay.comparison import Answer, Deviation, Rules, compare
from tests.simulator.replay.forms import path_of
from tests.simulator.replay.naming import renaming
from tests.simulator.replay.recordings import Exchange, Session
from tests.simulator.replay.scope import is_catalogue, is_poll, provider_of, route_of
from tests.simulator.replay.steps import Step, steps_of
from tests.simulator.replay.symbols import Symbols
from tests.simulator.replay.templates import Wish, wishes_of

_RUNNING = frozenset(
    {"inprogress", "creating", "updating", "deleting", "running", "accepted", "provisioning", "notstarted", "migrating"}
)
_MOST_WAITS = 12
_AGENT_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; `step` is what it replays, nothing for what is set up."""

    method: str
    target: str
    body: Any
    step: Step | None = None


class Service(Protocol):
    """Something that answers requests in virtual time."""

    def send(self, request: Request) -> Answer:
        """Answer one request."""
        ...

    def advance(self) -> bool:
        """Move on to the next thing that will happen; false when nothing will soon."""
        ...

    def wait(self, seconds: float) -> None:
        """Let some time pass."""
        ...

    def begin(self, moment: datetime | None) -> None:
        """A session begins that was recorded at this time: the platform answers as it did then."""
        ...

    def plant(self, resources: list[dict[str, Any]]) -> None:
        """Let resources be there whose providers are not simulated."""
        ...

    def ready(self) -> None:
        """All that was to be there is there, and everybody has noticed."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one compared step."""

    step: Step
    deviations: tuple[Deviation, ...]

    @property
    def route(self) -> str:
        return route_of(self.step.exchange.method, self.step.exchange.target)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a session: its steps, and what of the setting-up was refused."""

    session: str
    outcomes: tuple[Outcome, ...]
    refused: tuple[str, ...]

    @property
    def total(self) -> int:
        return len(self.outcomes)

    @property
    def matched(self) -> int:
        return sum(1 for outcome in self.outcomes if not outcome.deviations)


ServiceFor = Callable[[Session, Symbols], Service]


def symbols_for(session: Session, *, renamed: bool) -> Symbols:
    """The names of one run of a session: as recorded, or all others."""
    return Symbols(f"{session.name}/{renamed}", renaming(session) if renamed else {})


def play(session: Session, symbols: Symbols, service: Service) -> Result:
    """Play the session from its beginning."""
    player = _Player(session, symbols, service)
    service.begin(session.began)
    service.plant([symbols.body(each) for each in foreign(session)])
    for wish in beforehand(session):
        player.carry_out(wish)
    if any(provider_of(exchange.target)[0] == "microsoft.resourcegraph" for exchange in session.exchanges):
        service.ready()
    others, by_the_way = changes_by_others(session), made_by_the_way(session)
    outcomes = []
    for step in steps_of(session):
        while by_the_way and by_the_way[0][0] < step.exchange.number:
            service.plant([symbols.body(by_the_way.pop(0)[1])])
        if step.exchange.number in others:
            player.carry_out(others[step.exchange.number])
        if step.compared:
            outcomes.append(Outcome(step, tuple(player.replay(step))))
        else:
            for wish in wishes_of(step.exchange):
                player.carry_out(wish)
    return Result(session.name, tuple(outcomes), tuple(player.refused))


class _Player:
    def __init__(self, session: Session, symbols: Symbols, service: Service) -> None:
        self._session, self._symbols, self._service = session, symbols, service
        self._touched = {symbols.text(group).lower() for group in touched_groups(session)}
        self._machines = {symbols.text(name).lower() for name in machines_named(session)}
        self.refused: list[str] = []

    def carry_out(self, wish: Wish) -> None:
        """Make something and wait until it is there."""
        target = self._symbols.target(wish.target)
        answer = self._service.send(Request(wish.method, target, self._symbols.body(wish.body)))
        if answer.status >= 300:
            code = answer.body.get("error", {}).get("code", "") if isinstance(answer.body, dict) else ""
            self.refused.append(f"{answer.status} {code} {route_of(wish.method, wish.target)}")
            return
        going = wish.method == "DELETE" and answer.status == 202
        for _ in range(_MOST_WAITS):
            waiting = answer.status < 400 if going else _runs(answer)
            if not waiting or not self._service.advance():
                return
            answer = self._service.send(Request("GET", target, None))

    def replay(self, step: Step) -> list[Deviation]:
        """Send one step's request and compare the answer."""
        exchange = step.exchange
        body = self._symbols.body(scrubbed_request(exchange))
        request = Request(exchange.method, self._symbols.target(exchange.target), body, step)
        live = self._settled(exchange, request)
        recorded = Answer(exchange.status, exchange.headers, exchange.body)
        if live.status == recorded.status:
            self._symbols.learn_headers(recorded.headers, live.headers)
            self._symbols.learn(recorded.body, live.body)
        return compare(self._translated(recorded), live, self._rules(exchange))

    def _settled(self, exchange: Exchange, request: Request) -> Answer:
        live = self._service.send(request)
        if _is_silent(live) and not _is_silent(Answer(exchange.status, exchange.headers, exchange.body)):
            self._service.wait(_AGENT_SECONDS)
            live = self._service.send(request)
        for _ in range(_MOST_WAITS):
            if exchange.method != "GET" or not _behind(exchange, live) or not self._service.advance():
                break
            live = self._service.send(request)
        return live

    def _translated(self, recorded: Answer) -> Answer:
        headers = {name: self._symbols.text(value) for name, value in recorded.headers.items()}
        return replace(recorded, headers=headers, body=self._symbols.body(recorded.body))

    def _rules(self, exchange: Exchange) -> Rules:
        return Rules(
            self._session.recorder,
            is_catalogue(exchange.target),
            self._symbols.name_of_rule,
            self._is_mine,
            self._is_meant,
            is_poll(exchange.target),
        )

    def _is_mine(self, identity: str) -> bool:
        """Elements of groups that the session never names are bystanders of the recorded subscription."""
        segments = path_of(identity).split("/")
        return not self._touched or len(segments) < 5 or "/".join(segments[:5]) in self._touched

    def _is_meant(self, machine: str) -> bool:
        """Tell whether a request names a machine that an element is about."""
        return self._is_mine(machine) and path_of(machine).rpartition("/")[2] in self._machines


_MACHINE = re.compile(r"/virtualmachines/([^/?\"]+)|iaasvmcontainerv2;[^;/]+;([^/?\"]+)")


def machines_named(session: Session) -> set[str]:
    """The machines that the session's requests name; what lists tell of others is their owners' affair."""
    asked = (f"{unquote(each.target)} {json.dumps(each.request)}".lower() for each in session.exchanges)
    return {found.group(1) or found.group(2) for text in asked for found in _MACHINE.finditer(text)}


def _behind(recorded: Exchange, live: Answer) -> bool:
    """Tell whether the recorded client had already seen a later state."""
    was = Answer(recorded.status, recorded.headers, recorded.body)
    gone = (recorded.status, live.status) == (404, 200)  # its deletion is still under way
    accepted = (recorded.status, live.status) == (204, 202)  # so is the work its result is asked for
    return gone or accepted or (_runs(live) and not _runs(was)) or _left(live.body) > _left(was.body)


# How much is left to do of something that an answer shows as a step of its work.
_STAGES = {"notstarted": 2.0, "inprogress": 1.0, "cancelling": 1.0}


def _left(value: Any) -> float:
    """Add up what is left to do in an answer that shows steps, as jobs do: stages, and how far one is."""
    if isinstance(value, list):
        return sum(map(_left, value))
    if not isinstance(value, dict):
        return 0.0
    stage = value.get("status")
    done = value.get("progressPercentage")
    own = _STAGES.get(stage.lower(), 0.0) if isinstance(stage, str) else 0.0
    return own + (100 - done if isinstance(done, float) else 0.0) + sum(map(_left, value.values()))


def _is_silent(answer: Answer) -> bool:
    """Tell whether a machine's agent has not reported yet."""
    shown = answer.body if isinstance(answer.body, dict) else {}
    view = (
        (shown.get("properties") or {}).get("instanceView", shown)
        if isinstance(shown.get("properties"), dict)
        else shown
    )
    agent = view.get("vmAgent") if isinstance(view, dict) else None
    statuses = agent.get("statuses") if isinstance(agent, dict) else None
    return isinstance(statuses, list) and any(each.get("code") == "ProvisioningState/Unavailable" for each in statuses)


def _runs(answer: Answer) -> bool:
    if answer.status == 202 and answer.body is None:
        return True
    if not isinstance(answer.body, dict):
        return False
    properties = answer.body.get("properties")
    states = [answer.body.get("status"), properties.get("provisioningState") if isinstance(properties, dict) else None]
    return any(isinstance(state, str) and state.lower() in _RUNNING for state in states)
