"""Real SDKs drive the simulator unpatched: credentials, virtual machines, disks, snapshots, Resource Graph."""

import json
from collections.abc import Iterator

import pytest
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import (
    CreationData,
    DataDisk,
    GrantAccessData,
    HardwareProfile,
    ImageReference,
    ManagedDiskParameters,
    OSDisk,
    OSProfile,
    Snapshot,
    SnapshotProperties,
    SnapshotUpdate,
    StorageProfile,
    VirtualMachine,
    VirtualMachineProperties,
)

from tests.simulator.running import COMPUTE, SUBSCRIPTION, TENANT, Running


@pytest.fixture
def credential(tls: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenCredential]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.ca))
    found = ClientSecretCredential(TENANT, "app-1", "any", authority=tls.url, disable_instance_discovery=True)
    with found:
        yield found


@pytest.fixture
def compute(tls: Running, credential: TokenCredential) -> Iterator[ComputeManagementClient]:
    with ComputeManagementClient(
        credential, SUBSCRIPTION, base_url=tls.url, credential_scopes=[f"{tls.url}/.default"], retry_total=0
    ) as client:
        yield client


def machine(name: str, os_disk: OSDisk, data_disk: DataDisk) -> VirtualMachine:
    image = ImageReference(publisher="Canonical", offer="jammy", sku="22_04", version="latest")
    return VirtualMachine(
        location="westeurope",
        tags={"backup": "gold"},
        properties=VirtualMachineProperties(
            hardware_profile=HardwareProfile(vm_size="Standard_D2s_v5"),
            storage_profile=StorageProfile(image_reference=image, os_disk=os_disk, data_disks=[data_disk]),
            os_profile=OSProfile(computer_name=name, admin_username="someone", admin_password="Secret-123"),
        ),
    )


def snapshot(source: str, **tags: str) -> Snapshot:
    creation = CreationData(create_option="Copy", source_resource_id=source)
    return Snapshot(
        location="westeurope", tags=tags, properties=SnapshotProperties(creation_data=creation, incremental=True)
    )


def test_a_machine_created_by_the_sdk_has_its_implicit_disks_when_it_is_done(
    tls: Running, compute: ComputeManagementClient
) -> None:
    os_disk = OSDisk(create_option="FromImage", managed_disk=ManagedDiskParameters(storage_account_type="Premium_LRS"))
    body = machine("made", os_disk, DataDisk(lun=0, create_option="Empty", disk_size_gb=16))
    first = compute.virtual_machines.begin_create_or_update("web", "made", body, polling=False).result()
    assert first.provisioning_state == "Creating"
    assert first.storage_profile.os_disk.managed_disk.id is None
    tls.advance(120)

    found = compute.virtual_machines.get("web", "made", expand="instanceView")
    assert found.provisioning_state == "Succeeded"
    assert found.tags == {"backup": "gold"}
    assert found.vm_id
    codes = {status.code for status in found.instance_view.statuses}
    assert codes == {"ProvisioningState/succeeded", "PowerState/running"}
    assert found.os_profile.admin_password is None
    made_os = compute.disks.get("web", found.storage_profile.os_disk.name)
    made_data = compute.disks.get("web", found.storage_profile.data_disks[0].name)
    assert [made_os.managed_by, made_data.managed_by] == [found.id, found.id]
    assert made_os.sku is not None
    assert (made_os.os_type, made_os.disk_size_gb, made_os.sku.name) == ("Linux", 30, "Premium_LRS")
    assert (made_data.disk_size_gb, made_data.disk_state) == (16, "Attached")


def test_a_machine_deleted_by_the_sdk_lets_go_of_its_disks(tls: Running, compute: ComputeManagementClient) -> None:
    os_disk = OSDisk(create_option="FromImage", name="brief-os", delete_option="Delete")
    data_disk = DataDisk(lun=0, name="brief-data", create_option="Empty", disk_size_gb=16)
    body = machine("brief", os_disk, data_disk)
    compute.virtual_machines.begin_create_or_update("web", "brief", body, polling=False)
    tls.advance(120)
    compute.virtual_machines.begin_delete("web", "brief", polling=False)
    tls.advance(120)
    with pytest.raises(ResourceNotFoundError):
        compute.virtual_machines.get("web", "brief")
    with pytest.raises(ResourceNotFoundError):
        compute.disks.get("web", "brief-os")
    left = compute.disks.get("web", "brief-data")
    assert (left.managed_by, left.disk_state) == (None, "Unattached")


def test_a_snapshot_is_polled_to_its_end_and_gets_what_appears_after_success(compute: ComputeManagementClient) -> None:
    disk = compute.disks.get("web", "vm1-os")
    body = snapshot(str(disk.id), a="b")
    made = compute.snapshots.begin_create_or_update("backups", "polled", body).result()
    assert made.provisioning_state == "Succeeded"
    assert made.creation_data.source_unique_id == disk.unique_id
    assert made.incremental_snapshot_family_id
    assert made.unique_id
    assert made.disk_size_gb == 30
    assert made.network_access_policy == "AllowAll"
    assert made.completion_percent is None
    assert "polled" in [found.name for found in compute.snapshots.list_by_resource_group("backups")]


def test_a_snapshot_is_updated_read_by_sas_and_deleted(tls: Running, compute: ComputeManagementClient) -> None:
    body = snapshot(f"{COMPUTE}/disks/vm1-data")
    compute.snapshots.begin_create_or_update("backups", "whole", body, polling=False)
    tls.advance(5)
    compute.snapshots.begin_update("backups", "whole", SnapshotUpdate(tags={"x": "y"}), polling=False)
    tls.advance(5)
    assert compute.snapshots.get("backups", "whole").tags == {"x": "y"}
    wanted = GrantAccessData(access="Read", duration_in_seconds=3600)
    access = compute.snapshots.begin_grant_access("backups", "whole", wanted, polling_interval=0.5).result()
    assert str(access.access_sas).startswith("https://md-")
    with pytest.raises(ResourceExistsError):
        compute.snapshots.begin_delete("backups", "whole")
    compute.snapshots.begin_revoke_access("backups", "whole", polling=False)
    tls.advance(5)
    compute.snapshots.begin_delete("backups", "whole", polling=False)
    tls.advance(5)
    with pytest.raises(ResourceNotFoundError):
        compute.snapshots.get("backups", "whole")


def test_resource_graph_answers_through_the_pipeline_of_another_client(
    tls: Running, compute: ComputeManagementClient
) -> None:
    query = "resources | where type =~ 'microsoft.compute/virtualmachines' | where name == 'vm1' | project id, tags"
    answer = compute._client.send_request(
        HttpRequest(
            "POST",
            f"{tls.url}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
            json={"subscriptions": [SUBSCRIPTION], "query": query},
        )
    )
    answer.raise_for_status()
    assert answer.json()["data"] == [{"id": f"{COMPUTE}/virtualMachines/vm1", "tags": {"backup": "silver"}}]
    assert answer.headers["x-ms-user-quota-remaining"] == "14"


def test_the_managed_identity_of_a_function_app_gets_a_token_for_its_client_id(
    tls: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.ca))
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{tls.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    with (
        ManagedIdentityCredential(client_id="reaper") as credential,
        ComputeManagementClient(
            credential, SUBSCRIPTION, base_url=tls.url, credential_scopes=[f"{tls.url}/.default"]
        ) as client,
    ):
        assert "vm1" in [machine.name for machine in client.virtual_machines.list_all()]
    assert json.loads(json.dumps(tls.control("GET", "calls")))[-1]["principal"] == "reaper"
