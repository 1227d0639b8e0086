"""Less usual actions on a machine: disks attached by a call of their own, patches assessed, diagnostics, eviction."""

from typing import TYPE_CHECKING

from local.simulator import compute_vms, machine_disks, machine_sizes, machines
from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.clock import compute_time
from local.simulator.ids import key_of, parse
from local.simulator.lro import Family, Operation, Work
from local.simulator.machines import TYPE
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tracked import template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World


def _machine(world: "World", call: "Call") -> Resource:
    return world.resource(call.path.rsplit("/", 1)[0], TYPE)


def _begin(world: "World", call: "Call", work: str, found: Resource, arguments: Document) -> Reply:
    place = str(found.document()["location"])
    operation = world.operations.begin(call, Work(work, Family.COMPUTE, found, place, "vm.update", arguments))
    return accepted(call, operation, 202, None, location=True)


def change_disks(world: "World", call: "Call") -> Reply:
    """Attach and detach data disks (202); the result is the new storage profile (specified)."""
    found, body = _machine(world, call), call.body()
    before = found.document()
    document = found.document()
    storage = document["properties"]["storageProfile"]
    leaving = {key_of(str(each.get("diskId", ""))) for each in body.get("dataDisksToDetach") or []}
    strange = leaving - {key_of(machine_disks.disk_id(disk)) for disk in storage["dataDisks"]}
    if strange:
        message = f"Disk {sorted(strange)[0]} is not attached to virtual machine '{document['name']}'."
        raise ArmError(400, "InvalidParameter", message, target="dataDisksToDetach")
    storage["dataDisks"] = [disk for disk in storage["dataDisks"] if key_of(machine_disks.disk_id(disk)) not in leaving]
    used = {int(disk["lun"]) for disk in storage["dataDisks"]}
    _check_room(document, len(used) + len(body.get("dataDisksToAttach") or []))
    for asked in body.get("dataDisksToAttach") or []:
        if asked.get("lun") in used:
            message = f"A disk at LUN {asked['lun']} already exists."  # documented: openshift-azure#83
            raise ArmError(400, "InvalidParameter", message, target="dataDisk.lun")
        lun = asked.get("lun", next(number for number in range(64) if number not in used))
        used.add(lun)
        disk = {"lun": lun, "createOption": "Attach", "managedDisk": {"id": asked.get("diskId")}}
        kept = {name: asked[name] for name in ("caching", "deleteOption", "writeAcceleratorEnabled") if name in asked}
        storage["dataDisks"].append({**disk, **kept})
    writing = machines.Writing(call.now, call.version)
    accepted_now = machines.accepted_document(world, found.id, document, before, writing)
    wanted = machine_disks.check_attachable(world, found.id, accepted_now)
    world.access.check_linked(call.principal.oid, f"{TYPE}/write", found.id, wanted)
    world.store.write(found, accepted_now, call.now)
    return _begin(world, call, "vm.disks", found, {"before": before})


def _check_room(document: Document, wanted: int) -> None:
    """Refuse more data disks than the size takes (documented: azuredisk-csi-driver#2883); unknown sizes take any."""
    size = machine_sizes.size_of(str((document["properties"].get("hardwareProfile") or {}).get("vmSize", "")))
    if size is not None and wanted > size.disks:
        message = f"The maximum number of data disks allowed to be attached to a VM of this size is {size.disks}."
        raise ArmError(409, "OperationNotAllowed", message, target="dataDisks")


def finish_disks(world: "World", operation: Operation, at: float) -> Document:
    """Let the disks change hands."""
    compute_vms.finish_put(world, operation, at)
    found = world.store.get(operation.target)
    profile: Document = found.document()["properties"]["storageProfile"] if found else {}
    return profile


def assess(world: "World", call: "Call") -> Reply:
    """Assess patches (202); a simulated guest lacks none."""
    return _begin(world, call, "vm.assess", _machine(world, call), {})


def finish_assess(world: "World", operation: Operation, at: float) -> Document:
    """Say that nothing is missing."""
    return {
        "status": "Succeeded",
        "assessmentActivityId": world.chance.guid_of(f"assessment {operation.id}"),
        "rebootPending": False,
        "criticalAndSecurityPatchCount": 0,
        "otherPatchCount": 0,
        "startDateTime": compute_time(operation.started),
        "availablePatches": [],
    }


def install(world: "World", call: "Call") -> Reply:
    """Install patches (202); there are none."""
    return _begin(world, call, "vm.install", _machine(world, call), {})


def finish_install(world: "World", operation: Operation, at: float) -> Document:
    """Say that nothing was installed."""
    counts = ("excludedPatchCount", "notSelectedPatchCount", "pendingPatchCount", "installedPatchCount")
    return {
        "status": "Succeeded",
        "installationActivityId": world.chance.guid_of(f"installation {operation.id}"),
        "rebootStatus": "NotNeeded",
        "maintenanceWindowExceeded": False,
        **dict.fromkeys((*counts, "failedPatchCount"), 0),
        "patches": [],
        "startDateTime": compute_time(operation.started),
    }


