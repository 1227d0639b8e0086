"""Which machine a text names: by name, group/name, full id or vmId, and what happens when that is not one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import BadInput, Unknown
from shared.flows.lookup import named
from shared.model.machine import Status
from tests.fleet import SUBSCRIPTION, machine, place, uid_of

WEB_1 = machine(1, "web-1")
SAME_NAME = machine(2, "web-1", group="shop")
OTHER = machine(3, "Other")
FLEET = (WEB_1, SAME_NAME, OTHER)


@pytest.mark.parametrize(
    "text",
    [
        "web/web-1",
        "WEB/Web-1",
        " web/web-1 ",
        str(WEB_1.id),
        str(WEB_1.id).upper(),
        str(WEB_1.id).strip("/"),
        uid_of(1),
    ],
)
def test_one_machine_is_named_in_many_ways(text: str) -> None:
    assert named(FLEET, text) is WEB_1


def test_a_name_that_two_machines_have_lists_both() -> None:
    with pytest.raises(BadInput) as raised:
        named(FLEET, "web-1")
    assert raised.value.problems == (
        "2 VMs are named 'web-1'; give one of these ids instead:",
        str(WEB_1.id),
        str(SAME_NAME.id),
    )


def test_the_same_group_and_name_in_two_subscriptions_lists_both() -> None:
    twin = replace(machine(4, "web-1"), id=place("web", "web-1", SUBSCRIPTION.replace("1", "9")))
    with pytest.raises(BadInput, match="2 VMs"):
        named((WEB_1, twin), "web/web-1")


@pytest.mark.parametrize("text", ["web-2", "shop/other", f"/subscriptions/{SUBSCRIPTION}", uid_of(9)])
def test_what_names_nobody_is_unknown_or_no_name(text: str) -> None:
    with pytest.raises((Unknown, BadInput)):
        named(FLEET, text)


@pytest.mark.parametrize("text", ["", "/web-1", "web/", "a/b/c", "/subscriptions/x/resourceGroups/y"])
def test_what_is_no_name_says_what_is_one(text: str) -> None:
    with pytest.raises(BadInput, match=r"names no VM.*full id or vmId$|not the id"):
        named(FLEET, text)


def test_a_machine_made_again_stands_for_both_and_its_predecessor_answers_to_its_vmid() -> None:
    gone = replace(machine(7, "web-1", Status.GONE), as_of=WEB_1.as_of + timedelta(days=1))
    for order in ((gone, WEB_1), (WEB_1, gone)):
        assert named(order, "web-1") is WEB_1
        assert named(order, uid_of(7)) is gone
