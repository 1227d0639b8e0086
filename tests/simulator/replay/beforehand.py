"""What existed before a session began: groups and resources that its answers show and nobody in it made. Pure.

Only configuration is taken over (what a client could have written), never an answer; the simulator makes the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulator.replay.forms import is_made, path_of
from tests.simulator.replay.recordings import MANAGEMENT_HOST, Exchange, Session
from tests.simulator.replay.scope import counted, is_set_up, is_supporting, provider_of
from tests.simulator.replay.templates import Wish, deployed

_GROUP = re.compile(r"^(/subscriptions/[^/]+/resourcegroups/[^/]+)(?:/|$)")
_RESOURCE = re.compile(r"^(/subscriptions/[^/]+/resourcegroups/[^/]+/providers/[^/]+(?:/[^/]+/[^/]+)+)")
_CHOSEN = ("location", "tags", "zones", "identity", "sku", "plan", "kind", "properties", "extendedLocation")
# what the platform fills in, wherever it stands
_FILLED_IN = frozenset(
    [
        *("provisioningState", "vmId", "timeCreated", "uniqueId", "diskState", "diskSizeBytes", "managedBy", "etag"),
        *("instanceView", "systemData", "exactVersion", "lastOwnershipUpdateTime", "sourceUniqueId", "resources"),
        *("incrementalSnapshotFamilyId", "completionPercent", "resourceGuid", "macAddress", "principalId", "tenantId"),
        *("diskIOPSReadWrite", "diskMBpsReadWrite", "restorePointCollectionId", "supportedCapabilities"),
        *("requireGuestProvisionSignal", "clientId"),
    ]
)
_ORDER = (
    "microsoft.network",
    "microsoft.compute/disks",
    "microsoft.compute/snapshots",
    "microsoft.compute/virtualmachines",
)
OLDER = "2017-03-30"
_PLAINEST = {"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1"}
# a machine that only lists over all types show, in their short form
# what lists show without saying how it was made
_PLAIN: dict[str, dict[str, Any]] = {
    "virtualmachines": {
        "hardwareProfile": {"vmSize": "Standard_D2s_v3"},
        "storageProfile": {"osDisk": {"createOption": "FromImage", "osType": "Linux"}},
    },
    "disks": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 32},
}
_VAULT = re.compile(r"/microsoft\.recoveryservices/vaults/[^/]+$")
# what lies in a vault is made by the session or by the platform
_IN_VAULTS = re.compile(r"/microsoft\.recoveryservices/vaults/[^/]+/")
# shown by their own routes, or made by the platform
_NEVER = ("microsoft.resources/tags", "microsoft.resources/deployments", "microsoft.compute/locations")


def touched_groups(session: Session) -> set[str]:
    """The groups that the session's requests name (`/subscriptions/s/resourcegroups/g`, lower case)."""
    found = (_GROUP.match(path_of(each.target)) for each in session.exchanges if each.host == MANAGEMENT_HOST)
    return {each.group(1) for each in found if each is not None}


def beforehand(session: Session) -> list[Wish]:
    """The requests that bring the world to where the session began, in order."""
    shown = _Shown(session)
    groups = [shown.group(group) for group in shown.groups]
    kept = [wish for resource in shown.resources if (wish := shown.resource(resource)) is not None]
    kept += [*shown.owners(), *shown.leaned_on(), *shown.locked()]
    return [
        *groups,
        *sorted(kept, key=lambda wish: _rank(wish.target)),
        *shown.subscription_tags(),
        *shown.tag_names(),
    ]


def _rank(target: str) -> int:
    kind = "/".join(provider_of(target))
    return next((at for at, prefix in enumerate(_ORDER) if kind.startswith(prefix)), len(_ORDER))


