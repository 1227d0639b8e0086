"""What scanners are shown of infra/ is the whole of it, and what they are told to pass over has its reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.infra.arm import main, templates
from tests.infra.bicep import files
from tests.infra.roles import INFRA


def test_every_resource_that_is_made_is_shown(tmp_path: Path) -> None:
    made = [each for file in files() for each in file.of("resource").values() if not each.is_existing]
    main(tmp_path)
    written = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(tmp_path.iterdir())]
    assert len(written) == len(made)
    assert {one["resources"][0]["type"] for one in written} == {each.label.split("@")[0] for each in made}


def test_the_private_variant_is_the_one_that_is_shown() -> None:
    [account] = templates()["storage-account"]["resources"]
    assert account["properties"]["publicNetworkAccess"] == "Disabled"
    assert account["properties"]["networkAcls"]["defaultAction"] == "Deny"
    [site] = templates()["app-site"]["resources"]
    assert site["properties"]["publicNetworkAccess"] == "Disabled"
    [topic] = templates()["notifications-topic"]["resources"]
    assert topic["properties"]["publicNetworkAccess"] == "Disabled"


def test_every_check_that_is_left_out_has_its_reason() -> None:
    lines = (INFRA / "checkov.yaml").read_text(encoding="utf-8").splitlines()
    left_out = [line for line in lines if line.lstrip().startswith("- ")]
    assert left_out
    assert [line for line in left_out if not re.fullmatch(r"  - CKV_AZURE_\d+ +# .{40,}", line)] == []
