"""The API as one WSGI application: the read routes of the contract answer what the command line prints; and its pages.

Built by wiring with `application(open_world, door)`; the world is opened at the first request. It decides nothing; what
changes something is in writes.py. Every answer but a page, errors included, is JSON.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qs

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, RequestRedirect, Rule

from shared.errors import BadInput
from shared.flows import approving, asking, explaining, lookup, reporting, show, show_drills, show_restore, whatif
from shared.flows.standing import standing
from shared.model.caller import Caller, Use
from shared.model.rules import Rules
from shared.ports import World
from shared.web import dashboard
from shared.web.door import Door, Keyed, Rate, keyed, reading, shut, uncounted
from shared.web.problem import Problem, of_error, of_settings
from shared.web.sight import seen
from shared.web.writes import WRITES, Written, write

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], Any]
Application: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]
View: TypeAlias = Callable[[World, Rules, Mapping[str, str]], object]
Found = TypeVar("Found")
Question: TypeAlias = Callable[[World, Rules, Mapping[str, Sequence[str]]], object]

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
LOG = logging.getLogger("tagback.web")


def status(world: World, rules: Rules, _: Mapping[str, str]) -> object:
    """Every VM that was seen: protected or not, and why."""
    return show.status(standing(world, rules))


def jobs(world: World, rules: Rules, _: Mapping[str, str]) -> object:
    """What is being done and was done, newest first."""
    return show.jobs(world, standing(world, rules))


def points(world: World, _: Rules, names: Mapping[str, str]) -> object:
    """The recovery points of a VM, oldest first."""
    return show.points(world, lookup.in_group(lookup.machines(world), names["group"], names["vm"]))


def explain(world: World, rules: Rules, names: Mapping[str, str]) -> object:
    """Why a VM is protected or not, when its next point is due, and which points go next."""
    machine = lookup.in_group(lookup.machines(world), names["group"], names["vm"])
    return explaining.explain(world, rules, machine)


def request(world: World, _: Rules, names: Mapping[str, str]) -> object:
    """One request and how far it came."""
    asked = asking.request(world, names["id"])
    return show.request(asked, asking.answering(world, asked)) | show_restore.beside(asked)


def approvals(world: World, _: Rules, __: Mapping[str, str]) -> object:
    """The deletions that wait for two people, and how far that is."""
    return approving.listed(world)


def report(world: World, rules: Rules, _: Mapping[str, str]) -> object:
    """Whether every VM keeps what its plan promises, and what stands of it."""
    return reporting.report(world, rules, standing(world, rules))


def drills(world: World, rules: Rules, _: Mapping[str, str]) -> object:
    """When a restore of each VM was last proven, what it took, and which is tried next."""
    return show_drills.drills(world, rules, standing(world, rules))


def plan(world: World, rules: Rules, query: Mapping[str, Sequence[str]]) -> object:
    """What would change if tags or a mode were others: `?vm=NAME&tag=NAME=VALUE&untag=NAME&enforce=true`."""
    foreign = sorted(set(query) - {"vm", "tag", "untag", "enforce"})
    enforce = query.get("enforce", ())
    problems = [f"{name!r} is no parameter; allowed: vm, tag, untag, enforce" for name in foreign]
    if set(enforce) - {"true", "false"}:
        problems.append("enforce: allowed: true or false")
    if problems:
        raise BadInput(problems)
    tags = whatif.tags_in(query.get("tag", ()))
    proposal = whatif.Proposal(
        tuple(query.get("vm", ())), tags, tuple(query.get("untag", ())), enforce="true" in enforce
    )
    return whatif.plan(world, rules, proposal)


QUESTIONS: Mapping[str, Question] = {"/api/plan": plan}
"""Routes that take a query."""

ROUTES: Mapping[str, View] = {
    "/api/status": status,
    "/api/jobs": jobs,
    "/api/report": report,
    "/api/drills": drills,
    "/api/points/<group>/<vm>": points,
    "/api/explain/<group>/<vm>": explain,
    "/api/requests/<id>": request,
    "/api/approvals": approvals,
}


class SettingsFailed(Exception):
    """The world could not be opened because the settings are bad."""

    def __init__(self, bad: BadInput) -> None:
        super().__init__(str(bad))
        self.bad = bad


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands before an answer: who bears a token, whether the function key is enough to read, a count of requests,
    and the world, which is opened last."""

    open_world: Callable[[], tuple[World, Rules]]
    door: Door
    keyed: Keyed
    rate: Rate

    def world(self) -> tuple[World, Rules]:
        return _set_up(self.open_world)

    def bearer(self, token: str) -> Caller:
        return _set_up(lambda: self.door(token))

    def seen(self, environ: Environ) -> tuple[World, Rules]:
        """The world as whoever reads may see it."""
        authorization = str(environ.get("HTTP_AUTHORIZATION", ""))
        caller = reading(self.bearer, _set_up(self.keyed), authorization)
        self.rate(caller.oid, Use.READ)
        world, rules = self.world()
        return seen(world, caller), rules


