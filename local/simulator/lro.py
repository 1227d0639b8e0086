"""Long-running operations: how they are accepted, how they end in virtual time, and their status documents.

Providers begin one and name the work that ends it; the schedule ends it. What clients are told is in acceptance.py.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from sys import intern
from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, encode
from local.simulator.paces import DURATIONS, SHORTEST_SECONDS
from local.simulator.schedule import Happening
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World


class Family(StrEnum):
    """Whose status documents and URLs an operation has; the value is the URL's collection."""

    DISK = "Microsoft.Compute/locations/{location}/DiskOperations"
    COMPUTE = "Microsoft.Compute/locations/{location}/operations"
    GALLERY = "Microsoft.Compute/locations/{location}/capsOperations"
    NETWORK = "Microsoft.Network/locations/{location}/operations"
    EVENT_GRID = "Microsoft.EventGrid/locations/{location}/operationsStatus"
    GROUP = "operationresults"
    DEPLOYMENT = "operationStatuses"
    VAULT = "operationStatus"
    BACKUP = "operationsStatus"


class Timing(StrEnum):
    """How long operations take: as recorded, always the longest recorded, or hardly at all."""

    RECORDED = "recorded"
    LONGEST = "longest"
    SHORTEST = "shortest"


@dataclass(slots=True)
class Operation:
    """One piece of accepted work."""

    id: str
    family: Family
    work: str
    target: str
    sequence: int
    subscription: str
    location: str
    started: float
    due: float | None
    arguments: Document
    notice: Document | None
    fate: str = "succeed"
    status: str = "InProgress"
    ended: float | None = None
    output: bytes | None = None
    error: Document | None = None
    wait: int | None = None
    blamed: str = ""  # the code of an injected failure, where a rule names one


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done after the answer: the finisher's name, on what, and how long it takes."""

    name: str
    family: Family
    target: Resource
    location: str
    pace: str
    arguments: Document
    waits: bool = False  # ends when somebody says so, not by the clock
    wait: int | None = None  # seconds the client is told to wait; 0 says nothing, None what its family usually says
    starts_job: bool = False  # ends once a job is made; how that fares is the job's own matter


Finisher = Callable[["World", Operation, float], Document | None]
Mourner = Callable[["World", Operation, float], None]
# Which may be done before anybody asks (recorded); clients that find them undone wait for a minute.
AT_ONCE = frozenset({Family.VAULT, Family.BACKUP})
# Whose failure is their own and not the state of the resource they work on.
APART = frozenset({Family.BACKUP})

KEPT_SECONDS = 24 * 3600.0


