"""What the vaults of a shard show to one slice of draining: every list is read once, however many machines want it.

Used by protecting.py. A list that cannot be read raises; a vault of somebody else's that may not be read shows nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from shared.decide.policies import MOST_POLICIES, Policy, free_from
from shared.decide.protection import wish_of
from shared.decide.vault_jobs import container_of
from shared.decide.vault_wish import Unwanted, Want, Wanted, want_of
from shared.decide.vaulting import View
from shared.decide.vaults import MOST_MACHINES, Choice, choose, is_ours
from shared.errors import Blocked, Denied, Throttled
from shared.flows.slicing import Slice
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.machine import Machine, Status
from shared.model.vault import ItemSeen, JobSeen, PolicySeen, Tracked, VaultOrder, VaultSeen

log = logging.getLogger("tagback")

Answer = TypeVar("Answer")

JOBS_OF = timedelta(hours=50)  # two nights: what a sleeping app missed of yesterday's jobs is still told
NO_TIME = Throttled("Paced", "no call was free in this slice", timedelta(seconds=30))


@dataclass(slots=True)
class Desk:
    """The lists of one slice. Nothing is read before it is wanted."""

    slice_: Slice
    _vaults: Mapping[ResourceId, VaultSeen] | None = field(default=None, init=False)
    _items: dict[ResourceId, ItemSeen] = field(default_factory=dict, init=False)
    _held: Counter[ResourceId] = field(default_factory=Counter, init=False)
    _jobs: dict[ResourceId, Mapping[str, list[JobSeen]]] = field(default_factory=dict, init=False)
    _policies: dict[ResourceId, dict[str, PolicySeen]] = field(default_factory=dict, init=False)
    _protectable: dict[ResourceId, frozenset[ResourceId]] = field(default_factory=dict, init=False)
    _refreshes: dict[ResourceId, str] = field(default_factory=dict, init=False)
    _namesakes: dict[ResourceId, list[Machine]] | None = field(default=None, init=False)
    _policy_writes: list[tuple[ResourceId | None, datetime]] | None = field(default=None, init=False)
    _ended: dict[tuple[ResourceId, str], bool] = field(default_factory=dict, init=False)

    def view(self, machine: Machine, want: Want, sent_to: ResourceId | None = None) -> View:
        """What the vaults show of one machine: `sent_to` is the one that was asked to protect it."""
        vaults = self._read_vaults()
        item = self._item_of(machine)
        if item is None:
            known = vaults.get(sent_to) if sent_to else None
            asked = known is not None and is_ours(known, self.slice_.rules)
            return View(jobs=self._jobs_about(known.id, machine) if known and asked else ())
        ours = is_ours(vaults[item.vault], self.slice_.rules)
        if not ours:
            return View(item)
        policy = None
        if isinstance(want, Wanted) and item.policy and item.policy != want.policy.name:
            policy = self._policies_of(item.vault).get(item.policy)
        return View(item, ours, policy, self._jobs_about(item.vault, machine))

    def _item_of(self, machine: Machine) -> ItemSeen | None:
        """What a vault has of this very machine: an item knows names only, and others may have borne them."""
        item = self._items.get(machine.id)
        if item is None:
            return None
        others = self._namesakes_of(machine) if machine.status is Status.GONE else []
        if any(self._has_a_say(one) for one in others):
            return None
        return replace(item, last_point=None) if self.is_of_another(machine, item.last_point) else item

    def _has_a_say(self, machine: Machine) -> bool:
        """Whether an item of its name is a living machine's: one that asks for nothing leaves it to the former one."""
        rules = self.slice_.rules
        asks = not isinstance(want_of(machine, wish_of(machine, rules, self.slice_.now()), rules), Unwanted)
        return machine.status is not Status.GONE and (asks or machine.protection is not None)

    def is_of_another(self, machine: Machine, at: datetime | None) -> bool:
        """Whether a point of this instant is of another machine of the same name, which the ledger remembers.

        What was taken before this one was registered is, by minutes more than was; and what was since it is missed.
        """
        if at is None:
            return False
        if machine.absent_since and at >= machine.absent_since:
            return any(one.status is not Status.GONE for one in self._namesakes_of(machine))
        if machine.enrolled_at and at >= machine.enrolled_at:
            return False
        others = self._namesakes_of(machine)
        since = machine.enrolled_at or _alone_since(machine, others) or self.slice_.now()
        if at >= since:
            return False
        return any(one.absent_since or (one.enrolled_at or since) < since for one in others)

    def _namesakes_of(self, machine: Machine) -> list[Machine]:
        """The other machines of the same id that the ledger knows."""
        if self._namesakes is None:
            self._namesakes = {}
            for held in self.slice_.world.ledger.machines(self.slice_.shard):
                self._namesakes.setdefault(held.row.id, []).append(held.row)
        return [one for one in self._namesakes.get(machine.id, []) if one.uid != machine.uid]

    def holds(self, vault: ResourceId, vm: ResourceId) -> bool:
        """Whether a vault has anything of a VM."""
        self._read_vaults()
        item = self._items.get(vm)
        return item is not None and item.vault == vault

    def ids_in(self, vault: ResourceId, machine: Machine) -> set[ResourceId]:
        """By which ids a vault may have points of a machine: a move to another group changes it, and keeps the name."""
        self._read_vaults()
        return {machine.id} | {vm for vm in self._items if vm.name == machine.id.name and self.holds(vault, vm)}

    def has_room(self, vault: ResourceId) -> bool:
        """Whether a vault is there and takes one more machine."""
        return vault in self._read_vaults() and self._held[vault] < MOST_MACHINES

    def choice(self) -> Choice:
        """The vault for one more machine; it is counted as being in it."""
        vaults = self._read_vaults()
        group = self.slice_.world.vaults.place(self.slice_.shard)
        return choose(vaults.values(), self._held, group, self.slice_.shard, self.slice_.rules)

    def make(self, order: VaultOrder) -> None:
        """Have a vault made; the slice knows of it from then on, so that it is made once."""
        self._write(lambda: self.slice_.world.vaults.make(order))
        made = VaultSeen(order.id, order.region, order.tags, ready=False)
        self._vaults = {**self._read_vaults(), order.id: made}
        log.info("vault.made vault=%s because=%r", order.id.name, "no vault of ours has room")

    def taken(self, vault: ResourceId) -> None:
        """One more machine goes to a vault."""
        self._held[vault] += 1

    def has_policy(self, vault: ResourceId, policy: Policy) -> bool:
        """Whether a policy is there: its name says what is in it. Blocked where it is not, and none may be added."""
        known = self._policies_of(vault)
        if policy.name not in known and len(known) >= MOST_POLICIES:
            raise Blocked("UserErrorPolicyLimit", f"vault {vault.name} has {len(known)} policies and takes no more")
        return policy.name in known

    def takes_a_policy_from(self, vault: ResourceId, now: datetime) -> datetime:
        """From when on one more policy may be written to a vault, by what the ledger holds of the last day.

        It is `now` itself where one may be written at once: a clock that is read again has gone on.
        """
        if self._policy_writes is None:
            tasks = (held.row.task for held in self.slice_.world.ledger.operations(self.slice_.shard))
            self._policy_writes = [(task.vault, task.policy_at) for task in tasks if task and task.policy_at]
        return free_from([at for place, at in self._policy_writes if place == vault and at], now)

    def provide(self, vault: ResourceId, policy: Policy) -> None:
        """Write a policy that is not there."""
        world, now = self.slice_.world, self.slice_.now()
        if self._policy_writes is not None:
            self._policy_writes.append((vault, now))
        self._write(lambda: world.vaults.write_policy(vault, policy.name, policy.properties))
        self._policies_of(vault)[policy.name] = PolicySeen(policy.name, policy.properties)
        log.info("policy.written vault=%s policy=%s because=%r", vault.name, policy.name, "a plan asks for it")

    def is_discovered(self, vault: ResourceId, vm: ResourceId) -> bool:
        """Whether a vault knows a VM that it does not protect."""
        if vault not in self._protectable:
            world = self.slice_.world
            self._protectable[vault] = self._read(lambda: frozenset(world.vault_items.protectable(vault)))
        return vm in self._protectable[vault]

    def refresh(self, vault: ResourceId) -> str:
        """Have a vault discover VMs, once per slice; the operation that says when it is done."""
        if vault not in self._refreshes:
            world = self.slice_.world
            self._refreshes[vault] = self._write(lambda: world.vault_items.refresh(vault))
            log.info("vault.refreshed vault=%s because=%r", vault.name, "it does not know a VM that wants it")
        return self._refreshes[vault]

    def is_refreshed(self, vault: ResourceId, operation: str) -> bool:
        """Whether a discovery has ended."""
        if (vault, operation) not in self._ended:
            world = self.slice_.world
            self._ended[vault, operation] = self._read(lambda: world.vault_items.refreshed(vault, operation))
        return self._ended[vault, operation]

    def job(self, vault: ResourceId, name: str) -> JobSeen | None:
        """One job with its errors."""
        return self._read(lambda: self.slice_.world.vault_jobs.job(vault, name))

    def tracked(self, vault: ResourceId, operation: str) -> Tracked:
        """How far Azure's own operation came."""
        return self._read(lambda: self.slice_.world.vault_items.tracked(vault, operation))

    def _read_vaults(self) -> Mapping[ResourceId, VaultSeen]:
        if self._vaults is None:
            world, shard = self.slice_.world, self.slice_.shard
            found = self._read(lambda: world.vaults.vaults(shard))
            for vault in found:
                for item in self._items_of(vault):
                    self._items[item.vm] = item
                    self._held[vault.id] += 1
            self._vaults = {vault.id: vault for vault in found}
        return self._vaults

    def _items_of(self, vault: VaultSeen) -> Iterable[ItemSeen]:
        try:
            return self._read(lambda: list(self.slice_.world.vault_items.items(vault.id)))
        except Denied as error:
            if is_ours(vault, self.slice_.rules):
                raise
            log.info("vault.unread vault=%s because=%r", vault.id.name, str(error))
            return ()

    def _jobs_about(self, vault: ResourceId, machine: Machine) -> tuple[JobSeen, ...]:
        return tuple(self._jobs_of(vault).get(container_of(machine.id), ()))

    def _jobs_of(self, vault: ResourceId) -> Mapping[str, list[JobSeen]]:
        if vault not in self._jobs:
            world, since = self.slice_.world, self.slice_.now() - JOBS_OF
            found: dict[str, list[JobSeen]] = {}
            for job in self._read(lambda: list(world.vault_jobs.jobs(vault, since))):
                found.setdefault(job.container, []).append(job)
            self._jobs[vault] = found
        return self._jobs[vault]

    def _policies_of(self, vault: ResourceId) -> dict[str, PolicySeen]:
        if vault not in self._policies:
            self._policies[vault] = dict(self._read(lambda: self.slice_.world.vaults.policies(vault)))
        return self._policies[vault]

    def _read(self, call: Callable[[], Answer]) -> Answer:
        return self._paced(CallKind.READ, call)

    def _write(self, call: Callable[[], Answer]) -> Answer:
        return self._paced(CallKind.WRITE, call)

    def _paced(self, kind: CallKind, call: Callable[[], Answer]) -> Answer:
        if not self.slice_.admitted(kind):
            raise NO_TIME
        return call()


def _alone_since(machine: Machine, others: Iterable[Machine]) -> datetime | None:
    """Since when the others of its name were not found any more; None for one that is gone itself."""
    left = [one.absent_since for one in others if one.absent_since and one.status is Status.GONE]
    return max(left, default=None) if machine.status is not Status.GONE else None
