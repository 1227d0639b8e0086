"""What others cost for the same work: a loop of `az` commands, and a policy of Cloud Custodian; `make bench-peers`.

The program is tests/bench/peers.py, which knows how the clients are led to the simulator; here it is only started.
Ours is `all_calls_per_disk_day_10k`, of which a machine of two disks makes twice as many.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from local.bench.planning import ROOT
from local.bench.rows import Row

PROGRAM = "tests.bench.peers"


@dataclass(frozen=True, slots=True)
class Peer:
    """A client, how many machines it is measured on, and what it does."""

    name: str
    machines: int
    does: str


PEERS = (
    Peer("az", 4, "az in a loop: list the machines, snapshot every disk, list and delete the snapshots"),
    Peer("c7n", 20, "a policy of Cloud Custodian deletes the snapshots by age; it has no action to take them"),
)


def figures() -> Iterator[Row]:
    """Calls to ARM and the client's processor seconds for each machine of two disks."""
    for peer in PEERS:
        found = _run(peer)
        changes, reads = found["changes"] / peer.machines, found["reads"] / peer.machines
        setup = f"{peer.machines} machines x 2 disks; {peer.does}: {changes:.2f} changes + {reads:.2f} reads for each"
        yield Row(f"{peer.name}_calls_per_machine", changes + reads, None, None, "calls", setup)
        yield Row(
            f"{peer.name}_processor_seconds_per_machine", found["seconds"] / peer.machines, None, None, "s", setup
        )


def _run(peer: Peer) -> dict[str, float]:
    command = [sys.executable, "-m", PROGRAM, peer.name, str(peer.machines)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
