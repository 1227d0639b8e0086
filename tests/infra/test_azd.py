"""What `azd` is told to run: it provisions, deploys, subscribes to events, and never takes recovery points down."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from shared.settings import DEFAULTS
from tests.infra.bicep import at, parsed, properties, said
from tests.infra.roles import INFRA

ROOT = INFRA.parent
MAIN = parsed(INFRA / "main.bicep")


def test_what_azd_gives_to_the_command_line_is_what_the_apps_are_given() -> None:
    outputs, given = MAIN.of("output"), properties(at(MAIN.find("apps").body, "params.settings"))
    for name, output in outputs.items():
        if name.startswith("TAGBACK_"):
            assert name in DEFAULTS, "the command line refuses settings that it does not know"
            assert said(output.value or MAIN.root) == said(given[name])
    assert {"AzureWebJobsStorage__accountName", "TAGBACK_SUBSCRIPTIONS", "TAGBACK_RECOVERY_GROUP"} <= set(outputs)


def test_the_hook_goes_by_outputs_that_exist() -> None:
    named = set(re.findall(r"\$\{?([A-Z]\w+)", (INFRA / "hooks" / "deploy.sh").read_text(encoding="utf-8")))
    assert named - set(MAIN.of("output")) == {"AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID"}


STUB = """#!/bin/sh
printf '%s' "$(basename "$0")" >> "$LOG"
for word in "$@"; do printf '\\t%s' "$word" >> "$LOG"; done
printf '\\n' >> "$LOG"
"""


@pytest.mark.parametrize("delivery", ["function", "queue"])
def test_the_hook_deploys_to_every_app_and_then_subscribes_with_what_it_was_told(tmp_path: Path, delivery: str) -> None:
    for name in ("az", "make"):
        (tmp_path / name).write_text(STUB, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    told = {
        "INSTALLATION_GROUP": "rg-prod", "INSTALLATION_APPS": '["func-a","func-b"]', "INSTALLATION_KEEPER": "func-a",
        "AzureWebJobsStorage__accountName": "tagbackx", "EVENT_SOURCES": '["s1"]', "EVENT_DELIVERY": delivery,
        "AZURE_LOCATION": "westeurope", "AZURE_SUBSCRIPTION_ID": "s0", "EXISTING_TOPICS": '{"s1":"theirs"}',
        "TOPIC_GROUP": "their-events", "PACKAGE_EXTRAS": "telemetry",
    }  # fmt: skip
    log = tmp_path / "log"
    environment = {**told, "LOG": str(log), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    hook = INFRA / "hooks" / "deploy.sh"
    subprocess.run(["sh", str(hook)], env=environment, capture_output=True, text=True, check=True)
    calls = [line.split("\t") for line in log.read_text(encoding="utf-8").splitlines()]
    assert calls[0] == ["make", "package", "EXTRAS=telemetry"]
    deployed = [call[call.index("--name") + 1] for call in calls if "config-zip" in call]
    assert deployed == ["func-a", "func-b"]
    assert [call for call in calls if "--function-name" in call] == calls[3 : 4 if delivery == "function" else 3]
    given = dict(word.split("=", 1) for word in calls[-1][calls[-1].index("--parameters") + 1 :])
    assert set(given) <= set(parsed(INFRA / "events.bicep").of("parameter"))
    assert (given["sources"], given["delivery"]) == ('["s1"]', delivery)
    assert (given["existingTopics"], given["topicGroup"]) == ('{"s1":"theirs"}', "their-events")


def test_azd_down_is_refused_in_words_because_recovery_groups_are_of_the_deployment() -> None:
    azd = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    [hook] = re.findall(r"predown:\n\s+shell: sh\n\s+run: (\S+)", azd)
    ran = subprocess.run(["sh", str(ROOT / hook)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "would delete the recovery groups" in ran.stderr
    assert "## Take it away\n" in (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_azd_provisions_this_folder_and_then_deploys() -> None:
    azd = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    assert re.search(r"path: infra\n\s+module: main", azd)
    hooks = re.findall(r"run: (\S+)", azd)
    assert hooks[0].endswith("/deploy.sh")
    assert [hook for hook in hooks if not Path(ROOT / hook).stat().st_mode & 0o100] == []
