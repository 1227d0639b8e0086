"""Carries events to webhooks: handshakes, deliveries and the documented retry ladder, in virtual time.

The only part of the simulator that calls out. Started by the server; the schedule says when, this says how it went.
"""

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.simulator.answers import ArmError, Document
from local.simulator.clock import iso
from local.simulator.events import Delivery
from local.simulator.store import Resource
from local.simulator.transport import aiohttp

if TYPE_CHECKING:
    from local.simulator.world import World

# Documented: the ladder, the least wait by answer, and the answers after which nothing is tried again.
LADDER = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 10800.0, 21600.0, 43200.0)
LEAST = {401: 300.0, 403: 300.0, 404: 300.0, 408: 120.0, 503: 30.0}
FINAL = frozenset({400, 401, 413})
DONE = frozenset({200, 201, 202, 203, 204})
HELD_SECONDS = 1.0
ANSWER_SECONDS = 30.0
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
REFUSED = (
    "Webhook validation handshake failed for {url}. Http POST request failed with response code {status}. "
    "For troubleshooting, visit https://aka.ms/esvalidation."
)


class Courier:
    """Sends what is due, a few at a time."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._tasks: set[asyncio.Task[None]] = set()
        self._greetings: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(16)
        self._session: aiohttp.ClientSession | None = None
        world.events.send = lambda delivery: self._spawn(self._deliver(delivery))
        world.events.greet = lambda subscription, operation: self._spawn(self._greet_for(subscription, operation))

    @property
    def busy(self) -> bool:
        """Tell whether anything is on its way."""
        return bool(self._tasks)

    async def start(self) -> None:
        """Open the connection pool and greet seeded subscriptions."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(ssl=False))
        for subscription in list(self._world.events.subscriptions.values()):
            if not (subscription.notes or {}).get("validated"):
                task = asyncio.get_running_loop().create_task(self._greet_until_heard(subscription))
                self._greetings.add(task)
                task.add_done_callback(self._greetings.discard)

    async def close(self) -> None:
        """Drop what is on its way and close the pool."""
        running = [*self._tasks, *self._greetings]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _greet_for(self, subscription: Resource, operation_id: str) -> None:
        """Shake hands with a new subscription's endpoint; the operation ends as the handshake does."""
        status = await self._handshake(subscription)
        operation = self._world.operations.get(operation_id)
        if operation is None or operation.ended is not None:
            return
        url = (subscription.notes or {}).get("endpointUrl", "")
        error = None if status == 200 else ArmError(400, "Url validation", REFUSED.format(url=url, status=status))
        now = self._world.clock.now()
        self._world.operations.end(operation, now, error)
        if error is not None and subscription.gone is None:
            self._world.store.remove(subscription, now)

    async def _greet_until_heard(self, subscription: Resource) -> None:
        """A seeded endpoint may not be up yet."""
        while subscription.gone is None and await self._handshake(subscription) != 200:
            await asyncio.sleep(0.25)

    async def _handshake(self, subscription: Resource) -> int:
        """Return 200 where the endpoint answered the code, else the answer's status, 0 for none."""
        notes = subscription.notes or {}
        url = str(notes.get("endpointUrl", ""))
        status = 200 if urlsplit(url).hostname not in LOCAL else await self._shake(url, notes, subscription)
        if status == 200:
            subscription.notes = {**notes, "validated": True}
            self._world.store.touch(subscription, self._world.clock.now())
        self._world.activity += 1
        return status

    async def _shake(self, url: str, notes: Document, subscription: Resource) -> int:
        assert self._session is not None
        name = subscription.id.rsplit("/", 1)[-1].upper()
        try:
            if notes.get("schema") == "CloudEventSchemaV1_0":
                headers = {"WebHook-Request-Origin": "eventgrid.azure.net"}
                async with self._session.options(url, headers=headers) as answer:
                    return (
                        200
                        if answer.headers.get("WebHook-Allowed-Origin") in ("*", "eventgrid.azure.net")
                        else answer.status
                    )
            code = self._world.chance.guid()
            self._world.events.codes[code] = subscription.key
            event = _validation(self._world, subscription, code)
            headers = {"aeg-event-type": "SubscriptionValidation", "aeg-subscription-name": name}
            async with self._session.post(url, json=[event], headers=headers) as answer:
                if answer.status != 200:
                    return answer.status
                said = json.loads(await answer.read())
                return 200 if said.get("validationResponse") == code else 202
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, AttributeError):
            return 0

    async def _deliver(self, delivery: Delivery) -> None:
        subscription = self._world.store.get(delivery.subscription)
        now = self._world.clock.now()
        if subscription is None:
            self._finish(delivery, "subscription deleted")
        elif not (subscription.notes or {}).get("validated"):
            self._world.events.again(delivery, now + HELD_SECONDS)
        else:
            async with self._turns:
                status = await self._post(delivery, subscription)
            self._judge(delivery, subscription, status)
        self._world.activity += 1

    async def _post(self, delivery: Delivery, subscription: Resource) -> int:
        assert self._session is not None
        notes = subscription.notes or {}
        headers = {
            "aeg-event-type": "Notification",
            "aeg-subscription-name": subscription.id.rsplit("/", 1)[-1].upper(),
            "aeg-delivery-count": str(len(delivery.attempts)),
            "aeg-data-version": str(delivery.event["dataVersion"]),
            "aeg-metadata-version": "1",
            "Content-Type": "application/json; charset=utf-8",
        }
        body: Document | list[Document] = [delivery.event]
        if notes.get("schema") == "CloudEventSchemaV1_0":
            headers["Content-Type"] = "application/cloudevents+json; charset=utf-8"
            body = cloud_event(delivery.event)
        sent = self._world.clock.now()
        status = 0
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with self._session.post(delivery.endpoint, data=json.dumps(body), headers=headers) as answer:
                await answer.read()
                status = answer.status
        delivery.attempts.append({"at": iso(sent), "status": status or None})
        return status

    def _judge(self, delivery: Delivery, subscription: Resource, status: int) -> None:
        policy = subscription.document()["properties"].get("retryPolicy") or {}
        attempts = len(delivery.attempts)
        now = self._world.clock.now()
        wait = max(LADDER[min(attempts, len(LADDER)) - 1], LEAST.get(status, 10.0))
        wait *= 1 + 0.1 * self._world.chance.share(f"retry {delivery.id} {attempts}")
        if status in DONE:
            self._finish(delivery, "delivered")
        elif status in FINAL:
            self._finish(delivery, f"given up after {status}")
        elif attempts >= int(policy.get("maxDeliveryAttempts", 30)):
            self._finish(delivery, "MaxDeliveryAttemptsExceeded")
        elif now + wait - delivery.born > 60 * int(policy.get("eventTimeToLiveInMinutes", 1440)):
            self._finish(delivery, "TimeToLiveExceeded")
        else:
            self._world.events.again(delivery, now + wait)

    def _finish(self, delivery: Delivery, state: str) -> None:
        delivery.state = state
        self._world.events.save(delivery)


def _validation(world: "World", subscription: Resource, code: str) -> Document:
    topic = subscription.document()["properties"]["topic"]
    return {
        "id": world.chance.guid(),
        "topic": topic,
        "subject": "",
        "data": {
            "validationCode": code,
            "validationUrl": f"{world.url}/_sim/validate?id={code}",
        },
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": iso(world.clock.now()),
        "metadataVersion": "1",
        "dataVersion": "2",
    }


def cloud_event(event: Document) -> Document:
    """Write an event in the CloudEvents schema (documented)."""
    return {
        "id": event["id"],
        "source": event["topic"],
        "specversion": "1.0",
        "type": event["eventType"],
        "subject": event["subject"],
        "time": event["eventTime"],
        "data": event["data"],
    }
