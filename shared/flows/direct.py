"""A restore from Azure alone, carried on in the caller's own process: no tables, no queue, no app.

Called by the command line for `--from-azure`. Points are read back from the snapshots' names and tags, the request is
kept in memory under an id that follows from what is wanted: the same command, begun again, goes on with what it finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.decide.naming import stamp
from shared.decide.recovery import Chosen, NothingFits
from shared.decide.remains import Remnant, place_of, points_of, remnant
from shared.errors import BadInput, CloudError, LostRace, Missing, Unknown
from shared.flows.choosing import chosen_point, with_point
from shared.flows.errand import Impossible, opened
from shared.flows.part_calls import parts_in_azure
from shared.flows.restoring import SOON, advance
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.point import Point
from shared.model.request import Asked, Progress, Request
from shared.model.restore import RestoreOrder
from shared.model.rules import Rules
from shared.ports import World
from shared.ports.storage import Models

ALONE = "--from-azure"
"""By whom a restore is that no ledger knows of."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A machine as its snapshots remember it: where it was, and its points, oldest first."""

    uid: VmUid
    id: ResourceId
    shard: Shard
    points: tuple[Point, ...]


@dataclass
class KeptRequests:
    """ports.Requests in this process: nobody else knows of them, so nobody can be faster."""

    kept: dict[str, Request] = field(default_factory=dict)

    def add(self, request: Request) -> None:
        if request.id in self.kept:
            raise LostRace(f"request {request.id} exists")
        self.kept[request.id] = request

    def find(self, request_id: str) -> Request | None:
        return self.kept.get(request_id)

    def settle(self, request: Request) -> Request:
        self.kept[request.id] = replace(request, revision=request.revision + 1)
        return self.kept[request.id]

    def unsettled(self) -> Sequence[Request]:
        return [one for one in self.kept.values() if one.progress is Progress.ASKED]

    def expired(self, now: datetime) -> Sequence[Request]:
        return ()

    def forget(self, before: datetime) -> None:
        return


class NoAudit:
    """ports.Audit where its storage may be gone: what is made carries the request's id, and the terminal says it."""

    def append(self, shard: Shard, at: datetime, lines: Sequence[str]) -> None:
        return


@dataclass(frozen=True, slots=True)
class SurvivingModels:
    """ports.Models as far as they can be reached; what cannot be had counts as missing."""

    models: Models

    def keep(self, model: Mapping[str, object]) -> str:
        return self.models.keep(model)

    def load(self, reference: str) -> Mapping[str, object]:
        try:
            return self.models.load(reference)
        except CloudError as error:
            raise Missing(error.code, error.message) from error


def alone(world: World) -> World:
    """The world without what may be lost: only Azure itself, and models as far as they can be had."""
    return replace(world, requests=KeptRequests(), audit=NoAudit(), models=SurvivingModels(world.models))


def remembered(world: World, rules: Rules) -> list[Remembered]:
    """Every machine of which Azure holds snapshots of ours."""
    found = []
    for subscription in sorted(rules.subscriptions):
        for shard in world.holdings.shards(subscription):
            by_uid: dict[VmUid, list[Remnant]] = {}
            for seen in parts_in_azure(world, rules, shard):
                if one := remnant(seen, rules):
                    by_uid.setdefault(one.uid, []).append(one)
            found += [_remembered(world, rules, shard, uid, held) for uid, held in sorted(by_uid.items())]
    return found


def _remembered(world: World, rules: Rules, shard: Shard, uid: VmUid, held: list[Remnant]) -> Remembered:
    return Remembered(uid, place_of(held, shard), shard, tuple(points_of(held, rules, world.clock.now())))


def meant(known: Iterable[Remembered], text: str) -> Remembered:
    """The machine of this name, `group/name`, id or vmId; of those made again under one name the newest."""
    wanted = text.strip().lower()
    names = [one for one in known if wanted in (one.uid, one.id.name, f"{one.id.group}/{one.id.name}", str(one.id))]
    if not names:
        raise Unknown(f"no snapshot in Azure is of a VM {text!r}")
    newest = {one.id: one for one in sorted(names, key=lambda one: one.points[-1].slot)}
    if len(newest) > 1:
        raise BadInput([f"{len(newest)} VMs are named {text!r}; give one of these ids instead:", *map(str, newest)])
    return next(iter(newest.values()))


def restore(
    world: World, rules: Rules, machine: Remembered, order: RestoreOrder, tell: Callable[[Request], None]
) -> Request:
    """Bring a machine back and stay with it to the end; `tell` is called with each change of the request."""
    chosen = chosen_point(machine.points, order, world.clock.now())
    if isinstance(chosen, NothingFits):
        raise BadInput([f"{machine.id.name} cannot be restored: {chosen.because}"])
    asked = _request(world, machine, order, chosen)
    world.requests.add(asked)
    answer = with_point(opened(world, rules, asked), machine.id, chosen)
    if isinstance(answer, Impossible):
        raise BadInput([f"{machine.id.name} cannot be restored: {answer.because}"])
    now = answer.request
    while now.progress is Progress.ASKED:
        tell(now)
        after = advance(world, rules, now)
        now = world.requests.find(asked.id) or now
        world.clock.sleep((after or SOON).total_seconds())
    tell(now)
    return now


def _request(world: World, machine: Remembered, order: RestoreOrder, chosen: Chosen) -> Request:
    wish = (machine.uid, stamp(chosen.point.slot), order.mode, order.group, order.name, order.subnet)
    identity = hashlib.sha256("|".join(wish).encode()).hexdigest()[:32]
    return Request(
        id=identity,
        asked=Asked.RESTORE,
        shard=machine.shard,
        uid=machine.uid,
        by=ALONE,
        at=world.clock.now(),
        progress=Progress.ASKED,
        order=order,
    )
