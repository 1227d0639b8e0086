"""Resource Graph's one route: a query over what the index has noticed, in pages."""

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from local.simulator import kql
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.clock import iso
from local.simulator.graph_index import GROUP, SUBSCRIPTION, Entry
from local.simulator.routing import Evidence, Route, Versions

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

# Tables that Resource Graph has and nothing simulated fills (documented).
EMPTY = (
    "recoveryservicesresources",
    "authorizationresources",
    "advisorresources",
    "healthresources",
    "policyresources",
    "resourcechanges",
    "maintenanceresources",
    "patchassessmentresources",
    "securityresources",
)
IN_VAULTS = ("microsoft.recoveryservices/vaults/", "microsoft.dataprotection/backupvaults/")
CONTAINERS = frozenset({GROUP, SUBSCRIPTION})
PAGE = 1000
# A query that begins like this needs no other rows; reading only those keeps large estates quick.
ONE_TYPE = re.compile(
    r"^\s*resources\s*\|\s*where\s+type\s*(?:=~|==)\s*['\"]([^'\"]+)['\"]\s*(\||$|and\b[^|]*(?:\||$))", re.I
)

DURATION = "0:00:00:00.1000000"  # how long the service took (its form is recorded)


def query(world: "World", call: "Call") -> Reply:
    """Answer a query; a skip token continues the result it came from, over the rows visible by then."""
    body = call.body()
    text = body.get("query")
    if not isinstance(text, str) or not text.strip():
        raise ArmError(
            400, "BadRequest", "The query is missing.", details=[{"code": "EmptyQuery", "message": "EmptyQuery"}]
        )
    options = body.get("options") or {}
    start, size = _window(options)
    rows = _result(world, call, text, body.get("subscriptions"))
    listing = call.fault.effect.get("list") if call.fault else None
    rows = _spoilt(rows, listing, size)
    return _page(call, rows, (start, size), str(options.get("resultFormat", "objectArray")))


def _window(options: Document) -> tuple[int, int]:
    size = options.get("$top", options.get("top", PAGE))
    start = options.get("$skip", options.get("skip", 0))
    token = options.get("$skipToken", options.get("skipToken"))
    if not isinstance(size, int) or not 1 <= size <= PAGE:
        message = f"The value of $top must be an integer between 1 and {PAGE}."
        raise ArmError(400, "BadRequest", message, details=[{"code": "InvalidOptions", "message": message}])
    if token:
        try:
            kept = json.loads(base64.b64decode(token, validate=True))
            start = int(kept["RowsToSkip"])
            size = size if "$top" in options or "top" in options else int(kept["MaxRows"])
        except (ValueError, KeyError, TypeError) as error:
            message = "The skip token is invalid or has expired."
            raise ArmError(
                400, "BadRequest", message, details=[{"code": "InvalidSkipToken", "message": message}]
            ) from error
    return int(str(start)), size


def _result(world: "World", call: "Call", text: str, subscriptions: Any) -> list[Document]:
    wanted = {str(name).lower() for name in subscriptions} if subscriptions else None
    stale = bool(call.fault and call.fault.effect.get("list") == "stale")
    narrow = ONE_TYPE.match(text)
    kinds = frozenset({narrow.group(1).lower()}) if narrow and " or " not in narrow.group(2).lower() else None
    tables: dict[str, list[Document]] = {"resources": [], "resourcecontainers": [], **{name: [] for name in EMPTY}}
    for entry in world.graph.entries(kinds, call.now, stale):
        if _visible(world, call, entry, wanted):
            tables[_table_of(entry.resource.type)].append(world.graph.row(entry, world.tenant))
    try:
        return kql.run(text, tables)
    except kql.KqlError as error:
        raise _refused(call, error) from error


def _table_of(kind: str) -> str:
    """Return the table a type is shown in (documented; recorded for resources and what lies in backup vaults)."""
    if kind in CONTAINERS or kind == "microsoft.resources/resourcegroups":
        return "resourcecontainers"
    if kind.startswith(IN_VAULTS):
        return "recoveryservicesresources"
    return "resources"


def _visible(world: "World", call: "Call", entry: Entry, wanted: set[str] | None) -> bool:
    key = entry.resource.key
    if wanted is not None and key.split("/", 3)[2] not in wanted:
        return False
    if not world.access.enforced():
        return True
    kind = GROUP if entry.resource.type == "microsoft.resources/resourcegroups" else entry.resource.type
    action = f"{kind}/read"
    scope = "/".join(key.split("/", 3)[:3])
    return world.access.allows(call.principal.oid, action, scope) or world.access.allows(
        call.principal.oid, action, key
    )


def _refused(call: "Call", error: kql.KqlError) -> ArmError:
    """Refuse a query in the recorded form."""
    message = (
        f"Please provide below info when asking for support: timestamp = {iso(call.now)}, "
        f"correlationId = {call.correlation}."
    )
    invalid = (
        "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error "
        "before retrying."
    )
    failure = {
        "code": "ParserFailure",
        "message": "ParserFailure",
        "line": error.line,
        "characterPositionInLine": error.position,
        "token": error.token,
        "expectedToken": "Ǐ",
    }
    return ArmError(400, "BadRequest", message, details=[{"code": "InvalidQuery", "message": invalid}, failure])


def _spoilt(rows: list[Document], listing: str | None, size: int) -> list[Document]:
    if listing == "empty":
        return []
    if listing == "short":
        return rows[: len(rows) // 2]
    if listing == "duplicate" and rows:
        # A row that moved between pages: the last of each page comes again as the first of the next.
        return [
            row for at, row in enumerate(rows) for row in ([rows[at]] * (2 if at % max(1, size - 1) == size - 2 else 1))
        ]
    return rows


def _page(call: "Call", rows: list[Document], window: tuple[int, int], form: str) -> Reply:
    start, size = window
    page = rows[start : start + size]
    answer: Document = {
        "totalRecords": len(rows),
        "count": len(page),
        "data": page,
        "facets": [],
        "resultTruncated": "false",
    }
    if form.lower() == "table":
        answer["data"] = _table(page)
    if start + size < len(rows):
        token = {"$id": "1", "MaxRows": size, "RowsToSkip": start + size, "KustoClusterUrl": call.base_url}
        answer["$skipToken"] = base64.b64encode(json.dumps(token).encode()).decode()
    reply = Reply.of(answer)
    reply.headers["x-ms-resource-graph-request-duration"] = DURATION
    return reply


def _table(rows: list[Document]) -> Document:
    names = list(rows[0]) if rows else []
    columns = [{"name": name, "type": _column_type([row.get(name) for row in rows])} for name in names]
    return {"columns": columns, "rows": [[row.get(name) for name in names] for row in rows]}


def _column_type(values: list[Any]) -> str:
    for value in values:
        if isinstance(value, bool):
            return "boolean"
        if isinstance(value, int):
            return "integer"
        if isinstance(value, float):
            return "number"
        if isinstance(value, dict | list):
            return "object"
    return "string"


ROUTES = (
    Route(
        "POST",
        "/providers/Microsoft.ResourceGraph/resources",
        "Microsoft.ResourceGraph/resources/read",
        query,
        Evidence.RECORDED,
        "azure-cli-extensions-2024-09/resource-graph/test_query, test_paged_query, test_query_error",
        Versions("2018-09-01"),
        lists=True,
        open_to_all=True,
    ),
)
