"""How long it takes to capture a fleet that is due at once, beside the least time that Azure's buckets allow.

The machines enrol in the evening, their first points are taken, the buckets fill again; at 02:00 every one of them is
due in the same second. Measured from then to the last accepted PUT, in virtual time: what this machine computes passes
in real time, what is waited for is jumped over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import requests

from local.bench.bounds import ARM_ONLY, BOTH, SETS, seconds, with_smaller_windows, without_windows
from local.bench.fleets import REGIONS, SNAPSHOTS, Fleet, Play, at, is_new_snapshot, is_product, playing
from local.bench.rows import Row
from local.demo.fleet import Person

SHARE = 0.3
SLOT = timedelta(hours=4)
OVER = timedelta(hours=5)
GOALS = {1_000: 1.10, 10_000: 1.05}
NAMES = {1_000: "1k", 10_000: "10k"}
HUNGRY = 8  # calls that the neighbour has in flight at once
API = "2025-01-02"
TOO_MANY = 429
PATIENCE = 3600.0  # beside a neighbour nobody can say what the bound is


def figures(machines: int) -> Iterator[Row]:
    """The drain through ARM's buckets and the provider's windows, which is the contract's figure."""
    fleet = Fleet(machines)
    row, calls = _drained(fleet, "", BOTH)
    yield row
    setup = f"{fleet.told}, all due at once, {BOTH}, share left to others {SHARE}, alone"
    yield Row("share_429", _refused(calls), 0.01, 0.0, "of calls", setup)


def figures_arm_only(machines: int) -> Iterator[Row]:
    """The same where the provider has no windows for snapshots."""
    yield _drained(Fleet(machines, buckets=without_windows()), "_arm_only", ARM_ONLY)[0]


def _drained(fleet: Fleet, suffix: str, told: str) -> tuple[Row, list[dict[str, Any]]]:
    """The time it took over the least it can take, and the product's calls."""
    name, bound = NAMES.get(fleet.machines, str(fleet.machines)), seconds(fleet.disks, SETS[told], SHARE)
    with playing(fleet) as play:
        taken, calls = _night(play, bound)
        lost = _lost(play)
        spent = sum(play.stack.cpu_seconds().values())
    assert lost == 0, f"{lost:.0f} of {fleet.machines} machines have no complete point"
    setup = (
        f"{fleet.told}, all due at once, {told}, share left to others {SHARE}; {taken:.0f} s; the stack took "
        f"{spent:.0f} processor seconds, enrolment included"
    )
    figure = f"drain_over_bound_{name}{suffix}"
    return Row(figure, taken / bound, GOALS.get(fleet.machines), 1.0, "x bound", setup), calls


def contended(machines: int) -> Iterator[Row]:
    """The same night beside a neighbour who wants as many snapshots, as fast as he is let, and heeds Retry-After."""
    scale = machines / 1_000
    fleet = Fleet(machines, buckets=with_smaller_windows(scale))
    with playing(fleet) as play:
        neighbour = Neighbour(play)
        neighbour.arrive()
        taken, calls = _night(play, PATIENCE)
        lost = _lost(play)
    setup = (
        f"{fleet.told}, all due at once beside a neighbour with as many, {neighbour.made} of whose were made; the "
        f"provider's windows scaled by {scale:g}, so that as much is wanted of them as by 1,000 machines"
    )
    yield Row("share_429_contended", _refused(calls), 0.10, None, "of calls", f"{setup}; {taken:.0f} s")
    yield Row("lost_under_contention", lost, 0, 0, "machines", setup)


def _night(play: Play, bound: float) -> tuple[float, list[dict[str, Any]]]:
    """The seconds from the slot to the last PUT, and the product's calls of that time."""
    slot = play.began + SLOT
    play.conductor.run(slot - timedelta(minutes=1))
    enrolled = len([row for row in play.rows("m") if row.get("enrolled_at")])
    assert enrolled == play.fleet.machines, f"{enrolled} of {play.fleet.machines} machines were enrolled"
    play.conductor.run(play.began + OVER + timedelta(seconds=bound))
    calls = [call for call in play.calls() if is_product(call) and at(call) >= slot]
    puts = [at(call) for call in calls if is_new_snapshot(call)]
    return (max(puts) - slot).total_seconds(), calls


def _refused(calls: list[dict[str, Any]]) -> float:
    return sum(int(call["status"]) == TOO_MANY for call in calls) / len(calls)


def _lost(play: Play) -> float:
    """Machines without a complete point of the slot, judged by what is in Azure."""
    slot = f"{play.began + SLOT:%Y%m%dT%H%MZ}"
    whole: dict[str, int] = {}
    for snapshot in play.state(SNAPSHOTS):
        tags = snapshot.get("tags") or {}
        if tags.get("tagback-slot") == slot and snapshot["properties"]["provisioningState"] == "Succeeded":
            whole[tags["tagback-vm"]] = whole.get(tags["tagback-vm"], 0) + 1
    return play.fleet.machines - sum(count >= 2 for count in whole.values())


class Neighbour:
    """Somebody else with another identity, who snapshots the disks of the same subscription and region."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._verify = str(play.stack.bundle)
        self._token = Person("neighbour").get_token("").token
        self._disks = sorted(str(disk["id"]) for disk in play.state("microsoft.compute/disks"))
        self.made = 0

    def arrive(self) -> None:
        """Enter his calls on the stage: so many at once, each of which waits as it is told and tries again."""
        for number in range(HUNGRY):
            mine = self._disks[number::HUNGRY]
            self._play.conductor.stage.at(self._play.began + SLOT, f"neighbour {number}", partial(self._take, mine))

    def _take(self, disks: list[str]) -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self._token}"
            for disk in disks:
                while (after := self._put(session, disk)) > 0:
                    self._play.conductor.stage.sleep(after)
                self.made += 1

    def _put(self, session: requests.Session, disk: str) -> float:
        """Zero once it was accepted, or how long Azure asks to wait."""
        group, name = disk.partition("/providers/")[0], disk.rpartition("/")[2]
        url = f"{self._play.stack.simulator_url}{group}/providers/Microsoft.Compute/snapshots/his-{name}"
        source = {"createOption": "Copy", "sourceResourceId": disk}
        body: Any = {"location": REGIONS[0], "properties": {"incremental": True, "creationData": source}}
        answer = session.put(f"{url}?api-version={API}", json=body, timeout=60, verify=self._verify)
        if answer.status_code == TOO_MANY:
            return float(answer.headers["Retry-After"])
        answer.raise_for_status()
        return 0.0
