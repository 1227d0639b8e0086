"""How soon the job of a vault is looked at again: often while it is young, seldom once it is old."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.decide.vault_jobs import Running, followed
from shared.decide.vaulting import opened
from shared.model.operation import Kind
from shared.model.vault import Standing, VaultTask
from tests.fleet import NOW, machine

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize("kind", [Kind.BACK_UP, Kind.PROTECT], ids=str)
@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (0 * MINUTE, 2 * MINUTE),
        (9 * MINUTE, 2 * MINUTE),
        (10 * MINUTE, 10 * MINUTE),
        (59 * MINUTE, 10 * MINUTE),
        (HOUR, 30 * MINUTE),
        (11 * HOUR, 30 * MINUTE),
    ],
    ids=str,
)
def test_the_older_a_job_the_longer_until_the_next_look(kind: Kind, age: timedelta, pause: timedelta) -> None:
    sent = opened(machine(1, "web-1"), kind, "wanted", VaultTask(sent_at=NOW - age), NOW - age)
    verdict = followed(sent, Standing.NONE, "", [], NOW)
    assert isinstance(verdict, Running)
    assert verdict.until - NOW == pause
