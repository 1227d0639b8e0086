"""Randomness of the operating system. Built by wiring."""

from __future__ import annotations

import uuid


class SystemChance:
    """Tokens of 32 hex digits: fit for a table key, a blob name, a tag."""

    def token(self) -> str:
        return uuid.uuid4().hex
