"""docs/security.md names a test that exists for every threat; docs/deploy.md names parameters and files that exist."""

from __future__ import annotations

import re

import pytest

from tests.infra.bicep import parsed
from tests.infra.roles import INFRA

ROOT = INFRA.parent
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", SECURITY)))


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_exists(name: str) -> None:
    file, _, function = name.partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert f"def {function}(" in text if function else "def test_" in text


def test_every_threat_has_a_test() -> None:
    rows = re.findall(r"^\| (T\d+) \|.*\| ([^|]+) \|$", SECURITY, re.MULTILINE)
    assert [name for name, _ in rows] == [f"T{number}" for number in range(1, 17)]
    assert [name for name, tests in rows if "`tests/" not in tests] == []


def test_parameters_that_are_named_exist() -> None:
    takes = {*parsed(INFRA / "main.bicep").of("parameter"), *parsed(INFRA / "events.bicep").of("parameter")}
    named = set(re.findall(r"`([a-z]+[A-Z]\w+)(?: = [^`]+)?`", DEPLOY + SECURITY))
    assert named
    assert named - takes == {"uniqueId"} & named


def test_files_that_are_named_exist() -> None:
    for path in re.findall(r"`(infra/[\w./-]+)`", DEPLOY + SECURITY):
        assert (ROOT / path).exists(), path
