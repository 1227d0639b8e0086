"""The product's entry points as the twin host calls them, each as `function_app.py` does."""

from __future__ import annotations

from collections.abc import Callable

from shared.flows.draining import drain
from shared.flows.drilling import drill
from shared.flows.expiring import expire
from shared.flows.poisoned import record
from shared.flows.reaping import reap
from shared.flows.receiving import receive
from shared.flows.registering import reconcile
from shared.flows.requesting import run
from shared.flows.sweeping import sweep
from shared.messages import REAP, REQUESTS, SHARDS, VMS, parse_request, parse_shard, parse_vm
from shared.ports import World
from tests.world.host import Flows
from tests.world.plan_file import PlanFile
from tests.world.twins.queues import POISON


def product_flows(told: PlanFile) -> Flows:
    """The flows, each call of one under the rules that stand when it begins."""
    return Flows(
        sweep=lambda world: sweep(world, told.rules),
        expire=lambda world: expire(world, told.rules),
        drill=lambda world: drill(world, told.rules),
        receive=lambda world, event: receive(world, told.rules, event),
        on_queue={
            VMS: lambda world, text: reconcile(world, told.rules, parse_vm(text)),
            SHARDS: lambda world, text: drain(world, told.rules, parse_shard(text)),
            REAP: lambda world, text: reap(world, told.rules, parse_shard(text)),
            REQUESTS: lambda world, text: run(world, told.rules, parse_request(text)),
            **{f"{queue}{POISON}": _poisoned(told, queue) for queue in (VMS, SHARDS, REAP, REQUESTS)},
        },
    )


def _poisoned(told: PlanFile, queue: str) -> Callable[[World, str], None]:
    return lambda world, text: record(world, told.rules, queue, text)