def application(
    open_world: Callable[[], tuple[World, Rules]], door: Door = shut, by_key: Keyed = keyed, rate: Rate = uncounted
) -> Application:
    """The WSGI application over the world that `open_world` gives; it is asked once per request.

    `door` tells who bears a token: without one nothing can be changed. `by_key` tells whether the function key is
    enough to read, `rate` counts.
    """
    known, entry = routes(), Entry(open_world, door, by_key, rate)

    def respond(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
        try:
            endpoint, names = known.bind_to_environ(environ).match()
            answer = dashboard.style() if endpoint == dashboard.STYLE else _answer(endpoint, names, environ, entry)
        except Exception as error:  # the outermost edge: every failure becomes a problem document
            return _send(_problem(error), path, environ, start_response)
        return _send(answer, path, environ, start_response)

    return respond


def _answer(endpoint: str, names: Mapping[str, str], environ: Environ, entry: Entry) -> object:
    if environ["REQUEST_METHOD"] == "POST":
        return write(endpoint, environ, entry.bearer, entry.rate, entry.world)
    world, rules = entry.seen(environ)
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if endpoint in QUESTIONS:
        return QUESTIONS[endpoint](world, rules, query)
    if endpoint in dashboard.PAGES:
        return dashboard.page(endpoint, world, rules, names, query.get("code", [""])[0])
    return ROUTES[endpoint](world, rules, names)


def routes() -> Map:
    """Every route with its methods: what is not among them is not there."""
    paths = (*ROUTES, *QUESTIONS, *dashboard.PAGES, dashboard.STYLE)
    reads = [Rule(path, endpoint=path, methods=["GET"]) for path in paths]
    writes = [Rule(path, endpoint=path, methods=["POST"], strict_slashes=True) for path in WRITES]
    return Map([*reads, *writes], strict_slashes=False)


def _set_up(ask: Callable[[], Found]) -> Found:
    """What the app itself answers: BadInput is of its settings here, and no fault of the caller's."""
    try:
        return ask()
    except BadInput as error:
        raise SettingsFailed(error) from error


def _problem(error: Exception) -> Problem:
    match error:
        case MethodNotAllowed():
            allowed = ", ".join(sorted(error.valid_methods or ()))
            return Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"allowed here: {allowed}", headers={"Allow": allowed})
        case RequestRedirect():
            return Problem(HTTPStatus.NOT_FOUND, f"no such route; did you mean {error.new_url}?")
        case HTTPException():
            return Problem(
                HTTPStatus(error.code or 500), f"no such route; there are: {', '.join((*ROUTES, *QUESTIONS, *WRITES))}"
            )
        case SettingsFailed():
            LOG.error("web.settings problems=%s", json.dumps(error.bad.problems))
            return of_settings(error.bad)
        case _:
            problem = of_error(error)
            if problem.status is HTTPStatus.INTERNAL_SERVER_ERROR:
                LOG.error("web.failed", exc_info=error)
            return problem


def _send(answer: object, path: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    status, media, headers, document = HTTPStatus.OK, "application/json", {}, answer
    if isinstance(answer, Problem):
        status, media, headers = answer.status, "application/problem+json", answer.headers
        document = answer.document(path)
    if isinstance(answer, Written):
        status, document = answer.status, answer.document
    if isinstance(answer, dashboard.Page):
        media, headers, body = answer.media, {"Content-Security-Policy": dashboard.SECURITY}, answer.text.encode()
    else:
        body = json.dumps(document, indent=2).encode()
    fields = {"Content-Type": media, "Content-Length": str(len(body)), **SECURITY_HEADERS, **headers}
    start_response(f"{status.value} {status.phrase}", list(fields.items()))
    return [b""] if environ.get("REQUEST_METHOD") == "HEAD" else [body]
