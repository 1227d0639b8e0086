"""Orders for restores: what can be asked for, and everything that is wrong with what cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.decide.orders import group_path, outside, problems, unpaired, unreachable
from shared.model.drill import Trial
from shared.model.identity import subscription_of
from shared.model.point import Consistency
from shared.model.restore import RestoreMode, RestoreOrder
from shared.model.rules import Mode
from tests.fleet import RULES, SUBSCRIPTION

NOW = datetime(2026, 11, 20, tzinfo=UTC)
STAGING = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/stage1"
SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/net/subnets/default"


@pytest.mark.parametrize(
    "order",
    [
        RestoreOrder(RestoreMode.REBUILD),
        RestoreOrder(RestoreMode.REBUILD, group="Rescue_1 (old)".replace(" ", ""), subnet=SUBNET, protect=True),
        RestoreOrder(RestoreMode.NEW, before=NOW, name="Web-2", group="g.1", subnet=SUBNET),
        RestoreOrder(RestoreMode.IN_PLACE, slot=NOW),
        RestoreOrder(RestoreMode.REBUILD, before=NOW, at_least=Consistency.CRASH),
        RestoreOrder(RestoreMode.DISKS, group="Rescue", from_vault=True, staging=STAGING),
        RestoreOrder(RestoreMode.NEW, name="Web-2", subnet=SUBNET, from_vault=True, staging=STAGING),
        RestoreOrder(RestoreMode.DISKS, group="far", from_vault=True, staging=STAGING, region="northeurope"),
        RestoreOrder(RestoreMode.NEW, group="f", subnet=SUBNET, from_vault=True, staging=STAGING, region="ukwest2"),
        RestoreOrder(RestoreMode.DRILL, group="drills", trial=Trial(1800)),
        RestoreOrder(RestoreMode.FILES, before=NOW, reader="vm-2", disk="os"),
        RestoreOrder(RestoreMode.FILES, before=NOW, from_vault=True),
    ],
    ids=lambda order: str(order.mode),
)
def test_orders_that_can_be_carried_out(order: RestoreOrder) -> None:
    assert problems(order) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"group": "../../other"}, "is no name of a resource group"),
        ({"group": "ends."}, "is no name of a resource group"),
        ({"group": "/subscriptions/s/resourceGroups/g/providers/x"}, "is no name of a resource group"),
        ({"group": "/subscriptions/s"}, "is no name of a resource group"),
        ({"name": "a/b"}, "is no name of a VM"),
        ({"name": "-a"}, "is no name of a VM"),
        ({"name": "x" * 65}, "is no name of a VM"),
        ({"subnet": "default"}, "is not the id of a subnet"),
        ({"subnet": f"{SUBNET}/../.."}, "is not the id of a subnet"),
        ({"before": NOW, "slot": NOW}, "not by both"),
        ({"at_least": Consistency.CRASH, "slot": NOW}, "--at-least says nothing when a point is named by --slot"),
    ],
)
def test_what_cannot_be_is_said(change: dict[str, object], said: str) -> None:
    [problem] = problems(replace(RestoreOrder(RestoreMode.NEW), **change))  # type: ignore[arg-type] # from a table
    assert said in problem


@pytest.mark.parametrize("mode", RestoreMode)
@pytest.mark.parametrize("asked", [{"from_vault": True}, {"staging": STAGING}])
def test_from_a_vault_disks_and_machines_are_restored(mode: RestoreMode, asked: dict[str, object]) -> None:
    trial = Trial(60) if mode is RestoreMode.DRILL else None
    found = problems(replace(RestoreOrder(mode, trial=trial), **asked))  # type: ignore[arg-type] # from a table
    said = f"--from-vault and --staging say nothing with --mode {mode}"
    assert (said not in found) is (mode is not RestoreMode.DRILL)


@pytest.mark.parametrize("staging", ["stage1", f"{STAGING}/x", STAGING.replace("stage1", "a")])
def test_a_storage_account_is_named_by_its_id(staging: str) -> None:
    [problem] = problems(RestoreOrder(RestoreMode.IN_PLACE, staging=staging))
    form = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/NAME"
    assert problem == f"{staging!r} is not the id of a storage account: {form}"


def test_what_is_wrong_is_said_in_these_words() -> None:
    order = RestoreOrder(RestoreMode.NEW, before=NOW, slot=NOW, group="g.", name="-", subnet="x", trial=Trial(60))
    assert problems(order) == [
        "a point is named by --before or by --slot, not by both",
        "a drill, and nothing else, says what the restored machine has to do",
        "'g.' is no name of a resource group",
        "'-' is no name of a VM",
        "'x' is not the id of a subnet: /subscriptions/…/virtualNetworks/NAME/subnets/NAME",
    ]


@pytest.mark.parametrize(
    ("mode", "idle"),
    [
        (RestoreMode.DISKS, ["--as", "--subnet", "--protect"]),
        (RestoreMode.IN_PLACE, ["--as", "--group", "--subnet", "--protect", "--region"]),
        (RestoreMode.REBUILD, ["--as"]),
        (RestoreMode.NEW, []),
        (RestoreMode.DRILL, ["--as", "--subnet", "--protect", "--region"]),
        (RestoreMode.FILES, ["--as", "--group", "--subnet", "--protect", "--region"]),
    ],
)
def test_options_that_a_mode_has_no_use_for_are_named(mode: RestoreMode, idle: list[str]) -> None:
    trial = Trial(1800) if mode is RestoreMode.DRILL else None
    idle_region = "" if mode in (RestoreMode.DISKS, RestoreMode.REBUILD, RestoreMode.NEW) else "northeurope"
    order = RestoreOrder(mode, group="g", name="n", subnet=SUBNET, protect=True, trial=trial, region=idle_region)
    order = replace(order, reader="vm-2") if mode is RestoreMode.FILES else order
    assert [problem.split()[0] for problem in problems(order)] == idle


@pytest.mark.parametrize("order", [RestoreOrder(RestoreMode.DRILL), RestoreOrder(RestoreMode.NEW, trial=Trial(1800))])
def test_a_drill_and_nothing_else_is_a_trial(order: RestoreOrder) -> None:
    assert problems(order) == ["a drill, and nothing else, says what the restored machine has to do"]


HERE, THERE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g", "/subscriptions/There/resourceGroups/G"
BOTH = replace(RULES, subscriptions={**RULES.subscriptions, "there": Mode.ENFORCE})


@pytest.mark.parametrize(
    ("group", "path", "subscription"),
    [("", "", ""), ("g", HERE, SUBSCRIPTION), (HERE, HERE, SUBSCRIPTION), (THERE, THERE, "there")],
)
def test_a_group_is_in_the_machines_subscription_unless_its_id_says_another(
    group: str, path: str, subscription: str
) -> None:
    order = RestoreOrder(RestoreMode.DISKS, group=group)
    assert problems(order) == []
    assert group_path(order, SUBSCRIPTION) == path
    assert subscription_of(path) == subscription


@pytest.mark.parametrize("of_vault", [True, False])
@pytest.mark.parametrize("group", ["", "g", HERE])
def test_everything_is_restored_within_a_subscription(group: str, of_vault: bool) -> None:
    for mode in RestoreMode:
        assert unreachable(RestoreOrder(mode, group=group), SUBSCRIPTION, RULES, of_vault=of_vault) == ""


def test_into_another_subscription_only_vaults_restore_and_a_machine_only_with_a_network_there() -> None:
    disks, new = RestoreOrder(RestoreMode.DISKS, group=THERE), RestoreOrder(RestoreMode.NEW, group=THERE)
    ours = "only points of vaults are restored into another subscription: --from-vault"
    assert unreachable(disks, SUBSCRIPTION, BOTH, of_vault=False) == ours
    outside_ = f"the resource group {THERE}: its subscription is not among TAGBACK_SUBSCRIPTIONS"
    assert unreachable(disks, SUBSCRIPTION, RULES, of_vault=True) == outside_
    assert unreachable(disks, SUBSCRIPTION, BOTH, of_vault=True) == ""
    lacks = "a machine in another subscription needs a network there: --subnet in there"
    for mode in (RestoreMode.NEW, RestoreMode.REBUILD):
        for subnet, said in (("", lacks), (SUBNET, lacks), (SUBNET.replace("/s/", "/THERE/"), "")):
            order = replace(new, mode=mode, subnet=subnet)
            assert unreachable(order, SUBSCRIPTION, BOTH, of_vault=True) == said


def test_nothing_is_made_outside_the_allowed_subscriptions() -> None:
    assert outside(SUBSCRIPTION, RULES) == ""
    assert "TAGBACK_SUBSCRIPTIONS" in outside("another", RULES)


def test_a_point_that_a_vault_mounts_is_read_wherever_its_script_is_run() -> None:
    because = "a vault mounts a point wherever its script is run"
    assert problems(RestoreOrder(RestoreMode.FILES, from_vault=True, reader="vm-2", disk="os", staging=STAGING)) == [
        "--staging says nothing with --mode files: a vault mounts a point without one",
        f"--to says nothing with --from-vault: {because}",
        f"--disk says nothing with --from-vault: {because}",
    ]


def test_single_files_are_read_by_a_machine_that_is_named_and_nothing_else_is() -> None:
    either = "files are read from a VM that you name: --to VM; or --from-vault, from a point that a vault mounts"
    assert problems(RestoreOrder(RestoreMode.FILES, disk="os")) == [either]
    for mode in (RestoreMode.NEW, RestoreMode.REBUILD, RestoreMode.DISKS, RestoreMode.IN_PLACE):
        assert problems(RestoreOrder(mode, reader="vm-2", disk="os")) == [
            f"--to says nothing with --mode {mode}",
            f"--disk says nothing with --mode {mode}",
        ]


FAR = RestoreOrder(RestoreMode.NEW, group="g", subnet=SUBNET, from_vault=True, staging=STAGING, region="northeurope")
NAMED = "nothing of the machine's is used in another region: name what is there by "


@pytest.mark.parametrize("mode", [RestoreMode.DISKS, RestoreMode.NEW, RestoreMode.REBUILD])
def test_in_another_region_only_vaults_restore_and_everything_there_is_named(mode: RestoreMode) -> None:
    order = replace(FAR, mode=mode, subnet="" if mode is RestoreMode.DISKS else SUBNET)
    assert problems(order) == []
    assert problems(replace(order, region="North Europe")) == [
        "'North Europe' is no name of a region such as northeurope"
    ]
    alone = replace(order, from_vault=False)
    assert problems(alone) == ["only points of vaults are restored in another region: --from-vault"]
    bare = replace(order, group="", staging="", subnet="")
    needed = "--group, --staging" if mode is RestoreMode.DISKS else "--group, --staging, --subnet"
    assert problems(bare) == [NAMED + needed]
    assert problems(replace(order, staging="")) == [NAMED + "--staging"]


@pytest.mark.parametrize("mode", [RestoreMode.IN_PLACE, RestoreMode.FILES])
def test_in_place_and_file_by_file_nothing_is_restored_in_another_region(mode: RestoreMode) -> None:
    reader = "vm-2" if mode is RestoreMode.FILES else ""
    assert problems(RestoreOrder(mode, region="northeurope", reader=reader)) == [
        f"--region says nothing with --mode {mode}"
    ]


def test_the_region_of_an_order_is_another_one_in_the_same_subscription() -> None:
    assert unpaired(FAR, SUBSCRIPTION, "westeurope") == ""
    assert unpaired(replace(FAR, group=HERE), SUBSCRIPTION, "westeurope") == ""
    assert unpaired(replace(FAR, region="", group=THERE), SUBSCRIPTION, "northeurope") == ""
    own = "northeurope is the machine's own region: it is restored there without --region"
    assert unpaired(FAR, SUBSCRIPTION, "northeurope") == own
    both = "nothing is restored into another region and another subscription at once: --group in its own"
    assert unpaired(replace(FAR, group=THERE), SUBSCRIPTION, "westeurope") == both
