"""The tables of the replay: which providers count, what is set up rather than compared, what is never compared.

A provider joins the score by a line in PROVIDERS; nothing else changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.simulator.replay.forms import path_of
from tests.simulator.replay.recordings import MANAGEMENT_HOST, Exchange


@dataclass(frozen=True, slots=True)
class Provider:
    """A namespace whose exchanges count; `types` limits it, `""` is ARM itself (subscriptions, groups, tag names).

    `but` names what lies below the types and is another service's: its exchanges do not count.
    """

    namespace: str
    types: tuple[str, ...] = ()
    but: re.Pattern[str] | None = None


PROVIDERS = (
    Provider(""),
    Provider("microsoft.compute"),
    Provider("microsoft.resources"),
    Provider("microsoft.authorization", types=("locks",)),
    Provider("microsoft.resourcegraph"),
    Provider("microsoft.eventgrid"),
    # Site Recovery lies in the same vaults and is not simulated; replication of a vault is its own service.
    Provider("microsoft.recoveryservices", types=("vaults",), but=re.compile(r"/vaults/[^/]+/replication")),
)

# Deployments are run as the requests they stand for (templates.py), not compared: the simulator has no template engine.
SET_UP = ("microsoft.resources/deployments",)

# Providers that machines lean on: made beforehand through the simulator's routes, never compared.
SUPPORTING = ("microsoft.network",)

# Recorded by the way, carried out and not compared: what a session does to the providers its machines lean on.
_CHANGES = frozenset({"PUT", "PATCH", "DELETE"})

# Answers that show the platform's catalogue, not what the session did: shapes of elements are compared, not numbers.
CATALOGUES = re.compile(
    r"/locations/[^/]+/(?:publishers|usages|vmsizes|runcommands)\b|/vmsizes$|/topictypes\b"
    r"|^/subscriptions$|^/tenants$|/locations$|^/subscriptions/[^/]+/tagnames$|^/subscriptions/[^/]+/providers$"
)

POLLS = re.compile(
    r"/(?:operations|diskoperations|capsoperations|operationsstatus|operationstatus|operationresults|backupoperations)"
    r"/[^/]+$"
)

# Carried by the connection, tracing, throttling, browser hardening and caching: not part of the protocol.
IGNORED_HEADERS = re.compile(
    r"^(?:date|server|connection|content-length|content-encoding|transfer-encoding|vary|set-cookie|keep-alive"
    r"|cache-control|pragma|expires|strict-transport-security|x-content-type-options|x-cache|x-msedge-ref|x-powered-by"
    r"|x-aspnet-version|x-ms-(?:request-id|correlation-request-id|routing-request-id|client-request-id|served-by"
    r"|original-request-ids|operation-identifier|need-to-refresh-epl-cache|deployment-engine-version|arm-service-request-id"
    r"|request-charge|ratelimit-.*|user-quota-.*|resource-graph-request-duration))$"
)

# Text for people, and values nobody could predict: only their type is compared.
FREE_TEXT = frozenset(
    {
        "message",
        "accesssas",
        "etag",
        "displaystatus",
        "duration",
        "vmagentversion",
        "displayname",
        "resourcegraphrequestduration",
        "createdby",
        "lastmodifiedby",
        "taskexecutiondetails",
        "estimatedremainingduration",
        "deferreddeletetimeremaining",
        "backup size",
        "additionalinfo",
        "token",
        "securitypin",
    }
)
# Measured or counted by the platform: only the type is compared.
MEASURED = frozenset(
    {
        *("completionpercent", "currentvalue", "limit", "percentcomplete", "progresspercentage", "count"),
        *("totalrecords", "expirytimeinutcticks"),
    }
)


def provider_of(path: str) -> tuple[str, str]:
    """Name the namespace and type a path ends in; both empty for ARM itself."""
    _, found, rest = path_of(path).rpartition("/providers/")
    if not found:
        return "", ""
    namespace, _, kind = rest.partition("/")
    return namespace, kind.partition("/")[0]


def in_scope(exchange: Exchange) -> bool:
    """Tell whether an exchange counts."""
    return exchange.host == MANAGEMENT_HOST and counted(exchange.target) and not is_set_up(exchange)


def counted(path: str) -> bool:
    """Tell whether a path belongs to a provider that counts."""
    namespace, kind = provider_of(path)
    return any(
        each.namespace == namespace
        and (not each.types or kind in each.types)
        and (each.but is None or each.but.search(path_of(path)) is None)
        for each in PROVIDERS
    )


def is_set_up(exchange: Exchange) -> bool:
    """Tell whether an exchange is carried out instead of compared."""
    return "/".join(provider_of(exchange.target)) in SET_UP


def is_supporting(path: str) -> bool:
    """Tell whether a path belongs to a provider that machines lean on."""
    return provider_of(path)[0] in SUPPORTING


def is_carried_out(exchange: Exchange) -> bool:
    """Tell whether an exchange outside the score changes what is inside it."""
    changes = exchange.method in _CHANGES and exchange.status < 300 and exchange.host == MANAGEMENT_HOST
    return changes and (is_set_up(exchange) or (is_supporting(exchange.target) and not in_scope(exchange)))


def is_catalogue(path: str) -> bool:
    """Tell whether a path shows the platform's own catalogue."""
    return CATALOGUES.search(path_of(path)) is not None


def is_poll(path: str) -> bool:
    """Tell whether a path asks how an operation fares: its Retry-After is advice that Azure varied from 9 to 50 s."""
    return POLLS.search(path_of(path)) is not None


def route_of(method: str, target: str) -> str:
    """Name the route of a request for tables: names become stars."""
    parts = path_of(target).strip("/").split("/providers/")
    head = re.sub(r"^subscriptions/[^/]+", "(sub)", parts[0])
    head = re.sub(r"^\(sub\)/resourcegroups/[^/]+", "(rg)", head)
    head = re.sub(r"(operationresults|tagnames|tagvalues)/[^/]+", r"\1/*", head)
    tails = [
        "/".join("*" if at and at % 2 == 0 else word for at, word in enumerate(part.split("/"))) for part in parts[1:]
    ]
    return f"{method} " + "/".join([head, *tails])
