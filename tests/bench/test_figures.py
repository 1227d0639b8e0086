"""The arithmetic of `make bench`: bounds, laws, bills, and the file that keeps the figures."""

from __future__ import annotations

import json
import math
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.bench import arrivals, drains, engines, pacing, peers, planning
from local.bench.bounds import (
    ARM_ONLY,
    BOTH,
    READS,
    SETS,
    WINDOWS,
    WRITES,
    seconds,
    with_smaller_windows,
    without_windows,
)
from local.bench.days import (
    ASKED,
    LARGE,
    LOOKS,
    MEASURED,
    PRICES,
    SHARDS,
    SLICES,
    SMALL,
    SWEEPS,
    TURN,
    Law,
    bills,
    law_of,
)
from local.bench.executions import Execution, Length, Span, executed, lengths
from local.bench.fleets import PLANS, TOGETHER_PLAN, VAULT_PLAN, Fleet
from local.bench.rows import AT_LEAST, Row, keep, kept
from local.bench.usage import CORE, STORAGE_LATENCY, arm, scans
from local.clock.conductor import Patience, Stuck

ROW = Row("speed", 1.25, 1.1, 1.0, "x bound", "a fleet")
LOG = """[2027-06-08 01:59:59,900] host Executed 'Functions.sweep' (Succeeded, Id=a, Duration=94ms)
[2027-06-08 02:00:00,000] host Executing 'Functions.sweep' (Id=e5368d57)
[2027-06-08 02:00:00,093] tagback sweep.done shards=4 machines=10 questions=0
[2027-06-08 02:00:00,094] host Executed 'Functions.drain_shard' (Succeeded, Id=b, Duration=1234ms)
[2027-06-08 02:00:01,000] host Executed 'Functions.sweep' (Failed, Id=c, Duration=9ms) TypeError("x")
"""


@pytest.mark.parametrize(
    ("calls", "buckets", "share", "least"),
    [
        (140, [WRITES], 0.3, 0),
        (240, [WRITES], 0.3, 10),
        (2_000, SETS[ARM_ONLY], 0.3, 186),
        (2_000, SETS[BOTH], 0.3, 234),
        (20_000, WINDOWS, 0.0, 3420),
    ],
)
def test_the_slowest_bucket_is_the_bound(calls: int, buckets: list[object], share: float, least: float) -> None:
    assert seconds(calls, buckets, share) == pytest.approx(least)  # type: ignore[arg-type] # rows of a table


def test_without_its_windows_the_provider_counts_no_creation() -> None:
    told = json.loads(without_windows())["provider"]
    assert set(told) == {f"Microsoft.Compute/{one.name}" for one in WINDOWS}
    assert all(one["size"] > 1e6 for one in told.values())


def test_smaller_windows_are_smaller_in_size_and_in_pace() -> None:
    told = json.loads(with_smaller_windows(0.1))["provider"]["Microsoft.Compute/HighCostSnapshotCreateHydrate3Min"]
    assert told["size"] == pytest.approx(100)
    assert told["per_second"] == pytest.approx(100 / 180)


def test_a_goal_is_met_from_its_own_side() -> None:
    assert not ROW.met()
    assert "MISSED" in ROW.line()
    assert Row("rate", 1.25, 1.1, None, "x", "", AT_LEAST).met()
    assert Row("told", 9e9, None, None, "x", "").met()


def test_a_figure_measured_again_replaces_its_row_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "run" / "bench.json"
    keep(path, [ROW, Row("other", 1, None, None, "s", "")])
    keep(path, [Row("speed", 1.04999, 1.1, 1.0, "x bound", "again")])
    rows = {str(row["figure"]): row for row in kept(path)}
    assert (rows["speed"]["value"], rows["speed"]["setup"], rows["other"]["value"]) == (1.05, "again", 1)
    assert {"figure", "value", "goal", "bound", "unit", "setup"} <= set(rows["speed"])


def test_a_larger_fleet_is_reckoned_from_what_a_day_costs_anyhow_and_what_each_machine_adds() -> None:
    law = Law({"reads": 300.0, "writes": 0.0}, {"reads": 0.5, "writes": 2.0})
    assert law.of("writes", 10_000) == 20_000
    assert law.of("reads", 1_000) == 300 + 500
    assert law.of("reads", 10_000) == 300 + 5_000 + 9 * SWEEPS


