"""Unplanned deletions that two people have agreed to: which ones, who asked, who approved, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.model.identity import VmUid
from shared.model.point import Engine


@dataclass(frozen=True, slots=True)
class Deletion:
    """One deletion that waits: of which point, and marked when. Marked anew it is another deletion."""

    uid: VmUid
    slot: datetime
    engine: Engine
    marked_at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """Some deletions of one shard that a person asked for. Nobody has agreed yet while `by` is empty.

    Each deletion leaves it when it is carried out: it is agreed to once.
    """

    deletions: tuple[Deletion, ...]
    asked_by: str
    asked_at: datetime
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approvals:
    """Every approval of a shard, as last read. `etag` is empty where there never was one."""

    approvals: tuple[Approval, ...] = ()
    etag: str = ""
