"""What is locked is what is deployed, tested and audited: the same versions, each by its hash."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from local.package.build import LOCKS

ROOT = Path(__file__).resolve().parents[2]
DEV, AUDIT = "local/locks/dev.txt", "local/locks/audit.txt"


def locked(lock: str) -> dict[str, str]:
    """The version of each package of a lock."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, re.MULTILINE))


def recipe(*goals: str) -> list[str]:
    """What `make` would run."""
    ran = subprocess.run(["make", "--dry-run", *goals], cwd=ROOT, capture_output=True, text=True, check=True)
    return [line.strip() for line in ran.stdout.replace("\\\n", " ").splitlines()]


@pytest.mark.parametrize("lock", [*LOCKS.values(), DEV, AUDIT])
def test_every_locked_wheel_has_its_hash(lock: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text(encoding="utf-8").strip())
    assert len(entries) == len(locked(lock))
    assert [entry[:40] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS.values())
def test_what_is_tested_is_what_is_deployed(lock: str) -> None:
    tested = locked(DEV)
    assert {name: tested.get(name) for name in locked(lock)} == locked(lock)


def test_what_is_checked_and_audited_is_what_is_deployed() -> None:
    [bandit] = [line for line in recipe("check") if "/bandit " in line]
    assert {"shared", "function_app.py"} <= set(bandit.split())
    [audit] = [line for line in recipe("audit") if "/pip-audit " in line]
    assert {*LOCKS.values(), DEV} <= set(audit.split())
    assert {"--strict", "--require-hashes"} <= set(audit.split()), "what could not be asked about is no good news"
    assert any(".venv-clients/audit" in line for line in recipe("--always-make", "test")), "it is a part of `make test`"


def test_nothing_is_passed_over_by_bandit_but_asserts() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["bandit"]
    assert settings == {"skips": ["B101"]}
    silenced = [path for path in (ROOT / "shared").rglob("*.py") if "# nosec" in path.read_text(encoding="utf-8")]
    assert silenced == []


def test_the_package_of_a_deployment_with_telemetry_is_asked_for_by_name() -> None:
    assert any(line.endswith("-m local.package --extra telemetry") for line in recipe("package", "EXTRAS=telemetry"))
    assert any(line.endswith("-m local.package") for line in recipe("package"))
