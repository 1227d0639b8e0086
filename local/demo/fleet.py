"""The owner of the machines, at work in Azure through the real SDK. Used by the scenes of the demo and by tests.

Waits of the SDK (polling, Retry-After) are waits in virtual time: its transport sleeps on the conductor's stage.
It knows nothing about backups.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.mgmt.compute import ComputeManagementClient

from local.demo.bodies import data_disk_name, ip_configuration, scratch_disk, virtual_machine, virtual_network
from local.demo.scenario import MachineStory

GROUPS_API = "2024-11-01"
MACHINES_API = "2024-11-01"
NETWORK_API = "2024-05-01"
TAGS_API = "2024-11-01"
MOVE_API = "2024-11-01"
LOCKS_API = "2020-05-01"
LIFETIME = 10**9
MOVING_SECONDS = 20.0


class VirtualTransport(RequestsTransport):  # type: ignore[misc] # azure-core hands it out untyped
    """The SDK's own transport, whose waits pass in virtual time."""

    def __init__(self, sleep: Callable[[float], None], **options: Any) -> None:
        super().__init__(**options)
        self._sleep = sleep

    def sleep(self, duration: float) -> None:
        self._sleep(duration)


class Person:
    """A token that says who is at work; the simulator reads the principal from it as Azure does."""

    def __init__(self, name: str) -> None:
        header, claims = ({"alg": "none", "typ": "JWT"}, {"oid": name, "sub": name})
        parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
        self._token = ".".join([*parts, "unsigned"])

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + LIFETIME)


