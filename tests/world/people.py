"""What people ask of the product while it runs, each from a process of their own, as the command line asks.

Called by life.py with moments and choices drawn from the seed. `asked` are the requests that were accepted.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.errors import BadInput, CloudError, Forbidden, LostRace, Unknown
from shared.flows.approving import approve
from shared.flows.asking import ask_backup
from shared.flows.emptying import ask_delete
from shared.flows.holding import ask_hold
from shared.flows.pausing import ask_pause, ask_resume
from shared.flows.retrying import ask_retry, failed_job
from shared.model.machine import Machine
from shared.model.operation import State
from shared.model.request import Request
from shared.ports import World
from tests.world.catalogue import rules
from tests.world.scheduler import Invocation, Process
from tests.world.stage import Stage
from tests.world.twins.azure import VmTruth

AGAIN = timedelta(minutes=20)
FAILED = (State.FAILED, State.NEEDS_PERSON, State.GAVE_UP)


class People:
    """Those who ask."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self._stage = stage
        self._random = chance
        self.asked: list[str] = []
        self.rules = rules()

    def ask_for_point(self, vm: VmTruth) -> None:
        machine = self._registered(vm)
        if machine is not None:
            known = machine
            self._ask(lambda world: ask_backup(world, known, "person-1"), self._moment_to_ask())

    def ask_for_hold(self, vm: VmTruth) -> None:
        """Of everything that the machine has, or of one point."""
        machine, until = self._registered(vm), self.until()
        if machine is not None:
            known, slot = machine, machine.last_point if self._random.random() < 0.5 else None
            text = slot.isoformat() if slot else None
            self._ask(lambda world: ask_hold(world, known, until, text, "person-2"), self._stage.scheduler.now)

    def ask_for_retry(self, vm: VmTruth) -> None:
        """Of the newest job that failed, wherever one did; of this machine's where none did, which is refused."""
        shards = self._stage.ledger.rows.items()
        failed = [
            (shard, uid)
            for shard, machines in shards
            for uid, rows in machines.items()
            if rows.machine and any(held.row.state in FAILED for held in rows.operations.values())
        ]
        chosen = self._random.choice(sorted(failed)) if failed else (vm.shard, vm.uid)
        record = self._stage.ledger.held(*chosen)
        if record is not None:
            uid = record.machine.row.uid
            job = next((held.row.id for held in record.operations if held.row.state in FAILED), "none")
            self._ask(
                lambda world: ask_retry(world, *failed_job(world, f"{uid}|{job}"), "person-3"),
                self._stage.scheduler.now,
            )

    def ask_for_pause(self, vm: VmTruth) -> None:
        """Somebody stops captures, deletions or both, and lets them go on again hours later."""
        what = self._random.choice(("captures", "deletes", "all"))
        now, pause = self._stage.scheduler.now, timedelta(hours=self._random.choice((1, 4, 9)))
        self._ask(lambda world: ask_pause(world, what, "an audit", "person-4"), now)
        self._stage.scheduler.at(now + pause, self.resume)

    def agree(self, vm: VmTruth) -> None:
        """One of three looks through all deletions that wait for people, and agrees to them or asks for them."""
        person = self._random.choice(("person-5", "person-6", "person-7"))
        self._do(lambda world: approve(world, [], person))

    def ask_to_empty(self, vm: VmTruth) -> None:
        """Somebody wants everything deleted that a vault has of a machine; another one or two look at it soon."""
        machine = self._registered(vm)
        if machine is not None:
            known, now = machine, self._stage.scheduler.now
            self._ask(lambda world: ask_delete(world, self.rules, known, "no longer needed", "person-5"), now)
            for hours in (1, 2):
                self._stage.scheduler.at(now + timedelta(hours=hours), lambda: self.agree(vm))

    def resume(self) -> None:
        """Ask again until nothing of it is paused."""
        now = self._stage.scheduler.now
        if any(brake.on and brake.by for brake in self._stage.brakes.braking.brakes):
            self._ask(lambda world: ask_resume(world, "all", "", "person-4"), now)
            self._stage.scheduler.at(now + AGAIN, self.resume)

    def until(self) -> str:
        """A hold as people write it: often for ever, or through one of the next days."""
        if self._random.random() < 0.3:
            return "forever"
        return (self._stage.scheduler.now.date() + timedelta(days=self._random.choice((0, 1, 3)))).isoformat()

    def _ask(self, wish: Callable[[World], Request], when: datetime) -> None:
        def ask(world: World) -> None:
            self.asked.append(wish(world).id)

        self._stage.scheduler.at(when, lambda: self._do(ask))

    def _do(self, act: Callable[[World], object]) -> None:
        """From a process of their own; what is refused, or cannot be done now, is let be."""

        def work() -> None:
            try:
                act(self._stage.world)
            except (CloudError, BadInput, Forbidden, LostRace, Unknown):
                return

        self._stage.scheduler.spawn(Invocation("cli", Process("cli")), work)

    def _registered(self, vm: VmTruth) -> Machine | None:
        record = self._stage.ledger.held(vm.shard, vm.uid)
        return record.machine.row if record else None

    def _moment_to_ask(self) -> datetime:
        """Now, or now and then in the very minute in which slots fall due."""
        now = self._stage.scheduler.now
        if self._random.random() < 0.7:
            return now
        return now.replace(hour=now.hour // 6 * 6, minute=0, second=20) + timedelta(hours=6)