class _Shown:
    """Reads a session once: which ids it shows before making them, and the first body that shows each."""

    def __init__(self, session: Session) -> None:
        self._bodies: dict[str, Mapping[str, Any]] = {}
        self._versions: dict[str, str] = {}
        self._made: set[str] = set()
        self.groups: dict[str, None] = {}
        self.resources: dict[str, None] = {}
        self._tags: dict[str, Wish] = {}
        self._leaned_on: set[str] = set()
        self._names: dict[str, Wish] = {}
        self._places: dict[str, str] = {}
        self._touched = touched_groups(session)
        for exchange in session.exchanges:
            if exchange.host == MANAGEMENT_HOST and (counted(exchange.target) or is_supporting(exchange.target)):
                self._read(exchange)

    def _read(self, exchange: Exchange) -> None:
        path = path_of(exchange.target)
        if exchange.method == "PUT" and exchange.status == 200 and _is_group(path):
            self._note_group(path)
        if exchange.method == "PUT" and exchange.status == 200 and _VAULT.search(path):
            self._note(path)  # it was there: a new one answers 201
        if exchange.method == "PUT" and exchange.status < 400:
            wishes = deployed(exchange) if is_set_up(exchange) else [Wish(path, exchange.request)]
            self._leaned_on |= {each for wish in wishes for each in _interfaces_in(wish.body)}
            for wish in wishes:
                self._made.add(path_of(wish.target))
                self._made.update(_born_with(path_of(wish.target), wish.body))
        for body in _resources_in(exchange.body) if not is_set_up(exchange) else ():
            identity = path_of(body["id"])
            if self._bodies.get(identity, {}).get("properties") in (None, _PLAINEST):
                self._bodies[identity] = body
            self._versions.setdefault(identity, _version(exchange.target))
            if self._is_mine(identity) and exchange.status < 300:
                self._note(identity)
        if exchange.status < 300:
            self._note(path)
        elif exchange.status == 404 and "ResourceGroupNotFound" not in str(exchange.body) and not _is_group(path):
            self._note_group(path)
        self._note_tags(exchange, path)
        self._note_names(exchange, path)
        self._note_place(exchange, path)

    def _note_place(self, exchange: Exchange, path: str) -> None:
        """Where a group lies shows in the operations on what is in it, when nothing else says so."""
        group = _GROUP.match(path)
        place = re.search(r"/locations/([^/]+)/", exchange.headers.get("azure-asyncoperation", ""))
        if group is not None and place is not None:
            self._places.setdefault(group.group(1), place.group(1).lower())

    def _is_mine(self, identity: str) -> bool:
        group = _GROUP.match(identity)
        return group is not None and (not self._touched or group.group(1) in self._touched)

    def _note_group(self, path: str) -> None:
        group = _GROUP.match(path)
        if group is not None and group.group(1) not in self._made:
            self.groups.setdefault(group.group(1))

    def _note(self, path: str) -> None:
        self._note_group(path)
        resource = _RESOURCE.match(path)
        if resource is not None and not self._is_made(resource.group(1)):
            self.resources.setdefault(resource.group(1))

    def _is_made(self, identity: str) -> bool:
        """Tell whether the session made it, or made what it belongs to."""
        parent = identity.rpartition("/")[0].rpartition("/")[0]
        return identity in self._made or (provider_of(parent)[1] != "" and parent in self._made)

    def _note_tags(self, exchange: Exchange, path: str) -> None:
        if path.count("/") == 2 and isinstance(exchange.body, dict) and exchange.body.get("tags"):
            target = f"{path}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01"
            self._tags.setdefault(path, Wish(target, {"properties": {"tags": exchange.body["tags"]}}))

    def subscription_tags(self) -> list[Wish]:
        return list(self._tags.values())

    def owners(self) -> list[Wish]:
        """Machines that only their disks tell of (`managedBy`): plain ones that have these disks attached."""
        owned: dict[str, list[Mapping[str, Any]]] = {}
        for identity, body in self._bodies.items():
            owner = body.get("managedBy")
            if isinstance(owner, str) and identity in self.resources and path_of(owner) not in self._bodies:
                owned.setdefault(owner, []).append(body)
        found: list[Wish] = []
        for owner, disks in owned.items():
            if path_of(owner) not in self._made:
                found.append(_owner(owner, disks))
                if any(disk["properties"].get("diskState") == "Reserved" for disk in disks):
                    found.append(Wish(f"{owner}/deallocate?api-version=2021-03-01", None, "POST"))
        return found

    def locked(self) -> list[Wish]:
        """What locks are on and no answer shows: networks at their plainest."""
        found = []
        for identity in self.resources:
            owner, mark, _ = identity.partition("/providers/microsoft.authorization/locks/")
            network = "/providers/microsoft.network/virtualnetworks/" in owner
            if mark and network and owner not in self._bodies and owner not in self._made:
                written = self._bodies[identity]["id"][: len(owner)]
                space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
                found.append(Wish(f"{written}?api-version=2021-02-01", {"location": "eastus", "properties": space}))
        return found

    def tag_names(self) -> list[Wish]:
        """The tag names that lists show and nobody in the session made."""
        return list(self._names.values())

    def _note_names(self, exchange: Exchange, path: str) -> None:
        if exchange.method == "PUT" and "/tagnames/" in path:
            self._made.add(path)
        listed = exchange.body.get("value") if isinstance(exchange.body, dict) else None
        for each in listed or [] if path.endswith("/tagnames") else []:
            if path_of(each["id"]) not in self._made:
                self._names.setdefault(path_of(each["id"]), Wish(f"{each['id']}?api-version=2021-04-01", None))

    def leaned_on(self) -> list[Wish]:
        """The network cards that machines name and no answer shows, at their plainest."""
        missing = sorted(each for each in self._leaned_on if path_of(each) not in self._made)
        return [self._card(each) for each in missing if path_of(each) not in self._bodies]

    def _card(self, identity: str) -> Wish:
        subnet = {
            "id": identity.rpartition("/")[0].replace("networkInterfaces", "virtualNetworks/lan/subnets") + "/default"
        }
        card = {"ipConfigurations": [{"name": "ipconfig1", "properties": {"subnet": subnet}}]}
        group = _GROUP.match(path_of(identity))
        location = self.group(group.group(1)).body["location"] if group else "eastus"
        return Wish(f"{identity}?api-version=2021-02-01", {"location": location, "properties": card})

    def group(self, identity: str) -> Wish:
        body = self._bodies.get(identity, {})
        inside = (
            each["location"]
            for key, each in self._bodies.items()
            if key.startswith(identity + "/") and each.get("location")
        )
        location = body.get("location") or next(inside, None) or self._places.get(identity, "eastus")
        chosen = {"location": location, **({"tags": body["tags"]} if "tags" in body else {})}
        return Wish(f"{body.get('id', identity)}?api-version=2021-04-01", chosen)

    def resource(self, identity: str) -> Wish | None:
        namespace, kind = provider_of(identity)
        body = self._bodies.get(identity)
        wanted = counted(identity) or is_supporting(identity)
        self._leaned_on |= set(_interfaces_in(body))
        if body is None or not wanted or f"{namespace}/{kind}" in _NEVER or _IN_VAULTS.search(identity):
            return None
        owner = body.get("managedBy")
        alone = isinstance(owner, str) and path_of(owner) not in self._bodies and path_of(owner) not in self._made
        if is_made(identity.rpartition("/")[2]) and not alone and (owner or self._makes_machines()):
            return None
        version = OLDER if _is_older(body) else self._versions[identity]
        chosen = chosen_part(body)
        if kind in _PLAIN and "properties" not in chosen:
            chosen["properties"] = _PLAIN[kind]
        return Wish(f"{body['id']}?api-version={version}", chosen)

    def _makes_machines(self) -> bool:
        return any("/microsoft.compute/virtualmachines/" in each for each in self._made)


