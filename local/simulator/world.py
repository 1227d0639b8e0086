"""The simulator's object graph: everything a handler may need, made once per process by `build`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.simulator.answers import Document, Reply, group_not_found, resource_not_found, subscription_not_found
from local.simulator.authority import AppRoles
from local.simulator.buckets import Buckets, Limits
from local.simulator.calls import Calls
from local.simulator.chance import Chance
from local.simulator.clock import Clock
from local.simulator.denials import Denials
from local.simulator.events import Events
from local.simulator.faults import Faults
from local.simulator.graph_index import GraphIndex
from local.simulator.ids import key_of, scopes_of
from local.simulator.journal import Journal
from local.simulator.locking import Locks
from local.simulator.lro import Operations
from local.simulator.notices import Notices
from local.simulator.rbac import Access
from local.simulator.schedule import Schedule
from local.simulator.snapshot_limits import SnapshotLimits
from local.simulator.store import Resource, Store
from local.simulator.templates import Wanted

if TYPE_CHECKING:
    from local.simulator.within import Caller

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "microsoft.resources/subscriptions"
GROUP = "microsoft.resources/resourcegroups"
PAGE = 1000  # elements of a list


@dataclass(slots=True, eq=False)
class World:
    """Everything there is, by name."""

    clock: Clock
    journal: Journal
    chance: Chance
    schedule: Schedule
    store: Store
    faults: Faults
    calls: Calls
    buckets: Buckets
    limits: SnapshotLimits = field(default_factory=SnapshotLimits)
    tenant: str = TENANT
    url: str = ""
    page: int = PAGE
    app_roles: AppRoles = field(default_factory=AppRoles)
    notices: Notices = field(init=False)
    operations: Operations = field(init=False)
    events: Events = field(init=False)
    graph: GraphIndex = field(init=False)
    locks: Locks = field(init=False)
    access: Access = field(init=False)
    denials: Denials = field(init=False)
    within: Callable[["Caller", Wanted, float], Reply] = field(init=False)  # set by the front
    requests: int = 0
    activity: int = 0

    def __post_init__(self) -> None:
        self.notices = Notices(self)
        self.operations = Operations(self)
        self.events = Events(self)
        self.graph = GraphIndex(self.chance)
        self.locks = Locks()
        self.access = Access(self.store)
        self.denials = Denials()
        self.store.listeners.extend([self.graph.changed, self.locks.changed, self.access.changed, self.denials.changed])

    def settle(self) -> float:
        """Let everything due happen and return the time."""
        now = self.clock.now()
        self.schedule.run(now)
        return now

    def subscription(self, name: str) -> Resource:
        """Return a subscription, or refuse as ARM does."""
        found = self.store.get(f"/subscriptions/{name.lower()}")
        if found is None:
            raise subscription_not_found(name)
        return found

    def group(self, subscription: str, name: str) -> Resource:
        """Return a resource group, or refuse as ARM does."""
        self.subscription(subscription)
        found = self.store.get(f"/subscriptions/{subscription.lower()}/resourcegroups/{name.lower()}")
        if found is None:
            raise group_not_found(name)
        return found

    def place_of(self, held: Resource, otherwise: str = "eastus") -> str:
        """Return where a resource lies: it says so itself, or what it belongs to does, innermost first."""
        for key in reversed(scopes_of(held.key)):
            found = self.store.get(key)
            location = str(found.document().get("location") or "") if found else ""
            if location and location != "global":
                return location
        return otherwise

    def resource(self, resource_id: str, kind: str) -> Resource:
        """Return a resource, or refuse as ARM does; `kind` is the type as written in messages."""
        key = key_of(resource_id)
        found = self.store.get(key)
        if found is None:
            parts = resource_id.strip("/").split("/")
            group = parts[3]
            self.group(parts[1], group)
            names = "/".join(parts[7::2])
            raise resource_not_found(f"{kind}/{names}", group)
        return found


def build(clock: Clock, journal: Journal, seed: str, limits: Limits) -> World:
    """Put the parts together and take back what the journal kept."""
    starts = sum(int(count) for _, count in journal.recall("start")) + 1
    journal.put("start", "count", starts)
    chance = Chance(f"{seed}/{starts}" if starts > 1 else seed)
    world = World(clock, journal, chance, Schedule(journal), Store(journal), Faults(), Calls(), Buckets(limits))
    world.store.recall()
    for held in world.store.everything():
        if held.type == "microsoft.compute/snapshots":
            world.limits.recall(held)
    return world


def merged(base: Document, change: Document) -> Document:
    """Return the base with the change laid over it, objects merged, null removing (JSON merge patch)."""
    result: Document = dict(base)
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result
