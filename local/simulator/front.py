"""The way of every ARM request: who, which route, which version, faults, buckets, rights, locks, handler, event, log.

The server hands it parsed requests and sends what it returns. Handlers never see a request that was refused here.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from local.simulator import identity, quotas, refusals, resource_names, striking, versions
from local.simulator.answers import ArmError, Reply
from local.simulator.buckets import Toll
from local.simulator.call import Call
from local.simulator.calls import Record
from local.simulator.clock import iso
from local.simulator.ids import key_of
from local.simulator.routing import Routes
from local.simulator.templates import Wanted
from local.simulator.within import Caller, call_for

if TYPE_CHECKING:
    from local.simulator.world import World

VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(-[a-z]+)?$", re.I)
CLASSES = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes", "PUT": "writes", "PATCH": "writes", "POST": "writes"}
LOCKED = {"PUT": "write", "PATCH": "write", "POST": "write", "DELETE": "delete"}
LOCATION = re.compile(rb'"location":\s*"([^"]*)"')
CLOCK_EVERY = 1.0  # seconds between notes of the time in the state file
GRAPH = "Microsoft.ResourceGraph/resources/read"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    method: str
    target: str
    base_url: str
    headers: dict[str, str]
    raw: bytes


@dataclass(slots=True)
class Answered:
    """What to send back; `cut` means to break the connection instead. Template and effects tell what it came from."""

    reply: Reply
    cut: bool = False
    template: str = ""
    effects: tuple[str, ...] = ()


class Front:
    """Takes requests through every check to their handlers."""

    def __init__(self, world: "World", routes: Routes) -> None:
        self._world = world
        self._kept = 0.0
        self.routes = routes
        world.within = self.within

    async def answer(self, asked: Asked) -> Answered:
        """Answer one ARM request."""
        world = self._world
        path, _, text = asked.target.partition("?")
        # Names of query parameters are compared without case ($skipToken, $expand, statusOnly, Api-Version).
        query = {name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True)}
        served = identity.serve(world, asked.base_url, asked.method, unquote(path), query, asked.raw)
        if served is not None:
            return Answered(served)
        now = world.settle()
        world.activity += 1
        log = _Log(world.calls.next_number(), now, asked)
        segments = [unquote(part) for part in path.split("/") if part]
        match = self.routes.find(asked.method, segments)
        try:
            principal = identity.required(asked.headers.get("authorization"))
            log.principal = principal.oid
            if match is None:
                raise refusals.unknown(asked.method, path)
            log.operation = match.route.action
            call = Call(
                method=asked.method,
                path="/" + "/".join(segments),
                target=asked.target,
                query=query,
                base_url=asked.base_url,
                now=now,
                principal=principal,
                raw=asked.raw,
                headers=asked.headers,
                route=match.route,
                names=dict(match.names),
                correlation=world.chance.guid(),
            )
            reply, cut = await self._faulty(call, log)
        except ArmError as refusal:
            reply, cut = refusal.reply(), False
        self._finish(reply, log)
        return Answered(reply, cut, match.route.template if match else "", log.effects)

    async def _faulty(self, call: Call, log: "_Log") -> tuple[Reply, bool]:
        """Let a fault rule have its way around the call."""
        fault = striking.strike(self._world, call)
        if fault is None:
            return self._act(call, log), False
        call.fault, log.fault, log.effects = fault, fault.id, tuple(fault.effect)
        early = await striking.before(self._world, call, fault)
        if early is not None:
            return early, early.status == 0
        try:
            reply = self._act(call, log)
        except ArmError as refusal:
            reply = refusal.reply()
        if not striking.after(call, fault, reply):
            log.fault, log.effects = None, ()
        return reply, fault.effect.get("cut") == "after"

    def _act(self, call: Call, log: "_Log") -> Reply:
        """Charge, check and handle the call; refusals keep the headers of what was charged."""
        headers: dict[str, str] = {}
        try:
            self._check_version(call)
            self._charge(call, headers, log)
            reply = self._carried_out(call)
            reply.body = versions.known_to(call.version, reply.body, call.now)
        except ArmError as refusal:
            refusal.headers = {**headers, **refusal.headers}
            raise
        reply.headers = {**headers, **reply.headers}
        return reply

    def _carried_out(self, call: Call) -> Reply:
        """Check rights and locks, let the handler answer, and raise the event of what is done at once."""
        world, route = self._world, call.route
        if not route.open_to_all:
            world.access.check(call.principal.oid, route.action, call.subject)
        world.denials.check(call)
        kind, name = resource_names.kind_and_name(call.path) if call.method == "PUT" else ("", "")
        if kind:
            resource_names.check(kind, name)
            quotas.check(world, kind, call)
        if call.method in LOCKED and not route.action.endswith("/read"):
            world.locks.check(LOCKED[call.method], key_of(call.subject), call.subject)
        reply = _handled(world, call)
        if reply.operation is None and 200 <= reply.status < 300 and reply.status != 204:
            notice = world.notices.of(call)
            if notice is not None:
                world.events.raise_event(notice, "Succeeded", call.now)
        return reply

    def within(self, caller: Caller, wanted: Wanted, at: float) -> Reply:
        """Make one resource of a template for whoever deploys it."""
        call = call_for(self._world, self.routes, caller, wanted, at)
        self._check_version(call)
        return self._carried_out(call)

    def _check_version(self, call: Call) -> None:
        version, route = call.version, call.route
        if not version:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise ArmError(400, "MissingApiVersionParameter", message)
        if not VERSION.match(version):
            message = (
                f"The api-version '{version}' is invalid. The expected form is 'yyyy-mm-dd' with an optional suffix."
            )
            raise ArmError(400, "InvalidApiVersionParameter", message)
        if not route.versions.accept(version):
            namespace, _, kind = route.action.rpartition("/")[0].partition("/")
            raise ArmError(
                400,
                "NoRegisteredProviderFound",
                f"No registered resource provider found for location 'any' and API version '{version}' for type "
                f"'{kind}' of namespace '{namespace}'. The supported api-versions are '{route.versions.first}' to "
                f"'{route.versions.last}'.",
            )

    def _charge(self, call: Call, headers: dict[str, str], log: "_Log") -> None:
        """Charge ARM's bucket, then the provider's."""
        world = self._world
        oid, subscription = call.principal.oid, call.names.get("subscription") or _subscription(call)
        if call.route.action == GRAPH:
            self._pay(world.buckets.charge_graph(oid, call.now), call, headers, log)
            return
        self._pay(
            world.buckets.charge_arm(CLASSES[call.method], subscription.lower(), oid, call.now), call, headers, log
        )
        if call.route.policies:
            where = (subscription.lower(), self._region(call))
            toll = world.buckets.charge_provider(call.route.policies, where, key_of(call.path), call.now)
            self._pay(toll, call, headers, log)

    def _region(self, call: Call) -> str:
        named = call.names.get("location")
        if named is not None:
            return named.lower()
        found = self._world.store.get(key_of(call.subject))
        match = LOCATION.search(call.raw if found is None else found.body)
        return match.group(1).decode("utf-8", "replace").lower().replace(" ", "") if match else ""

    @staticmethod
    def _pay(toll: Toll, call: Call, headers: dict[str, str], log: "_Log") -> None:
        headers.update(toll.headers)
        log.bucket = toll.tightest or log.bucket
        if toll.refused_by is not None:
            raise refusals.throttled(toll, call)

    def _finish(self, reply: Reply, log: "_Log") -> None:
        """Add the headers every answer carries and write the log."""
        world = self._world
        request_id = world.chance.guid()
        reply.headers.setdefault("x-ms-request-id", request_id)
        reply.headers.setdefault("x-ms-correlation-request-id", request_id)
        reply.headers.setdefault(
            "x-ms-routing-request-id", f"LOCAL:{iso(log.now)[:19].replace('-', '').replace(':', '')}Z:{request_id}"
        )
        reply.headers.setdefault("Cache-Control", "no-cache")
        world.calls.add(
            Record(log.number, log.now, log.asked.method, log.asked.target, log.operation, log.principal, reply.status,
                   reply.headers.get("Retry-After"), log.bucket, log.fault, log.asked.base_url.partition("//")[2])
        )  # fmt: skip
        if world.journal.keeps() and log.now - self._kept >= CLOCK_EVERY:
            self._kept = log.now
            world.journal.put("clock", "now", log.now)
        world.journal.flush()


def _handled(world: "World", call: Call) -> Reply:
    """Let the route's handler answer; what it cannot read in a body is the caller's fault and is said so."""
    try:
        return call.route.handler(world, call)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if not call.raw:
            raise
        message = f"The request content was invalid and could not be deserialized: {type(error).__name__} {error}."
        raise ArmError(400, "InvalidRequestContent", message) from error


class _Log:
    """What the log will say of a call, as far as it got."""

    __slots__ = ("asked", "bucket", "effects", "fault", "now", "number", "operation", "principal")

    def __init__(self, number: int, now: float, asked: Asked) -> None:
        self.number, self.now, self.asked = number, now, asked
        self.operation, self.principal = "", ""
        self.bucket: tuple[str, int] | None = None
        self.fault: str | None = None
        self.effects: tuple[str, ...] = ()


def _subscription(call: Call) -> str:
    parts = call.path.split("/", 3)
    return parts[2] if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""
