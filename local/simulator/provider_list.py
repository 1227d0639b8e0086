"""Resource providers as clients look them up before using a type (az asks for api-versions, SDKs register)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import parse
from local.simulator.regions import REGIONS
from local.simulator.routing import Evidence, Route, Versions

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

_COMPUTE = ["2026-04-01", "2024-07-01", "2024-03-01", "2022-11-01", "2021-11-01", "2019-07-01"]
_DISKS = ["2026-03-02", "2025-01-02", "2024-03-02", "2023-10-02", "2023-04-02", "2021-08-01"]
_NETWORK = ["2025-05-01", "2024-05-01", "2024-03-01", "2022-01-01", "2021-05-01"]
_RESOURCES = ["2024-11-01", "2022-09-01", "2021-04-01", "2019-10-01"]
_VAULTS = ["2026-11-01", "2026-07-01", "2025-02-01", "2024-04-01", "2023-02-01", "2021-08-01", "2016-06-01"]

# Types by namespace with the versions named to clients, newest first (versions: those the recordings use).
NAMESPACES: dict[str, dict[str, list[str]]] = {
    "Microsoft.Compute": {
        "virtualMachines": _COMPUTE,
        "virtualMachines/extensions": _COMPUTE,
        "disks": _DISKS,
        "snapshots": _DISKS,
        "locations/operations": _COMPUTE,
        "locations/DiskOperations": _DISKS,
    },
    "Microsoft.Network": {
        "virtualNetworks": _NETWORK,
        "virtualNetworks/subnets": _NETWORK,
        "networkInterfaces": _NETWORK,
        "publicIPAddresses": _NETWORK,
        "networkSecurityGroups": _NETWORK,
    },
    "Microsoft.Resources": {"subscriptions": _RESOURCES, "resourceGroups": _RESOURCES, "tags": _RESOURCES},
    "Microsoft.Authorization": {"locks": ["2020-05-01", "2016-09-01"], "roleAssignments": ["2022-04-01"]},
    "Microsoft.EventGrid": {
        "eventSubscriptions": ["2025-02-15", "2021-10-15-preview"],
        "systemTopics": ["2025-02-15", "2021-10-15-preview"],
    },
    "Microsoft.ResourceGraph": {"resources": ["2022-10-01", "2021-03-01"]},
    "Microsoft.RecoveryServices": {"vaults": _VAULTS, "vaults/backupPolicies": _VAULTS},
}

# Types that follow the disks' versions, and those with versions of their own; others have those of their namespace.
OF_DISKS = ("diskAccesses", "diskEncryptionSets", "restorePointCollections/restorePoints/diskRestorePoints")
OF_GALLERIES = ["2024-03-03", "2023-07-03", "2022-08-03", "2022-03-03", "2021-10-01", "2019-12-01"]
USUAL = {
    "Microsoft.Compute": _COMPUTE,
    "Microsoft.Network": _NETWORK,
    "Microsoft.Resources": _RESOURCES,
    "Microsoft.EventGrid": ["2025-02-15", "2022-06-15", "2021-12-01", "2020-06-01"],
    "Microsoft.ResourceGraph": ["2021-03-01", "2020-04-01-preview", "2018-09-01-preview"],
    "Microsoft.RecoveryServices": _VAULTS,
}


def learn(routes: Iterable[Route]) -> None:
    """Name every type that one of these routes reads, beside those named above."""
    for route in routes:
        one = route.template.endswith("}") and not route.template.endswith("{operation}")
        if route.method != "GET" or not one or "/resourceGroups/" not in route.template:
            continue
        namespace, _, name = parse(route.template).type.partition("/")
        if name and namespace in USUAL:
            NAMESPACES[namespace].setdefault(
                name, [each for each in _usual(namespace, name) if route.versions.accept(each)]
            )


def is_known(kind: str) -> bool:
    """Tell whether a type is simulated: only then can be told whether a resource of it exists."""
    namespace, _, name = kind.lower().partition("/")
    types = next((each for known, each in NAMESPACES.items() if known.lower() == namespace), {})
    return name in {each.lower() for each in types}


def _usual(namespace: str, name: str) -> list[str]:
    if name in OF_DISKS:
        return _DISKS
    return OF_GALLERIES if name.startswith("galleries") else USUAL[namespace]


def document_of(subscription: str, namespace: str) -> Document:
    """Write a provider: its types with the versions named to clients."""
    return {
        "id": f"/subscriptions/{subscription}/providers/{namespace}",
        "namespace": namespace,
        "resourceTypes": [
            {
                "resourceType": name,
                "locations": list(REGIONS),
                "apiVersions": versions,
                "capabilities": "CrossResourceGroupResourceMove, SupportsTags, SupportsLocation",
            }
            for name, versions in NAMESPACES[namespace].items()
        ],
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
    }


def _found(name: str) -> str:
    for namespace in NAMESPACES:
        if namespace.lower() == name.lower():
            return namespace
    raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{name}' is invalid.")


def get(world: "World", call: "Call") -> Reply:
    """Answer one provider; asking to register it answers the same."""
    world.subscription(call["subscription"])
    return Reply.of(document_of(call["subscription"], _found(call["namespace"])))


def every(world: "World", call: "Call") -> Reply:
    """List the providers."""
    world.subscription(call["subscription"])
    return Reply.of({"value": [document_of(call["subscription"], name) for name in NAMESPACES]})


_AT = "/subscriptions/{subscription}/providers"
_CLI = "azure-cli-2025-02/resource/test_provider_registration"
_SINCE, _R = Versions("2014-04-01"), Evidence.RECORDED

ROUTES = (
    Route("GET", _AT, "Microsoft.Resources/subscriptions/providers/read", every, _R, _CLI, _SINCE, lists=True),
    Route("GET", _AT + "/{namespace}", "Microsoft.Resources/subscriptions/providers/read", get, _R, _CLI, _SINCE),
    Route("POST", _AT + "/{namespace}/register", "Microsoft.Resources/subscriptions/providers/register/action", get, _R,
          _CLI, _SINCE),
)  # fmt: skip