def diagnostics(world: "World", call: "Call") -> Reply:
    """Answer where the console's output lies; nothing answers there."""
    found = _machine(world, call)
    host = f"https://md-{world.chance.guid_of(f'console {found.key}')[:12]}.z30.blob.storage.azure.net/console"
    sas = "sv=2018-03-28&sr=b&sig=simulated"
    return Reply.of(
        {
            "consoleScreenshotBlobUri": f"{host}/screenshot.bmp?{sas}",
            "serialConsoleLogBlobUri": f"{host}/serialconsole.log?{sas}",
        }
    )


def evict(world: "World", call: "Call") -> Reply:
    """Evict a spot machine (204): it is deallocated, or removed where its policy says so, a while later."""
    found = _machine(world, call)
    properties = found.document()["properties"]
    if properties.get("priority") != "Spot":
        name = parse(found.id).name
        message = f"Eviction can be simulated for spot virtual machines only; '{name}' is none."
        raise ArmError(409, "OperationNotAllowed", message)
    work = "vm.delete" if properties.get("evictionPolicy") == "Delete" else "vm.act"
    place = str(found.document()["location"])
    world.operations.begin(call, Work(work, Family.COMPUTE, found, place, "vm.power", {"action": "deallocate"}))
    return Reply(204)


def generalize(world: "World", call: "Call") -> Reply:
    """Mark a machine as generalized; done at once (recorded)."""
    found = _machine(world, call)
    found.notes = {**(found.notes or {}), "generalized": True}
    world.store.touch(found, call.now)
    return Reply(200)


def capture(world: "World", call: "Call") -> Reply:
    """Refuse: only unmanaged disks are captured, and blobs are not simulated (documented; words are assumed)."""
    name = parse(_machine(world, call).id).name
    message = f"Capture of virtual machine '{name}' is not allowed: images are made of machines with managed disks."
    raise ArmError(409, "OperationNotAllowed", message)


def convert(world: "World", call: "Call") -> Reply:
    """Make managed disks of the blobs of a machine that has no host (202; documented)."""
    found = _machine(world, call)
    document, power = found.document(), (found.notes or {}).get("power")
    if not any(disk.get("vhd") for disk in machine_disks.all_disks(document)):
        message = f"Virtual machine '{document['name']}' already uses managed disks."
        raise ArmError(409, "OperationNotAllowed", message)
    if power != "deallocated":
        message = f"Virtual machine '{document['name']}' must be deallocated before its disks are converted."
        raise ArmError(409, "OperationNotAllowed", message)
    return _begin(world, call, "vm.convert", found, {})


def finish_convert(world: "World", operation: Operation, at: float) -> None:
    """Let the managed disks appear, with the names their blobs had in the machine."""
    found = world.store.get(operation.target)
    if found is None:
        return
    document = found.document()
    for disk in machine_disks.all_disks(document):
        if disk.pop("vhd", None):
            disk["managedDisk"] = {"storageAccountType": "Standard_LRS"}
    machine_disks.realise_disks(world, document, at)
    machine_disks.set_disk_states(world, document, "Reserved", at)
    world.store.write(found, document, at)


_S, _SINCE = Evidence.SPECIFIED, Versions("2019-07-01")
_UPDATE = ("Microsoft.Compute/UpdateVMResource", "Microsoft.Compute/UpdateVMSubscriptionMaximum")
_ACTIONS = {
    "attachDetachDataDisks": change_disks,
    "assessPatches": assess,
    "installPatches": install,
    "retrieveBootDiagnosticsData": diagnostics,
    "simulateEviction": evict,
}
ROUTES = tuple(
    Route("POST", f"{template_of(TYPE)}/{name}", f"{TYPE}/{name}/action", handler, _S,
          f"ComputeRP 2024-11-01 VirtualMachines_{name[0].upper()}{name[1:]}", _SINCE, _UPDATE)
    for name, handler in _ACTIONS.items()
)  # fmt: skip
_OLD, _ONE = Versions("2015-06-15"), template_of(TYPE)
ROUTES += (
    Route("POST", f"{_ONE}/generalize", f"{TYPE}/generalize/action", generalize, Evidence.RECORDED,
          "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_vm", _OLD, _UPDATE),
    Route("POST", f"{_ONE}/capture", f"{TYPE}/capture/action", capture, Evidence.DOCUMENTED,
          "ComputeRP 2024-11-01 VirtualMachines_Capture", _OLD, _UPDATE),
    Route("POST", f"{_ONE}/convertToManagedDisks", f"{TYPE}/convertToManagedDisks/action", convert, _S,
          "ComputeRP 2024-11-01 VirtualMachines_ConvertToManagedDisks", Versions("2016-04-30"), _UPDATE),
)  # fmt: skip
FINISHERS = {
    "vm.convert": finish_convert,
    "vm.disks": finish_disks,
    "vm.assess": finish_assess,
    "vm.install": finish_install,
}
