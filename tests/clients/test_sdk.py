"""Python SDKs with azure-identity, polled to the end by their own pollers: they are given an address, nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.identity import (
    AzureCliCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
)
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import (
    ApiEntityReference,
    CreationData,
    DataDisk,
    HardwareProfile,
    ImageReference,
    ManagedDiskParameters,
    NetworkInterfaceReference,
    NetworkProfile,
    OSDisk,
    OSProfile,
    RestorePoint,
    RestorePointCollection,
    RestorePointCollectionProperties,
    RestorePointCollectionSourceProperties,
    RestorePointProperties,
    Snapshot,
    SnapshotProperties,
    StorageProfile,
    VirtualMachine,
    VirtualMachineProperties,
)

from tests.clients.conftest import CROWD
from tests.clients.estate import CROWDED, MANAGED, OWNER, READER, Estate
from tests.clients.installed import AZ
from tests.simulator.running import OTHER, SUBSCRIPTION, TENANT

COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/sdk/providers/Microsoft.Compute"
NETWORK = COMPUTE.replace("Compute", "Network")
IMAGE = ImageReference(
    publisher="Canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts-gen2", version="latest"
)

Credential = ClientSecretCredential | ManagedIdentityCredential | DefaultAzureCredential | AzureCliCredential


@pytest.fixture
def platform(azure: Estate, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """The environment of a function app: its platform's identity endpoint and the authority to trust."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(azure.ca))
    for name, value in azure.identity().items():
        monkeypatch.setenv(name, value)
    return azure


@contextmanager
def compute_of(azure: Estate, credential: Credential, subscription: str) -> Iterator[ComputeManagementClient]:
    scope = f"{azure.url}/.default"
    with (
        closing(credential),
        ComputeManagementClient(credential, subscription, base_url=azure.url, credential_scopes=[scope]) as client,
    ):
        yield client


def secret(azure: Estate, client: str) -> ClientSecretCredential:
    return ClientSecretCredential(TENANT, client, "any", authority=azure.url, disable_instance_discovery=True)


@pytest.fixture
def compute(platform: Estate) -> Iterator[ComputeManagementClient]:
    with compute_of(platform, secret(platform, OWNER), SUBSCRIPTION) as client:
        yield client


def put(compute: ComputeManagementClient, azure: Estate, path: str, body: dict[str, Any]) -> None:
    """Create what the compute SDK has no models for, through its own pipeline."""
    request = HttpRequest("PUT", f"{azure.url}{path}?api-version=2024-05-01", json=body)
    compute._client.send_request(request).raise_for_status()


@pytest.mark.parametrize(
    ("credential", "principal"),
    [
        (lambda azure: secret(azure, OWNER), OWNER),
        (lambda azure: ManagedIdentityCredential(), MANAGED),
        (lambda azure: ManagedIdentityCredential(client_id=READER), READER),
        (lambda azure: DefaultAzureCredential(), MANAGED),
        (lambda azure: DefaultAzureCredential(managed_identity_client_id=READER), READER),
    ],
    ids=["service principal", "managed identity", "user-assigned identity", "default", "default with a client id"],
)
def test_a_credential_speaks_for_its_principal(
    credential: Callable[[Estate], Credential], principal: str, platform: Estate
) -> None:
    with compute_of(platform, credential(platform), SUBSCRIPTION) as compute:
        assert [machine.name for machine in compute.virtual_machines.list("rights")] == ["rights-vm"]
    assert platform.control.control("GET", "calls")[-1]["principal"] == principal


