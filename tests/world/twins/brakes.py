"""The twin of ports.Brakes: one value, replaced only as it was read."""

from __future__ import annotations

from dataclasses import replace

from shared.errors import LostRace
from shared.model.brake import Braking
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.witness import Witness


class BrakesTwin:
    """What is stopped. It is no table: it outlives the loss of every one of them."""

    def __init__(self, steps: Steps, witness: Witness) -> None:
        self._steps = steps
        self._witness = witness
        self._writes = 0
        self.braking = Braking()

    def now(self) -> Braking:
        call = Call("blob", "brakes.now", Effect.READ)
        self._steps.before(call)
        answer = self.braking
        self._steps.after(call)
        return answer

    def change(self, braking: Braking) -> None:
        call = Call("blob", "brakes.change", Effect.WRITE)
        self._steps.before(call)
        if braking.etag != self.braking.etag:
            raise LostRace("the brakes changed")
        self._writes += 1
        before, self.braking = self.braking, replace(braking, etag=f"k{self._writes}")
        self._witness.brakes_changed(before, self.braking)
        self._steps.after(call)
