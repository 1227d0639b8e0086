"""What the doctor looks at, and what it says where it may not look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.decide.plan import read_plans
from shared.errors import CloudError, Denied
from shared.flows.diagnosing import Examination, examine
from shared.model.identity import Shard
from shared.model.rights import Found, Need, Permission, Quota, Reach
from tests.fleet import RULES, SHARD, Fleet, empty_fleet, machine
from tests.world.twins.azure import DiskTruth, VmTruth

READ = Need("keeper", Reach.SUBSCRIPTION, "Microsoft.Compute/disks/read", "disks are read")
WRITE = Need("keeper", Reach.RECOVERY, "Microsoft.Compute/snapshots/write", "points are made")
TARGET = Need("restorer", Reach.TARGETS, "Microsoft.Compute/virtualMachines/write", "machines are made")
GROUP = f"/subscriptions/{SHARD.subscription}/resourceGroups/tagback-{SHARD.region}"
SCOPE = f"/subscriptions/{SHARD.subscription}"
POINTS = "Microsoft.Compute/restorePointCollections/restorePoints/write"
POINT = Need("keeper", Reach.RECOVERY, POINTS, "points of all disks are made")
NEEDS = (READ, WRITE, TARGET)
DENIED = Denied("AuthorizationFailed", "you may not look", 403)


@dataclass
class Around:
    """Azure as a test says that it is; `refused` are the questions that nobody may ask."""

    held: Sequence[Permission] = (Permission(("*",)),)
    others: dict[str, Sequence[Permission]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    tagged: str | None = RULES.owner

    def permissions(self, scope: str) -> Sequence[Permission]:
        self._ask("permissions")
        return self.held

    def granted(self, scope: str, principal: str) -> Sequence[Permission]:
        return self.others.get(principal, ())

    def provider(self, scope: str, namespace: str) -> str:
        self._ask("provider")
        return "Registered"

    def quotas(self, shard: Shard) -> Sequence[Quota]:
        self._ask("quotas")
        return [Quota("StandardStorageSnapshots", 1, 50_000)]

    def owner(self, group: str) -> str | None:
        self._ask("owner")
        return self.tagged

    def recovery_group(self, region: str) -> str:
        return f"tagback-{region}"

    def _ask(self, question: str) -> None:
        if question in self.refused:
            raise DENIED


def inhabited() -> Fleet:
    """A subscription with one machine that is not registered yet."""
    fleet, row = empty_fleet(), machine(1, "web-1")
    azure = fleet.stage.azure
    azure.subscriptions = [SHARD.subscription]
    disks = tuple(DiskTruth(disk.id, disk.uid, disk.lun) for disk in row.disks)
    azure.write(VmTruth(row.id, row.uid, row.name, SHARD.region, {}, disks))
    fleet.stage.scheduler.run(fleet.stage.scheduler.now.replace(hour=23))
    return fleet


def found(around: Around, fleet: Fleet | None = None, principal: str = "") -> dict[str, Found]:
    world = (fleet or inhabited()).world
    rules = replace(RULES, topic="https://topic")
    return {one.subject: one for one in examine(world, rules, around, Examination(NEEDS, principal))}


def test_an_installation_that_lacks_nothing_is_well_in_everything() -> None:
    findings = found(Around())
    assert [one for one in findings.values() if not one.well] == []
    assert {"settings", "rights", "recovery group", "quotas", "Microsoft.Compute"} <= set(findings)


def test_rights_are_looked_for_where_each_is_needed() -> None:
    findings = found(Around(held=(Permission(("Microsoft.Network/*",)),)))
    assert findings[READ.action].scope == SCOPE
    assert findings[WRITE.action].scope == GROUP
    assert findings[TARGET.action].scope == SCOPE, "what a restore makes may be anywhere in the subscription"


def test_another_principal_is_judged_by_its_own_rights() -> None:
    around = Around(held=(), others={"app": (Permission(("Microsoft.Compute/*",)),)})
    assert found(around, principal="app")["rights"].well
    assert not found(around, principal="nobody")[READ.action].well


def test_rights_in_a_group_that_is_not_there_are_not_asked_for() -> None:
    findings = found(Around(held=(), tagged=None))
    assert not findings["recovery group"].well
    assert WRITE.action not in findings


def test_where_a_plan_takes_all_disks_at_one_instant_its_twenty_groups_are_looked_at() -> None:
    part = {"at": ["02:00"], "keep": "7d", "consistency": "vm"}
    plans, problems = read_plans({"default": "one", "plans": {"one": {"snapshots": part}}})
    assert problems == ()
    rules = replace(RULES, plans=plans)
    world = inhabited().world
    around = Around(held=(Permission((WRITE.action, READ.action, TARGET.action)),))
    found = examine(world, rules, around, Examination([*NEEDS, POINT]))
    groups = [f"{GROUP}-rp{number:02}" for number in range(20)]
    assert [one.scope for one in found if one.subject == "recovery group"] == [GROUP, *groups]
    assert [one.scope for one in found if one.subject == POINT.action] == [GROUP, *groups]
    assert not [one for one in found if one.subject == WRITE.action], "snapshots lie in the recovery group alone"
    nothing = examine(world, rules, around, Examination(NEEDS))
    assert [one.scope for one in nothing if one.subject == "rights"] == [SCOPE, GROUP], (
        "who needs nothing there lacks none"
    )


def test_what_may_not_be_looked_at_is_a_finding_and_the_rest_is_looked_at() -> None:
    for question, subject in (
        ("permissions", "rights"),
        ("provider", "Microsoft.Compute"),
        ("quotas", "quotas"),
        ("owner", "recovery group"),
    ):
        findings = found(Around(refused=frozenset({question})))
        assert not findings[subject].well
        assert "could not be looked at: " in findings[subject].because
        assert len([one for one in findings.values() if one.well]) >= 2


def test_a_subscription_that_cannot_be_read_is_the_only_thing_said_of_it() -> None:
    fleet = empty_fleet()
    fleet.stage.azure.subscriptions = []
    findings = found(Around(), fleet)
    assert not findings["subscription"].well
    assert set(findings) == {"settings", "subscription"}


class Blind:
    """An inventory whose lists fail."""

    def __init__(self, fleet: Fleet) -> None:
        self._inner = fleet.world.inventory

    def enabled(self, subscription: str) -> bool:
        return self._inner.enabled(subscription)

    def fleet(self, subscriptions: Sequence[str]) -> object:
        raise CloudError("Throttled", "not now")


def test_machines_that_cannot_be_listed_are_a_finding_and_known_regions_are_looked_at() -> None:
    fleet = inhabited()
    fleet.put(machine(1, "web-1"))
    world = replace(fleet.world, inventory=Blind(fleet))  # type: ignore[arg-type]  # only what the doctor asks
    rules = replace(RULES, topic="https://topic")
    findings = {one.subject: one for one in examine(world, rules, Around(), Examination([READ]))}
    assert not findings["machines"].well
    assert findings["recovery group"].well
