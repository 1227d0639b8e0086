"""The control routes under `/_sim/`: clock, faults, calls, state, guest content and events.

For drivers and judges only.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from local.simulator import foreign
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.backup_errors import ERRORS
from local.simulator.clock import ClockRefused, iso, parse_time
from local.simulator.faults import BadRule
from local.simulator.ids import key_of
from local.simulator.instance_views import DISPLAY, agent_since
from local.simulator.store import Resource
from local.simulator.world import World


class BadControl(Exception):
    """A control request that cannot be meant."""


class Control:
    """Answers control requests; `busy` is asked of the server."""

    def __init__(self, world: World, busy: Callable[[], bool]) -> None:
        self._world = world
        self._busy = busy
        self.routes: Mapping[tuple[str, str], Callable[[Any, dict[str, str]], Reply]] = {
            ("GET", "healthz"): lambda _body, _query: Reply.of({"ok": True}),
            ("GET", "calls"): self._calls,
            ("DELETE", "calls"): self._forget_calls,
            ("GET", "clock"): lambda _body, _query: self._clock(),
            ("POST", "clock"): self._move,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "state"): self._state,
            ("POST", "content"): self._content,
            ("GET", "events"): lambda _body, _query: Reply.of(self._world.events.shown()),
            ("POST", "vm"): self._vm,
            ("POST", "resources"): self._resource,
            ("GET", "validate"): self._validate,
        }

    def answer(self, method: str, path: str, query: dict[str, str], raw: bytes) -> Reply:
        """Answer one control request."""
        parts = path.strip("/").split("/")[1:]
        try:
            body = json.loads(raw) if raw else {}
            if parts[:1] == ["topics"] and method == "POST":
                return self._publish(parts, body)
            if parts[:1] == ["faults"] and len(parts) == 2 and method == "DELETE":
                return self._remove_fault(parts[1])
            route = self.routes.get((method, "/".join(parts)))
            if route is None:
                return _problem(404, f"there is no control route {method} {path}")
            self._world.settle()
            reply = route(body, query)
        except (BadControl, BadRule, ClockRefused, ValueError, KeyError, TypeError, AttributeError) as error:
            return _problem(400, str(error))
        self._world.journal.flush()
        return reply

    def _calls(self, _body: Any, query: dict[str, str]) -> Reply:
        return Reply.of([record.shown() for record in self._world.calls.since(int(query.get("since", "0")))])

    def _forget_calls(self, _body: Any, _query: dict[str, str]) -> Reply:
        self._world.calls.clear()
        return Reply(204)

    def _clock(self) -> Reply:
        world = self._world
        now = world.settle()
        due = world.schedule.next_due()
        return Reply.of(
            {
                "now": iso(now),
                "next": None if due is None else iso(due),
                "busy": self._busy(),
                "activity": world.activity,
            }
        )

    def _move(self, body: Document, _query: dict[str, str]) -> Reply:
        clock = self._world.clock
        if "to" in body:
            clock.move(parse_time(str(body["to"])))
        elif isinstance(body.get("advance"), int | float) and body["advance"] >= 0:
            clock.move(clock.now() + float(body["advance"]))
        else:
            raise BadControl('the body is {"to": an ISO time} or {"advance": seconds}')
        self._world.journal.put("clock", "now", clock.now())
        return self._clock()

    def _faults(self, _body: Any, _query: dict[str, str]) -> Reply:
        return Reply.of([rule.shown() for rule in self._world.faults.rules.values()])

    def _add_fault(self, body: Any, _query: dict[str, str]) -> Reply:
        made = [rule.shown() for rule in self._world.faults.add(body)]
        return Reply.of({"rules": made} if "rules" in body else made[0], 201)

    def _clear_faults(self, _body: Any, _query: dict[str, str]) -> Reply:
        self._world.faults.rules.clear()
        return Reply(204)

    def _remove_fault(self, name: str) -> Reply:
        found = self._world.faults.rules.pop(name, None)
        return Reply(204) if found else _problem(404, f"there is no fault rule {name}")

    def _state(self, _body: Any, _query: dict[str, str]) -> Reply:
        world = self._world
        now = world.clock.now()
        shown = [_shown(held, now) for held in [*world.store.everything(), *world.store.graves]]
        return Reply(200, b"[" + b",".join(shown) + b"]")

    def _content(self, body: Document, _query: dict[str, str]) -> Reply:
        held = self._world.store.get(key_of(str(body["disk"])))
        if held is None or held.type != "microsoft.compute/disks":
            raise BadControl(f"there is no disk {body['disk']}")
        written = {int(block): hashlib.sha256(str(data).encode()).hexdigest() for block, data in body["blocks"].items()}
        held.content = {**held.content, **written}
        self._world.store.touch(held, self._world.clock.now())
        return Reply.of({"disk": held.id, "content": _blocks(held)})

    def _vm(self, body: Document, _query: dict[str, str]) -> Reply:
        held = self._world.store.get(key_of(str(body["id"])))
        if held is None or held.type != "microsoft.compute/virtualmachines":
            raise BadControl(f"there is no virtual machine {body['id']}")
        change: dict[str, str] = {name: str(body[name]) for name in ("agent", "power", "backup") if name in body}
        if change.get("agent", "ready") not in ("ready", "missing"):
            raise BadControl("agent is 'ready' or 'missing'")
        if change.get("power", "running") not in DISPLAY:
            raise BadControl(f"power is one of {', '.join(DISPLAY)}")
        if change.get("backup", "").lower() not in ("", *ERRORS):
            raise BadControl(f"backup is the name of an error of backups, or empty: {', '.join(sorted(ERRORS))}")
        notes: Document = {**(held.notes or {}), **change}
        if "agent" in change:
            notes.pop("agent_from", None)
        held.notes = notes
        self._world.store.touch(held, self._world.clock.now())
        return Reply.of({"id": held.id, **notes})

    def _resource(self, body: Document, _query: dict[str, str]) -> Reply:
        """Let a resource of a provider that is not simulated be there."""
        try:
            planted = foreign.plant(self._world, body, self._world.clock.now())
        except ArmError as error:
            raise BadControl(error.message) from error
        return Reply(201, planted.body)

    def _validate(self, _body: Any, query: dict[str, str]) -> Reply:
        key = self._world.events.codes.get(query.get("id", ""))
        held = self._world.store.get(key) if key else None
        if held is None:
            return _problem(404, "there is no such validation code")
        held.notes = {**(held.notes or {}), "validated": True}
        self._world.store.touch(held, self._world.clock.now())
        return Reply.of("Webhook successfully validated as a subscription endpoint")

    def _publish(self, parts: list[str], body: Any) -> Reply:
        """Accept events for a custom topic, one or many, in either schema."""
        if len(parts) != 4 or parts[2:] != ["api", "events"]:
            return _problem(404, "a topic's endpoint is /_sim/topics/NAME/api/events")
        events = body if isinstance(body, list) else [body]
        if any(not isinstance(event, dict) or not ({"eventType", "type"} & event.keys()) for event in events):
            return _problem(400, "every event has an eventType (Event Grid schema) or a type (CloudEvents)")
        now = iso(self._world.settle())
        self._world.events.published.extend({"topic": parts[1], "at": now, "event": event} for event in events)
        self._world.activity += 1
        return Reply(200)


def _problem(status: int, message: str) -> Reply:
    return Reply.of({"error": {"code": "BadRequest" if status == 400 else "NotFound", "message": message}}, status)


def _blocks(held: Resource) -> dict[str, str]:
    return {str(block): digest for block, digest in sorted(held.content.items())}


def _copied(held: Resource) -> dict[str, str]:
    """When a copy in the background ends: Azure tells only how far it is by now."""
    return {} if held.copying is None else {"copied": iso(held.copying[1])}


def _shown(held: Resource, now: float) -> bytes:
    gone = None if held.gone is None else iso(held.gone)
    seen: Document = {"born": iso(held.born), "gone": gone, "content": _blocks(held), **_copied(held)}
    if held.type == "microsoft.compute/virtualmachines":
        since = agent_since(held)
        seen["agent"] = None if since is None else iso(since)
    extra = encode(seen)
    return held.rendered(now)[:-1] + b"," + extra[1:]
