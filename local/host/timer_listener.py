"""Fires one timer function by the wall clock, one run at a time.

Made by `host`, one per timer function. Never fires more than once for a stretch of missed occurrences.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from azure.core.exceptions import AzureError
from azure.functions.meta import Datum

from local.host.activity import Activity
from local.host.clock import Clock
from local.host.execution import Execution
from local.host.schedule import Schedule
from local.host.schedule_monitor import FOREVER, NEVER, ScheduleMonitor, ScheduleStatus, upcoming
from local.host.singleton import SingletonLock
from local.host.values import FunctionDefinition

log = logging.getLogger("host.timers")


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """Which function fires when; without a monitor nothing is remembered between starts."""

    function: FunctionDefinition
    schedule: Schedule
    zone: tzinfo | None
    run_on_startup: bool
    monitor: ScheduleMonitor | None
    lock: SingletonLock


def timer_datum(schedule: Schedule, status: ScheduleStatus | None, past_due: bool) -> Datum:
    payload: dict[str, Any] = {
        "Schedule": {"AdjustForDST": schedule.adjusts_for_dst},
        "ScheduleStatus": status.document() if status else None,
        "IsPastDue": past_due,
    }
    return Datum(json.dumps(payload), "json")


class TimerListener:
    def __init__(self, trigger: TimerTrigger, execution: Execution, activity: Activity, clock: Clock) -> None:
        self._trigger = trigger
        self._execution = execution
        self._activity = activity
        self._clock = clock

    async def run(self) -> None:
        async with self._trigger.lock.held():
            status = await self._start()
            while True:
                if status.next == FOREVER:
                    log.info("Timer '%s' has no further occurrence.", self._trigger.function.name)
                    await asyncio.Event().wait()
                await self._clock.until(status.next)
                status = await self._fire(status)

    async def _start(self) -> ScheduleStatus:
        """Bring the status up to date and make the run that is due at start, if one is."""
        now = self._clock.now()
        trigger = self._trigger
        if trigger.monitor is not None:
            with self._activity.step():
                status = await trigger.monitor.at_start(now)
        else:
            status = ScheduleStatus(NEVER, upcoming(trigger.schedule, now, trigger.zone), NEVER)
        if trigger.monitor is not None and now > status.next:
            return await self._fire(status, past_due=True)
        if trigger.run_on_startup:
            return await self._fire(status, at_startup=True)
        return status

    async def _fire(
        self, status: ScheduleStatus, *, past_due: bool = False, at_startup: bool = False
    ) -> ScheduleStatus:
        trigger = self._trigger
        began = self._clock.now()
        shown = status if trigger.monitor is not None else None
        await self._execution.run(trigger.function, timer_datum(trigger.schedule, shown, past_due))
        # Fired a little early: the occurrence that was meant counts, or it would fire twice.
        fired: datetime = began if past_due or at_startup else max(began, status.next)
        fired = fired.astimezone(trigger.zone)
        after = ScheduleStatus(fired, upcoming(trigger.schedule, fired, trigger.zone), fired)
        if trigger.monitor is not None:
            with self._activity.step():
                try:
                    await trigger.monitor.write(after)
                except AzureError as error:
                    log.warning("Timer '%s': status not written: %s", trigger.function.name, error)
        return after
