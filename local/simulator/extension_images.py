"""Publishers with their images and extensions, as clients browse them before they pick a version.

A small catalogue: what the recordings and this estate name. Versions grow by the rules of their names.
"""

from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.images import WRITTEN
from local.simulator.routing import Evidence, Route, Versions

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

# publisher: extension types with system and the versions published, oldest first (recorded or documented)
EXTENSIONS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "Microsoft.Compute": {
        "BGInfo": ("Windows", ("2.1", "2.2.5")),
        "CustomScriptExtension": ("Windows", ("1.9.5", "1.10.12", "1.10.15")),
        "JsonADDomainExtension": ("Windows", ("1.3", "1.3.9")),
        "VMAccessAgent": ("Windows", ("1.0", "1.0.2", "1.0.3", "2.4.8")),
    },
    "Microsoft.Azure.Extensions": {"CustomScript": ("Linux", ("2.0.7", "2.1.3", "2.1.10"))},
    "Microsoft.OSTCExtensions": {
        "VMAccessForLinux": ("Linux", ("1.5.11", "1.5.18")),
        "CustomScriptForLinux": ("Linux", ("1.5.2.2", "1.5.5")),
    },
    "Microsoft.Azure.NetworkWatcher": {
        "NetworkWatcherAgentWindows": ("Windows", ("1.4.2146.1",)),
        "NetworkWatcherAgentLinux": ("Linux", ("1.4.2146.1",)),
    },
    "Microsoft.Azure.Monitor": {
        "AzureMonitorLinuxAgent": ("Linux", ("1.28.11", "1.33.1")),
        "AzureMonitorWindowsAgent": ("Windows", ("1.22.0", "1.30.0")),
    },
    "Microsoft.Azure.RecoveryServices": {
        "VMSnapshotLinux": ("Linux", ("1.0.9188.0", "1.0.9219.0")),
        "VMSnapshot": ("Windows", ("1.0.86.0", "1.0.92.0")),
    },
    "Microsoft.Azure.Security.LinuxAttestation": {"GuestAttestation": ("Linux", ("1.0.1.10", "1.0.1.11"))},
    "Microsoft.Azure.Security.WindowsCodeIntegrity": {"CodeIntegrityAgent": ("Windows", ("1.0.0.0", "1.0.0.1"))},
    "Microsoft.Azure.Security.WindowsAttestation": {"GuestAttestation": ("Windows", ("1.0.1.10", "1.0.1.11"))},
    "Microsoft.ManagedIdentity": {
        "ManagedIdentityExtensionForLinux": ("Linux", ("1.0.0.12",)),
        "ManagedIdentityExtensionForWindows": ("Windows", ("1.0.0.12",)),
    },
}
# publisher: offers with their plans (those images.py knows)
OFFERS: dict[str, dict[str, tuple[str, ...]]] = {
    "Canonical": {
        "UbuntuServer": ("14.04.4-LTS", "16.04-LTS", "18.04-LTS"),
        "0001-com-ubuntu-server-focal": ("20_04-lts", "20_04-lts-gen2"),
        "0001-com-ubuntu-server-jammy": ("22_04-lts", "22_04-lts-gen2"),
    },
    "Debian": {"debian-10": ("10",), "debian-11": ("11", "11-gen2")},
    "OpenLogic": {"CentOS": ("7.5",)},
    "MicrosoftWindowsServer": {"WindowsServer": ("2012-R2-Datacenter", "2016-Datacenter", "2022-datacenter-g2")},
}


def newest(publisher: str, kind: str, asked: str) -> str:
    """Return the newest version published that begins with what was asked for, else that (recorded rule)."""
    for name, kinds in EXTENSIONS.items():
        for each, (_, published) in kinds.items():
            if (name.lower(), each.lower()) == (publisher.lower(), kind.lower()):
                fits = [one for one in published if one == asked or one.startswith(asked + ".")]
                return fits[-1] if fits else asked
    return asked


def _item(call: "Call", name: str, tail: str) -> Document:
    place = WRITTEN.get(call["location"].lower(), call["location"])
    root = f"/Subscriptions/{call['subscription']}/Providers/Microsoft.Compute/Locations/{place}/Publishers"
    return {"location": place, "name": name, "id": f"{root}/{tail}"}


def publishers(world: "World", call: "Call") -> Reply:
    """List who publishes."""
    world.subscription(call["subscription"])
    return Reply.of([_item(call, name, name) for name in sorted({*EXTENSIONS, *OFFERS})])


