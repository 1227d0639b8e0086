"""checkov finds nothing in infra/ that has no reason. `make test` installs it, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.infra.arm import main
from tests.infra.roles import INFRA

ROOT = Path(__file__).parent.parent.parent
CHECKOV = ROOT / ".venv-clients" / "checkov" / "bin" / "checkov"
QUIET = ("--skip-download", "--compact", "-o", "json")
OFFLINE = {"CKV_GITHUB_CONFIG_FETCH_DATA": "False", "LOG_LEVEL": "ERROR"}

pytestmark = pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not there: `make test` installs it")


def scanned(folder: Path) -> Mapping[str, Any]:
    """What checkov says of the templates in a folder."""
    ended = subprocess.run(
        [str(CHECKOV), "-d", str(folder), "--framework", "arm", "--config-file", str(INFRA / "checkov.yaml"), *QUIET],
        capture_output=True,
        text=True,
        env={**os.environ, **OFFLINE},
        check=False,
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    assert (ended.returncode == 0) == (found["summary"]["failed"] == 0), ended.stderr
    return found


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arm")
    main(folder)
    return folder


def test_checkov_has_nothing_to_say_that_is_not_answered(templates: Path) -> None:
    found = scanned(templates)
    assert [(one["check_id"], one["resource"]) for one in found["results"]["failed_checks"]] == []
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 0


def test_checkov_sees_a_storage_account_that_takes_plain_http(templates: Path, tmp_path: Path) -> None:
    template = json.loads((templates / "storage-account.json").read_text(encoding="utf-8"))
    template["resources"][0]["properties"]["supportsHttpsTrafficOnly"] = False
    (tmp_path / "storage-account.json").write_text(json.dumps(template), encoding="utf-8")
    assert "CKV_AZURE_3" in {one["check_id"] for one in scanned(tmp_path)["results"]["failed_checks"]}
