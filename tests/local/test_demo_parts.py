"""The demo's own reckoning: the fleet that a seed draws, what its plans make of it, its floors, and its fault files."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from local.demo.__main__ import Wish, questions, wish
from local.demo.fault_files import EVENING, adapted
from local.demo.floors import FAULTS, FLOORS, missed
from local.demo.foretold import asked, foretold
from local.demo.owners import newest_snapshots, said
from local.demo.play import plans_of
from local.demo.scenario import SCENARIOS, MachineStory, Scenario, Trouble, Turn, load
from local.demo.scenes import SCENES
from local.demo.script import Script
from local.demo.watch import shortened
from local.judges import PROMISES
from local.judges.plans import read_plans
from local.judges.script import read_script
from shared.decide.plan import read_plans as plans_of_the_app

NOW = datetime(2027, 1, 1, tzinfo=UTC)
PLANS = read_plans(plans_of(load("month", 1, NOW)))
SEEDS = range(1, 6)


def month(seed: int) -> Scenario:
    return load("month", seed, NOW)


def short() -> Scenario:
    return load("short", 1, NOW)


def plan_asked_for(machine: MachineStory) -> str:
    return next((value.lower() for name, value in machine.tags.items() if name.lower() == "backup"), "")


@pytest.mark.parametrize("name", ["month", "short", "crowd", "spine"])
def test_the_same_seed_gives_the_same_fleet_and_times_and_another_gives_others(name: str) -> None:
    assert load(name, 7, NOW) == load(name, 7, NOW)
    assert load(name, 7, NOW) != load(name, 8, NOW)


def test_a_start_that_has_passed_is_put_off_by_whole_weeks() -> None:
    later = load("spine", 1, datetime(2029, 1, 1, tzinfo=UTC)).start
    assert later > datetime(2029, 1, 2, tzinfo=UTC)
    assert (later - load("spine", 1, NOW).start) % timedelta(weeks=1) == timedelta()


def test_the_settings_of_the_demo_are_judged_whole() -> None:
    assert wish({}) == Wish(days=30, seed=1)
    assert wish({"DAYS": "2", "SEED": "7"}) == Wish(days=2, seed=7)
    assert wish({"SCENARIO": "short"}) == Wish(days=3, seed=1, scenario="short")
    with pytest.raises(ValueError, match=r"^SCENARIO=year: .*month, short, crowd; DAYS=none: .*; SEED=-1: .*$"):
        wish({"DAYS": "none", "SEED": "-1", "SCENARIO": "year"})


def test_the_command_line_is_asked_of_machines_that_there_are() -> None:
    assert ["explain", "typo-1"] in questions(month(1))
    assert questions(short()) == [["status"], ["points", "shop-1"], ["explain", "shop-1"], ["drill"]]
    assert questions(load("crowd", 1, NOW)) == [["explain", "late-1"], ["drill"]], "not of a thousand, line by line"


def test_what_goes_wrong_in_short_is_what_goes_wrong_in_the_month_and_its_points_go_from_the_second_day_on() -> None:
    both = [{(one.fault, one.do) for one in drawn.troubles} for drawn in (short(), month(1))]
    assert both[0] - both[1] == {("F6", "hide"), ("T7", "lead")}
    assert short().troubles[-1].at < timedelta(days=3)
    plans = read_plans(plans_of(short()))
    assert foretold(short(), plans, short().start + timedelta(days=1)).ending == 0
    assert foretold(short(), plans, short().start + timedelta(days=2)).ending > 20


def test_a_scenario_names_the_scenes_that_are_told_in_it() -> None:
    titles = {scene.title for scene in SCENES}
    assert titles.issuperset(short().scenes)
    assert not month(1).scenes, "all of them"


def test_nothing_is_foretold_of_a_subscription_in_which_the_app_only_looks_on() -> None:
    [looked_at] = [machine for machine in month(1).machines if machine.subscription in month(1).observed]
    alone = replace(month(1), machines=(looked_at,))
    assert foretold(alone, PLANS, alone.start + timedelta(days=9)).points == 0


@pytest.mark.parametrize("name", ["month", "short", "crowd"])
def test_whatever_happens_to_a_machine_can_be_told(name: str) -> None:
    told = [said(turn) for machine in load(name, 1, NOW).machines for turn in machine.turns]
    assert all(told)


def test_a_person_who_seals_finds_the_snapshots_of_the_newest_point_that_are_there() -> None:
    machine = {"id": "/m", "type": "Microsoft.Compute/virtualMachines", "gone": None, "properties": {"vmId": "u"}}

    def snapshot(name: str, slot: str, uid: str = "u", gone: str | None = None) -> dict[str, Any]:
        tags = {"tagback-vm": uid, "tagback-slot": slot}
        return {"id": name, "type": "Microsoft.Compute/snapshots", "gone": gone, "tags": tags}

    old, new, other, gone = (
        snapshot("a", "1"),
        snapshot("b", "2"),
        snapshot("c", "3", "v"),
        snapshot("d", "4", gone="x"),
    )
    assert newest_snapshots([machine, old, new, snapshot("e", "2"), other, gone], "/M") == ["b", "e"]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_draws_a_fleet_of_the_size_that_is_promised(seed: int) -> None:
    drawn = month(seed)
    names = Counter(machine.name for machine in drawn.machines)
    assert max(names.values()) == 1
    assert len(drawn.machines) >= 45
    protected = [machine for machine in drawn.machines if machine.subscription not in drawn.observed]
    assert 60 <= sum(len(machine.disks) + (not machine.ephemeral) for machine in protected) <= 85
    assert len({machine.subscription for machine in drawn.machines} - drawn.observed) == 2
    assert len({machine.region for machine in drawn.machines}) == 3
    assert sum(plan_asked_for(machine) == "gold" and not machine.turns for machine in drawn.machines) >= 11


@pytest.mark.parametrize("seed", SEEDS)
def test_plans_and_days_leave_room_for_the_floors(seed: int) -> None:
    drawn = month(seed)
    found = foretold(drawn, PLANS, drawn.start + timedelta(days=30))
    assert found.points >= 1.1 * FLOORS["points"]
    assert found.ending >= 1.5 * FLOORS["expired"]


def test_the_plans_of_the_month_are_such_as_the_app_takes_and_the_tills_hold_what_is_tried() -> None:
    found, problems = plans_of_the_app(tomllib.loads(plans_of(month(1))))
    assert problems == ()
    drilled = [machine for machine in month(1).machines if plan_asked_for(machine) == "tried"]
    assert len(drilled) >= 4
    tried = found.by_name["tried"].drill
    assert tried is not None
    for machine in drilled:
        last = [turn.to for turn in machine.turns if turn.do == "write"][-1]
        assert sha256(last.encode()).hexdigest() == tried.expects
    assert [plan.vault is not None for plan in found.by_name.values()].count(True) == 1


def test_nothing_ends_before_its_shortest_age_of_a_week() -> None:
    drawn = month(1)
    found = foretold(drawn, PLANS, drawn.start + timedelta(days=7))
    assert found.points > 0
    assert found.ending == 0


def one_machine(scenario: Scenario, tags: Mapping[str, str], *turns: Turn) -> Scenario:
    return replace(scenario, machines=(replace(scenario.machines[0], tags=dict(tags), turns=turns),))


def test_the_sum_for_one_machine_can_be_checked_by_hand() -> None:
    """Bronze at 03:00, kept for 7 days: in ten days ten points, of which those of the first three days are over."""
    alone = one_machine(month(1), {"backup": "bronze"})
    found = foretold(alone, PLANS, alone.start + timedelta(days=10))
    assert (found.points, found.ending) == (10, 3)
    found = foretold(alone, PLANS, alone.start + timedelta(days=10, hours=5))
    assert (found.points, found.ending) == (11, 4)


@pytest.mark.parametrize(
    ("turn", "plans"),
    [
        (Turn(timedelta(days=1), "untag"), ["bronze"]),
        (Turn(timedelta(days=1), "delete"), ["bronze"]),
        (Turn(timedelta(days=1), "tag", {"backup": "gold"}), ["bronze", "gold"]),
        (Turn(timedelta(days=1), "tag", {"backup": "bronce"}), ["bronze", "bronze"]),
        (Turn(timedelta(days=1), "move", to="elsewhere"), ["bronze", "bronze"]),
    ],
    ids=lambda given: given.do if isinstance(given, Turn) else "",
)
def test_what_is_asked_for_follows_the_story(turn: Turn, plans: list[str]) -> None:
    alone = one_machine(month(1), {"backup": "bronze"}, turn)
    found = list(asked(alone.machines[0], alone.start, PLANS, alone.start + timedelta(days=2)))
    assert [plan.name for plan, _, _ in found] == plans


def test_a_trouble_comes_as_often_as_it_says_and_never_in_the_last_days() -> None:
    drawn = month(1)
    assert drawn.troubles == tuple(sorted(drawn.troubles, key=lambda trouble: trouble.at))
    assert max(trouble.at for trouble in drawn.troubles) < timedelta(days=24), "time to converge, and a day in peace"
    known = {trouble.fault for trouble in drawn.troubles}
    assert set(FAULTS) - known <= {"F19"}, "machines made again are in the owners' stories"


@pytest.mark.parametrize("path", sorted((SCENARIOS / "faults").glob("*.json")), ids=lambda path: path.stem)
def test_every_fault_file_can_be_put_to_another_time(path: Path) -> None:
    at = datetime(2027, 3, 12, 2, tzinfo=UTC)
    trouble = Trouble(path.stem, "rules", timedelta(days=2), timedelta(hours=1), "")
    rules = list(adapted(trouble, at, 3))
    assert len(rules) == len(json.loads(path.read_text())["rules"])
    for rule in rules:
        assert rule["id"].startswith(f"{path.stem}-3-")
        assert datetime.fromisoformat(rule["until"]) == at + trouble.lasts
        assert rule["match"].get("principal") == ("tagback" if "event" not in rule["match"] else None)
        assert "2026" not in json.dumps(rule)


def test_a_trouble_may_be_rarer_than_its_file_says() -> None:
    rules = list(adapted(Trouble("F2", "rules", timedelta(), timedelta(hours=1), ""), EVENING, 0))
    assert 1 - (1 - rules[0]["probability"]) ** len(rules) == pytest.approx(0.3, abs=0.01), "three calls in ten"
    rarer = adapted(Trouble("F2", "rules", timedelta(), timedelta(hours=1), "", {"probability": 0.01}), EVENING, 0)
    assert [rule["probability"] for rule in rarer] == [0.01] * len(rules)


def test_a_date_in_retry_after_moves_with_the_rule() -> None:
    at = EVENING + timedelta(days=100)
    rules = adapted(Trouble("F1", "rules", timedelta(), timedelta(hours=1), ""), at, 0)
    dates = [rule["effect"]["retry_after"] for rule in rules if isinstance(rule["effect"].get("retry_after"), str)]
    assert dates == ["Sun, 28 Feb 2027 00:05:00 GMT"]


def reached() -> dict[str, Any]:
    """A summary that stands exactly on its floors."""
    promises = {name: {"checked": 30, "violations": []} for name in PROMISES}
    return {"virtual_days": 30.0, **FLOORS, "faults": dict.fromkeys(FAULTS, 3), "promises": promises}


def test_a_month_on_its_floors_misses_none() -> None:
    assert list(missed(reached())) == []


@pytest.mark.parametrize("name", FLOORS)
def test_one_below_a_floor_is_missed(name: str) -> None:
    [said] = missed(reached() | {name: FLOORS[name] - 1})
    assert said.startswith(f"{name}: ")


def test_a_fault_or_a_promise_too_rarely_met_is_missed() -> None:
    rare = reached()
    rare["faults"]["F9"] = 2
    del rare["faults"]["T1"]
    rare["promises"]["S4"]["checked"] = 29
    assert [said.split()[1] for said in missed(rare)] == ["F9", "T1", "S4"]


def test_a_shorter_demo_has_no_floors() -> None:
    assert list(missed(reached() | {"virtual_days": 29.0, "points": 0})) == []


def test_the_script_is_what_the_judges_read(tmp_path: Path) -> None:
    script = Script(tmp_path / "script.jsonl")
    end = NOW + timedelta(days=2)
    script.note("begin", NOW, end, subscriptions=["A"], settings={"TAGBACK_SWEEP": "0 0 * * * *"})
    script.note("plans", NOW, text='default = "a"\n[plans.a.snapshots]\nat = ["02:00"]\nkeep = "7d"\n')
    script.note("kill", NOW + timedelta(hours=1), NOW + timedelta(hours=2), mid_put=True)
    read = read_script(script.path)
    assert (read.start, read.end, read.sweep) == (NOW, end, timedelta(hours=1))
    assert [act.do for act in read.disturbances] == ["kill"]
    assert script.count("kill", "plans") == 2


def test_sums_are_cut_where_they_are_told() -> None:
    assert shortened(f"it wrote '{'a1' * 32}  os/0', not 12345678") == "it wrote 'a1a1a1a1...  os/0', not 12345678"
