"""S12: the audit log has each snapshot's birth and death before they happened, and nothing is ever taken out of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from local.judges.evidence import Record, instant, path_of
from local.judges.finding import Finding
from local.judges.world import World

CLOCKS = timedelta(seconds=5)
AUDIT = "/audit/"


def births_and_deaths_are_told(world: World) -> Finding:
    """S12."""
    finding = Finding()
    for call in world.puts:
        _told(world, finding, "capture.intended", call)
    for call in world.deletions:
        _told(world, finding, "point.deleting", call)
    for (uid, slot), whole in world.wholes.items():
        told = all(world.audited["point.complete"].get(name) for name in whole.parts)
        finding.expect(told or _rebuilt(world, whole.at), "complete, and the audit log does not say so", uid, slot)
    for request in world.evidence.requests:
        if request["service"] == "blob" and AUDIT in str(request["path"]):
            _only_added(finding, request)
    return finding


def _told(world: World, finding: Finding, event: str, call: Record) -> None:
    """Whether an audit line of this event names the snapshot of a call, with a reason or a date, before the call."""
    name, at = path_of(call).rpartition("/")[2], instant(call["t"])
    lines = world.audited[event].get(name, ())
    before = [line for line in lines if instant(line["at"]) <= at + CLOCKS]
    finding.expect(bool(before), f"no audit line {event} before it happened", name, at)
    why = all(line.get("because") or line.get("keep_until") for line in before)
    finding.expect(why, f"an audit line {event} without a reason", name, at)


def _rebuilt(world: World, at: datetime) -> bool:
    return any(act.at <= at for act in world.script.of("rebuild"))


def _only_added(finding: Finding, request: Record) -> None:
    """Blobs of the audit log are created where there is none, appended to, and read."""
    method, path = str(request["method"]), str(request["path"])
    added = method in ("GET", "HEAD") or (method == "PUT" and "comp=appendblock" in path)
    created = method == "PUT" and "comp=" not in path and request.get("if-none-match", "*") == "*"
    finding.expect(added or created, f"{method} on the audit log", path, str(request["t"]))
