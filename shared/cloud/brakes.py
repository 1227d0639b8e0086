"""Brakes: the blob `brakes.json` of the container `control`. Built by wiring."""

from __future__ import annotations

from shared.cloud.control import Control
from shared.cloud.storage import Storage
from shared.model.brake import Braking

NAME = "brakes.json"


class BlobBrakes:
    """All brakes in one blob: whoever is about to act reads it once."""

    def __init__(self, storage: Storage) -> None:
        self._control = Control(storage)

    def now(self) -> Braking:
        return self._control.load(NAME, Braking)

    def change(self, braking: Braking) -> None:
        self._control.store(NAME, braking)
