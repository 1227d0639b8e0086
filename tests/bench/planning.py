"""Plans a large fleet once, as the sweep does, and says what it cost: used by local/bench/planning.py.

`make FOLDER COUNT` writes a fleet as pages of Resource Graph and pages of table rows; `plan FOLDER` reads them one
after the other, through the product's own decoders and its sweep, and prints processor seconds and peak megabytes.
The network and the Azure clients are left out. Every hundredth machine has other tags than the ledger remembers.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.cloud.rows import entity_of, row_of
from shared.cloud.sightings import Look, brief
from shared.decide.protection import settled_row
from shared.decide.registration import registered
from shared.flows.sweeping import sweep
from shared.model.identity import DiskUid, Shard
from shared.model.machine import Lens, Machine, Sighting
from shared.model.rules import Mode, Rules
from shared.model.transition import Held
from shared.settings import SHIPPED_PLANS, plans_of
from tests.world.stage import stage
from tests.world.twins.witness import Witness

PAGE = 1000
NOW = datetime(2027, 6, 8, 1, tzinfo=UTC)
SUBSCRIPTIONS = ("a0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000002")
REGIONS = ("westeurope", "northeurope")
CHANGED = 100
Page = list[dict[str, Any]]


def rules() -> Rules:
    return Rules(plans_of(SHIPPED_PLANS), dict.fromkeys(SUBSCRIPTIONS, Mode.ENFORCE), "bench")


def body(number: int) -> dict[str, Any]:
    """A machine of two disks as Resource Graph shows it."""
    subscription, region = SUBSCRIPTIONS[number % 2], REGIONS[number // 2 % 2]
    group, name = f"/subscriptions/{subscription}/resourceGroups/fleet-{region}", f"vm-{number:06}"
    disks = [f"{group}/providers/Microsoft.Compute/disks/{name}-{part}" for part in ("os", "data")]
    storage = {
        "imageReference": {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"},
        "osDisk": {"name": f"{name}-os", "osType": "Linux", "managedDisk": {"id": disks[0]}},
        "dataDisks": [{"lun": 0, "name": f"{name}-data", "managedDisk": {"id": disks[1]}}],
    }
    card = {"id": f"{group}/providers/Microsoft.Network/networkInterfaces/{name}-nic", "properties": {"primary": True}}
    return {
        "id": f"{group}/providers/Microsoft.Compute/virtualMachines/{name}",
        "name": name,
        "type": "microsoft.compute/virtualmachines",
        "location": region,
        "tags": {"backup": "silver", "team": f"team-{number % 40}", "environment": "production"},
        "properties": {
            "vmId": f"c0000000-0000-4000-8000-{number:012}",
            "hardwareProfile": {"vmSize": "Standard_D4ds_v5"},
            "storageProfile": storage,
            "networkProfile": {"networkInterfaces": [card]},
            "provisioningState": "Succeeded",
        },
    }


def make(folder: Path, count: int) -> None:
    """Write the fleet in pages, one a line."""
    told = rules()
    with (folder / "graph.jsonl").open("w") as graph:
        for start in range(0, count, PAGE):
            bodies = [body(number) for number in range(start, min(start + PAGE, count))]
            rows = [_row(one, told) for one in bodies]
            for shard in shards():
                mine = [row for row in rows if row["PartitionKey"].startswith(str(shard))]
                with rows_of(folder, shard).open("a") as table:
                    table.write(json.dumps(mine, default=datetime.isoformat) + "\n")
            for one in bodies[::CHANGED]:
                one["tags"] = {**one["tags"], "backup": "gold"}
            graph.write(json.dumps(bodies) + "\n")


def shards() -> list[Shard]:
    return [Shard(subscription, region) for subscription in SUBSCRIPTIONS for region in REGIONS]


def rows_of(folder: Path, shard: Shard) -> Path:
    return folder / f"{shard.subscription}-{shard.region}.jsonl"


def _row(one: dict[str, Any], told: Rules) -> dict[str, Any]:
    """What the ledger remembers of a machine that was looked at."""
    sighting = replace(brief(one, Look(Lens.BULK, NOW - timedelta(days=1))), lens=Lens.GET)
    disks = tuple(replace(disk, uid=DiskUid(f"d-{disk.id.name}")) for disk in sighting.disks)
    machine = registered(None, replace(sighting, disks=disks), told, NOW - timedelta(days=1))
    machine = replace(machine, last_point=NOW - timedelta(hours=23), settled=NOW - timedelta(hours=23))
    return entity_of(settled_row(machine, [], told, NOW), f"{machine.shard}|00")


def pages(path: Path) -> Iterator[Page]:
    with path.open() as lines:
        for line in lines:
            yield json.loads(line)


@dataclass
class PagedLedger:
    """The ledger's rows, decoded page by page as the adapter does."""

    folder: Path

    def shards(self) -> Sequence[Shard]:
        return shards()

    def machines(self, shard: Shard) -> Iterator[Held[Machine]]:
        for page in pages(rows_of(self.folder, shard)):
            for row in page:
                yield Held(row_of(Machine, row), "etag")


@dataclass
class PagedInventory:
    """Resource Graph's rows, decoded page by page as the adapter does."""

    path: Path

    def fleet(self, subscriptions: Sequence[str]) -> Iterator[Sequence[Sighting]]:
        for page in pages(self.path):
            yield [brief(row, Look(Lens.BULK, NOW)) for row in page]


@dataclass
class Outgoing:
    """What is sent."""

    messages: list[tuple[str, str]] = field(default_factory=list)

    def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        self.messages.append((queue, text))


def plan(folder: Path) -> dict[str, float]:
    """One sweep over the fleet: what it cost, and how many messages came of it."""
    told, sent = rules(), Outgoing()
    parts: Any = {"ledger": PagedLedger(folder), "inventory": PagedInventory(folder / "graph.jsonl")}
    world = replace(stage(1, NOW, Witness()).world, queue=sent, **parts)
    before = resource.getrusage(resource.RUSAGE_SELF)
    sweep(world, told)
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "mb": _most(), "messages": len(sent.messages)}


def _most() -> float:
    """This process's peak in megabytes: what getrusage says of a new process begins with what its parent had used."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main(words: Sequence[str]) -> None:
    folder = Path(words[1])
    if words[0] == "make":
        make(folder, int(words[2]))
    else:
        print(json.dumps(plan(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
