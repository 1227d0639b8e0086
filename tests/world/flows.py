"""The product's entry points as the twin host calls them, each as `function_app.py` does."""

from __future__ import annotations

from collections.abc import Callable

from shared.flows.draining import drain
from shared.flows.expiring import expire
from shared.flows.poisoned import record
from shared.flows.reaping import reap
from shared.flows.receiving import receive
from shared.flows.registering import reconcile
from shared.flows.requesting import run
from shared.flows.sweeping import sweep
from shared.messages import REAP, REQUESTS, SHARDS, VMS, parse_request, parse_shard, parse_vm
from shared.model.rules import Rules
from shared.ports import World
from tests.world.catalogue import rules
from tests.world.host import Flows
from tests.world.twins.queues import POISON


def product_flows(told: Rules | None = None) -> Flows:
    """The flows under the rules of the catalogue, or others."""
    given = told or rules()
    return Flows(
        sweep=lambda world: sweep(world, given),
        expire=lambda world: expire(world, given),
        receive=lambda world, event: receive(world, given, event),
        on_queue={
            VMS: lambda world, text: reconcile(world, given, parse_vm(text)),
            SHARDS: lambda world, text: drain(world, given, parse_shard(text)),
            REAP: lambda world, text: reap(world, given, parse_shard(text)),
            REQUESTS: lambda world, text: run(world, given, parse_request(text)),
            **{f"{queue}{POISON}": _poisoned(given, queue) for queue in (VMS, SHARDS, REAP, REQUESTS)},
        },
    )


def _poisoned(given: Rules, queue: str) -> Callable[[World, str], None]:
    return lambda world, text: record(world, given, queue, text)
