"""Turns callers away who ask the API too often. Built by wiring, once per process: each instance counts for itself."""

from __future__ import annotations

import threading

from shared.decide.rates import Buckets, asked, remembered
from shared.errors import TooMany
from shared.model.caller import Use
from shared.ports import Clock

LOOKED_THROUGH_AT = 100  # callers


class Callers:
    """How often each caller has asked this process lately."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: Buckets = {}

    def take(self, caller: str, use: Use) -> None:
        """Count one request; TooMany when the caller has none left."""
        with self._lock:
            now, about = self._clock.now(), (caller, use)
            known = self._buckets if len(self._buckets) < LOOKED_THROUGH_AT else remembered(self._buckets, now)
            bucket, wait = asked(known.get(about), use, now)
            self._buckets = {**known, about: bucket}
        if wait:
            raise TooMany(f"{caller} asks too often", wait)
