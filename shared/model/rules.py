"""What this installation was told: the settings and plans that flows decide by, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.model.plan import Plans
from shared.model.vault import VaultRules


class Mode(StrEnum):
    """Whether a subscription is only looked at, or acted upon."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Rules:
    """`owner` is the installation's id as stamped on everything it creates; `subscriptions` are the allowed ones.

    `prefix` is the opt-in tag's name in lower case. `drain_for` bounds one slice of draining. `delete_wait` is how
    long a deletion is announced, `orphan_keep` how long the last point of a machine that left is kept. `topic` is the
    endpoint of the custom topic; empty where nobody is told. `inherit_group_tags` says whether the opt-in tags of a
    resource group count for its machines. `vaults` is what may be done about vaults of Azure Backup.
    """

    plans: Plans
    subscriptions: Mapping[str, Mode]
    owner: str
    prefix: str = "backup"
    drain_for: timedelta = timedelta(seconds=180)
    delete_wait: timedelta = timedelta(hours=24)
    orphan_keep: timedelta = timedelta(days=90)
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    topic: str = ""
    inherit_group_tags: bool = False
    vaults: VaultRules = field(default_factory=VaultRules)
