"""The twin of ports.Queue, and the queues themselves as Storage keeps them: hidden, counted, at least once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.world.steps import Call, Effect, Steps

POISON = "-poison"
OF_EVENTS = frozenset({"F23"})  # how an event is written ends with whoever reads it


@dataclass(eq=False, slots=True)
class Message:
    """One message: invisible until `visible_at`, how often it was handed out, and the faults that it came from."""

    number: int
    queue: str
    text: str
    visible_at: datetime
    sent_at: datetime
    dequeued: int = 0
    marks: frozenset[str] = frozenset()


class Queues:
    """Every queue with its poison queue, and who is told when a message becomes visible."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._sent = 0
        self.messages: dict[int, Message] = {}
        self.poison: list[Message] = []
        self.arrived: Callable[[Message], None] = lambda message: None

    def put(self, queue: str, text: str, delay: timedelta, marks: frozenset[str] = frozenset()) -> Message:
        self._sent += 1
        message = Message(self._sent, queue, text, self._now() + delay, self._now(), marks=marks)
        self.messages[message.number] = message
        self.arrived(message)
        return message

    def hide(self, message: Message, until: datetime) -> None:
        """Change when a message is visible again."""
        message.visible_at = until
        self.arrived(message)

    def delete(self, message: Message) -> None:
        self.messages.pop(message.number, None)

    def bury(self, message: Message) -> None:
        """Move a message to its poison queue."""
        self.delete(message)
        self.poison.append(message)
        self.put(f"{message.queue}{POISON}", message.text, timedelta(0), message.marks)


class QueueTwin:
    """Sends messages."""

    def __init__(self, queues: Queues, steps: Steps) -> None:
        self._queues = queues
        self._steps = steps

    def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        call = Call("queue", "queue.send", Effect.WRITE, queue, f"{queue} {text}")
        self._steps.before(call)
        worker = self._steps.scheduler.current
        self._queues.put(queue, text, delay, worker.invocation.marks - OF_EVENTS if worker else frozenset())
        self._steps.after(call)
