"""Where machines may be placed, and keys for them: availability sets, proximity groups, SSH public keys.

Types without work of their own: done at once. What a set holds is read from the machines that name it.
"""

from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of
from local.simulator.kinds import Kind, Making, as_asked
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tracked import serve, template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

MACHINE = "microsoft.compute/virtualmachines"
# How each type is named in a machine's properties (specified: virtualMachine.json).
NAMED = {
    "microsoft.compute/availabilitysets": ("availabilitySet",),
    "microsoft.compute/proximityplacementgroups": ("proximityPlacementGroup",),
    "microsoft.compute/hostgroups": ("hostGroup",),
    "microsoft.compute/hostgroups/hosts": ("host",),
    "microsoft.compute/capacityreservationgroups": ("capacityReservation", "capacityReservationGroup"),
}


def members_of(world: "World", held: Resource, kind: str = MACHINE) -> list[Document]:
    """Return the machines (or other things) that say they belong here."""
    found = []
    for each in world.store.all_of("/".join(held.key.split("/")[:3]), kind):
        belongs = each.document().get("properties", {})
        for name in NAMED[held.type]:
            belongs = belongs.get(name) or {}
        if isinstance(belongs, dict) and key_of(str(belongs.get("id", ""))) == held.key:
            found.append({"id": each.id})
    return found


def _set_document(making: Making) -> Document:
    document = as_asked(making)
    document.setdefault("sku", {"name": "Classic"})
    document["properties"].pop("virtualMachines", None)
    return document


def _set_shown(world: "World", held: Resource, _call: "Call") -> Document:
    document = held.document()
    document["properties"]["virtualMachines"] = members_of(world, held)
    return document


def _group_document(making: Making) -> Document:
    document = as_asked(making)
    for name in ("virtualMachines", "virtualMachineScaleSets", "availabilitySets"):
        document["properties"].pop(name, None)
    return document


def _group_shown(world: "World", held: Resource, _call: "Call") -> Document:
    document = held.document()
    document["properties"].update(
        virtualMachines=members_of(world, held),
        virtualMachineScaleSets=members_of(world, held, "microsoft.compute/virtualmachinescalesets"),
        availabilitySets=members_of(world, held, "microsoft.compute/availabilitysets"),
    )
    return document


def check_unused(world: "World", held: Resource, _call: "Call") -> None:
    """A set that machines use stays (documented; the code is assumed)."""
    used = members_of(world, held)
    if used:
        names = ", ".join(each["id"] for each in used)
        message = f"Resource {held.id} cannot be deleted: it is in use by {names}."
        raise ArmError(409, "OperationNotAllowed", message)


def _windows(name: str) -> tuple[str, ...]:
    return (f"Microsoft.Compute/{name}3Min", f"Microsoft.Compute/{name}30Min")


def new_key_pair(world: "World", call: "Call") -> Reply:
    """Make a key pair; the private key is shown this once (documented). It is no key that opens anything."""
    found = world.resource(call.path.rsplit("/", 1)[0], KEYS.type)
    document = found.document()
    public = (
        f"ssh-rsa {world.chance.guid_of(f'public {found.key} {found.revision}').replace('-', '')} generated-by-azure"
    )
    document["properties"]["publicKey"] = public
    world.store.write(found, document, call.now)
    private = f"-----BEGIN RSA PRIVATE KEY-----\r\n{world.chance.guid()}\r\n-----END RSA PRIVATE KEY-----\r\n"
    return Reply.of({"privateKey": private, "publicKey": public, "id": found.id})


_PY = "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_"
_SINCE = Versions("2015-06-15")
_R, _D = Evidence.RECORDED, Evidence.DOCUMENTED
SETS = Kind(
    "Microsoft.Compute/availabilitySets", _R, f"{_PY}availability_sets", _SINCE, created=200, deleted=200,
    accept=_set_document, show=_set_shown, check_delete=check_unused,
    defaults={"platformUpdateDomainCount": 5, "platformFaultDomainCount": 3},
    policies={"PUT": _windows("PutVM"), "PATCH": _windows("PutVM"), "DELETE": _windows("DeleteVM")},
)  # fmt: skip
GROUPS = Kind(
    "Microsoft.Compute/proximityPlacementGroups", _R, f"{_PY}proximity_placement_groups", Versions("2018-04-01"),
    deleted=200, accept=_group_document, show=_group_shown, check_delete=check_unused,
    defaults={"proximityPlacementGroupType": "Standard"},
)  # fmt: skip
KEYS = Kind("Microsoft.Compute/sshPublicKeys", _D, "SshPublicKeys_Create", Versions("2019-12-01"), deleted=200)
ROUTES = (
    *serve(SETS),
    *serve(GROUPS),
    *serve(KEYS),
    Route("POST", template_of(KEYS.type) + "/generateKeyPair", f"{KEYS.type}/generateKeyPair/action", new_key_pair, _D,
          "SshPublicKeys_GenerateKeyPair", KEYS.versions),
)  # fmt: skip