def _is_older(body: Mapping[str, Any]) -> bool:
    """Tell whether a machine lacks what every newer client's machine has: an older client made it."""
    profile = (body.get("properties") or {}).get("osProfile")
    return isinstance(profile, dict) and "allowExtensionOperations" not in profile


def _born_with(path: str, body: Any) -> Iterator[str]:
    """The ids of the disks that a machine's creation or update makes by name."""
    properties = body.get("properties") if isinstance(body, dict) else None
    for disk in _disks(properties):
        if disk.get("name") and str(disk.get("createOption")).lower() != "attach":
            yield f"{path.partition('/providers/')[0]}/providers/microsoft.compute/disks/{disk['name'].lower()}"


def _interfaces_in(body: Any) -> Iterator[str]:
    properties = body.get("properties") if isinstance(body, Mapping) else None
    profile = (properties.get("networkProfile") or {}) if isinstance(properties, Mapping) else {}
    for card in profile.get("networkInterfaces") or []:
        if isinstance(card, Mapping) and isinstance(card.get("id"), str):
            yield card["id"]


def _owner(identity: str, disks: list[Mapping[str, Any]]) -> Wish:
    attached: list[dict[str, Any]] = [{"createOption": "Attach", "managedDisk": {"id": disk["id"]}} for disk in disks]
    system = [disk for disk, body in zip(attached, disks, strict=True) if body["properties"].get("osType")]
    data = [{**disk, "lun": lun} for lun, disk in enumerate(disk for disk in attached if disk not in system)]
    profile: dict[str, Any] = {"dataDisks": data}
    if system:
        profile["osDisk"] = {**system[0], "osType": "Linux"}
    properties = {"hardwareProfile": {"vmSize": "Standard_D2s_v3"}, "storageProfile": profile}
    return Wish(f"{identity}?api-version=2021-03-01", {"location": disks[0]["location"], "properties": properties})


