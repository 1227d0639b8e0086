"""`make up`: the local stack on the machine's own clock with a small, protected fleet, kept running until Ctrl-C.

Waits until the fleet has its first recovery points, shows how it stands, and prints how to use it. Ports may be chosen
by HOST_PORT, SIMULATOR_PORT, BLOB_PORT, QUEUE_PORT and TABLE_PORT, plans other than the shipped ones by TAGBACK_PLANS,
which names their file. It never jumps through time, and leaves nothing.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import requests

from local.demo.fleet import Fleet
from local.demo.report import CommandLine
from local.demo.scenario import MachineStory, load
from local.demo.telling import Screen
from local.process import PartFailed
from local.stack import ROOT, RUN, Ports, Stack, Wanted, running

BAD_INPUT = 2
LOOK = 0.5
PROTECTED_WITHIN = 90.0
FAILING = "failing"
TOLD = "telemetry.jsonl"
QUESTIONS = (["status"], ["jobs"])


def ports(environment: dict[str, str]) -> Ports:
    """The ports asked for, all wrong ones reported at once."""
    names = {"HOST_PORT": "host", "SIMULATOR_PORT": "simulator", "BLOB_PORT": "blob", "QUEUE_PORT": "queue"}
    names["TABLE_PORT"] = "table"
    given = {field: environment.get(name, "0") for name, field in names.items()}
    wrong = [
        f"{name}={given[field]}"
        for name, field in names.items()
        if not (given[field].isdecimal() and int(given[field]) < 65536)
    ]
    if wrong:
        raise ValueError(f"a port is a number from 0 (any free one) to 65535: {', '.join(wrong)}")
    return Ports(**{field: int(text) for field, text in given.items()})


class Interrupted(Exception):
    """The person does not want to wait for the fleet."""


def create_fleet(stack: Stack, machines: tuple[MachineStory, ...]) -> None:
    stopped = threading.Event()

    def sleep(seconds: float) -> None:
        if stopped.wait(seconds):
            raise Interrupted

    def create(machine: MachineStory) -> None:
        fleet.create(machine)
        tags = " ".join(f"{name}={value}" for name, value in machine.tags.items())
        # With its end in one write: owners are at work side by side.
        print(f"  {machine.name:<8} {machine.region:<12} {tags:<46} {machine.story}\n", end="", flush=True)

    for machine in machines:
        if machine.status == FAILING:
            fail_snapshots(stack, machine)
    fleet = Fleet(stack.simulator_url, stack.bundle, sleep)
    with ThreadPoolExecutor(len(machines)) as owners:
        try:
            list(owners.map(create, machines))
        finally:
            stopped.set()
    fleet.close()


def fail_snapshots(stack: Stack, machine: MachineStory) -> None:
    """Have Azure accept every snapshot of a machine's disks, and fail it."""
    match = {"operation": "Microsoft.Compute/snapshots/write", "source": f"*/disks/{machine.name}-*"}
    rule = {"match": match, "effect": {"lro": "fail"}}
    requests.post(
        f"{stack.simulator_url}/_sim/faults", json=rule, verify=str(stack.bundle), timeout=30
    ).raise_for_status()


def await_points(stack: Stack, machines: tuple[MachineStory, ...]) -> None:
    """Wait until every machine that can be protected has its first recovery point."""
    wanted = {machine.name for machine in machines if machine.status == "protected"}
    print("waiting for the first recovery points ...", flush=True)
    deadline = time.monotonic() + PROTECTED_WITHIN
    while time.monotonic() < deadline and not wanted <= with_points(stack):
        stack.check()
        time.sleep(LOOK)


def with_points(stack: Stack) -> set[str]:
    """The machines that have one, as the app's own API tells."""
    answer = requests.get(
        f"{stack.host_url}/api/status", headers={"x-functions-key": stack.keys["default"]}, timeout=30
    )
    return {machine["vm"] for machine in answer.json()["machines"] if machine["last_point"]} if answer.ok else set()


def telling(run: Path) -> dict[str, str]:
    """The settings by which the product tells all that it does in a file."""
    return {"TAGBACK_TELEMETRY": str((run / TOLD).resolve()), "TAGBACK_TELEMETRY_SHARE": "1"}


def planned(environment: dict[str, str]) -> dict[str, str]:
    """The setting that names the plans' file, where other plans than the shipped ones are asked for."""
    name = environment.get("TAGBACK_PLANS", "")
    if name and not Path(name).is_file():
        raise ValueError(f"TAGBACK_PLANS={name} is no file")
    return {"TAGBACK_PLANS": str(Path(name).resolve())} if name else {}


def shown(path: Path) -> str:
    """A path as short as it can be typed from here."""
    return os.path.relpath(path)


def usage(stack: Stack) -> str:
    tagback = shown(ROOT / ".venv" / "bin" / "tagback")
    return f"""
The stack is running. In another terminal:

  source {shown(stack.wanted.run / "env")}
  {tagback} status
  {tagback} explain typo-1      # why it is not protected, and what is allowed
  {tagback} jobs                # flaky-1 fails: what Azure said, and when it is tried again
  {tagback} backup web-1        # a recovery point now
  {tagback} points web-1

  dashboard  {stack.host_url}/api/?code={stack.keys["default"]}
  API        {stack.host_url}/api/status?code={stack.keys["default"]}
  simulator  {stack.simulator_url}  (Azure Resource Manager; control routes under /_sim/)
  logs       {shown(stack.wanted.run / "logs")}
  telemetry  {shown(stack.wanted.run / TOLD)}  (a trace for each operation, and figures)

How to tag, delete and ask over HTTP from that terminal: docs/local.md. Ctrl-C stops everything."""


def keep(stack: Stack) -> None:
    """Watch over the parts until somebody stops us."""
    while True:
        stack.check()
        time.sleep(0.5)


def main(run: Path = RUN) -> int:
    scenario = load("up", 0, datetime.now(UTC))
    try:
        settings = {**telling(run), **planned(dict(os.environ))}
        wanted = Wanted(scenario.subscriptions, run=run, ports=ports(dict(os.environ)), settings=settings)
        print("starting Azurite, the Azure simulator and the functions host ...", flush=True)
        with running(wanted) as stack:
            (run / TOLD).unlink(missing_ok=True)
            stack.subscribe_events()
            create_fleet(stack, scenario.machines)
            await_points(stack, scenario.machines)
            tagback = CommandLine(stack)
            for words in QUESTIONS:
                tagback.show(Screen(lambda: datetime.now(UTC)), *words)
            print(usage(stack), flush=True)
            keep(stack)
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
    except ValueError as problem:
        print(f"up: {problem}", file=sys.stderr)
        return BAD_INPUT
    except PartFailed as problem:
        print(f"up: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
