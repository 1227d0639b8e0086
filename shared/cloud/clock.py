"""The clock of the machine we run on. Built by wiring."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


class SystemClock:
    """Real time that never goes back within this process, even when the machine's clock is set back."""

    def __init__(self) -> None:
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            self._latest = max(self._latest, datetime.now(UTC))
            return self._latest

    def sleep(self, seconds: float) -> None:
        time.sleep(max(seconds, 0))
