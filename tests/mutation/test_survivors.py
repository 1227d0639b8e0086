"""The list of survivors: what is kept when it is written anew, and what counts as a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import survivors
from tests.mutation.survivors import EVERY, GROUPS, Survivor, group_of, merged, reason
from tests.mutation.verdicts import Fate, Mutant


def mutant(function: str, change: str = "- a\n+ b", module: str = "tags") -> Mutant:
    return Mutant(module, function, Fate.SURVIVED, change)


KNOWN = [
    Survivor("plan.read", "- x\n+ y", "another module"),
    Survivor("tags.judge", "- a\n+ b", "it is the same"),
    Survivor("tags.judge", "- gone\n+ away", "it is killed by now"),
    Survivor("tags.rows", EVERY, "runs at import"),
]


def test_a_reason_belongs_to_a_change_or_to_a_whole_function() -> None:
    assert reason(KNOWN, mutant("judge")) == "it is the same"
    assert reason(KNOWN, mutant("judge", "- c\n+ d")) == ""
    assert reason(KNOWN, mutant("rows", "- c\n+ d")) == "runs at import"


def test_writing_anew_keeps_reasons_drops_the_dead_and_leaves_other_modules_alone() -> None:
    alive = [mutant("judge"), mutant("judge", "- c\n+ d"), mutant("rows")]
    assert merged(KNOWN, alive, ["tags"]) == [
        KNOWN[0],
        KNOWN[1],
        Survivor("tags.judge", "- c\n+ d"),
        KNOWN[3],
    ]


@pytest.mark.parametrize(
    ("before", "after", "group"),
    [
        ("return 'it is late'", "return 'XXit is lateXX'", "wording"),
        ("return 'it is Late'", "return 'IT IS LATE'", "wording"),
        ('f(a, "it isn\'t")', 'f(a, "IT ISN\'T")', "wording"),
        ("x = [f'{a} of {b} left', 'k']", "x = [f'XX{a} of {b} leftXX', 'k']", "wording"),
        ("d = {'key': 'it is late'}", "d = {'XXkeyXX': 'it is late'}", ""),
        ("d['key']", "d['KEY']", ""),
        ("return 'it is late'", "return None", ""),
        ("return f(1, 'it is late')", "return f(2, 'XXit is lateXX')", ""),
        ("', '.join(names)", "'XX, XX'.join(names)", ""),
        ("return f'{a.lower()} is late'", "return f'{a.upper()} is late'", ""),
        ("assert_never(want)", "assert_never(None)", "impossible"),
        ("x.rsplit('/', 1)[-1]", "x.rsplit('/', 2)[-1]", "pieces"),
        ("f'{x.rsplit('/', 1)[-1]} of y'", "f'{x.rsplit('/')[-1]} of y'", "pieces"),
        ("x.split('/', 1)[0]", "x.split('/')[0]", "pieces"),
        ("x.rsplit('/', 1)[-1]", "x.rsplit('/', 1)[+1]", ""),
        ("x.rsplit('/', 1)[-1]", "x.rsplit('/', 0)[-1]", ""),
        ("x.rsplit('/', 1)[-1]", "x.rsplit('|', 1)[-1]", ""),
        ("x.rsplit('/', 1)[-1]", "x.split('/', 1)[-1]", ""),
        ("x.split('/', 1)[-1]", "x.split('/', 2)[-1]", ""),
        ("x.rsplit('/', 1)[0]", "x.rsplit('/', 2)[0]", ""),
        ("x.rsplit('/', 1)[-1] + y", "x.rsplit('/', 2)[-1] + z", ""),
    ],
)
def test_a_group_is_told_by_a_rule_and_has_a_reason(before: str, after: str, group: str) -> None:
    change = f"- {before}\n+ {after}"
    assert group_of(change) == group
    assert reason([], mutant("judge", change)) == GROUPS.get(group, "")


def test_what_is_never_reached_may_be_taken_away() -> None:
    assert group_of("- case _:\n- assert_never(want)") == "impossible"
    assert group_of("- case _:\n- return 1") == ""


def test_what_belongs_to_a_group_is_not_listed() -> None:
    assert merged([], [mutant("judge", "- 'it is late'\n+ 'IT IS LATE'")], ["tags"]) == []


def test_what_is_written_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survivors, "FILE", tmp_path / "survivors.toml")
    assert survivors.read() == []
    odd = Survivor("tags.judge", "- \"a\\b\"\n+ f'{x}'", 'it says "no"')
    survivors.write([*KNOWN, odd])
    assert survivors.read() == [*KNOWN, odd]


def test_every_survivor_on_the_list_has_its_reason() -> None:
    assert [one.place for one in survivors.read() if not one.because] == []
