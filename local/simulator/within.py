"""Writes that the simulator makes for somebody whose request stands for several: with their rights, their events.

Called by template deployments, long after the request itself was answered. Buckets are not charged: the caller sent
one request.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.simulator import refusals
from local.simulator.answers import Document, encode
from local.simulator.call import Call, Principal
from local.simulator.routing import Routes

if TYPE_CHECKING:
    from local.simulator.templates import Wanted
    from local.simulator.world import World


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, and what their events will say."""

    principal: Principal
    base_url: str
    correlation: str

    @classmethod
    def of(cls, call: Call) -> "Caller":
        """Take from a request what is needed later."""
        return cls(call.principal, call.base_url, call.correlation)

    @classmethod
    def again(cls, state: Document) -> "Caller":
        """Read what `state` wrote."""
        principal = Principal(str(state["oid"]), state["claims"])
        return cls(principal, str(state["base_url"]), str(state["correlation"]))

    def state(self) -> dict[str, Any]:
        """Write it down for the journal."""
        claims = dict(self.principal.claims)
        return {
            "oid": self.principal.oid,
            "claims": claims,
            "base_url": self.base_url,
            "correlation": self.correlation,
        }


def call_for(world: "World", routes: Routes, caller: Caller, wanted: "Wanted", at: float) -> Call:
    """Make the request that a resource of a template stands for, or refuse a type that has no route."""
    match = routes.find("PUT", [part for part in wanted.id.split("/") if part])
    if match is None:
        raise refusals.unknown("PUT", wanted.id)
    return Call(
        method="PUT",
        path=wanted.id,
        target=f"{wanted.id}?api-version={wanted.version}",
        query={"api-version": wanted.version},
        base_url=caller.base_url,
        now=at,
        principal=caller.principal,
        raw=encode(wanted.body),
        headers={},
        route=match.route,
        names=dict(match.names),
        correlation=caller.correlation,
    )
