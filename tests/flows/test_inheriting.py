"""Tags of resource groups: found by the sweep, answered by a GET, and a group that cannot be seen changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.flows.explaining import explain
from shared.flows.registering import reconcile
from shared.flows.sweeping import sweep
from shared.messages import VmKey
from shared.model.machine import GroupSeen, Status
from tests.fleet import RULES, SUBSCRIPTION, Fleet
from tests.flows.test_registering import VM, living, row, truth
from tests.flows.test_sweeping import asked
from tests.world.twins.inventory import InventoryTwin

INHERITING = replace(RULES, inherit_group_tags=True)
PLACE = (SUBSCRIPTION, VM.group)


def within(group: GroupSeen, tags: dict[str, str] | None = None) -> Fleet:
    """A machine in a group, and an installation that inherits."""
    fleet = living(tags or {})
    assert isinstance(fleet.world.inventory, InventoryTwin)
    fleet.world.inventory.inherits = True
    fleet.stage.azure.resource_groups[PLACE] = group
    return fleet


def looked_at(fleet: Fleet) -> tuple[Status, str]:
    reconcile(fleet.world, INHERITING, VmKey(VM))
    found = row(fleet)
    assert found
    return found.status, found.because


def test_a_tag_on_the_group_protects_and_the_machine_may_opt_out() -> None:
    fleet = within(GroupSeen({"Backup": "Silver"}))
    assert looked_at(fleet)[0] is Status.PENDING
    fleet.stage.azure.write(truth({"backup": "off"}))
    assert looked_at(fleet) == (Status.EXCLUDED, "its tag backup is off")


def test_a_managed_group_protects_nothing_by_its_tag() -> None:
    status, because = looked_at(within(GroupSeen({"backup": "silver"}, "/subscriptions/s/clusters/one")))
    assert (status, "is managed by /subscriptions/s/clusters/one" in because) == (Status.EXCLUDED, True)


@pytest.mark.parametrize("change", [GroupSeen({}), GroupSeen({"backup": "silver"}, "/c"), GroupSeen({"backup": "on"})])
def test_the_sweep_asks_about_every_machine_of_a_group_that_changed(change: GroupSeen) -> None:
    fleet = within(GroupSeen({"backup": "silver"}))
    looked_at(fleet)
    sweep(fleet.world, INHERITING)
    assert asked(fleet) == []
    fleet.stage.azure.resource_groups[PLACE] = change
    sweep(fleet.world, INHERITING)
    assert asked(fleet) == [VmKey(VM)]


def test_a_group_that_cannot_be_seen_is_no_question_and_takes_no_plan() -> None:
    fleet = within(GroupSeen({"backup": "silver"}))
    looked_at(fleet)
    del fleet.stage.azure.resource_groups[PLACE]
    sweep(fleet.world, INHERITING)
    assert asked(fleet) == []
    assert looked_at(fleet)[0] is Status.PENDING


def test_switching_inheritance_off_is_noticed_by_the_sweep_and_ends_protection() -> None:
    fleet = within(GroupSeen({"backup": "silver"}))
    looked_at(fleet)
    assert isinstance(fleet.world.inventory, InventoryTwin)
    fleet.world.inventory.inherits = False
    sweep(fleet.world, RULES)
    assert asked(fleet) == [VmKey(VM)]
    reconcile(fleet.world, RULES, VmKey(VM))
    found = row(fleet)
    assert found
    assert (found.status, found.group) == (Status.EXCLUDED, None)


def explained(fleet: Fleet) -> tuple[object, list[str]]:
    """The tags and reasons that explain tells."""
    looked_at(fleet)
    found = row(fleet)
    assert found
    told = explain(fleet.world, INHERITING, found)
    reasons = told["because"]
    assert isinstance(reasons, list)
    return told["tags"], reasons


def test_explain_tells_the_tags_that_count_the_group_and_the_hold() -> None:
    own = {"backup-group": "Shop", "backup-hold": "2099-01-01"}
    tags, reasons = explained(within(GroupSeen({"backup": "silver"}), own))
    assert tags == {"backup": "silver", **own}
    assert reasons[0] == "the tag backup of its resource group asks for plan silver"
    assert "it belongs together with the machines of group shop" in reasons
    assert "its tags hold everything of it until 2099-01-02 00:00Z" in reasons


@pytest.mark.parametrize(("value", "told"), [("soon", ["its tags hold everything of it for ever"]), ("2020-01-01", [])])
def test_a_hold_that_cannot_be_read_is_told_and_one_that_has_passed_is_not(value: str, told: list[str]) -> None:
    _, reasons = explained(within(GroupSeen({}), {"backup": "silver", "backup-hold": value}))
    assert [reason for reason in reasons if reason.startswith("its tags hold")] == told
