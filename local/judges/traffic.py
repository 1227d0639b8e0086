"""S9, S10, S11: what was sent, to Azure Resource Manager and to storage, read from the logs of those who got it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from local.judges.doors import doors_are_shut
from local.judges.evidence import Record, instant, path_of
from local.judges.finding import Finding
from local.judges.stops import rests_while_paused
from local.judges.world import World, region_of

IN_FLIGHT = timedelta(seconds=1)  # what was on its way together with the refused call could not know
# Virtual time jumps, process by process: an hour in one is milliseconds shorter than in another.
OF_CLOCKS = timedelta(milliseconds=250)
TOO_MANY = 429
# Operation → the places that it may be done at, beside the subscription itself. `{recovery}` is a recovery group.
GROUP = "/resourcegroups/tagback-[a-z0-9]+(-rp[0-9][0-9])?"
MAY_WRITE: dict[str, str] = {
    "microsoft.compute/snapshots/write": rf"{GROUP}/providers/microsoft\.compute/snapshots/tb-[0-9a-f]{{32}}",
    "microsoft.compute/snapshots/delete": rf"{GROUP}/providers/microsoft\.compute/snapshots/tb-[0-9a-f]{{32}}",
    "microsoft.resources/subscriptions/resourcegroups/write": GROUP,
    "microsoft.resources/tags/write": rf"{GROUP}/providers/microsoft\.compute/.*",
    "microsoft.compute/restorepointcollections/write": rf"{GROUP}/providers/.*/restorepointcollections/.*",
    "microsoft.compute/restorepointcollections/restorepoints/write": rf"{GROUP}/providers/.*/restorepoints/tb-.*",
    "microsoft.compute/restorepointcollections/restorepoints/delete": rf"{GROUP}/providers/.*/restorepoints/tb-.*",
    # A question in the form of an action: what a vault would refuse a machine for. It changes nothing.
    "microsoft.recoveryservices/locations/backupprevalidateprotection/action": (
        r"/providers/microsoft\.recoveryservices/locations/[a-z0-9]+/backupprevalidateprotection"
    ),
    # Azure Backup: nothing of a vault is ever deleted.
    "microsoft.recoveryservices/vaults/write": rf"{GROUP}/providers/microsoft\.recoveryservices/vaults/[^/]+",
    **{
        f"microsoft.recoveryservices/vaults/{name}": rf"{GROUP}/providers/microsoft\.recoveryservices/vaults/.*"
        for name in (
            "backuppolicies/write",
            "backupfabrics/refreshcontainers/action",
            "backupfabrics/protectioncontainers/protecteditems/write",
            "backupfabrics/protectioncontainers/protecteditems/backup/action",
            "backupjobs/cancel/action",
        )
    },
}
# What a restore may do in its machine's own group, while one that a person asked for is under way.
RESTORES = re.compile(
    r"microsoft\.(compute/(disks|virtualmachines)|network/networkinterfaces|resources/tags)/"
    r"(write|delete|poweroff/action|start/action)"
)
AFTERWARDS = timedelta(hours=1)
# What drills may do in any group, where the script says that there are drills: only to names that are theirs.
DRILLS = re.compile(
    r"microsoft\.(compute/disks|network/(networkinterfaces|networksecuritygroups|virtualnetworks)) tb-[0-9a-f]{32}"
    r"|microsoft\.compute/virtualmachines [a-z0-9_.-]+-drill-[0-9a-f]{8}(/runcommands/tagback-drill)?"
)


def nobody_calls_too_early(world: World) -> Finding:
    """S9: after a 429 its lane is left alone until Retry-After has passed. A killed host forgets what it heard."""
    finding = Finding()
    shut: dict[tuple[str, str, str, str], tuple[datetime, datetime]] = {}
    kills = [act.at for act in world.script.of("kill")]
    for call in world.calls:
        at, lane = instant(call["t"]), _lane(call)
        if lane in shut:
            told, until = shut[lane]
            forgot = any(told <= kill <= at for kill in kills)
            if at > told + IN_FLIGHT and not forgot:
                waited = at >= until - OF_CLOCKS
                finding.expect(waited, f"sent before {until:%H:%M:%S}, as Azure had asked", str(call["path"]), at)
        if int(call["status"]) == TOO_MANY and call["retry_after"]:
            until = _after(str(call["retry_after"]), at)
            shut[lane] = (at, max(until, shut[lane][1]) if lane in shut else until)
    return finding


def _lane(call: Record) -> tuple[str, str, str, str]:
    """What a refusal speaks for: the same operation in the same subscription and region; for a read, on the same id."""
    path = path_of(call)
    subscription = path.split("/")[2] if path.startswith("/subscriptions/") else ""
    region = region_of(call)
    return str(call["operation"]).lower(), subscription, region, "" if region else path


def _after(text: str, at: datetime) -> datetime:
    if text.strip().isdecimal():
        return at + timedelta(seconds=int(text))
    try:
        return max(parsedate_to_datetime(text), at)
    except ValueError:
        return at


def writes_stay_inside(world: World) -> Finding:
    """S10: only the operations of the table, at their places, in enforced subscriptions, and not while paused.

    Nor for people who may not ask for them. And no token goes to another host.
    """
    finding = Finding()
    inside, made = "|".join(sorted(world.script.enforced)), {path_of(one) for one in world.calls if _makes(one)}
    for call in world.calls:
        operation, path = str(call["operation"] or "").lower(), path_of(call)
        if call["method"] in ("GET", "HEAD") or operation.endswith("/read") or not operation:
            continue
        place = MAY_WRITE.get(operation)
        allowed = place is not None and re.fullmatch(
            rf"/subscriptions/({inside}){place}(/providers/microsoft\.resources/tags/default)?", path
        )
        at = instant(call["t"])
        right = bool(allowed) or _restores(world, operation, path, at) or _drills(world, operation, path, at)
        if right and not allowed and call["method"] == "DELETE" and int(call["status"]) < 300:
            finding.expect(path in made, "deleted, and never made by the product", path, at)
        finding.expect(right, f"{call['method']} {operation}", path, at)
        rests_while_paused(world, finding, call)
    doors_are_shut(world, finding)
    _tokens_stay_home(world, finding)
    return finding


def _tokens_stay_home(world: World, finding: Finding) -> None:
    """Every call, and so every token, goes to the host that the app was told: no answer leads to another."""
    told = urlsplit(world.script.settings.get("TAGBACK_ARM_ENDPOINT", "")).netloc
    for call in world.calls if told else ():
        host = str(call.get("host", told))
        finding.expect(host == told, f"a token was sent to {host}", path_of(call), instant(call["t"]))


def _makes(call: Record) -> bool:
    return call["method"] == "PUT" and 200 <= int(call["status"]) < 300


def _restores(world: World, operation: str, path: str, at: datetime) -> bool:
    """Whether it is what a restore does, in an enforced subscription, while one is under way."""
    under_way = any(act.at <= at <= act.until + AFTERWARDS for act in world.script.of("restore", "swap", "race"))
    return under_way and RESTORES.fullmatch(operation) is not None and path.split("/")[2] in world.script.enforced


def _drills(world: World, operation: str, path: str, at: datetime) -> bool:
    """Whether it is what a drill does to what it made itself, in an enforced subscription."""
    wanted = any(act.at <= at <= act.until for act in world.script.of("drills"))
    type_, _, verb = operation.replace("/runcommands/", "/").rpartition("/")
    _, _, name = path.partition(f"/providers/{type_}/")
    own = DRILLS.fullmatch(f"{type_} {name}") is not None
    return wanted and own and verb in ("write", "delete") and path.split("/")[2] in world.script.enforced


def ledger_writes_are_conditional(world: World) -> Finding:
    """S11: every write to the ledger creates, or names the version it replaces."""
    finding = Finding()
    for request in world.evidence.requests:
        if request["service"] != "table":
            continue
        for operation in request.get("operations") or [request]:
            path = str(operation["path"]).partition("?")[0]
            if operation["method"] == "GET" or not re.search(r"/ledger(\(|$)", path):
                continue
            creates = operation["method"] == "POST" and path.endswith("/ledger")
            named = operation.get("if-match", "*") != "*"
            finding.expect(creates or named, "not conditional", path, str(request["t"]))
    return finding
