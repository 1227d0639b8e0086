"""Event Grid's catalogue: which kinds of sources there are, the events of each, and subscriptions listed by them."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.event_grid import ON_SCOPE, OWNERS
from local.simulator.ids import key_of, parse
from local.simulator.listing import joined
from local.simulator.regions import REGIONS
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

SCHEMA = (
    "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/specification/eventgrid/data-plane/"
    "Microsoft.{0}/stable/2018-01-01/{0}.json"
)
ENDS = {"Success": "succeeds", "Failure": "fails", "Cancel": "is canceled"}
VERBS = {"Write": "create or update", "Delete": "delete", "Action": "action"}
RESOURCE_EVENTS = tuple(
    (
        f"Microsoft.Resources.Resource{verb}{end}",
        f"Resource {verb} {end}",
        f"Raised when a resource {what} operation {how}.",
    )
    for verb, what in VERBS.items()
    for end, how in ENDS.items()
)
STORAGE_EVENTS = (
    ("Microsoft.Storage.BlobCreated", "Blob Created", "Raised when a blob is created."),
    ("Microsoft.Storage.BlobDeleted", "Blob Deleted", "Raised when a blob is deleted."),
)
# name: provider, display name, description, source format, events (recorded for subscriptions; others documented)
TYPES: dict[str, tuple[str, str, str, str, tuple[tuple[str, str, str], ...]]] = {
    "Microsoft.Resources.Subscriptions": (
        "Microsoft.Resources", "Azure Subscriptions", "Resource management events under an Azure subscription",
        "/subscriptions/<subscriptionId>", RESOURCE_EVENTS,
    ),
    "Microsoft.Resources.ResourceGroups": (
        "Microsoft.Resources", "Resource Groups", "Resource management events under a resource group.",
        "/subscriptions/<subscriptionId>/resourceGroups/<resourceGroup>", RESOURCE_EVENTS,
    ),
    "Microsoft.Storage.StorageAccounts": (
        "Microsoft.Storage", "Storage Accounts", "Microsoft Storage service events.", "", STORAGE_EVENTS,
    ),
    "Microsoft.EventGrid.Topics": ("Microsoft.EventGrid", "Event Grid Topics", "Custom events.", "", ()),
    "Microsoft.EventGrid.Domains": ("Microsoft.EventGrid", "Event Grid Domains", "Custom events.", "", ()),
}  # fmt: skip
GLOBAL = ("Microsoft.Resources.Subscriptions", "Microsoft.Resources.ResourceGroups")


def _type(name: str) -> Document:
    provider, display, description, form, _ = TYPES[name]
    region: Document = {"resourceRegionType": "GlobalResource" if name in GLOBAL else "RegionalResource"}
    places: Document = {} if name in GLOBAL else {"supportedLocations": list(REGIONS)}
    properties = {
        "provider": provider, "displayName": display, "description": description, **region,
        "provisioningState": "Succeeded", **places, **({"sourceResourceFormat": form} if form else {}),
    }  # fmt: skip
    root = "Microsoft.EventGrid/topicTypes"
    return {"properties": properties, "id": f"providers/{root}/{name}", "name": name, "type": root}


def _known(call: "Call") -> str:
    for name in TYPES:
        if name.lower() == call["type"].lower():
            return name
    raise ArmError(404, "ResourceNotFound", f"The topic type '{call['type']}' could not be found.")


def every(_world: "World", _call: "Call") -> Reply:
    """List the types."""
    return Reply.of({"value": [_type(name) for name in TYPES]})


def get(_world: "World", call: "Call") -> Reply:
    """Answer one type."""
    return Reply.of(_type(_known(call)))


def events(_world: "World", call: "Call") -> Reply:
    """List the events of a type."""
    name = _known(call)
    provider = TYPES[name][0].split(".", 1)[1]
    root = "Microsoft.EventGrid/topicTypes"
    found = [
        {
            "properties": {
                "displayName": display, "description": said, "schemaUrl": SCHEMA.format(provider),
                "isInDefaultSet": True,
            },
            "id": f"providers/{root}/{name}/eventTypes/{event}",
            "name": event,
            "type": f"{root}/eventTypes",
        }
        for event, display, said in TYPES[name][4]
    ]  # fmt: skip
    return Reply.of({"value": found})


def _kind_of(topic: str) -> str:
    """Name the type a source is of, as the catalogue does."""
    if topic.count("/") <= 4:
        return GLOBAL[0 if topic.count("/") == 2 else 1].lower()
    return parse(topic).type.lower().replace("/", ".", 1)


def _place_of(world: "World", topic: str) -> str:
    held = world.store.get(key_of(topic))
    return "global" if topic.count("/") <= 4 else str(held.document().get("location", "")) if held else ""


def subscriptions(world: "World", call: "Call") -> Reply:
    """List event subscriptions of a subscription or group: all global ones, those of a place, or those of a type."""
    scope = world.subscription(call["subscription"]).key
    if "group" in call.names:
        scope = world.group(call["subscription"], call["group"]).key
    fits: list[Callable[[Resource], bool]] = [_named(call.query.get("$filter", ""))]
    if "type" in call.names:
        fits.append(lambda held: _kind_of(_topic(held)) == call["type"].lower())
    if "location" in call.names:
        fits.append(lambda held: _place_of(world, _topic(held)) == call["location"].lower())
    elif "type" not in call.names:
        fits.append(lambda held: _topic(held).count("/") <= 4)
    found = _members(world, scope)
    return joined([held.body for held in found if all(fit(held) for fit in fits)])


def _members(world: "World", scope: str) -> Iterable[Resource]:
    for kind in (ON_SCOPE, *(f"{owner}/eventSubscriptions" for owner in OWNERS)):
        yield from world.store.all_of(scope, kind.lower())


def _topic(held: Resource) -> str:
    return str(held.document()["properties"].get("topic", ""))


def _named(text: str) -> Callable[[Resource], bool]:
    """Read the filter on names: `name eq 'x'` or `CONTAINS(name,'x')` (recorded)."""
    wanted = text.split("'")[1].lower() if text.count("'") == 2 else ""
    if text.lower().startswith("contains"):
        return lambda held: wanted in parse(held.id).name.lower()
    return lambda held: not wanted or parse(held.id).name.lower() == wanted


_AT, _SINCE = "/providers/Microsoft.EventGrid/topicTypes", Versions("2018-01-01")
_READ = "Microsoft.EventGrid/topicTypes/read"
_CLI = "azure-cli-2025-02/eventgrid/test_topic_types, test_create_topic"
_LIST = "Microsoft.EventGrid/eventSubscriptions/read"
_ROOTS = ("/subscriptions/{subscription}", "/subscriptions/{subscription}/resourceGroups/{group}")
_WAYS = ("/topicTypes/{type}/eventSubscriptions", "/locations/{location}/eventSubscriptions",
         "/locations/{location}/topicTypes/{type}/eventSubscriptions")  # fmt: skip
ROUTES = (
    Route("GET", _AT, _READ, every, Evidence.RECORDED, _CLI, _SINCE, open_to_all=True),
    Route("GET", _AT + "/{type}", _READ, get, Evidence.RECORDED, _CLI, _SINCE, open_to_all=True),
    Route("GET", _AT + "/{type}/eventTypes", _READ, events, Evidence.RECORDED, _CLI, _SINCE, open_to_all=True),
    *(
        Route("GET", f"{root}/providers/Microsoft.EventGrid{way}", _LIST, subscriptions, Evidence.RECORDED, _CLI,
              _SINCE, lists=True)
        for root in _ROOTS
        for way in _WAYS
    ),
)  # fmt: skip
