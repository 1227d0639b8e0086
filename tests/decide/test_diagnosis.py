"""What an installation lacks is said in words, one finding for each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.decide import diagnosis
from shared.decide.plan import read_plans
from shared.model.rights import Found, Need, Permission, Quota, Reach
from shared.model.rules import Mode
from tests.fleet import RULES

READ = Need("keeper", Reach.SUBSCRIPTION, "Microsoft.Compute/disks/read", "disks are read")
WRITE = Need("keeper", Reach.SUBSCRIPTION, "Microsoft.Compute/snapshots/write", "points are made")
SCOPE = "/subscriptions/s"


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        (Permission(("*",)), True),
        (Permission(("*/read",)), True),
        (Permission(("microsoft.compute/DISKS/*",)), True),
        (Permission(("Microsoft.Compute/disks/read",)), True),
        (Permission(("Microsoft.Compute/disks",)), False),
        (Permission(("Microsoft_Compute/disks/read",)), False),
        (Permission(("Microsoft.Compute/snapshots/*",)), False),
        (Permission(("*",), ("Microsoft.Compute/disks/read",)), False),
        (Permission(("*",), ("*/write",)), True),
        (Permission(()), False),
    ],
)
def test_an_action_is_given_by_its_name_or_by_a_pattern(permission: Permission, allowed: bool) -> None:
    assert diagnosis.allows([permission], READ.action) is allowed


def test_what_one_role_takes_back_another_may_still_give() -> None:
    taken = Permission(("*",), ("Microsoft.Compute/disks/read",))
    assert diagnosis.allows([taken, Permission(("Microsoft.Compute/disks/read",))], READ.action)


def test_a_missing_action_is_named_with_whoever_needs_it_and_what_for() -> None:
    [found] = diagnosis.rights(SCOPE, [READ, WRITE], [Permission(("*/read",))])
    assert found == Found(SCOPE, WRITE.action, False, "missing for the keeper: points are made; grant it with infra/")


def test_rights_that_are_complete_are_one_finding() -> None:
    found = diagnosis.rights(SCOPE, [READ, WRITE], [Permission(("Microsoft.Compute/*",))])
    assert found == [Found(SCOPE, "rights", True, "all 2 actions that are needed here are granted")]


@pytest.mark.parametrize(
    ("state", "well"), [("Registered", True), ("registered", True), ("NotRegistered", False), ("", False)]
)
def test_a_provider_must_be_registered(state: str, well: bool) -> None:
    found = diagnosis.provider(SCOPE, "Microsoft.Compute", state)
    told = f"{state or 'unknown'}: needed for machines, disks and snapshots; "
    because = "registered" if well else f"{told}az provider register --namespace Microsoft.Compute"
    assert found == Found(SCOPE, "Microsoft.Compute", well, because)


def test_the_provider_of_vaults_is_needed_where_a_plan_has_one() -> None:
    always = ["Microsoft.Compute", "Microsoft.Network", "Microsoft.EventGrid"]
    assert diagnosis.providers(RULES) == always
    plans, problems = read_plans({"default": "v", "plans": {"v": {"vault": {"at": "22:00", "keep": "30d"}}}})
    assert problems == ()
    assert diagnosis.providers(replace(RULES, plans=plans)) == [*always, "Microsoft.RecoveryServices"]


def test_groups_for_restore_points_are_needed_where_a_plan_that_may_be_used_takes_them() -> None:
    assert not diagnosis.takes_restore_points(RULES, "s")
    disk = {"at": "02:00", "keep": "7d"}
    plans, problems = read_plans(
        {
            "default": "disk",
            "plans": {"disk": {"snapshots": disk}, "vm": {"snapshots": {**disk, "consistency": "vm"}}},
            "subscriptions": {"11111111-2222-3333-4444-555555555555": {"allowed_plans": ["disk"]}},
        }
    )
    assert problems == ()
    rules = replace(RULES, plans=plans)
    assert diagnosis.takes_restore_points(rules, "s")
    assert not diagnosis.takes_restore_points(rules, "11111111-2222-3333-4444-555555555555")


@pytest.mark.parametrize(
    ("name", "needed_for"),
    [
        ("Microsoft.Compute", "machines, disks and snapshots"),
        ("Microsoft.Network", "the network interfaces that a restore needs to know"),
        ("Microsoft.EventGrid", "hearing of tags within minutes"),
        ("Microsoft.RecoveryServices", "the vaults that plans name"),
    ],
)
def test_a_provider_that_is_missing_is_said_with_what_it_is_needed_for(name: str, needed_for: str) -> None:
    found = diagnosis.provider(SCOPE, name, "NotRegistered")
    assert found.because == f"NotRegistered: needed for {needed_for}; az provider register --namespace {name}"


@pytest.mark.parametrize(("used", "well"), [(0, True), (89, True), (90, False), (100, False)])
def test_a_quota_is_short_from_nine_tenths_on(used: int, well: bool) -> None:
    [found] = diagnosis.quotas(SCOPE, [Quota("StandardStorageSnapshots", used, 100), Quota("Other", 100, 100)])
    assert found.well is well
    short = f"{used} of 100 are used: ask Azure for more before it is full"
    assert well or found == Found(SCOPE, "StandardStorageSnapshots", False, short)


def test_a_quota_that_gives_nothing_is_not_ours_to_judge() -> None:
    room = "1 quotas of machines, disks and snapshots have room"
    quotas = [Quota("UltraDiskCount", 0, 0), Quota("cores", 1, 10)]
    assert diagnosis.quotas(SCOPE, quotas) == [Found(SCOPE, "quotas", True, room)]
    assert [found.well for found in diagnosis.quotas(SCOPE, [Quota("cores", 1, 1)])] == [False]


@pytest.mark.parametrize(
    ("tagged", "well", "said"),
    [
        ("me", True, "ours"),
        (None, False, "not there"),
        ("", False, "belongs to nobody"),
        ("you", False, "belongs to you"),
    ],
)
def test_a_recovery_group_must_be_there_and_ours(tagged: str | None, well: bool, said: str) -> None:
    found = diagnosis.group(SCOPE, "me", tagged)
    assert (found.scope, found.subject, found.well) == (SCOPE, "recovery group", well)
    assert said in found.because


def test_settings_that_look_after_nothing_or_tell_nobody_are_findings() -> None:
    bare = replace(RULES, subscriptions={}, topic="")
    untold = "nobody is told of failures: TAGBACK_TOPIC_ENDPOINT names no topic"
    assert diagnosis.settings(bare) == [
        Found("settings", "TAGBACK_SUBSCRIPTIONS", False, "no subscription is looked after"),
        Found("settings", "TAGBACK_TOPIC_ENDPOINT", False, untold),
    ]
    observing = replace(RULES, subscriptions={"s": Mode.OBSERVE, "t": Mode.ENFORCE}, topic="https://topic")
    because = "observe: what would be done is only said; set it to enforce when `tagback plan` looks right"
    assert diagnosis.settings(observing) == [Found("/subscriptions/s", "mode", True, because)]
    well = Found("settings", "settings", True, "read, and nothing is missing")
    assert diagnosis.settings(replace(observing, subscriptions={"t": Mode.ENFORCE})) == [well]
