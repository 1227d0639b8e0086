"""Commands run inside a machine: managed run commands as resources, and the older action with its catalogue.

Nothing is executed: a command ends as one without output, or fails where the machine cannot run it. But a guest knows
its disks: `sha256sum os/7 3/0` writes what block 7 of its OS disk and block 0 of the disk at LUN 3 hold (assumed).
"""

import re
from typing import TYPE_CHECKING

from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.clock import whole_second
from local.simulator.ids import key_of
from local.simulator.images import image_of_machine
from local.simulator.kinds import Kind, Making, as_asked
from local.simulator.lro import Family, Operation, Work
from local.simulator.machine_disks import disk_id
from local.simulator.machines import TYPE as MACHINE
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tracked import serve, template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

SUMS = re.compile(r"sha256sum((?: (?:os|\d{1,2})/\d{1,6})+)")
# What the catalogue offers (documented; RunPowerShellScript and RunShellScript recorded): system, label, parameters.
CATALOGUE = {
    "RunPowerShellScript": ("Windows", "Executes a PowerShell script", True),
    "EnableRemotePS": ("Windows", "Enable remote PowerShell", False),
    "IPConfig": ("Windows", "List IP configuration", False),
    "RunShellScript": ("Linux", "Executes a Linux shell script", True),
    "ifconfig": ("Linux", "Get the configuration of all network interfaces", False),
}


def _document(making: Making) -> Document:
    document = as_asked(making)
    document["properties"].setdefault("timeoutInSeconds", 0)
    document["properties"].setdefault("asyncExecution", False)
    for hidden in ("protectedParameters", "runAsPassword"):
        document["properties"].pop(hidden, None)
    return document


def _shown(world: "World", held: Resource, call: "Call") -> Document:
    document = held.document()
    if call.query.get("$expand", "").lower() == "instanceview":
        moment = whole_second(held.born)
        wrote, error = _executed(world, held, str((document["properties"].get("source") or {}).get("script", "")))
        view = {"executionMessage": "", "output": wrote, "error": error, "startTime": moment}
        if document["properties"]["provisioningState"] == "Succeeded":
            ended = {"executionState": "Failed" if error else "Succeeded", "exitCode": 1 if error else 0}
            document["properties"]["instanceView"] = {**view, **ended, "endTime": moment}
        else:
            document["properties"]["instanceView"] = {**view, "executionState": "Running", "exitCode": 0, "output": ""}
    return document


def _executed(world: "World", held: Resource, script: str) -> tuple[str, str]:
    """Return what a script writes and what it complains of: only sums of the guest's own blocks are known."""
    asked = SUMS.fullmatch(script.strip())
    machine = world.store.get(key_of(held.id.rsplit("/", 2)[0]))
    if asked is None or machine is None:
        return "", ""
    profile = machine.document()["properties"].get("storageProfile") or {}
    attached = {"os": profile.get("osDisk") or {}}
    attached |= {str(disk["lun"]): disk for disk in profile.get("dataDisks") or []}
    written = []
    for place in asked[1].split():
        lun, _, block = place.partition("/")
        disk = world.store.get(key_of(disk_id(attached.get(lun, {}))))
        digest = disk.content.get(int(block)) if disk else None
        if digest is None:
            return "", f"sha256sum: {place}: No such file or directory"
        written.append(f"{digest}  {place}")
    return "\n".join(written), ""


def run(world: "World", call: "Call") -> Reply:
    """Accept a command of the catalogue (202); what it wrote comes with the operation (recorded)."""
    found = world.resource(call.path.rsplit("/", 1)[0], MACHINE)
    asked = str(call.body().get("commandId", ""))
    if asked.lower() not in {name.lower() for name in CATALOGUE}:
        raise ArmError(404, "NotFound", f"The run command '{asked}' is not found.")
    if (found.notes or {}).get("power", "running") != "running":
        message = f"Cannot modify extensions in the VM when the VM is not running. VM: {found.document()['name']}"
        raise ArmError(409, "OperationNotAllowed", message)
    place = str(found.document()["location"])
    system = image_of_machine(found.document()["properties"]).system
    work = Work("run-command.run", Family.COMPUTE, found, place, "run-command", {"system": system}, wait=0)
    return accepted(call, world.operations.begin(call, work), 202, None, location=True)


def finish_run(_world: "World", operation: Operation, _at: float) -> Document:
    """Say what the command wrote: nothing; Linux says it in one piece (recorded)."""
    if operation.arguments["system"] == "Linux":
        message = "Enable succeeded: \n[stdout]\n\n[stderr]\n"
        code = "ProvisioningState/succeeded"
        return {
            "value": [{"code": code, "level": "Info", "displayStatus": "Provisioning succeeded", "message": message}]
        }
    codes = ("ComponentStatus/StdOut/succeeded", "ComponentStatus/StdErr/succeeded")
    said = [{"code": code, "level": "Info", "displayStatus": "Provisioning succeeded", "message": ""} for code in codes]
    return {"value": said}


def _entry(name: str) -> Document:
    system, label, _ = CATALOGUE[name]
    schema = "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json"
    return {"$schema": schema, "id": name, "osType": system, "label": label, "description": label}


def catalogue(world: "World", call: "Call") -> Reply:
    """List what can be run."""
    world.subscription(call["subscription"])
    return Reply.of({"value": [_entry(name) for name in CATALOGUE]})


def one(world: "World", call: "Call") -> Reply:
    """Answer one command of the catalogue, with a sample of its script."""
    world.subscription(call["subscription"])
    for name, (system, _, parameters) in CATALOGUE.items():
        if name.lower() == call["command"].lower():
            script = ["param(", "  [string]$arg1", ")", "Write-Host $arg1"] if system == "Windows" else ["echo $arg1"]
            document: Document = {"script": script, **_entry(name)}
            if parameters:
                document["parameters"] = [
                    {"name": "arg1", "type": "string"},
                    {"name": "arg2", "type": "string"},
                ]
            return Reply.of(document)
    raise ArmError(404, "NotFound", f"The run command '{call['command']}' is not found.")


_R = Evidence.RECORDED
_SINCE = Versions("2020-06-01")
_AT = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/runCommands"
_ACTION = "Microsoft.Compute/locations/runCommands/read"
_PY = "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_vm"
KIND = Kind(
    f"{MACHINE}/runCommands", _R, "azure-cli-2025-02/vm/test_run_command_v2", _SINCE, family=Family.COMPUTE,
    pace="run-command", accept=_document, show=_shown, list_evidence=_R,
    policies={
        "PUT": ("Microsoft.Compute/UpdateVMSubscriptionMaximum",),
        "GET": ("Microsoft.Compute/LowCostGetSubscriptionMaximum",),
    },
)  # fmt: skip
ROUTES = (
    *serve(KIND),
    Route("POST", template_of(MACHINE) + "/runCommand", f"{MACHINE}/runCommand/action", run, _R, _PY,
          Versions("2017-03-30")),
    Route("GET", _AT, _ACTION, catalogue, _R, _PY, Versions("2017-03-30")),
    Route("GET", _AT + "/{command}", _ACTION, one, _R, _PY, Versions("2017-03-30")),
)  # fmt: skip
FINISHERS = {"run-command.run": finish_run}