def test_a_bill_takes_the_free_grants_off_and_shows_its_sum() -> None:
    found = {row.figure: row for row in bills(Law({"gb_s": 0.0}, {"gb_s": 1.0}))}
    pages = 0.5 * 0.2 * 9 * SWEEPS
    slices = 0.5 * SLICES * LOOKS * ASKED * (SHARDS + 10_000 / TURN) * STORAGE_LATENCY
    gb_s = ((10_000 + pages + slices) * 30.4 - 100_000) * 0.000026
    assert found["monthly_bill_1k"].value < 0.2
    assert f"gb_s {gb_s:.2f}" in found["monthly_bill_10k"].setup
    parts = (10_000, 0, pages, slices)
    told = [f"{part * 30.4:,.0f} " for part in (sum(parts), *parts)]
    assert [one for one in told if one not in found["monthly_bill_10k"].setup] == []
    assert found["monthly_bill_10k"].value > gb_s


def test_a_bill_that_was_measured_says_so_and_the_others_are_computed() -> None:
    law = Law({}, {"executions": 1.0})
    found = {row.figure: row.setup for row in bills(law, {300: Law({"executions": 400.0}, {})})}
    assert found["monthly_bill_300"].startswith(f"{MEASURED} a day of 300 machines")
    assert found["monthly_bill_100"].startswith("computed for 100 machines")
    assert [row.figure for row in bills(law, {}, (1_000,))] == ["monthly_bill_1k"]


def test_a_large_ledger_is_in_slices_that_are_asked_one_by_one() -> None:
    law = Law({"scans": 200.0, "requests": 500.0}, {"requests": 10.0, "host_seconds": 0.2})
    assert law.of("requests", 2_000) == 500 + 20_000
    further = SLICES * (200 + LOOKS * ASKED * (SHARDS + 10_000 / TURN))
    assert law.of("requests", 10_000) == pytest.approx(500 + 100_000 + further)
    pages = 0.5 * 0.2 * 9 * SWEEPS
    assert law.gb_s(10_000) == pytest.approx(0.5 * further * (STORAGE_LATENCY + 0.02 / CORE) + pages)


@pytest.mark.parametrize(
    ("path", "times"),
    [
        ("RowKey%20ge%20'm%7B'%20and%20RowKey%20lt%20'm%7D'", 1),
        ("RowKey%20ge%20'm%7B'%20and%20next_expiry%20le%20datetime'T'", 1),
        ("RowKey%20ge%20'm%7B'%20and%20wanted_at%20le%20datetime'T'", 2),
        ("$select=wanted_at&$filter=RowKey%20ge%20'm%7B'%20and%20wanted_at%20le%20datetime'T'", 1),
        ("RowKey%20ge%20'o%7C'%20and%20RowKey%20lt%20'o%7D'%20and%20ended_at%20ge%20datetime'T'", 1),
        ("RowKey%20ge%20'o%7C'%20and%20RowKey%20lt%20'o%7D'%20and%20open%20eq%20true", 0),
        ("RowKey%20ge%20'p%7C'%20and%20RowKey%20lt%20'p%7D'", 0),
    ],
)
def test_what_goes_through_a_shard_is_told_from_what_knows_its_machines(path: str, times: int) -> None:
    assert scans(path) == times


def test_every_price_says_where_and_when_it_was_read() -> None:
    prices = tomllib.loads(PRICES.read_text())["price"]
    assert all(price["source"] and price["date"] for price in prices)
    assert len({price["unit"] for price in prices}) == len(prices)


def test_executions_are_read_from_the_hosts_own_lines(tmp_path: Path) -> None:
    (tmp_path / "host.log").write_text(LOG)
    span = Span(datetime(2027, 6, 8, 2, tzinfo=UTC), datetime(2027, 6, 9, 2, tzinfo=UTC))
    found = [(one.function, one.span.length.total_seconds()) for one in executed(tmp_path / "host.log", span)]
    assert found == [("drain_shard", 1.234), ("sweep", 0.009)]


def test_lines_of_an_earlier_measurement_do_not_count(tmp_path: Path) -> None:
    log = tmp_path / "host.log"
    log.write_text(LOG)
    begin = log.stat().st_size
    span = Span(datetime(2027, 6, 8, 2, tzinfo=UTC), datetime(2027, 6, 9, 2, tzinfo=UTC))
    assert [*executed(log, span, begin)] == []
    log.write_text(LOG + LOG)
    assert len([*executed(log, span, begin)]) == 2


