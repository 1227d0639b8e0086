"""How errors leave the command line: the pinned exit code, words on stderr, and one document where JSON was asked."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from shared.errors import BadInput, CloudError, Denied, LostRace, TagbackError, Throttled, Unavailable, Unknown
from shared.model.rules import Rules
from shared.ports import World
from tests.cli.running import answer, run, run_with
from tests.fleet import usual_fleet


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput(["TAGBACK_SUBSCRIPTIONS: missing", "TAGBACK_PLANS: no such file"]), 2),
        (Unknown("no such thing"), 3),
        (Denied("AuthorizationFailed", "may not read the table"), 5),
        (Throttled("TooManyRequests", "slow down", timedelta(seconds=17)), 5),
        (Unavailable("ConnectionError", "no route"), 5),
        (LostRace("somebody was faster"), 5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_has_its_exit_code_and_its_words(error: TagbackError, code: int) -> None:
    def fail() -> tuple[World, Rules]:
        raise error

    result = run_with(fail, "status")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == "".join(f"tagback: {line}\n" for line in str(error).splitlines())
    document = answer(run_with(fail, "status", "--output", "json"))
    assert (document["exit_code"], document["problems"]) == (code, str(error).splitlines())


def test_operations_that_cannot_be_read_are_azure_failing() -> None:
    fleet = usual_fleet()

    def refuse(*_: object) -> None:
        raise CloudError("ServerBusy", "later")

    fleet.stage.ledger.operations = refuse  # type: ignore[method-assign, assignment] # the twin's only fault here
    assert run(fleet, "status").exit_code == 5


@pytest.mark.parametrize(
    "words", [("stauts",), ("points",), ("status", "--output", "xml"), ("explain", "a/b/c"), ("explain", " ")]
)
def test_arguments_that_cannot_be_used_end_in_2(words: tuple[str, ...]) -> None:
    result = run(usual_fleet(), *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


MISUSED = [
    ("an unknown command", ("stauts", "--output", "json")),
    ("no command", ("--output", "json")),
    ("an unknown option", ("status", "--nope", "--output=json")),
    ("an unknown option before the command", ("--nope", "--output", "json", "status")),
    ("an unknown option after the form", ("status", "--output", "json", "--nope")),
    ("a missing argument", ("points", "--output", "json")),
    ("one argument too many", ("--output", "json", "points", "a", "b")),
    ("an unknown command of a group", ("plans", "chekc", "--output", "json")),
    ("two forms, one of them bad", ("status", "--output", "json", "--output", "xml")),
    ("an option without its value", ("--output", "json", "status", "--output")),
    ("a folder as a file", ("plans", "check", "/", "--output", "json")),
]


@pytest.mark.parametrize("words", [case[1] for case in MISUSED], ids=[case[0] for case in MISUSED])
def test_words_that_click_refuses_are_one_document_too(words: tuple[str, ...]) -> None:
    result = run(usual_fleet(), *words)
    document = answer(result)
    assert (sorted(document), document["exit_code"], result.exit_code) == (["error", "exit_code", "problems"], 2, 2)
    [problem] = document["problems"]
    assert problem in result.stderr
    assert "\n" not in problem


@pytest.mark.parametrize("error", [KeyError("accountkey"), TagbackError("a new kind")])
def test_an_error_nobody_foresaw_is_not_hidden_and_no_answer_about_machines(error: Exception) -> None:
    def fail() -> tuple[World, Rules]:
        raise error

    result = run_with(fail, "status")
    assert (result.exit_code, result.stdout) == (70, "")
    assert "Traceback" in result.stderr
    document = answer(run_with(fail, "status", "--output", "json"))
    assert (document["exit_code"], document["problems"]) == (70, [f"{type(error).__name__}: {error}"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_no_answer_about_machines() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-c", "from shared.cli.main import main; main()", "plans", "check"],
            env={},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode in (70, 120)  # 120 is Python's own, where only its last flush fails
    assert "No space left" in ended.stderr


def test_help_needs_no_settings() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from shared.cli.main import main; main()", "--help"],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0
    assert [
        name for name in ("status", "points", "explain", "backup", "jobs", "plans") if name not in result.stdout
    ] == []