def _publisher(call: "Call") -> str:
    for name in (*EXTENSIONS, *OFFERS):
        if name.lower() == call["publisher"].lower():
            return name
    raise ArmError(404, "NotFound", f"Publisher: {call['publisher']} was not found.")


def types(_world: "World", call: "Call") -> Reply:
    """List a publisher's extension types."""
    name = _publisher(call)
    at = f"{name}/ArtifactTypes/VMExtension/Types"
    return Reply.of([_item(call, kind, f"{at}/{kind}") for kind in EXTENSIONS.get(name, {})])


def _kind(call: "Call") -> tuple[str, str, str, tuple[str, ...]]:
    publisher = _publisher(call)
    for name, (system, published) in EXTENSIONS.get(publisher, {}).items():
        if name.lower() == call["type"].lower():
            return publisher, name, system, published
    raise ArmError(404, "NotFound", f"Artifact: VMExtension with type {call['type']} was not found.")


def versions(_world: "World", call: "Call") -> Reply:
    """List the versions of an extension type, oldest first; `$top` and a descending order are obeyed."""
    publisher, kind, _, published = _kind(call)
    ordered = list(published)
    if "desc" in call.query.get("$orderby", "").lower():
        ordered.reverse()
    top = call.query.get("$top", "")
    at = f"{publisher}/ArtifactTypes/VMExtension/Types/{kind}/Versions"
    return Reply.of([_item(call, one, f"{at}/{one}") for one in ordered[: int(top) if top.isdigit() else None]])


def version(_world: "World", call: "Call") -> Reply:
    """Answer one version of an extension type."""
    publisher, kind, system, published = _kind(call)
    if call["version"] not in published:
        raise ArmError(404, "NotFound", f"Artifact: VMExtension {kind} of version {call['version']} was not found.")
    properties = {
        "operatingSystem": system, "computeRole": "IaaS", "architecture": ["x64"], "vmScaleSetEnabled": False,
        "supportsMultipleExtensions": False, "rollbackSupported": False, "isInternalExtension": False,
        "isJsonExtension": False,
    }  # fmt: skip
    at = f"{publisher}/ArtifactTypes/VMExtension/Types/{kind}/Versions/{call['version']}"
    return Reply.of({"properties": properties, **_item(call, call["version"], at)})


def offers(_world: "World", call: "Call") -> Reply:
    """List a publisher's offers."""
    name = _publisher(call)
    at = f"{name}/ArtifactTypes/VMImage/Offers"
    return Reply.of([_item(call, offer, f"{at}/{offer}") for offer in OFFERS.get(name, {})])


def plans(_world: "World", call: "Call") -> Reply:
    """List the plans of an offer."""
    name = _publisher(call)
    for offer, found in OFFERS.get(name, {}).items():
        if offer.lower() == call["offer"].lower():
            at = f"{name}/ArtifactTypes/VMImage/Offers/{offer}/Skus"
            return Reply.of([{**_item(call, plan, f"{at}/{plan}"), "properties": {}} for plan in found])
    raise ArmError(404, "NotFound", f"Artifact: VMImage with offer {call['offer']} was not found.")


_AT = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/publishers"
_TYPES = _AT + "/{publisher}/artifacttypes/vmextension/types"
_OFFERS = _AT + "/{publisher}/artifacttypes/vmimage/offers"
_READ = "Microsoft.Compute/locations/publishers"
_SINCE, _R, _D = Versions("2015-06-15"), Evidence.RECORDED, Evidence.DOCUMENTED
_CLI = "azure-cli-2025-02/vm/test_vm_extension"
_PY = "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_vm_extension_image"
ROUTES = (
    Route("GET", _AT, f"{_READ}/read", publishers, _R, _CLI, _SINCE),
    Route("GET", _TYPES, f"{_READ}/artifacttypes/types/read", types, _R, _PY, _SINCE),
    Route("GET", _TYPES + "/{type}/versions", f"{_READ}/artifacttypes/types/versions/read", versions, _R, _PY, _SINCE),
    Route("GET", _TYPES + "/{type}/versions/{version}", f"{_READ}/artifacttypes/types/versions/read", version, _R, _PY,
          _SINCE),
    Route("GET", _OFFERS, f"{_READ}/artifacttypes/offers/read", offers, _D, "VirtualMachineImages_ListOffers", _SINCE),
    Route("GET", _OFFERS + "/{offer}/skus", f"{_READ}/artifacttypes/offers/skus/read", plans, _D,
          "VirtualMachineImages_ListSkus", _SINCE),
)  # fmt: skip