def second(number: float) -> datetime:
    return datetime(2027, 6, 8, 2, tzinfo=UTC) + timedelta(seconds=number)


def test_an_execution_counts_what_it_waited_and_its_share_of_the_work() -> None:
    runs = [
        Execution("drain_shard", Span(second(0), second(100))),
        Execution("drain_shard", Span(second(90), second(100))),
        Execution("sweep", Span(second(110), second(120))),
    ]
    waits = [Span(second(20), second(80)), Span(second(100), second(110))]
    assert lengths(runs, waits, work_seconds=30) == [
        Length("drain_shard", 80),
        Length("drain_shard", 5),
        Length("sweep", 5),
    ]
    assert [one.seconds for one in lengths(runs, waits, work_seconds=120)] == [140, 20, 20], "slower in Azure than here"
    assert lengths([], [], 1) == []


def test_timers_are_the_installations_and_grow_with_the_fleet_beyond_the_second_that_is_billed() -> None:
    law = Law({"timers": 100.0, "timer_seconds": 10.0, "executions": 5.0}, {"timer_seconds": 0.1, "executions": 0.5})
    assert law.executions(100) == 100 + 5 + 50
    assert law.gb_s(100) == 0.5 * 100
    assert law.gb_s(1_000) == 0.5 * 110


def test_what_the_host_does_for_itself_grows_with_no_fleet() -> None:
    law = law_of(
        {"host_writes": 300.0, "executions": 10.0 * SMALL + 7}, {"host_writes": 340.0, "executions": 10.0 * LARGE + 7}
    )
    assert law.of("host_writes", 10_000) == 340
    assert law.of("executions", 10_000) == pytest.approx(100_007)


def test_each_call_to_azure_is_waited_for() -> None:
    law = Law({}, {"writes": 4.0, "deletes": 4.0, "reads": 1.0})
    assert law.gb_s(1000) == pytest.approx(0.5 * 0.2 * (1000 + 1000))


def test_a_seed_has_every_machine_with_its_disks_spread_over_the_shards() -> None:
    seed = tomllib.loads(Fleet(5, 2, 2).seed())
    places = {(machine["subscription"], machine["location"]) for machine in seed["vm"]}
    assert (len(seed["subscription"]), len(seed["group"]), len(seed["vm"]), len(places)) == (2, 4, 5, 4)
    assert all(len(machine["disks"]) == 2 for machine in seed["vm"])


def test_the_pace_of_a_drain_is_measured_at_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "NAMES", {200: "small"})
    monkeypatch.setattr(pacing, "GOALS", {200: 1.10})
    rows = {row.figure: row for row in pacing.figures()}
    assert set(rows) == {"drain_pace_over_bound_small", "drain_pace_over_bound_small_arm_only"}
    assert all(1 <= row.value < 1.2 and "0 of 400 calls refused" in row.setup for row in rows.values())


def test_planning_asks_only_about_what_changed() -> None:
    rows = {row.figure: row for row in planning.figures(planning.Size(300, "plan_300", 10, 150))}
    assert "3 messages came of it" in rows["plan_300_seconds"].setup
    assert rows["plan_300_seconds"].value > 0
    assert rows["plan_300_mb"].value > 10


def test_a_client_is_counted_by_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_run", lambda peer: {"changes": 40.0, "reads": 10.0, "seconds": 5.0})
    rows = {row.figure: row.value for row in peers.figures()}
    assert (rows["az_calls_per_machine"], rows["c7n_calls_per_machine"]) == (12.5, 2.5)
    assert (rows["az_processor_seconds_per_machine"], rows["c7n_processor_seconds_per_machine"]) == (1.25, 0.25)


def test_every_kind_of_plan_can_be_measured() -> None:
    for plan in (Fleet(1).plan, TOGETHER_PLAN, VAULT_PLAN):
        read = tomllib.loads((PLANS + plan).format(keep="7d", window="0min"))["plans"]["bench"]
        assert {"snapshots", "vault"} & set(read)


