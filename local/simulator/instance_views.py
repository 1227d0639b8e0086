"""What runs inside a virtual machine: power, agent, disks and extensions, in the recorded form.

Used by compute_vms.py.
"""

from typing import TYPE_CHECKING

from local.simulator.answers import Document, encode
from local.simulator.clock import compute_time
from local.simulator.extension_images import newest
from local.simulator.images import Image, image_of_machine
from local.simulator.machine_disks import all_disks
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.world import World

# From the end of a machine's creation until its agent reports (assumed; recorded: not yet when `az vm create` looks).
AGENT_SECONDS = 60.0
AGENTS = {"Linux": "2.11.1.12", "Windows": "2.7.41491.1095"}
MESSAGES = {"Linux": "Guest Agent is running", "Windows": "GuestAgent is running and processing the extensions."}
DISPLAY = {
    "running": "VM running",
    "starting": "VM starting",
    "stopped": "VM stopped",
    "stopping": "VM stopping",
    "deallocated": "VM deallocated",
    "deallocating": "VM deallocating",
}


# What a machine says while an action is under way (documented: states-billing).
BETWEEN = {"start": ("starting", "running"), "powerOff": ("stopping", "stopped"),
           "deallocate": ("deallocating", "deallocated")}  # fmt: skip


def power_of(world: "World", held: Resource) -> str:
    """Return the power state: that of the action under way, else the last one reached."""
    notes = held.notes or {}
    reached = str(notes.get("power", "running"))
    acting = world.operations.get(str(notes.get("acting", "")))
    if acting is None or acting.ended is not None:
        return reached
    between, aim = BETWEEN.get(str(acting.arguments.get("action")), (reached, reached))
    return reached if reached == aim else between


def agent_is_ready(held: Resource, now: float) -> bool:
    """Tell whether a machine's agent reports."""
    notes = held.notes or {}
    running = notes.get("power", "running") == "running"
    return running and notes.get("agent", "ready") == "ready" and now >= float(notes.get("agent_from", 0))


def agent_since(held: Resource) -> float | None:
    """Tell since when a machine's agent has reported, also when that lies ahead; None where it never does."""
    notes = held.notes or {}
    if notes.get("agent", "ready") != "ready" or notes.get("power") == "starting":
        return None
    return float(notes.get("agent_from", held.born))


def of(world: "World", held: Resource, now: float) -> Document:
    """Return a machine's instance view; an agent reports only while the machine runs."""
    document, notes = held.document(), held.notes or {}
    power = power_of(world, held)
    view: Document = {}
    image = image_of_machine(document["properties"])
    # What the agent last said stays while the machine has a host (recorded after powerOff).
    hosted = power in ("running", "stopped", "stopping")
    if hosted and notes.get("agent", "ready") == "ready":
        if now < float(notes.get("agent_from", 0)):
            view["vmAgent"] = _silent(now)
        else:
            profile = document["properties"].get("osProfile") or {}
            if profile.get("computerName"):
                view["computerName"] = profile["computerName"]
            view |= {"osName": image.name, "osVersion": image.release, "vmAgent": _agent(world, held, image, now)}
    view["disks"] = [
        {"name": disk["name"], "statuses": [_provisioned(document["properties"]["timeCreated"])]}
        for disk in all_disks(document)
        if disk.get("name")
    ]
    extensions = _extensions(world, held)
    if extensions and hosted:
        view["extensions"] = extensions
    view["hyperVGeneration"] = image.generation
    state = str(document["properties"]["provisioningState"]).lower()
    view["statuses"] = [
        {**_provisioned(document["properties"]["timeCreated"]), "code": f"ProvisioningState/{state}"},
        {"code": f"PowerState/{power}", "level": "Info", "displayStatus": DISPLAY.get(power, f"VM {power}")},
    ]
    if notes.get("generalized"):  # documented: generalize
        view["statuses"].append({"code": "OSState/generalized", "level": "Info", "displayStatus": "VM generalized"})
    return view


def _provisioned(time: str) -> Document:
    return {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "time": time,
    }


def _silent(now: float) -> Document:
    """An agent that has not reported yet (recorded)."""
    status = {
        "code": "ProvisioningState/Unavailable",
        "level": "Warning",
        "displayStatus": "Not Ready",
        "message": "VM status blob is found but not yet populated.",
        "time": compute_time(now),
    }
    return {"vmAgentVersion": "Unknown", "statuses": [status]}


def _agent(world: "World", held: Resource, image: Image, now: float) -> Document:
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Ready",
        "message": MESSAGES[image.system],
        "time": compute_time(now),
    }
    handlers = [
        {"type": one["type"], "typeHandlerVersion": one["typeHandlerVersion"], "status": _HANDLER}
        for one in _extensions(world, held)
    ]
    agent: Document = {"vmAgentVersion": AGENTS[image.system], "statuses": [status]}
    if handlers or image.system == "Linux":
        agent["extensionHandlers"] = handlers
    return agent


_HANDLER = {
    "code": "ProvisioningState/succeeded",
    "level": "Info",
    "displayStatus": "Ready",
    "message": "Plugin enabled",
}


def _extensions(world: "World", held: Resource) -> list[Document]:
    found = world.store.all_of(held.key, "microsoft.compute/virtualmachines/extensions")
    return [view_of_extension(extension.document()) for extension in found]


def view_of_extension(document: Document) -> Document:
    """Write what an extension reports: the newest version that its upgrade rule allows, a status without a time."""
    properties = document["properties"]
    asked = str(properties.get("typeHandlerVersion", "1.0"))
    wanted = asked.split(".", 1)[0] if properties.get("autoUpgradeMinorVersion") else asked
    version = newest(str(properties["publisher"]), str(properties["type"]), wanted)
    return {
        "name": document["name"],
        "type": f"{properties['publisher']}.{properties['type']}",
        "typeHandlerVersion": asked if version == wanted else version,
        "statuses": [
            {
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Provisioning succeeded",
                "message": "Enable succeeded.",
            }
        ],
    }


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