class Operations:
    """All operations under way and those of the last day."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._held: dict[str, Operation] = {}
        self.finishers: dict[str, Finisher] = {}
        self.mourners: dict[str, Mourner] = {}  # what is to be done, besides, when work failed
        self.timing = Timing.RECORDED
        world.schedule.fire["operation"] = self._fire
        for key, record in world.journal.recall("operation"):
            self._held[key] = _revived(record)

    def get(self, operation_id: str) -> Operation | None:
        """Return an operation, in any letter case; a lost one does its work but cannot be asked for."""
        found = self._held.get(operation_id.lower())
        return None if found is None or found.fate == "lose" else found

    def begin(self, call: "Call", work: Work) -> Operation:
        """Accept work; a fault rule may decide how it ends."""
        world = self._world
        fate = str(call.fault.effect.get("lro", "succeed")) if call.fault else "succeed"
        if work.starts_job and fate != "lose":
            fate = "succeed"
        due = call.now + self._seconds(work)
        operation = Operation(
            world.chance.guid(),
            work.family,
            work.name,
            work.target.key,
            work.target.sequence,
            intern(work.target.key.split("/")[2]),
            work.location,
            call.now,
            None if fate == "hang" or work.waits else due,
            work.arguments,
            world.notices.of(call),
            fate,
            wait=work.wait,
            blamed=str(call.fault.effect.get("code", "")) if call.fault else "",
        )
        self._forget(call.now)
        self._held[operation.id] = operation
        if operation.due is not None:
            world.schedule.enter(operation.due, "operation", operation.id)
        self.keep(operation)
        return operation

    def _seconds(self, work: Work) -> float:
        median, longest = DURATIONS[work.pace]
        if self.timing is not Timing.RECORDED:
            least = 0.0 if work.family in AT_ONCE else min(median, SHORTEST_SECONDS)
            return longest if self.timing is Timing.LONGEST else least
        share = self._world.chance.share(f"{work.name} {work.target.key} {work.target.revision}")
        # Half the draws lie below the median, the last tenth stretches towards the longest.
        return median * (0.6 + 0.8 * share) + (longest - median) * max(0.0, share - 0.9) * 10 * share

    def _forget(self, now: float) -> None:
        old = []
        for operation in self._held.values():
            if now - (operation.started if operation.ended is None else operation.ended) < KEPT_SECONDS:
                break
            if operation.ended is not None:  # one that never ends can be asked for ever
                old.append(operation.id)
        for name in old:
            del self._held[name]
            self._world.journal.put("operation", name, None)

    def keep(self, operation: Operation) -> None:
        """Write an operation to the journal."""
        if self._world.journal.keeps():
            output = operation.output and operation.output.decode()
            self._world.journal.put("operation", operation.id, {**asdict(operation), "output": output})

    def _fire(self, happening: Happening) -> None:
        operation = self._held.get(happening.target)
        if operation is not None and operation.ended is None:
            self.end(operation, happening.due)

    def _finished(self, operation: Operation, at: float) -> Document | None:
        try:
            return self.finishers[operation.work](self._world, operation, at)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise _unreadable(error) from error

    def end(self, operation: Operation, at: float, error: ArmError | None = None) -> None:
        """End an operation: do its work or mark what it left behind as failed."""
        world = self._world
        target = world.store.get(operation.target)
        if target is not None and target.sequence != operation.sequence:
            error = error or ArmError(409, "Conflict", "The resource was replaced while the operation was running.")
            target = None
        try:
            if error is not None:
                raise error
            if operation.fate in ("fail", "cancel"):
                raise _injected(operation)
            output = self._finished(operation, at)
            operation.status = "Succeeded"
            operation.output = _shared(encode(output), target) if output is not None else None
        except ArmError as refusal:
            operation.status = "Canceled" if operation.fate == "cancel" else "Failed"
            operation.error = refusal.document()
            if target is not None and target.gone is None and operation.family not in APART:
                _mark(world, target, operation.status, at)
            if operation.work in self.mourners:
                self.mourners[operation.work](world, operation, at)
        operation.ended = at
        operation.arguments = {}
        notice, operation.notice = operation.notice, None
        self.keep(operation)
        if notice is not None:
            world.events.raise_event(notice, operation.status, at)


def _revived(record: Document) -> Operation:
    output = record["output"] and record["output"].encode()
    return Operation(**{**record, "family": Family(record["family"]), "output": output})


def _shared(output: bytes, target: Resource | None) -> bytes:
    """Keep what an operation gave only once where it is the whole resource; two hundred thousand of them add up."""
    return target.body if target is not None and target.body == output else output


def _unreadable(error: Exception) -> ArmError:
    """Work that stumbles over a body it cannot read fails, as it would on the platform."""
    return ArmError(400, "InvalidParameter", f"The request could not be carried out: {type(error).__name__} {error}.")


def _injected(operation: Operation) -> ArmError:
    if operation.fate == "cancel":
        return ArmError(409, "OperationPreempted", "Operation execution has been preempted by a more recent operation.")
    code = operation.blamed or "InternalExecutionError"
    return ArmError(500, code, "An internal execution error occurred. Please retry later.")


def _mark(world: "World", target: Resource, status: str, at: float) -> None:
    document = target.document()
    document.setdefault("properties", {})["provisioningState"] = status
    world.store.write(target, document, at)
