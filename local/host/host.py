"""Puts a functions host together for one app, starts its listeners and stops them.

Called by `__main__`. Everything with a life of its own is started and ended here, nowhere else.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Coroutine
from typing import Any
from zoneinfo import ZoneInfo

from local.host import schedule
from local.host.activity import Activity
from local.host.admin import Admin, HostState
from local.host.clock import Clock
from local.host.control import Control
from local.host.event_grid import EventGridWebhook
from local.host.execution import Execution
from local.host.front import Front, Parts
from local.host.http_trigger import HttpTriggers, http_function
from local.host.keys import Keys, KeyStore
from local.host.options import HostOptions, read_options
from local.host.outputs import QueueOutputs
from local.host.queue_census import QueueCensus
from local.host.queue_listener import QueueListener
from local.host.queue_message import poison_queue
from local.host.queue_processor import QueueProcessor, QueueTrigger
from local.host.routes import RouteError
from local.host.schedule_monitor import ScheduleMonitor
from local.host.singleton import SingletonLock
from local.host.storage import DEFAULT_CONNECTION, Storage
from local.host.surroundings import Surroundings
from local.host.timer_listener import TimerListener, TimerTrigger
from local.host.values import FunctionDefinition, FunctionInError, HostError
from local.host.worker import Worker

log = logging.getLogger("host")
TRIGGERS = {"eventGridTrigger", "queueTrigger", "timerTrigger", "httpTrigger"}
BINDINGS = TRIGGERS | {"queue", "http"}
CONTAINER = "azure-webjobs-hosts"
LAST_MOMENTS = 0.4


def check_bindings(functions: tuple[FunctionDefinition, ...]) -> None:
    for function in functions:
        for binding in function.bindings:
            if binding.type not in BINDINGS:
                raise HostError(f"function '{function.name}': bindings of type '{binding.type}' are not supported here")


class Host:
    def __init__(self, given: Surroundings, clock: Clock, activity: Activity, worker: Worker) -> None:
        self._given = given
        self._clock = clock
        self._activity = activity
        self._options: HostOptions = read_options(given.app, given.settings)
        check_bindings(worker.functions)
        allowed = self._options.allowed
        self._functions = {f.name.lower(): f for f in worker.functions if allowed is None or f.name.lower() in allowed}
        self._storage = Storage(given.settings)
        outputs = QueueOutputs(self._storage, given.settings, self._options.queues.base64)
        outputs.on_sent = self._wake
        self._execution = Execution(worker, outputs, clock, activity, self._options.function_timeout)
        self._errors: dict[str, str] = {}
        self._queues: list[QueueListener] = []
        self._timers: list[TimerListener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._front: Front | None = None

    @property
    def names(self) -> list[str]:
        return [function.name for function in self._functions.values()]

    async def start(self) -> Keys:
        """Check storage, make keys, answer HTTP, then let listeners go."""
        needy = any(f.trigger.type in ("queueTrigger", "timerTrigger") for f in self._functions.values())
        if needy and not self._storage.is_configured:
            raise HostError(f"missing value for {DEFAULT_CONNECTION} in settings; queues and timers need it", 2)
        if self._storage.is_configured:
            await self._storage.check()
        http = tuple(f.name for f in self._functions.values() if f.trigger.type == "httpTrigger")
        blobs = self._storage.blobs() if self._storage.is_configured else None
        keys = await KeyStore(blobs, self._given.host_id, self._given.settings).keys(http)
        front_parts = self._parts(keys)
        self._front = Front(front_parts, self._activity)
        await self._front.start(self._given.listening)
        listening = [*(listener.run() for listener in self._queues), *(listener.run() for listener in self._timers)]
        self._tasks = [asyncio.ensure_future(_kept_alive(work)) for work in listening]
        return keys

    async def stop(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._finish(), LAST_MOMENTS)

    async def _finish(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._front is not None:
            await self._front.stop()
        await self._storage.close()

    def _wake(self, queue: str) -> None:
        for listener in self._queues:
            if listener.queue_name == queue:
                listener.notify()

    def _parts(self, keys: Keys) -> Parts:
        settings = self._given.settings
        http, event_grid = [], {}
        for function in self._functions.values():
            disabled = settings.is_disabled(function.name)
            try:
                if function.trigger.type == "httpTrigger":
                    http.append(http_function(function, disabled))
                elif function.trigger.type == "eventGridTrigger" and not disabled:
                    event_grid[function.name] = function
                elif not disabled:
                    self._listen(function)
            except (FunctionInError, RouteError, schedule.ScheduleError) as error:
                self._errors[function.name] = str(error)
                log.error("The '%s' function is in error: %s", function.name, error)
        began = time.monotonic()
        state = HostState(self._given.host_id, began, self._errors, lambda: time.monotonic() - began)
        return Parts(
            Control(self._clock, self._activity, QueueCensus(self._storage, self._queues)),
            Admin(self._functions, keys, self._execution, state, settings.resolve, settings.is_disabled),
            EventGridWebhook(event_grid, keys, self._execution),
            HttpTriggers(http, keys, self._execution),
            self._options.route_prefix,
        )

    def _listen(self, function: FunctionDefinition) -> None:
        if function.trigger.type == "queueTrigger":
            self._queues.append(self._queue_listener(function))
        else:
            trigger = self._timer_trigger(function)
            self._timers.append(TimerListener(trigger, self._execution, self._activity, self._clock))

    def _queue_listener(self, function: FunctionDefinition) -> QueueListener:
        resolve = self._given.settings.resolve
        name = resolve(function.trigger.text("queueName")).lower()
        connection = resolve(function.trigger.text("connection"))
        poison = poison_queue(name)
        trigger = QueueTrigger(
            function,
            self._storage.queue(connection, name),
            self._storage.queue(connection, poison) if poison else None,
            connection,
        )
        return QueueListener(
            QueueProcessor(
                trigger, self._options.queues, self._execution, self._activity, self._clock, on_poisoned=self._wake
            )
        )

    def _timer_trigger(self, function: FunctionDefinition) -> TimerTrigger:
        binding = function.trigger
        parsed = schedule.parse(self._given.settings.resolve(binding.text("schedule")))
        named_zone = self._given.settings.get("WEBSITE_TIME_ZONE")
        zone = ZoneInfo(named_zone) if named_zone else None
        monitored = binding.properties.get("useMonitor") is not False and not parsed.is_sub_minute
        blobs = self._storage.blobs()
        status = blobs.get_blob_client(CONTAINER, f"timers/{self._given.host_id}/Host.Functions.{function.name}/status")
        lock = f"locks/{self._given.host_id}/Host.Functions.{function.name}.Listener"
        return TimerTrigger(
            function,
            parsed,
            zone,
            binding.properties.get("runOnStartup") is True,
            ScheduleMonitor(status, parsed, zone) if monitored else None,
            SingletonLock(blobs.get_container_client(CONTAINER), lock, self._clock, self._activity),
        )


async def _kept_alive(work: Coroutine[Any, Any, None]) -> None:
    """A listener that dies takes the host with it: silence would look like an empty queue."""
    try:
        await work
    except Exception:
        log.exception("a listener failed")
        os._exit(70)