class Fleet:
    """Creates, tags and deletes machines."""

    def __init__(self, arm: str, bundle: Path, sleep: Callable[[float], None], person: str = "owner") -> None:
        self._arm = arm
        self._bundle = bundle
        self._sleep = sleep
        self._person = Person(person)
        self._clients: dict[str, ComputeManagementClient] = {}
        self._wired: set[str] = set()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _compute(self, subscription: str) -> ComputeManagementClient:
        if subscription not in self._clients:
            transport = VirtualTransport(self._sleep, connection_verify=str(self._bundle))
            self._clients[subscription] = ComputeManagementClient(
                self._person,
                subscription,
                self._arm,
                credential_scopes=[f"{self._arm}/.default"],
                transport=transport,
            )
        return self._clients[subscription]

    def _send(self, subscription: str, method: str, path: str, body: Mapping[str, object]) -> None:
        request = HttpRequest(method, path, json=body if body else None)
        self._compute(subscription).send_request(request).raise_for_status()

    def create(self, machine: MachineStory) -> None:
        """Create a machine with its group, network and network interface.

        Its disks come with it, but for those to be left out: they are made and tagged before they are attached.
        """
        group = f"/subscriptions/{machine.subscription}/resourceGroups/{machine.group}"
        self._send(machine.subscription, "PUT", f"{group}?api-version={GROUPS_API}", {"location": machine.region})
        if group not in self._wired:
            self._wired.add(group)
            network = f"{group}/providers/Microsoft.Network/virtualNetworks/net?api-version={NETWORK_API}"
            self._send(machine.subscription, "PUT", network, virtual_network(machine.region))
        interface = f"{group}/providers/Microsoft.Network/networkInterfaces/{machine.name}-nic"
        self._send(
            machine.subscription,
            "PUT",
            f"{interface}?api-version={NETWORK_API}",
            {"location": machine.region, "properties": {"ipConfigurations": [ip_configuration(group)]}},
        )
        compute = self._compute(machine.subscription)
        prepared: dict[int, str] = {}
        for number in machine.left_out:
            name, disk = data_disk_name(machine.name, number), scratch_disk(machine, number)
            prepared[number] = str(compute.disks.begin_create_or_update(machine.group, name, disk).result().id)
        body: Any = virtual_machine(machine, interface, prepared)
        compute.virtual_machines.begin_create_or_update(machine.group, machine.name, body).result()

    def tag(self, machine: MachineStory, tags: Mapping[str, str]) -> None:
        """Merge tags through the Tags API, as the portal's tag blade does."""
        self.tag_resource(machine.id, tags)

    def replace_tags(self, machine: MachineStory, tags: Mapping[str, str]) -> None:
        """Put another set of tags on the machine through the VM itself."""
        update: Any = {"tags": dict(tags)}
        compute = self._compute(machine.subscription)
        compute.virtual_machines.begin_update(machine.group, machine.name, update).result()

    def move(self, machine: MachineStory, group: str) -> None:
        """Move the machine with its disks and its network interface; returns when Azure shows it in its new group."""
        old, new = (f"/subscriptions/{machine.subscription}/resourceGroups/{name}" for name in (machine.group, group))
        disks = [f"{old}/providers/Microsoft.Compute/disks/{name}" for name in disk_names(machine)]
        card = f"{old}/providers/Microsoft.Network/networkInterfaces/{machine.name}-nic"
        self._send(machine.subscription, "PUT", f"{new}?api-version={GROUPS_API}", {"location": machine.region})
        body = {"resources": [machine.id, *disks, card], "targetResourceGroup": new}
        self._send(machine.subscription, "POST", f"{old}/moveResources?api-version={MOVE_API}", body)
        compute = self._compute(machine.subscription)
        while machine.name not in [str(vm.name) for vm in compute.virtual_machines.list(group)]:
            self._sleep(MOVING_SECONDS)

    def shown(self, machine: MachineStory) -> Mapping[str, Any]:
        """A machine as Azure shows it to its owner, with what runs in it."""
        request = HttpRequest("GET", f"{machine.id}?api-version={MACHINES_API}&$expand=instanceView")
        answer = self._compute(machine.subscription).send_request(request)
        answer.raise_for_status()
        found: Mapping[str, Any] = answer.json()
        return found

    def os_disk_of(self, machine: MachineStory) -> str:
        """The id of a machine's OS disk."""
        return machine.id.replace(f"virtualMachines/{machine.name}", f"disks/{machine.name}-os")

    def lock(self, scope: str) -> None:
        """Forbid deletions at a scope."""
        path = f"{scope}/providers/Microsoft.Authorization/locks/keep?api-version={LOCKS_API}"
        self._send(scope.split("/")[2], "PUT", path, {"properties": {"level": "CanNotDelete"}})

    def unlock(self, scope: str) -> None:
        path = f"{scope}/providers/Microsoft.Authorization/locks/keep?api-version={LOCKS_API}"
        self._send(scope.split("/")[2], "DELETE", path, {})

    def tag_resource(self, resource: str, tags: Mapping[str, str], operation: str = "Merge") -> None:
        """Merge tags on anything, or take some off (`Delete`), as everybody may who has the right to tag."""
        path = f"{resource}/providers/Microsoft.Resources/tags/default?api-version={TAGS_API}"
        body = {"operation": operation, "properties": {"tags": dict(tags)}}
        self._send(resource.split("/")[2], "PATCH", path, body)

    def take_snapshot(self, place: str, region: str, disk: str, tags: Mapping[str, str]) -> None:
        """Take a snapshot of a disk, with tags."""
        made: Any = {"location": region, "tags": dict(tags), "properties": {"incremental": True}}
        made["properties"]["creationData"] = {"createOption": "Copy", "sourceResourceId": disk}
        group, name = place.split("/")[4], place.rpartition("/")[2]
        self._compute(place.split("/")[2]).snapshots.begin_create_or_update(group, name, made).result()

    def drop_snapshot(self, place: str) -> None:
        group, name = place.split("/")[4], place.rpartition("/")[2]
        self._compute(place.split("/")[2]).snapshots.begin_delete(group, name).result()

    def delete(self, machine: MachineStory) -> None:
        """Delete the machine and, since nothing asked Azure to, its disks by hand."""
        compute = self._compute(machine.subscription)
        compute.virtual_machines.begin_delete(machine.group, machine.name).result()
        for name in disk_names(machine):
            compute.disks.begin_delete(machine.group, name).result()


def disk_names(machine: MachineStory) -> list[str]:
    """The machine's managed disks."""
    names = [data_disk_name(machine.name, number) for number in range(len(machine.disks))]
    return names if machine.ephemeral else [*names, f"{machine.name}-os"]
