"""The day among a thousand machines has what it takes: more than a page of them, one on no first page, a full slot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.demo.crowds import seeded
from local.demo.scenario import load
from local.judges.share import SIZES
from local.simulator.buckets import ARM, Limits
from local.simulator.clock import Clock, Mode
from local.simulator.graph import PAGE
from local.simulator.journal import Journal
from local.simulator.seed import plant
from local.simulator.world import build

NOW = datetime(2027, 1, 1, tzinfo=UTC)
CROWD = load("crowd", 1, NOW)


def test_a_crowd_is_what_the_simulator_starts_with_and_asks_for_nothing(tmp_path: Path) -> None:
    world = build(Clock(Mode.MANUAL, NOW.timestamp()), Journal(None), "crowd", Limits())
    (tmp_path / "seed.toml").write_text(seeded(CROWD))
    plant(world, tmp_path / "seed.toml")
    found = [one for one in world.store.everything() if one.type == "microsoft.compute/virtualmachines"]
    assert len(found) == sum(crowd.count for crowd in CROWD.crowds) > PAGE
    assert not any(one.document().get("tags") for one in found)
    assert all(one.key < late.id.lower() for one in found for late in CROWD.machines if late.created)


def test_no_event_tells_of_the_machine_that_is_on_no_first_page() -> None:
    [late] = [machine for machine in CROWD.machines if machine.created]
    [lost] = [trouble for trouble in CROWD.troubles if trouble.fault == "F8"]
    assert lost.at < late.created < late.created + timedelta(minutes=5) < lost.at + lost.lasts


def test_at_the_slot_twice_as_many_snapshots_are_due_as_azures_bucket_of_writes_has() -> None:
    assert sum(1 + len(machine.disks) for machine in CROWD.machines) >= 2 * ARM["writes"].size


def test_other_scenarios_have_no_crowd() -> None:
    assert seeded(load("month", 1, NOW)) == seeded(load("short", 1, NOW)) == ""


def test_the_judge_of_the_share_reckons_with_the_buckets_that_the_simulator_has() -> None:
    assert {kind: (size.holds, size.back) for kind, size in SIZES.items()} == {
        kind: (ARM[kind].size, ARM[kind].per_second) for kind in SIZES
    }
