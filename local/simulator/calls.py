"""The log of every ARM call, answered by `GET /_sim/calls`: what judges recompute promises from."""

from dataclasses import dataclass
from typing import Any

from local.simulator.clock import iso


@dataclass(frozen=True, slots=True)
class Record:
    """One call and its answer."""

    n: int
    t: float
    method: str
    path: str
    operation: str
    principal: str
    status: int
    retry_after: str | None
    bucket: tuple[str, int] | None
    fault: str | None
    host: str = ""

    def shown(self) -> dict[str, Any]:
        """Return the record as the control route answers it."""
        bucket = {"name": self.bucket[0], "remaining": self.bucket[1]} if self.bucket else None
        return {
            "n": self.n,
            "t": iso(self.t),
            "method": self.method,
            "path": self.path,
            "operation": self.operation,
            "principal": self.principal,
            "status": self.status,
            "retry_after": self.retry_after,
            "bucket": bucket,
            "fault": self.fault,
            "host": self.host,
        }


class Calls:
    """All calls since the last emptying; numbers go on."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self.count = 0

    def add(self, record: Record) -> None:
        """Keep a call."""
        self._records.append(record)

    def next_number(self) -> int:
        """Return the number of a call that begins now."""
        self.count += 1
        return self.count

    def since(self, number: int) -> list[Record]:
        """Return the calls after the given number."""
        return [record for record in self._records if record.n > number]

    def clear(self) -> None:
        """Forget all calls."""
        self._records.clear()
