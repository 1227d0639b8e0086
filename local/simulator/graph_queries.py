"""Shared queries of Resource Graph: kept texts, never run by themselves."""

from local.simulator.answers import Document
from local.simulator.clock import iso
from local.simulator.kinds import Kind, Making
from local.simulator.routing import Evidence, Versions
from local.simulator.tagging import checked
from local.simulator.tracked import serve

TYPE = "Microsoft.ResourceGraph/queries"


def _document(making: Making) -> Document:
    """Write a query in the recorded form: type and id in lower case, the group and subscription named apart."""
    body, resource_id = making.body, making.resource_id
    asked = body.get("properties") or {}
    parts = resource_id.strip("/").split("/")
    properties = {"resultKind": "UnKnown", "timeModified": iso(making.call.now)}
    properties |= {name: asked[name] for name in ("query", "description") if name in asked}
    tags = {"tags": checked(body["tags"])} if body.get("tags") is not None else {}
    head = "/".join(parts[:4])
    mark = making.world.chance.guid_of(f"etag {resource_id} {making.call.now}")
    return {
        "properties": properties, "type": TYPE.lower(), "location": body.get("location", "global"),
        "subscriptionId": parts[1], "resourceGroup": parts[3], "name": parts[-1],
        "id": f"/{head}/providers/{TYPE.lower()}/{parts[-1]}", **tags, "etag": f'"{mark}"',
    }  # fmt: skip


KIND = Kind(
    TYPE, Evidence.RECORDED, "azure-cli-extensions-2024-09/resource-graph/test_shared_query_scenario",
    Versions("2018-09-01"), created=200, deleted=200, accept=_document, list_evidence=Evidence.RECORDED,
)  # fmt: skip
ROUTES = serve(KIND)
