"""`python -m local.simulator`: reads the options, starts one simulator, says where it listens, runs until told to
stop.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from pathlib import Path

from local.simulator import providers
from local.simulator.buckets import BadLimits, Limits, read_limits
from local.simulator.clock import Clock, Mode, parse_time
from local.simulator.exchanges import asked_for
from local.simulator.front import CLOCK_EVERY
from local.simulator.journal import Journal
from local.simulator.lro import Timing
from local.simulator.routing import documented
from local.simulator.seed import BadSeed, plant
from local.simulator.server import Server
from local.simulator.world import PAGE, World, build


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    return parser().parse_args(arguments)


def parser() -> argparse.ArgumentParser:
    """Return what there is to choose."""
    found = argparse.ArgumentParser(prog="python -m local.simulator", description="An ARM stand-in on this machine.")
    found.add_argument("--port", type=int, default=0, help="0 = a free one")
    found.add_argument("--host", default="127.0.0.1")
    found.add_argument("--tls-dir", type=Path, help="serve HTTPS; ca.pem, server.pem and server.key are written there")
    found.add_argument("--clock", type=Mode, choices=list(Mode), default=Mode.REAL)
    found.add_argument("--now", help="the virtual time to start at (manual and jump)")
    found.add_argument("--seed", type=Path, help="what exists at the start (TOML)")
    found.add_argument("--state", type=Path, help="kept across restarts")
    found.add_argument("--buckets", type=Path, help="sizes of token buckets and quotas (TOML or JSON)")
    found.add_argument("--chance", default="0", help="seed of everything that looks random")
    found.add_argument("--graph-lag", type=float, help="seconds until Resource Graph notices a change; default: varies")
    found.add_argument(
        "--timing", type=Timing, choices=list(Timing), default=Timing.RECORDED, help="how long operations take"
    )
    found.add_argument(
        "--page", type=int, default=PAGE, help="elements on a page of a list, at most and by default 1000"
    )
    found.add_argument("--exchanges", type=Path, help="keep every request and its answer in a file in this directory")
    found.add_argument("--routes", action="store_true", help="print every route with its evidence as JSON and stop")
    return found


def prepare(chosen: argparse.Namespace) -> World:
    """Make the world the options ask for."""
    limits = read_limits(chosen.buckets) if chosen.buckets else Limits()
    journal = Journal(chosen.state)
    # A running clock is noted once a second; a second more than the last note is surely not behind what was answered.
    unseen = CLOCK_EVERY if chosen.clock is Mode.JUMP else 0.0
    kept = [float(value) + unseen for _, value in journal.recall("clock")]
    start = max([*kept, parse_time(chosen.now) if chosen.now else time.time()])
    world = build(Clock(chosen.clock, start), journal, chosen.chance, limits)
    world.graph.fixed_lag = chosen.graph_lag
    world.operations.timing = chosen.timing
    if not 1 <= chosen.page <= PAGE:
        raise ValueError(f"--page {chosen.page}: from 1 to {PAGE}")
    world.page = chosen.page
    if chosen.seed is not None:
        plant(world, chosen.seed)
    return world


async def serve(chosen: argparse.Namespace, world: World) -> None:
    """Run until a signal arrives."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = Server(world, chosen.tls_dir, asked_for(chosen.exchanges))
    try:
        url = await server.start(chosen.host, chosen.port)
        print(json.dumps({"ready": True, "url": url}), flush=True)
        await stop.wait()
    finally:
        await server.close()


def main() -> int:
    """Run the simulator; 2 means that an option cannot be used."""
    chosen = options(sys.argv[1:])
    if chosen.routes:
        print(json.dumps(documented(providers.routes().all), indent=1))
        return 0
    try:
        asyncio.run(serve(chosen, prepare(chosen)))
    except (BadSeed, BadLimits, OSError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
