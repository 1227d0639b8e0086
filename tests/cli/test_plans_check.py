"""`tagback plans check`: a plans file is fine, or every problem with it is listed with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.model.rules import Rules
from shared.ports import World
from tests.cli.running import answer, run_with


def no_settings() -> tuple[World, Rules]:
    raise AssertionError("checking a file needs no settings")


def test_the_plans_that_are_shipped_are_fine() -> None:
    result = run_with(no_settings, "plans", "check", "--output", "json")
    document = answer(result)
    assert (document["ok"], document["problems"], result.exit_code) == (True, [], 0)
    assert {"bronze", "silver", "gold"} <= set(document["plans"])
    assert "is fine" in run_with(no_settings, "plans", "check").stdout


def test_every_problem_is_listed_at_once_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_text(
        'default = "platinum"\n'
        '[plans.iron.snapshots]\nat = ["25:00"]\nzone = "Mars/Olympus"\nkeep = "forever"\n'
        '[plans.tin]\nkeep_floor = "soon"\n'
    )
    result = run_with(no_settings, "plans", "check", str(file), "--output", "json")
    text = "\n".join(answer(result)["problems"])
    places = ("default:", "plans.iron.snapshots.at:", "plans.iron.snapshots.zone:", "plans.iron.snapshots.keep:")
    assert [place for place in (*places, "plans.tin:", "plans.tin.keep_floor:") if place not in text] == []
    assert result.exit_code == 2


def test_what_the_schema_refuses_is_listed_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_text('default = "iron"\n[plans.iron]\nkeeep = "7d"\nmax_per_day = 0\n')
    result = run_with(no_settings, "plans", "check", str(file))
    assert "plans.iron: there is no field 'keeep'; allowed: keep_floor, max_per_day, snapshots, vault" in result.stdout
    assert "plans.iron.max_per_day: 0 is out of range; allowed: 1 to 24" in result.stdout
    assert result.exit_code == 2


def test_a_bad_shape_hides_no_bad_value_and_nothing_is_told_twice(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_text(
        'default = "platinum"\ncolour = 1\n'
        '[plans.iron]\nkeeep = "7d"\nmax_per_day = 0\n'
        '[plans.iron.snapshots]\nat = ["25:00", 3]\nzone = "Mars/Olympus"\nwindow = 5\n'
        '[subscriptions."s"]\nallowed_plans = ["tin"]\n'
    )
    found = answer(run_with(no_settings, "plans", "check", str(file), "--output", "json"))["problems"]
    assert sorted(problem.split(": ")[0] for problem in found) == [
        "default",
        "file",
        "plans.iron",
        "plans.iron.max_per_day",
        "plans.iron.snapshots",
        "plans.iron.snapshots.at",
        "plans.iron.snapshots.at[1]",
        "plans.iron.snapshots.window",
        "plans.iron.snapshots.zone",
        'subscriptions."s"',
        'subscriptions."s".allowed_plans',
    ]


@pytest.mark.parametrize("text", ["a = " + "[" * 3000, "a = " + "9" * 5000, "\0"])
def test_toml_that_cannot_be_read_is_bad_input(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plans.toml"
    file.write_text(text)
    result = run_with(no_settings, "plans", "check", str(file), "--output", "json")
    assert (result.exit_code, "is not TOML" in answer(result)["problems"][0]) == (2, True)


def test_an_empty_file_lacks_each_part_once(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_text("")
    problems = answer(run_with(no_settings, "plans", "check", str(file), "--output", "json"))["problems"]
    assert problems == [
        'file: it lacks default; allowed: with default, such as "silver"',
        "file: it lacks plans; allowed: with plans",
    ]


def test_a_byte_order_mark_as_windows_writes_it_is_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_text('default = "iron"\n[plans.iron.snapshots]\nat = ["02:00"]\nkeep = "7d"\n', encoding="utf-8-sig")
    assert run_with(no_settings, "plans", "check", str(file)).exit_code == 0


def test_a_file_that_is_not_toml_or_not_there_is_bad_input(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    missing = run_with(no_settings, "plans", "check", str(file), "--output", "json")
    file.write_text("default = silver\n")
    broken = run_with(no_settings, "plans", "check", str(file), "--output", "json")
    assert answer(missing)["problems"] == [f"{file} cannot be read: No such file or directory"]
    assert answer(broken)["problems"][0].startswith(f"{file} is not TOML: Invalid value (at line 1")
    assert (missing.exit_code, broken.exit_code) == (2, 2)


def test_without_a_file_the_one_of_the_settings_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGBACK_PLANS", str(tmp_path / "gone.toml"))
    assert run_with(no_settings, "plans", "check").exit_code == 2
