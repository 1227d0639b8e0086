"""A planted bug in the demo: who spoke is read from the run itself, and what runs have shown is written down."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from local.judges import PROMISES
from tests.mutants.__main__ import SCENARIOS, main
from tests.mutants.demo import MONTH, Told, Wish, demonstrated, shown, thinned, who_spoke
from tests.mutants.planting import ROOT, Copy, mutants, read

SPEAKERS = (*PROMISES, "floor: ", "demo: ")
# A demo of its own: red with the word of the patch in it, cut short with another.
DEMO = """
import json, os, pathlib, sys
WORD = "sound"
if WORD == "stuck":
    sys.exit("no rest\\ndemo: nothing done for 120 s")
found = [{"what": WORD, "where": os.environ["DAYS"], "at": ""}] if WORD != "sound" else []
pathlib.Path("local/.run").mkdir(exist_ok=True)
said = {"promises": {"S1": {"checked": 1, "violations": found}}, "missed": []}
pathlib.Path("local/.run/summary.json").write_text(json.dumps(said))
sys.exit(len(found))
"""
PATCH = """Bug: {word}
Red: tests
diff --git a/local/demo.py b/local/demo.py
--- a/local/demo.py
+++ b/local/demo.py
@@ -2,3 +2,3 @@
 import json, os, pathlib, sys
-WORD = "sound"
+WORD = "{word}"
 if WORD == "stuck":
"""


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "demo.py").write_text(DEMO)
    return Copy(tmp_path)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("harm", Told(1, ("S1 1 times: harm (3)",))),
        ("stuck", Told(1, ("demo: nothing done for 120 s",))),
    ],
)
def test_a_demo_with_a_bug_planted_says_who_spoke_and_the_bug_is_gone_afterwards(
    word: str, told: Told, copy: Copy, tmp_path: Path
) -> None:
    patch = tmp_path / "a-bug.patch"
    patch.write_text(PATCH.format(word=word))
    assert demonstrated(copy, read(patch), Wish(3, 1)) == told
    assert demonstrated(copy, None, Wish(3, 1)) == Told(0, ())


def test_judges_and_floors_that_spoke_are_named() -> None:
    violation = {"what": "called gone", "where": "web-1", "at": ""}
    promises = {"S1": {"violations": []}, "S7": {"violations": [violation, violation]}}
    assert [*who_spoke({"promises": promises, "missed": ["kills: 1"]})] == [
        "S7 2 times: called gone (web-1)",
        "floor: kills: 1",
    ]


def test_of_a_thin_fleet_each_kind_is_drawn_once_and_troubles_stay(tmp_path: Path) -> None:
    (tmp_path / MONTH).parent.mkdir(parents=True)
    shutil.copy(ROOT / MONTH, tmp_path / MONTH)
    thinned(Copy(tmp_path))
    before, after = ((root / MONTH).read_text().partition("[[machine]]") for root in (ROOT, tmp_path))
    assert after[2] == before[2]
    assert after[0].count("\ncount = 1\n") == after[0].count("[[kind]]") > 1


def test_only_the_demo_knows_the_healthy_product() -> None:
    with pytest.raises(SystemExit):
        main(["healthy"])


def test_what_is_written_down_is_of_bugs_that_there_are_and_says_one_thing_of_each() -> None:
    assert set(shown()) <= {mutant.name for mutant in mutants()}
    for name, said in shown().items():
        assert len({"spoke", "cannot", "not_run"} & set(said)) == 1, name
        assert ("days" in said) == ("spoke" in said), name
        assert said.get("scenario", "short") in SCENARIOS, name
        assert ("why" in said) == (said.get("spoke") == []), name
        assert all(str(one).startswith(SPEAKERS) for one in said.get("spoke", ())), name
