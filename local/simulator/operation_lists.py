"""What a provider can do, read from the simulator's own routes; whether something is there; names that are taken.

The lists say what this simulator answers, not what Azure would.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of
from local.simulator.provider_list import NAMESPACES, document_of
from local.simulator.routing import Evidence, Route, Versions

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

VERBS = {"read": "Get", "write": "Create or Update", "delete": "Delete"}
RESERVED = frozenset({"login", "microsoft", "windows", "xbox"})


def _entry(action: str) -> Document:
    namespace, *words = action.split("/")
    verb = VERBS.get(words[-1].lower(), words[-2] if len(words) > 1 else words[-1])
    kind = "/".join(words[:-1]) if words[-1].lower() != "action" else "/".join(words[:-2])
    shown = {"provider": namespace, "resource": kind, "operation": f"{verb} {kind}".strip(), "description": ""}
    return {"name": action, "display": shown}


def routes_for(actions: Iterable[str]) -> tuple[Route, ...]:
    """Return a route per namespace that lists its actions."""
    by_namespace: dict[str, set[str]] = {}
    for action in actions:
        by_namespace.setdefault(action.split("/", 1)[0], set()).add(action)

    def serving(namespace: str) -> Route:
        listed = sorted(by_namespace[namespace])

        def answer(_world: "World", _call: "Call") -> Reply:
            return Reply.of({"value": [_entry(action) for action in listed]})

        at, action = f"/providers/{namespace}/operations", f"{namespace}/operations/read"
        return Route("GET", at, action, answer, _S, "Operations_List", _SINCE, lists=True, open_to_all=True)

    return tuple(serving(namespace) for namespace in sorted(by_namespace))


def is_there(world: "World", call: "Call") -> Reply:
    """Say whether a resource exists: 204 or 404, without a body."""
    return Reply(204) if world.store.get(key_of(call.path)) else Reply(404)


def heads(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return, for every route that reads one resource, the one that asks whether it exists (specified by ARM)."""
    known, found = {route.template.lower() for route in routes if route.method == "HEAD"}, []
    for route in routes:
        single = route.method == "GET" and route.template.endswith("}") and not route.lists
        if single and "/providers/" in route.template and route.template.lower() not in known:
            found.append(
                Route("HEAD", route.template, route.action, is_there, Evidence.SPECIFIED,
                      "resources 2024-11-01 Resources_CheckExistenceById", route.versions)
            )  # fmt: skip
    return tuple(found)


def everywhere(_world: "World", _call: "Call") -> Reply:
    """List the providers of the tenant."""
    hidden = ("id", "registrationState", "registrationPolicy")
    documents = [document_of("", name) for name in NAMESPACES]
    return Reply.of({"value": [{key: value for key, value in each.items() if key not in hidden} for each in documents]})


def check_name(_world: "World", call: "Call") -> Reply:
    """Say whether a name is reserved (documented)."""
    body = call.body()
    name, kind = str(body.get("name", "")), str(body.get("type", ""))
    if not name or not kind:
        raise ArmError(400, "InvalidRequestContent", "The request must name 'name' and 'type'.")
    status = "NotAllowed" if name.lower() in RESERVED else "Allowed"
    return Reply.of({"name": name, "type": kind, "status": status})


def zones(world: "World", call: "Call") -> Reply:
    """Pair the zones of subscriptions: in a simulator they are the same for all."""
    world.subscription(call["subscription"])
    others = [str(each).rsplit("/", 1)[-1] for each in call.body().get("subscriptionIds") or []]
    peers = [
        {
            "availabilityZone": zone,
            "peers": [{"subscriptionId": other, "availabilityZone": zone} for other in others],
        }
        for zone in ("1", "2", "3")
    ]
    place = call.body().get("location")
    return Reply.of({"subscriptionId": call["subscription"], "location": place, "availabilityZonePeers": peers})


_S, _SINCE = Evidence.SPECIFIED, Versions("2014-04-01")
ROUTES = (
    Route("GET", "/providers", "Microsoft.Resources/providers/read", everywhere, _S,
          "resources 2024-11-01 Providers_ListAtTenantScope", _SINCE, lists=True, open_to_all=True),
    Route("POST", "/providers/Microsoft.Resources/checkResourceName", "Microsoft.Resources/checkResourceName/action",
          check_name, _S, "subscriptions 2022-12-01 checkResourceName", _SINCE, open_to_all=True),
    Route("POST", "/subscriptions/{subscription}/providers/Microsoft.Resources/checkZonePeers",
          "Microsoft.Resources/checkZonePeers/action", zones, _S,
          "subscriptions 2022-12-01 Subscriptions_CheckZonePeers", _SINCE),
)  # fmt: skip
