"""`python -m local.host`: start a functions host for one app, say so in one JSON line, run until told to stop.

Options as in the contract. Ends with one line on stderr and a non-zero code when it cannot start.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.host import settings
from local.host.values import HostError

# What talks to storage takes half a second to import; a wrong option is answered without it.
if TYPE_CHECKING:
    from local.host.activity import Activity
    from local.host.host import Host
    from local.host.surroundings import Surroundings
    from local.host.worker import Worker

REPOSITORY = Path(__file__).resolve().parents[2]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.host", description="Run an Azure Functions app on this machine."
    )
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free port")
    parser.add_argument("--app", type=Path, default=REPOSITORY, help="directory of function_app.py and host.json")
    parser.add_argument("--settings", type=Path, help="a file of the local.settings.json form")
    parser.add_argument("--worker", choices=("own", "runtime"), default="own")
    return parser.parse_args()


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        raise HostError(f"cannot listen on port {port}: {getattr(error, 'strerror', None) or error}") from error
    return listening


def _worker(kind: str, app: Path, activity: "Activity") -> "Worker":
    from local.host.runtime_worker import RuntimeWorker, find_library
    from local.host.worker import OwnWorker

    if kind == "runtime":
        find_library(REPOSITORY)
        return RuntimeWorker(app, activity)
    return OwnWorker(app, os.environ.get("PYTHON_SCRIPT_FILE_NAME") or "function_app.py", activity)


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="[%(asctime)s] %(name)s %(message)s")
    for noisy in ("azure", "aiohttp", "azure_functions_runtime"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


async def _serve(host: "Host", given: "Surroundings") -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        keys = await host.start()
        ready = {"ready": True, "url": given.url, "keys": keys.shown(), "functions": host.names, "pid": os.getpid()}
        print(json.dumps(ready), flush=True)
        await stop.wait()
    finally:
        await host.stop()


def _host(given: "Surroundings", kind: str) -> "Host":
    from local.host.activity import Activity
    from local.host.clock import Clock

    clock = Clock()
    clock.install_sleep()
    activity = Activity(clock)
    worker = _worker(kind, given.app, activity)
    from local.host.host import Host

    return Host(given, clock, activity, worker)


def run(options: argparse.Namespace) -> None:
    from local.host.surroundings import Surroundings

    app: Path = options.app.resolve()
    if not app.is_dir():
        raise HostError(f"no app directory {app}", 2)
    file: Path | None = options.settings.resolve() if options.settings else None
    listening = _listen(options.port)
    _log_to_stderr()
    given = Surroundings(app, settings.prepare(app, file, listening.getsockname()[1]), listening)
    os.chdir(app)
    asyncio.run(_serve(_host(given, options.worker), given))


def main() -> int:
    try:
        run(_options())
    except HostError as error:
        print(f"local.host: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of the app may still run and must not hold the process
