"""Groups, tags both ways, and machines as plain HTTP shows them."""

from typing import Any

import pytest

from tests.simulator.running import COMPUTE, GROUP, SUBSCRIPTION, Running

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
VM = f"{COMPUTE}/virtualMachines/vm1"
TAGS = f"{VM}/providers/Microsoft.Resources/tags/default"


def tags_of(sim: Running) -> Any:
    return sim.ask("GET", VM).body.get("tags")


def test_tags_are_merged_replaced_and_deleted_through_their_own_api(sim: Running) -> None:
    def change(operation: str, tags: dict[str, str]) -> Any:
        answer = sim.ask("PATCH", TAGS, {"operation": operation, "properties": {"tags": tags}})
        assert answer.status == 200
        return answer.body["properties"]["tags"]

    assert change("Merge", {"BACKUP": "gold", "owner": "ann"}) == {"backup": "gold", "owner": "ann"}
    assert tags_of(sim) == {"backup": "gold", "owner": "ann"}
    assert change("Delete", {"owner": "somebody else"}) == {"backup": "gold", "owner": "ann"}
    assert change("Delete", {"owner": "ann"}) == {"backup": "gold"}
    assert change("Replace", {"x": "y"}) == {"x": "y"}
    assert sim.ask("GET", TAGS).body["properties"]["tags"] == tags_of(sim) == {"x": "y"}
    assert sim.ask("DELETE", TAGS).status == 200
    assert tags_of(sim) is None


def test_tags_changed_through_the_machine_show_in_the_tags_api(sim: Running) -> None:
    assert sim.ask("PATCH", VM, {"tags": {"backup": "gold"}}).status == 200
    assert sim.ask("GET", TAGS).body["properties"]["tags"] == {"backup": "gold"}
    uid = sim.ask("GET", VM).body["properties"]["vmId"]
    sim.advance(60)
    assert sim.ask("GET", VM).body["properties"]["vmId"] == uid


def test_a_subscription_without_tags_says_so_and_a_tenant_names_itself_since_2022(sim: Running) -> None:
    assert sim.ask("GET", f"/subscriptions/{SUBSCRIPTION}?api-version=2022-12-01").body["tags"] == {}
    names = [
        set(sim.ask("GET", f"/tenants?api-version={each}").body["value"][0]) for each in ("2021-01-01", "2022-12-01")
    ]
    assert names[0] == {"id", "tenantId", "tenantCategory"} < names[1]


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({f"n{number}": "" for number in range(51)}, "InvalidTagsCount"),
        ({"a" * 513: ""}, "InvalidTagNameCharacters"),
        ({"a/b": ""}, "InvalidTagNameCharacters"),
        ({"a": "b" * 257}, "InvalidTagValueLength"),
        ({"a": "", "A": ""}, "InvalidTagNames"),
    ],
    ids=["fifty-one", "long name", "slash", "long value", "twice"],
)
def test_tags_past_the_limits_are_refused(shared: Running, tags: dict[str, str], code: str) -> None:
    answer = shared.ask("PUT", TAGS, {"properties": {"tags": tags}})
    assert (answer.status, answer.code) == (400, code)


def test_a_group_is_created_listed_by_tag_and_deleted_with_what_is_in_it(sim: Running) -> None:
    path = f"{SCOPE}/resourceGroups/New"
    assert sim.ask("HEAD", path).status == 404
    assert sim.ask("PUT", path, {"location": "West Europe", "tags": {"a": "b"}}).status == 201
    assert sim.ask("PUT", path, {"location": "westeurope", "tags": {"a": "b"}}).status == 200
    assert sim.ask("HEAD", path).status == 204
    found = sim.ask("GET", f"{SCOPE}/resourcegroups?$filter=tagname%20eq%20%27A%27").body["value"]
    assert [one["name"] for one in found] == ["New"]
    disk = f"{path}/providers/Microsoft.Compute/disks/d"
    sim.put_done(
        disk, {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}}
    )
    deleted = sim.ask("DELETE", path)
    assert (deleted.status, sim.ask("GET", deleted.headers["location"]).status) == (202, 202)
    assert "azure-asyncoperation" not in deleted.headers
    sim.advance(120)
    assert sim.ask("GET", deleted.headers["location"]).status == 200
    assert sim.ask("GET", disk).code == "ResourceGroupNotFound"
    assert sim.ask("GET", path).code == "ResourceGroupNotFound"


def test_power_actions_change_what_the_instance_view_says_and_the_disks_state(sim: Running) -> None:
    def power() -> str:
        statuses = sim.ask("GET", f"{VM}?$expand=instanceView").body["properties"]["instanceView"]["statuses"]
        return str(statuses[-1]["code"])

    assert power() == "PowerState/running"
    answer = sim.ask("POST", f"{VM}/deallocate")
    assert (answer.status, answer.body) == (202, None)
    assert "&monitor=true" in answer.headers["location"]
    assert "/operations/" in answer.headers["azure-asyncoperation"]
    sim.advance(120)
    assert sim.ask("GET", answer.headers["azure-asyncoperation"]).body.keys() == {
        "startTime",
        "endTime",
        "status",
        "name",
    }
    assert power() == "PowerState/deallocated"
    assert sim.ask("GET", f"{COMPUTE}/disks/vm1-os").body["properties"]["diskState"] == "Reserved"
    sim.ask("POST", f"{VM}/start")
    sim.advance(120)
    assert power() == "PowerState/running"
    assert sim.ask("GET", f"{COMPUTE}/disks/vm1-os").body["properties"]["diskState"] == "Attached"


def test_a_guest_without_an_agent_reports_none(sim: Running) -> None:
    assert "vmAgent" in sim.ask("GET", f"{VM}/instanceView").body
    sim.control("POST", "vm", {"id": VM, "agent": "missing"})
    assert "vmAgent" not in sim.ask("GET", f"{VM}/instanceView").body


def test_an_extension_is_installed_listed_and_removed(sim: Running) -> None:
    path = f"{VM}/extensions/watch"
    inner = {"publisher": "P", "type": "T", "typeHandlerVersion": "1.0", "protectedSettings": {"secret": "x"}}
    answer = sim.ask("PUT", path, {"location": "westeurope", "properties": inner})
    assert (answer.status, answer.body["properties"]["provisioningState"]) == (201, "Creating")
    assert "location" not in answer.headers
    sim.advance(300)
    shown = sim.ask("GET", f"{VM}/extensions").body["value"]
    assert [(one["name"], one["properties"]["provisioningState"]) for one in shown] == [("watch", "Succeeded")]
    assert "protectedSettings" not in shown[0]["properties"]
    assert sim.ask("DELETE", path).status == 202
    sim.advance(300)
    assert sim.ask("GET", path).code == "ResourceNotFound"


def test_a_machine_lists_with_its_run_state_on_request(sim: Running) -> None:
    at = f"{SCOPE}/providers/Microsoft.Compute/virtualMachines"
    (plain,) = sim.ask("GET", at).body["value"]
    assert "instanceView" not in plain["properties"]
    (status,) = sim.ask("GET", f"{at}?statusOnly=true").body["value"]
    assert "storageProfile" not in status["properties"]
    (both,) = sim.ask("GET", f"{at}?$expand=instanceView").body["value"]
    assert {"instanceView", "storageProfile"} <= both["properties"].keys()


def test_a_network_card_in_use_cannot_be_deleted(sim: Running) -> None:
    card = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/vm1-nic"
    assert sim.ask("GET", card).body["properties"]["virtualMachine"]["id"] == VM
    assert sim.ask("DELETE", card).code == "NicInUse"
