"""What runs inside a virtual machine: power, agent, disks and extensions, in the recorded form.

Used by compute_vms.py.
"""

from typing import TYPE_CHECKING

from local.simulator.answers import Document, encode
from local.simulator.clock import compute_time
from local.simulator.machines import all_disks
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.world import World

DISPLAY = {
    "running": "VM running",
    "starting": "VM starting",
    "stopped": "VM stopped",
    "stopping": "VM stopping",
    "deallocated": "VM deallocated",
    "deallocating": "VM deallocating",
}


def of(world: "World", held: Resource, now: float) -> Document:
    """Return a machine's instance view; an agent reports only while the machine runs."""
    document, notes = held.document(), held.notes or {}
    power = str(notes.get("power", "running"))
    view: Document = {}
    profile = document["properties"].get("osProfile") or {}
    if power == "running":
        if profile.get("computerName"):
            view["computerName"] = profile["computerName"]
        if notes.get("agent", "ready") == "ready":
            view["vmAgent"] = _agent(world, held, now)
    view["disks"] = [
        {"name": disk["name"], "statuses": [_provisioned(document["properties"]["timeCreated"])]}
        for disk in all_disks(document)
        if disk.get("name")
    ]
    extensions = _extensions(world, held)
    if extensions and power == "running":
        view["extensions"] = extensions
    view["hyperVGeneration"] = "V1"
    state = str(document["properties"]["provisioningState"]).lower()
    view["statuses"] = [
        {**_provisioned(document["properties"]["timeCreated"]), "code": f"ProvisioningState/{state}"},
        {"code": f"PowerState/{power}", "level": "Info", "displayStatus": DISPLAY.get(power, f"VM {power}")},
    ]
    return view


def _provisioned(time: str) -> Document:
    return {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "time": time,
    }


def _agent(world: "World", held: Resource, now: float) -> Document:
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Ready",
        "message": "GuestAgent is running and processing the extensions.",
        "time": compute_time(now),
    }
    handlers = [
        {"type": one["type"], "typeHandlerVersion": one["typeHandlerVersion"], "status": {**status, "message": "Ready"}}
        for one in _extensions(world, held)
    ]
    return {"vmAgentVersion": "2.7.41491.1032", "statuses": [status], "extensionHandlers": handlers}


def _extensions(world: "World", held: Resource) -> list[Document]:
    found = []
    for extension in world.store.all_of(held.key, "microsoft.compute/virtualmachines/extensions"):
        document = extension.document()
        properties = document["properties"]
        found.append(
            {
                "name": document["name"],
                "type": f"{properties['publisher']}.{properties['type']}",
                "typeHandlerVersion": properties.get("typeHandlerVersion", "1.0"),
                "statuses": [_provisioned(compute_time(extension.born))],
            }
        )
    return found


def shown(world: "World", held: Resource, now: float, only: bool) -> bytes:
    """Return a machine as lists with run states answer it: the view with the model, or the view alone."""
    document = held.document()
    view = of(world, held, now)
    if only:
        properties = document["properties"]
        kept = {name: properties[name] for name in ("vmId", "provisioningState", "timeCreated")}
        head = {name: document[name] for name in ("name", "id", "type", "location")}
        return encode({**head, "properties": {**kept, "instanceView": {"statuses": view["statuses"]}}})
    document["properties"]["instanceView"] = view
    return encode(document)