def test_calls_of_other_engines_are_told_by_kind_and_reckoned_for_a_large_fleet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def day(engine: engines.Engine, machines: int) -> dict[str, int]:
        return {"writes": 0, "deletes": machines, "reads": 100 + 3 * machines}

    monkeypatch.setattr(engines, "_day", day)
    rows = {row.figure: row.value for row in engines.figures(engines.VAULT)}
    assert (rows["vault_writes_per_vm_day"], rows["vault_deletes_per_vm_day"]) == (0, 1)
    assert rows["vault_reads_per_vm_day"] == 5.5
    assert rows["vault_calls_per_vm_day_10k"] == pytest.approx(4 + 100 / 2_500)


def test_every_call_that_is_neither_a_read_nor_a_deletion_is_a_write() -> None:
    base = {"status": 200, "method": "POST"}
    operations = ("Microsoft.ResourceGraph/resources/read", "Microsoft.RecoveryServices/vaults/backup/action")
    kinds = [[*arm([{**base, "operation": operation}])] for operation in operations]
    assert kinds == [["reads", "graph"], ["writes"]]


def test_a_fleet_is_given_time_to_enrol_before_it_counts_as_stuck() -> None:
    with pytest.raises(Stuck, match="no rest"):
        Patience(-1.0).spend({}, "here")
    Patience(60.0).spend({}, "here")


def test_what_the_larger_fleet_used_less_of_is_what_a_day_costs_anyhow() -> None:
    law = law_of({"reads": 140, "writes": 100}, {"reads": 130, "writes": 300})
    assert [law.of("reads", machines) for machines in (10, 1_000)] == [140, 140]
    assert law.of("writes", 1_000) == 1_000


def test_a_storm_is_told_by_its_slowest_its_cost_and_a_burst_by_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [arrivals.Event(second(0), second(1), second(1 + number)) for number in range(100, 0, -1)]
    monkeypatch.setattr(arrivals, "_heard", lambda storm: arrivals.Heard(events, host_seconds=2.0))
    rows = {row.figure: row for row in arrivals.figures(arrivals.Storm(50, 2, 10))}
    assert (rows["event_to_registered_p99_s"].value, rows["event_to_registered_median_s"].value) == (99, 51)
    assert rows["change_to_registered_p99_s"].value == 100
    assert rows["processor_seconds_per_event"].value == 0.02
    assert "keep 4 instances" in rows["processor_seconds_per_event"].setup
    [burst] = arrivals.absorbed(arrivals.Storm(5_000, 1, 10))
    assert burst.value == pytest.approx(101 / seconds(2_500, [READS], 0.3))


@pytest.mark.parametrize("storm", [arrivals.Storm(), arrivals.Storm(5_000, 1, 1_000), arrivals.Storm(2, 10, 12)])
def test_nobody_who_makes_a_storm_is_refused_a_write_for_having_made_too_many(storm: arrivals.Storm) -> None:
    each = math.ceil(storm.events / storm.owners / 2)
    assert each <= 200 + 10 * storm.seconds
    assert storm.instants(second(0))[-storm.events] == second(0)
    assert len(storm.instants(second(0))) == storm.events + 30


def test_an_event_is_registered_by_the_first_row_after_the_first_look_after_it_came() -> None:
    machine = "/subscriptions/one/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm"
    event = {"subject": f"{machine}/providers/Microsoft.Resources/tags/default", "eventTime": second(1).isoformat()}
    attempts = [{"at": second(moment).isoformat()} for moment in (2, 9)]
    deliveries: list[dict[str, Any]] = [
        {"event": event, "attempts": attempts},
        {"event": event, "attempts": []},
        {"event": event | {"eventTime": second(0).isoformat()}, "attempts": attempts},
    ]
    trace = arrivals.Trace([second(1), second(3), second(6)], [second(2), second(4), second(7)])
    [told] = arrivals.followed(deliveries, {machine: trace}, second(1))
    assert told == arrivals.Event(second(1), second(2), second(4))


def test_a_drain_says_what_it_cost_beside_how_long_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row("drain_over_bound_1k", 1.05, 1.1, 1.0, "x bound", "")
    told: list[str] = []

    def drained(fleet: Fleet, suffix: str, buckets: str) -> tuple[Row, list[dict[str, Any]]]:
        told.append(f"{fleet.machines}{suffix} {buckets}")
        return row, [{"status": 201}, {"status": 429}]

    monkeypatch.setattr(drains, "_drained", drained)
    assert [one.value for one in drains.figures(1_000)] == [1.05, 0.5]
    assert [*drains.figures_arm_only(1_000)] == [row]
    assert told == [f"1000 {BOTH}", f"1000_arm_only {ARM_ONLY}"]
