"""What a caller may ask for where: a role may hold in some subscriptions only. Used by writes.py.

Every request names the shard that it is about when it is filed, whatever its kind, and that is where it is judged. What
is about the whole installation is asked for by those whose role holds everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import Forbidden
from shared.model import approval
from shared.model.caller import Caller, Role
from shared.model.identity import EVERYWHERE, Shard, subscription_of
from shared.model.request import Request
from shared.ports import World
from shared.ports.storage import Approvals, Requests


def admit(caller: Caller, role: Role, shard: Shard) -> None:
    """Forbidden where the caller's role does not hold."""
    if shard == EVERYWHERE:
        if role not in caller.roles:
            raise Forbidden(f"this is about every subscription, and {caller.oid} has {role} in some only")
    elif not caller.may(role, shard.subscription):
        raise Forbidden(f"{caller.oid} has not been given the app role {role} in subscription {shard.subscription}")


def within(world: World, caller: Caller) -> World:
    """The world in which the caller files requests, and agrees to deletions, where they may."""
    requests, approvals = RequestsOf(world.requests, caller), ApprovalsOf(world.approvals, caller)
    return replace(world, requests=requests, approvals=approvals)


@dataclass(frozen=True, slots=True)
class RequestsOf:
    """ports.Requests of one caller: none is added where their role does not hold."""

    requests: Requests
    caller: Caller

    def add(self, request: Request) -> None:
        admit(self.caller, Role.REQUEST, request.shard)
        _admit_target(self.caller, request)
        self.requests.add(request)

    def find(self, request_id: str) -> Request | None:
        return self.requests.find(request_id)

    def settle(self, request: Request) -> Request:
        return self.requests.settle(request)

    def unsettled(self) -> Sequence[Request]:
        return self.requests.unsettled()

    def expired(self, now: datetime) -> Sequence[Request]:
        return self.requests.expired(now)

    def forget(self, before: datetime) -> None:
        self.requests.forget(before)


@dataclass(frozen=True, slots=True)
class ApprovalsOf:
    """ports.Approvals of one caller: none is changed where their role does not hold."""

    approvals: Approvals
    caller: Caller

    def of(self, shard: Shard) -> approval.Approvals:
        return self.approvals.of(shard)

    def change(self, shard: Shard, approvals: approval.Approvals) -> None:
        admit(self.caller, Role.APPROVE, shard)
        self.approvals.change(shard, approvals)


def _admit_target(caller: Caller, request: Request) -> None:
    """A restore reaches beyond its own subscription by its group, its subnet, the storage account that its vault leaves
    something in, and the machine that reads files."""
    order = request.order
    for place in (order.group, order.subnet, order.staging, order.reader) if order else ():
        if subscription := subscription_of(place):
            admit(caller, Role.REQUEST, replace(request.shard, subscription=subscription))
