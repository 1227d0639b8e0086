"""The audit log: append blobs, one series per shard and day, a new one before Azure's limit of 50,000 blocks.

Built by wiring. Lines are only ever added; nothing here reads or deletes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from shared.cloud.storage import Storage
from shared.errors import Conflict, Missing
from shared.model.identity import Shard

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient

CONTAINER = "audit"
# Room below 50,000 for processes that do not know yet that a blob is full.
BLOCKS = 49_000
BLOCK_BYTES = 3 * 1024 * 1024
THERE = {"BlobAlreadyExists", "ConditionNotMet"}
FULL = {"BlockCountExceedsLimit", "MaxBlobSizeConditionNotMet"}


class BlobAudit:
    """Appends to `subscription/region/2026-11-20/000.jsonl` in the container `audit`."""

    def __init__(self, storage: Storage, blocks: int = BLOCKS) -> None:
        self._storage = storage
        self._blocks = blocks
        self._numbers: dict[str, int] = {}

    def append(self, shard: Shard, at: datetime, lines: Sequence[str]) -> None:
        series = f"{shard.subscription}/{shard.region}/{at:%Y-%m-%d}"
        for block in _blocks(lines):
            while not self._appended(series, block):
                self._turn(series)

    def _appended(self, series: str, block: bytes) -> bool:
        """Append one block; False when the blob is full."""
        container = self._storage.container(CONTAINER)
        blob = container.get_blob_client(f"{series}/{self._numbers.get(series, 0):03}.jsonl")
        append = partial(blob.append_block, block)
        try:
            written = self._storage.calls.repeatable(append)
        except Missing:
            self._storage.existing(partial(self._create, blob), container.create_container)
            written = self._storage.calls.repeatable(append)
        except Conflict as error:
            if error.code in FULL:
                return False
            raise
        if int(str(written["blob_committed_block_count"])) >= self._blocks:
            self._turn(series)
        return True

    def _create(self, blob: BlobClient) -> None:
        """Create the blob unless it is there: creating it again would empty it."""
        from azure.core import MatchConditions

        make = partial(blob.create_append_blob, match_condition=MatchConditions.IfMissing)
        try:
            self._storage.calls.repeatable(make)
        except Conflict as error:
            if error.code not in THERE:
                raise

    def _turn(self, series: str) -> None:
        """Go on to the next blob of the series; series of earlier days are forgotten."""
        day = series.rpartition("/")[2]
        number = self._numbers.get(series, 0) + 1
        self._numbers = {known: count for known, count in self._numbers.items() if known.endswith(day)}
        self._numbers[series] = number


def _blocks(lines: Sequence[str]) -> Iterator[bytes]:
    """The lines as blocks that Azure takes, each ending with a whole line."""
    block = bytearray()
    for line in lines:
        text = line.encode() + b"\n"
        if block and len(block) + len(text) > BLOCK_BYTES:
            yield bytes(block)
            block.clear()
        block += text
    if block:
        yield bytes(block)