def _is_group(path: str) -> bool:
    return path.count("/") == 4


def _version(target: str) -> str:
    found = re.search(r"api-version=([\w-]+)", target)
    return found.group(1) if found else "2021-04-01"


def _resources_in(body: Any) -> Iterator[Mapping[str, Any]]:
    """The resources an answer shows: itself, or the elements of its list."""
    if isinstance(body, dict):
        if isinstance(body.get("id"), str) and body["id"].lower().startswith("/subscriptions/"):
            yield body
        for each in body.get("value") or [] if isinstance(body.get("value"), list) else []:
            if (
                isinstance(each, dict)
                and isinstance(each.get("id"), str)
                and each["id"].lower().startswith("/subscriptions/")
            ):
                yield each
                yield from _extensions_in(each)
        yield from _extensions_in(body)


def _extensions_in(machine: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The extensions a machine shows; where only the id is shown, any extension will do."""
    for each in machine.get("resources") or [] if isinstance(machine.get("resources"), list) else []:
        if isinstance(each, Mapping) and "/extensions/" in str(each.get("id")):
            plain = {**each, "location": machine.get("location"), "properties": _PLAINEST}
            yield each if "properties" in each else plain


def chosen_part(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of a resource a client could have written."""
    chosen = {name: _chosen(body[name]) for name in _CHOSEN if body.get(name) is not None}
    computed = "recoveryservices" not in str(body.get("id")).lower()  # vaults' tiers are their makers' choice
    if isinstance(chosen.get("sku"), dict) and computed:
        chosen["sku"].pop("tier", None)
    for disk in _disks(chosen.get("properties")):
        if disk.get("createOption") != "Attach":
            disk.get("managedDisk", {}).pop("id", None)
    return chosen


def _disks(properties: Any) -> list[dict[str, Any]]:
    profile = (properties.get("storageProfile") or {}) if isinstance(properties, dict) else {}
    return [*([profile["osDisk"]] if profile.get("osDisk") else []), *(profile.get("dataDisks") or [])]


def _chosen(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _chosen(each) for name, each in value.items() if name not in _FILLED_IN}
    if isinstance(value, list):
        return [_chosen(each) for each in value]
    return value


def scrubbed_request(exchange: Exchange) -> Any:
    """What a request must have said whose body the recorder replaced, as far as its answer shows it."""
    if exchange.request != "mock_body":
        return exchange.request
    body = exchange.body if isinstance(exchange.body, dict) else {}
    if provider_of(exchange.target) == ("microsoft.resources", "tags"):
        return {"operation": "Replace", "properties": body.get("properties", {})}
    if exchange.method == "PATCH":
        return {"tags": body.get("tags", {})}
    return chosen_part(body) if exchange.method == "PUT" else {}
