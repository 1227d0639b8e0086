"""Names and tags of what we create: to the letter, because other programs and later versions of ours read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from time import tzset

import pytest

from shared.decide.naming import (
    LATER_TAGS,
    MAX_TAG_NAME,
    MAX_TAG_VALUE,
    MAX_TAGS,
    has_failed,
    is_ours,
    is_ready,
    model_reference,
    part_name,
    part_tags,
    stamp,
)
from shared.model.identity import DiskUid
from shared.model.point import Point
from shared.model.snapshot import SnapshotSeen
from tests.decide.plans import RULES, UID, at, sighting
from tests.decide.points import part_of, point_of

SLOT = at("2027-03-10 02:00")
POINT = replace(point_of(SLOT), attempt=2, parts=(replace(part_of(SLOT, attempt=2), lun=7),))
PART = POINT.parts[0]
OURS = {"tagback-owner": "acct", "tagback-vm": UID, "tagback-disk": PART.disk_uid}
SEEN = SnapshotSeen(PART.id, PART.disk_uid, "Succeeded", 100.0, "Available", OURS)


def tags_of(point: Point = POINT, seen: dict[str, str] | None = None, extra: dict[str, str] | None = None) -> list[str]:
    found = part_tags(point, point.parts[0], sighting(seen or {}), replace(RULES, extra_tags=extra or {}))
    return [f"{name}={value}" for name, value in found.tags.items()]


def test_our_tags_are_these_and_stand_first() -> None:
    assert tags_of(replace(POINT, model="abc"), {"env": "test"}, {"team": "ops"}) == [
        "tagback-owner=acct",
        f"tagback-vm={UID}",
        "tagback-disk=uid-os",
        "tagback-lun=7",
        "tagback-slot=20270310T0200Z",
        "tagback-attempt=2",
        "tagback-plan=silver",
        "tagback-engine=disk",
        "tagback-consistency=per-disk",
        "tagback-keep-until=20270317T0200Z",
        "tagback-origin=slot",
        "tagback-parts=1",
        "tagback-name=web/web-1",
        "tagback-model=abc",
        "team=ops",
        "env=test",
    ]


def test_the_system_disk_has_a_lun_of_its_own_kind_and_no_model_leaves_no_tag() -> None:
    found = tags_of(replace(POINT, parts=(replace(PART, lun=None),)))
    assert "tagback-lun=os" in found
    assert not [tag for tag in found if tag.startswith("tagback-model")]


@pytest.mark.parametrize("name", ["backup", "Backup-Keep", "backup-hold", "Tagback-Owner", "tagback-anything"])
def test_tags_that_speak_to_us_or_look_like_ours_are_never_copied(name: str) -> None:
    found = part_tags(POINT, PART, sighting({name: "x", "env": "test"}), RULES)
    assert (name in found.tags, "env" in found.tags, found.left_out) == (False, True, ())


def test_the_vms_tag_does_not_replace_the_installations_whatever_its_case() -> None:
    found = tags_of(seen={"TEAM": "web", "zone": "1"}, extra={"team": "ops"})
    assert found[-2:] == ["team=ops", "zone=1"]


def test_what_does_not_fit_is_named_and_what_fits_still_goes() -> None:
    long = {
        "a" * MAX_TAG_NAME: "fits",
        "b" * (MAX_TAG_NAME + 1): "no",
        "c": "v" * MAX_TAG_VALUE,
        "d": "v" * (MAX_TAG_VALUE + 1),
    }
    found = part_tags(POINT, PART, sighting(long), RULES)
    assert found.left_out == ("b" * (MAX_TAG_NAME + 1), "d")
    assert {"a" * MAX_TAG_NAME, "c"} <= set(found.tags)


def test_a_resource_has_room_for_fifty_tags_and_two_may_come_later() -> None:
    own = {f"n{number:02}": "x" for number in range(MAX_TAGS)}
    found = part_tags(POINT, PART, sighting(own), RULES)
    ours = sum(name.startswith("tagback-") for name in found.tags)
    assert len(found.tags) == MAX_TAGS - LATER_TAGS == 48
    assert found.left_out == tuple(sorted(own)[48 - ours :])


def test_stamps_are_utc_to_the_minute() -> None:
    local = datetime(2027, 3, 10, 3, 30, 59, tzinfo=timezone(timedelta(hours=1, minutes=30)))
    assert stamp(local) == stamp(SLOT) == "20270310T0200Z"


def test_a_stamp_is_utc_wherever_the_clock_of_the_host_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/New_York")
        tzset()
        told = stamp(SLOT)
    tzset()
    assert told == "20270310T0200Z"


def test_a_parts_name_never_changes_between_versions() -> None:
    assert part_name(UID, "disk", SLOT, 1, "uid-os") == "tb-2fc4f4776c8696970a0de5c7b0d335aa"


def test_a_models_reference_follows_its_content_and_not_its_order() -> None:
    assert model_reference({"b": [1, {"d": 2}], "a": "ä"}) == model_reference({"a": "ä", "b": [1, {"d": 2}]})
    assert model_reference({"a": "ä"}) == "ba42eceab1bf32f07027697bede2a15f70f93dd65ff787430268aa3c7d352c2d"
    compact = '{"a":1,"b":[1,2]}'
    assert model_reference({"b": [1, 2], "a": 1}) == sha256(compact.encode()).hexdigest()
    assert model_reference({"a": 1}) != model_reference({"a": 2})


@pytest.mark.parametrize(
    ("changed", "ours"),
    [
        ({}, True),
        ({"tags": {name.upper(): value for name, value in OURS.items()}}, True),
        ({"source_uid": DiskUid("")}, True),
        ({"source_uid": DiskUid("another")}, False),
        ({"tags": {**OURS, "tagback-owner": "other"}}, False),
        ({"tags": {**OURS, "tagback-vm": "other"}}, False),
        ({"tags": {**OURS, "tagback-disk": "other"}}, False),
        ({"tags": {}}, False),
        ({"id": replace(PART.id, name="tb-" + 32 * "0")}, False),
    ],
    ids=["ours", "case", "source not named yet", "other disk", "owner", "vm", "disk", "none", "name"],
)
def test_only_our_tags_for_this_very_disk_make_a_snapshot_ours(changed: dict[str, object], ours: bool) -> None:
    seen = replace(SEEN, **changed)  # type: ignore[arg-type]  # the table names the fields it changes
    assert is_ours(seen, POINT, PART, "acct") is ours


@pytest.mark.parametrize(
    ("provisioning", "completion", "access", "ready"),
    [
        ("Succeeded", None, "", True),
        ("succeeded", 100.0, "Pending", True),
        ("Succeeded", None, "Pending", False),
        ("Succeeded", 99.9, "Available", False),
        ("Succeeded", 1.0, "InstantAccess", True),
        ("Succeeded", 1.0, "AvailableWithInstantAccess", True),
        ("Updating", 100.0, "Available", False),
    ],
)
def test_a_snapshot_is_ready_when_azure_lets_it_be_restored(
    provisioning: str, completion: float | None, access: str, ready: bool
) -> None:
    seen = replace(SEEN, provisioning=provisioning, completion=completion, access=access)
    assert is_ready(seen) is ready
    assert not is_ready(replace(seen, source_uid=DiskUid("")))


@pytest.mark.parametrize(
    ("provisioning", "failed"), [("Failed", True), ("CANCELED", True), ("Succeeded", False), ("Creating", False)]
)
def test_a_snapshot_has_failed_when_azure_says_so(provisioning: str, failed: bool) -> None:
    assert has_failed(replace(SEEN, provisioning=provisioning)) is failed
