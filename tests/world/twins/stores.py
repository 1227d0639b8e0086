"""The twins of the small stores: VM models, audit lines, requests, and leases of shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.cloud.poisoned import presentable
from shared.decide.naming import model_reference
from shared.errors import LostRace, Missing
from shared.model.draining import Lease
from shared.model.identity import Shard
from shared.model.request import Asked, PoisonedMessage, Progress, Request
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.witness import Witness


class ModelsTwin:
    """VM models, kept under the hash of their content."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.kept: dict[str, Mapping[str, object]] = {}

    def keep(self, model: Mapping[str, object]) -> str:
        reference = model_reference(model)
        call = Call("blob", "models.keep", Effect.WRITE, subject=reference[:8])
        self._steps.before(call)
        self.kept.setdefault(reference, dict(model))
        self._steps.after(call)
        return reference

    def load(self, reference: str) -> Mapping[str, object]:
        call = Call("blob", "models.load", Effect.READ, subject=reference[:8])
        self._steps.before(call)
        if reference not in self.kept:
            raise Missing("BlobNotFound", f"there is no model {reference}")
        answer = self.kept[reference]
        self._steps.after(call)
        return answer


class AuditTwin:
    """The append-only log."""

    def __init__(self, steps: Steps, witness: Witness) -> None:
        self._steps = steps
        self._witness = witness
        self.lines: list[tuple[Shard, datetime, str]] = []

    def append(self, shard: Shard, at: datetime, lines: Sequence[str]) -> None:
        call = Call("blob", "audit.append", Effect.WRITE, str(shard), str(len(lines)))
        self._steps.before(call)
        self.lines += [(shard, at, line) for line in lines]
        self._witness.audit_written(shard, at, lines)
        self._steps.after(call)


class RequestsTwin:
    """What people asked for."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.asked: dict[str, Request] = {}

    def add(self, request: Request) -> None:
        call = Call("table", "requests.add", Effect.WRITE, subject=request.id)
        self._steps.before(call)
        if request.id in self.asked:
            raise LostRace(f"request {request.id} exists")
        self.asked[request.id] = request
        self._steps.after(call)

    def find(self, request_id: str) -> Request | None:
        call = Call("table", "requests.find", Effect.READ, subject=request_id)
        self._steps.before(call)
        answer = self.asked.get(request_id)
        self._steps.after(call)
        return answer

    def settle(self, request: Request) -> Request:
        call = Call("table", "requests.settle", Effect.WRITE, subject=request.id)
        self._steps.before(call)
        present = self.asked.get(request.id)
        if present is None or present.progress is not Progress.ASKED or present.revision != request.revision:
            raise LostRace(f"request {request.id} changed")
        newer = self.asked[request.id] = replace(request, revision=request.revision + 1)
        self._steps.after(call)
        return newer

    def unsettled(self) -> Sequence[Request]:
        call = Call("table", "requests.unsettled", Effect.READ)
        self._steps.before(call)
        answer = [one for _, one in sorted(self.asked.items()) if one.progress is Progress.ASKED]
        self._steps.after(call)
        return answer

    def expired(self, now: datetime) -> Sequence[Request]:
        call = Call("table", "requests.expired", Effect.READ)
        self._steps.before(call)
        answered = [one for one in self.asked.values() if one.progress is not Progress.ASKED and one.restore]
        restores = [one for one in answered if one.asked in (Asked.RESTORE, Asked.DRILL)]
        answer = [one for one in restores if one.restore and one.restore.expires <= now]
        self._steps.after(call)
        return answer

    def forget(self, before: datetime) -> None:
        call = Call("table", "requests.forget", Effect.WRITE)
        self._steps.before(call)
        old = [one for one in self.asked.values() if one.at < before and one.progress is not Progress.ASKED]
        for request in old:
            del self.asked[request.id]
        self._steps.after(call)


class PoisonedTwin:
    """What could not be served."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._kept: dict[tuple[str, str], PoisonedMessage] = {}

    def keep(self, message: PoisonedMessage) -> None:
        call = Call("table", "poisoned.keep", Effect.WRITE, subject=message.queue)
        self._steps.before(call)
        kept = presentable(message)
        self._kept.setdefault((kept.queue, kept.text), kept)
        self._steps.after(call)

    def lose(self) -> None:
        """The table is lost."""
        self._kept.clear()

    def forget(self, before: datetime) -> None:
        call = Call("table", "poisoned.forget", Effect.WRITE)
        self._steps.before(call)
        self._kept = {key: message for key, message in self._kept.items() if message.at >= before}
        self._steps.after(call)

    def kept(self) -> Sequence[PoisonedMessage]:
        call = Call("table", "poisoned.kept", Effect.READ)
        self._steps.before(call)
        answer = list(self._kept.values())
        self._steps.after(call)
        return answer


class LeasesTwin:
    """Who drains which shard."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._given = 0
        self.held: dict[Shard, Lease] = {}

    def take(self, shard: Shard, holder: str, now: datetime, until: datetime) -> Lease | None:
        call = Call("table", "leases.take", Effect.WRITE, str(shard), str(shard))
        self._steps.before(call)
        present = self.held.get(shard)
        lease = None
        if present is None or present.until < now:
            self._given += 1
            lease = self.held[shard] = Lease(shard, holder, until, f"l{self._given}")
        self._steps.after(call)
        return lease

    def give_back(self, lease: Lease) -> None:
        call = Call("table", "leases.give_back", Effect.WRITE, str(lease.shard), str(lease.shard))
        self._steps.before(call)
        present = self.held.get(lease.shard)
        if present is not None and present.etag == lease.etag:
            del self.held[lease.shard]
        self._steps.after(call)
