"""A simulator with a large estate, to be measured: `python -m local.bench.estate COUNT` serves until its input ends.

Started by simulator.py of this package; buckets never run dry, so that they are charged and refuse nothing.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

from local.simulator.buckets import ARM, PROVIDER, Limit, Limits
from local.simulator.clock import Clock, Mode
from local.simulator.journal import Journal
from local.simulator.server import Server
from local.simulator.world import World, build

SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/estate"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
TAGS = ("owner", "vm", "disk", "lun", "slot", "plan")


def estate(snapshots: int) -> World:
    """Make a group with finished snapshots."""
    endless = Limit(1e12, 1e12)
    limits = Limits(dict.fromkeys(ARM, endless), dict.fromkeys(PROVIDER, endless), None)
    world = build(Clock(Mode.REAL, time.time()), Journal(None), "bench", limits)
    now = world.clock.now()
    world.store.create(f"/subscriptions/{SUBSCRIPTION}", {"subscriptionId": SUBSCRIPTION}, now)
    world.store.create(GROUP, {"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "x"}, now)
    for number in range(snapshots):
        document = snapshot(number)
        world.store.create(document["id"], document, now)
    return world


async def serve(world: World) -> None:
    """Serve until the input ends."""
    server = Server(world, None)
    print(json.dumps({"ready": True, "url": await server.start("127.0.0.1", 0)}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.close()


def snapshot(number: int) -> dict[str, Any]:
    """Write a finished incremental snapshot with the tags a backup product puts on."""
    name = f"tb-{number:032x}"
    return {
        "name": name,
        "id": f"{COMPUTE}/snapshots/{name}",
        "type": "Microsoft.Compute/snapshots",
        "location": "westeurope",
        "tags": {f"tagback-{each}": f"value of {each} {number}" for each in TAGS},
        "sku": {"name": "Standard_ZRS", "tier": "Standard"},
        "properties": {
            "osType": "Linux",
            "hyperVGeneration": "V2",
            "incremental": True,
            "incrementalSnapshotFamilyId": f"00000000-0000-4000-8000-{number // 7:012d}",
            "creationData": {
                "createOption": "Copy",
                "sourceResourceId": f"{COMPUTE}/disks/disk-{number // 7}",
                "sourceUniqueId": f"00000000-0000-4000-9000-{number // 7:012d}",
            },
            "diskSizeGB": 64,
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "networkAccessPolicy": "DenyAll",
            "publicNetworkAccess": "Disabled",
            "timeCreated": "2026-11-20T02:00:00.1234567+00:00",
            "provisioningState": "Succeeded",
            "diskState": "Unattached",
            "diskSizeBytes": 64 * 1024**3,
            "uniqueId": f"00000000-0000-4000-a000-{number:012d}",
        },
    }


def main() -> int:
    """Make the estate, say what it costs, serve it."""
    world = estate(int(sys.argv[1]))
    print(json.dumps({"filled": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
    asyncio.run(serve(world))
    return 0


if __name__ == "__main__":
    sys.exit(main())
