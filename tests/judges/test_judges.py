"""Each judge accepts a play that went as promised, and sees each way in which one might not have gone so."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.judges import PROMISES, judge
from local.judges.__main__ import main
from local.judges.snapshots import Snapshot
from tests.judges.breaks import BREAKS, HARMLESS, Break, put_twice
from tests.judges.breaks.people import LEFT, deleted_after_a_mass_untag, word
from tests.judges.papers import DAY, HOUR, LEAVER, STAMP, START
from tests.judges.play import played

OF_PROOFS = {"S13", "drills", "vaults"}
JUDGES = Path(__file__).parents[2] / "local" / "judges"


def test_a_play_that_went_as_promised_is_accepted(tmp_path: Path) -> None:
    findings = judge(played().write(tmp_path))
    assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
    assert [name for name, finding in findings.items() if not finding.checked] == []


def test_every_part_of_the_play_is_looked_at(tmp_path: Path) -> None:
    findings = judge(played().write(tmp_path))
    assert findings["S2"].checked >= 30
    assert findings["S3"].checked >= 100


def test_where_nothing_was_restored_and_no_plan_asks_for_more_the_judges_say_so(tmp_path: Path) -> None:
    papers = played()
    papers.state[:] = [
        one for one in papers.state if "-drill-" not in one["name"] and "/recoveryPoints/" not in one["id"]
    ]
    papers.script[:] = [act for act in papers.script if act["do"] != "swap"]
    papers.rows[:] = [row for row in papers.rows if row.get("engine") != "vault"]
    for row in papers.rows:
        row.pop("drill", None)
    plans = next(act for act in papers.script if act["do"] == "plans")
    plans["text"] = re.sub(r"\[plans\.\w+\.(drill|vault)\]\n(\w+ = .*\n)+", "", plans["text"])
    findings = judge(papers.write(tmp_path))
    assert {name for name, finding in findings.items() if finding.note.startswith("not checked")} == OF_PROOFS
    assert sum(findings[name].checked for name in OF_PROOFS) == 0


@pytest.mark.parametrize(
    ("promise", "harm", "words"), BREAKS, ids=[f"{name}-{number}" for number, (name, *_) in enumerate(BREAKS)]
)
def test_a_break_is_seen(promise: str, harm: Break, words: str, tmp_path: Path) -> None:
    papers = played()
    harm(papers)
    found = judge(papers.in_order().write(tmp_path))[promise].violations
    assert any(words in violation.what for violation in found)


def test_what_two_people_agreed_to_may_go_after_a_mass_untag(tmp_path: Path) -> None:
    papers = played()
    deleted_after_a_mass_untag(papers)
    gone = papers.snapshots(LEAVER)[0]["tags"]["tagback-slot"]
    named = f"leaver-1 {datetime.strptime(gone, STAMP).replace(tzinfo=UTC):%Y-%m-%dT%H:%MZ}"
    papers.script.append(word("anna", LEFT + 3 * DAY, asked=[named]))
    papers.script.append(word("ben", LEFT + 3 * DAY + HOUR, approved=[named]))
    found = judge(papers.in_order().write(tmp_path))["S3"].violations
    assert not any("protection at once" in violation.what for violation in found)


@pytest.mark.parametrize("oddity", HARMLESS, ids=lambda oddity: oddity.__name__)
def test_what_is_not_the_products_fault_is_not_held_against_it(oddity: Break, tmp_path: Path) -> None:
    papers = played()
    oddity(papers)
    findings = judge(papers.in_order().write(tmp_path))
    assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}


@pytest.mark.parametrize(
    ("state", "source", "nothing"),
    [("Failed", None, True), ("Updating", None, True), ("Succeeded", None, False), ("Failed", "D", False)],
)
def test_only_what_azure_never_took_is_of_no_disk(state: str, source: str | None, nothing: bool) -> None:
    said = {"properties": {"provisioningState": state, "creationData": {"sourceUniqueId": source}}}
    assert Snapshot("", "", START, None, said).holds_nothing is nothing


def test_every_promise_has_a_break_that_must_be_seen() -> None:
    assert {promise for promise, *_ in BREAKS} == set(PROMISES)


def test_the_table_is_printed_and_a_violation_is_an_exit_of_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    papers = played()
    assert main([str(papers.write(tmp_path))]) == 0
    assert "VIOLATED" not in capsys.readouterr().out
    put_twice(papers)
    assert main([str(papers.write(tmp_path))]) == 1
    assert "S1          at most one complete point per machine and slot" in capsys.readouterr().out


def test_evidence_that_cannot_be_read_is_an_exit_of_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main([]) == 2


@pytest.mark.parametrize("path", sorted(JUDGES.glob("*.py")), ids=lambda path: path.stem)
def test_judges_share_nothing_with_what_they_judge(path: Path) -> None:
    """Neither with the product nor with what plays the scenario."""
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    named = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    named += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    assert [name for name in named if name.startswith(("shared", "azure", "tests"))] == []
    assert [name for name in named if name.startswith("local") and not name.startswith("local.judges")] == []
