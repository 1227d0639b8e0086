"""Tagback's functions: each trigger decodes a key and hands it to its flow in `shared/flows`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import TypeVarTuple

import azure.functions as func

from shared import messages, wiring
from shared.errors import NewerRows
from shared.flows import draining, drilling, expiring, poisoned, reaping, receiving, registering, requesting, sweeping
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

Key = TypeVarTuple("Key")
STORAGE = "AzureWebJobsStorage"
Woken = tuple[str, str, datetime | None]  # the queue, the message, when it was put there
EVENT: Woken = ("", "", None)


def run(flow: Callable[[World, Rules, *Key], None], *key: *Key, woken: Woken | None = None) -> None:
    """Run a flow in this process's world. Rows of a newer version are that version's: nothing is done about them."""
    world, rules = wiring.from_environment()
    try:
        with world.telemetry.woken(*woken) if woken else nullcontext():
            flow(world, rules, *key)
    except NewerRows as newer:
        log.warning("flow.handed_back because=%r", str(newer))


@app.event_grid_trigger(arg_name="event")
def on_resource_event(event: func.EventGridEvent) -> None:
    run(receiving.receive, event.get_json(), woken=EVENT)


@app.queue_trigger(arg_name="message", queue_name=messages.EVENTS, connection=STORAGE)
def on_resource_event_queued(message: func.QueueMessage) -> None:
    run(receiving.receive, messages.parse_event(text(message)), woken=EVENT)


@app.queue_trigger(arg_name="message", queue_name=messages.VMS, connection=STORAGE)
def reconcile_vm(message: func.QueueMessage) -> None:
    run(registering.reconcile, messages.parse_vm(text(message)), woken=by(messages.VMS, message))


@app.timer_trigger(arg_name="timer", schedule="%TAGBACK_SWEEP%")
def sweep(timer: func.TimerRequest) -> None:
    run(sweeping.sweep)


@app.queue_trigger(arg_name="message", queue_name=messages.SHARDS, connection=STORAGE)
def drain_shard(message: func.QueueMessage) -> None:
    run(draining.drain, messages.parse_shard(text(message)))


@app.timer_trigger(arg_name="timer", schedule="%TAGBACK_EXPIRE%")
def expire(timer: func.TimerRequest) -> None:
    run(expiring.expire)


@app.timer_trigger(arg_name="timer", schedule="%TAGBACK_DRILL%")
def drill(timer: func.TimerRequest) -> None:
    run(drilling.drill)


@app.queue_trigger(arg_name="message", queue_name=messages.REAP, connection=STORAGE)
def reap_shard(message: func.QueueMessage) -> None:
    run(reaping.reap, messages.parse_shard(text(message)))


@app.queue_trigger(arg_name="message", queue_name=messages.REQUESTS, connection=STORAGE)
def run_request(message: func.QueueMessage) -> None:
    run(requesting.run, messages.parse_request(text(message)), woken=by(messages.REQUESTS, message))


@app.route(route="{*path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def api(req: func.HttpRequest) -> func.HttpResponse:
    reply = wiring.web(req.method, req.url, req.headers, req.get_body())
    return func.HttpResponse(reply.body, status_code=reply.status, headers=dict(reply.headers))


@app.queue_trigger(arg_name="message", queue_name=f"{messages.EVENTS}-poison", connection=STORAGE)
def on_events_poison(message: func.QueueMessage) -> None:
    run(poisoned.record, messages.EVENTS, text(message))


@app.queue_trigger(arg_name="message", queue_name=f"{messages.VMS}-poison", connection=STORAGE)
def on_vms_poison(message: func.QueueMessage) -> None:
    run(poisoned.record, messages.VMS, text(message))


@app.queue_trigger(arg_name="message", queue_name=f"{messages.SHARDS}-poison", connection=STORAGE)
def on_shards_poison(message: func.QueueMessage) -> None:
    run(poisoned.record, messages.SHARDS, text(message))


@app.queue_trigger(arg_name="message", queue_name=f"{messages.REAP}-poison", connection=STORAGE)
def on_reap_poison(message: func.QueueMessage) -> None:
    run(poisoned.record, messages.REAP, text(message))


@app.queue_trigger(arg_name="message", queue_name=f"{messages.REQUESTS}-poison", connection=STORAGE)
def on_requests_poison(message: func.QueueMessage) -> None:
    run(poisoned.record, messages.REQUESTS, text(message))


def text(message: func.QueueMessage) -> str:
    return messages.decoded(message.get_body())


def by(queue: str, message: func.QueueMessage) -> Woken:
    return queue, text(message), message.insertion_time
