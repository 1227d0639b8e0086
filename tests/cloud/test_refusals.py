"""Retry-After in its forms. What Azure's refusals become is tested against answers from the wire in test_call.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from shared.cloud.refusals import LONGEST, retry_after

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "17"}, 17),
        ({"RETRY-AFTER": " 0 "}, 0),
        ({"retry-after": "3600"}, 3600),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "Fri, 20 Nov 2026 12:05:00 GMT"}, 300),
        ({"Retry-After": "Fri, 20 Nov 2026 12:05:00 GMT", "Date": "Fri, 20 Nov 2026 12:04:00 GMT"}, 60),
        ({"Retry-After": "Fri, 20 Nov 2026 11:00:00 GMT"}, 0),
        ({"Retry-After": "99999999999999999999"}, LONGEST.total_seconds()),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
    ids=str,
)
def test_retry_after_is_seconds_or_a_date(headers: Mapping[str, str], expected: float | None) -> None:
    found = retry_after(headers, NOW)
    assert found == (None if expected is None else timedelta(seconds=expected))