def test_the_login_of_az_serves_sdk_programs(
    platform: Estate, configured: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in configured.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{AZ.parent}{os.pathsep}{configured['PATH']}")
    with compute_of(platform, AzureCliCredential(process_timeout=600), SUBSCRIPTION) as compute:
        assert [machine.name for machine in compute.virtual_machines.list("sdk")] == ["sdk-vm"]
    assert platform.control.control("GET", "calls")[-1]["principal"] == OWNER


def test_who_may_only_read_is_refused_by_code(platform: Estate) -> None:
    with compute_of(platform, secret(platform, READER), SUBSCRIPTION) as compute:
        with pytest.raises(HttpResponseError) as refused:
            compute.snapshots.begin_delete("sdk", "any")
        assert refused.value.status_code == 403
        assert refused.value.error is not None
        assert refused.value.error.code == "AuthorizationFailed"


def test_a_machine_is_made_with_the_disks_nobody_named_and_deleted_without_them(
    compute: ComputeManagementClient, platform: Estate
) -> None:
    network, card = f"{NETWORK}/virtualNetworks/net", f"{NETWORK}/networkInterfaces/card"
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    subnet = {"name": "one", "properties": {"addressPrefix": "10.1.0.0/24"}}
    put(compute, platform, network, {"location": "westeurope", "properties": {**space, "subnets": [subnet]}})
    address = {"name": "a", "properties": {"subnet": {"id": f"{network}/subnets/one"}}}
    put(compute, platform, card, {"location": "westeurope", "properties": {"ipConfigurations": [address]}})

    made = compute.virtual_machines.begin_create_or_update("sdk", "made", machine("made", card)).result()

    assert made.provisioning_state == "Succeeded"
    os_disk, data_disk = made.storage_profile.os_disk, made.storage_profile.data_disks[0]
    assert os_disk.managed_disk.id.lower().startswith(f"{COMPUTE}/disks/made_osdisk_1_".lower())
    disks = {disk.name: disk for disk in compute.disks.list_by_resource_group("sdk")}
    assert disks[os_disk.name].managed_by == made.id
    assert disks[os_disk.name].creation_data.create_option == "FromImage"
    assert disks[data_disk.name].disk_size_gb == 16
    assert disks[data_disk.name].disk_state == "Attached"

    compute.virtual_machines.begin_delete("sdk", "made").result()

    with pytest.raises(ResourceNotFoundError):
        compute.virtual_machines.get("sdk", "made")
    left = compute.disks.get("sdk", os_disk.name)
    assert (left.managed_by, left.disk_state) == (None, "Unattached")


def machine(name: str, card: str) -> VirtualMachine:
    os_disk = OSDisk(create_option="FromImage", managed_disk=ManagedDiskParameters(storage_account_type="Premium_LRS"))
    storage = StorageProfile(
        image_reference=IMAGE,
        os_disk=os_disk,
        data_disks=[DataDisk(lun=0, create_option="Empty", disk_size_gb=16)],
    )
    return VirtualMachine(
        location="westeurope",
        tags={"backup": "gold"},
        properties=VirtualMachineProperties(
            hardware_profile=HardwareProfile(vm_size="Standard_D2s_v5"),
            storage_profile=storage,
            os_profile=OSProfile(computer_name=name, admin_username="someone", admin_password="Secret-123"),
            network_profile=NetworkProfile(network_interfaces=[NetworkInterfaceReference(id=card)]),
        ),
    )


def test_a_snapshot_is_taken_polled_read_and_deleted(compute: ComputeManagementClient) -> None:
    creation = CreationData(create_option="Copy", source_resource_id=f"{COMPUTE}/disks/sdk-os")
    properties = SnapshotProperties(creation_data=creation, incremental=True, network_access_policy="DenyAll")
    body = Snapshot(location="westeurope", tags={"kept": "yes"}, properties=properties)

    taken = compute.snapshots.begin_create_or_update("sdk", "taken", body).result()

    assert taken.provisioning_state == "Succeeded"
    source = compute.disks.get("sdk", "sdk-os")
    assert taken.creation_data.source_unique_id == source.unique_id
    assert taken.incremental_snapshot_family_id
    assert [each.name for each in compute.snapshots.list_by_resource_group("sdk")] == ["taken"]
    compute.snapshots.begin_delete("sdk", "taken").result()
    with pytest.raises(ResourceNotFoundError) as gone:
        compute.snapshots.get("sdk", "taken")
    assert gone.value.error is not None
    assert gone.value.error.code == "ResourceNotFound"


def test_a_restore_point_names_every_disk_it_holds(compute: ComputeManagementClient) -> None:
    source = RestorePointCollectionSourceProperties(id=f"{COMPUTE}/virtualMachines/sdk-vm")
    collection = RestorePointCollection(
        location="westeurope", properties=RestorePointCollectionProperties(source=source)
    )
    made = compute.restore_point_collections.create_or_update("sdk", "points", collection)
    assert made.provisioning_state == "Succeeded"

    left_out = [ApiEntityReference(id=f"{COMPUTE}/disks/sdk-data")]
    body = RestorePoint(properties=RestorePointProperties(exclude_disks=left_out))
    point = compute.restore_points.begin_create("sdk", "points", "one", body).result()

    storage = point.source_metadata.storage_profile
    assert point.provisioning_state == "Succeeded"
    assert storage.os_disk.disk_restore_point.id.lower().startswith(f"{COMPUTE}/restorePointCollections/points".lower())
    assert [disk.disk_restore_point for disk in storage.data_disks or [] if disk.disk_restore_point] == []
    held = list(compute.disk_restore_point.list_by_restore_point("sdk", "points", "one"))
    assert [str(each.id).lower() for each in held] == [storage.os_disk.disk_restore_point.id.lower()]


def test_tags_are_merged_beside_those_that_are_there(compute: ComputeManagementClient, platform: Estate) -> None:
    path = f"{COMPUTE}/disks/sdk-data/providers/Microsoft.Resources/tags/default?api-version=2024-11-01"
    for tags in ({"a": "1"}, {"b": "2"}):
        body = {"operation": "Merge", "properties": {"tags": tags}}
        compute._client.send_request(HttpRequest("PATCH", platform.url + path, json=body)).raise_for_status()
    assert compute.disks.get("sdk", "sdk-data").tags == {"a": "1", "b": "2"}


def test_a_list_of_more_than_a_page_is_followed_to_its_end(platform: Estate) -> None:
    with compute_of(platform, secret(platform, OWNER), OTHER) as compute:
        pages = [[disk.name for disk in page] for page in compute.disks.list_by_resource_group(CROWDED).by_page()]
    assert [len(page) for page in pages] == [1000, CROWD - 1000]
    assert len({name for page in pages for name in page}) == CROWD


def test_what_throttles_is_waited_for_by_the_sdks_own_retries(
    compute: ComputeManagementClient, platform: Estate
) -> None:
    throttled = {"status": 429, "code": "TooManyRequests", "retry_after": 1}
    with platform.broken_once({"match": {"operation": "Microsoft.Compute/disks/read"}, "effect": throttled}):
        assert compute.disks.get("sdk", "sdk-os").name == "sdk-os"
    last = [call["status"] for call in platform.control.control("GET", "calls")][-2:]
    assert last == [429, 200]


def test_the_certificate_is_asked_for(azure: Estate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with (
        compute_of(azure, secret(azure, OWNER), SUBSCRIPTION) as compute,
        pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        compute.disks.get("sdk", "sdk-os")
