"""The tags of what we create: ours whatever happens, the VM's own as far as they fit, never its wishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.decide.naming import LATER_TAGS, MAX_TAGS, TagSet, part_tags
from shared.model.machine import Lens, Sighting
from shared.model.point import Consistency, Engine, Origin, Part, PartState, Point, PointState
from tests.fleet import NOW, RULES, machine

WEB = machine(1, "web-1")
PART = Part(WEB.disks[0].id, WEB.disks[0].id, WEB.disks[0].uid, None, 1, PartState.PLANNED)
POINT = Point(
    uid=WEB.uid,
    slot=NOW,
    engine=Engine.DISK,
    origin=Origin.SLOT,
    attempt=1,
    state=PointState.TAKING,
    consistency=Consistency.CRASH,
    plan="silver",
    parts=(PART,),
    birth_keep_until=NOW + timedelta(days=7),
    keep_until=NOW + timedelta(days=7),
    earned="daily",
    because="",
)


def tags_from(own: Mapping[str, str], extra: Mapping[str, str] | None = None) -> TagSet:
    seen = Sighting(WEB.uid, WEB.id, WEB.name, WEB.shard, own, WEB.disks, (), False, {}, Lens.GET, NOW)
    return part_tags(POINT, PART, seen, replace(RULES, extra_tags=extra or {}))


OURS = tags_from({}).tags


def test_a_wish_of_the_machine_is_not_a_wish_of_its_snapshots() -> None:
    wishes = {"Backup": "gold", "backup-hold": "forever", "BACKUP-KEEP": "9y", "tagback-keep-until": "20200101T0000Z"}
    assert tags_from({**wishes, "team": "web"}).tags == {**OURS, "team": "web"}


def test_extra_tags_go_before_the_machines_own_and_what_does_not_fit_is_named() -> None:
    own = {f"own-{number:02}": "v" for number in range(MAX_TAGS)}
    found = tags_from({**own, "long": "x" * 257}, {"cost": "7"})
    assert len(found.tags) == MAX_TAGS - LATER_TAGS
    assert found.tags["cost"] == "7"
    assert set(found.left_out) == {*own, "long"} - set(found.tags)


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=20), max_size=60))
def test_whatever_a_machine_is_tagged_ours_stand_and_every_other_tag_is_there_or_named(own: dict[str, str]) -> None:
    found = tags_from(own)
    assert OURS.items() <= found.tags.items()
    assert len({name.lower() for name in found.tags}) == len(found.tags) <= MAX_TAGS
    assert set(found.tags) - set(OURS) <= set(own)
