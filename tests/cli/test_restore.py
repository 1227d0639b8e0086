"""`tagback restore` over the twins: what is asked, what is told, what is refused before anything is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.flows import request_kinds
from shared.flows.requesting import run as run_request
from shared.model.machine import Status
from shared.model.point import PointState
from shared.model.request import Progress
from shared.model.restore import ArmPath, Lent, RestoreMode
from tests.cli.running import answer, run
from tests.fleet import DAY, LAST_SLOT, Fleet, capture, empty_fleet, machine, point, uid_of


@pytest.fixture
def fleet() -> Fleet:
    made = empty_fleet()
    gone = replace(machine(1, "web-1", Status.GONE), enrolled_at=None, next_due=None, last_point=LAST_SLOT)
    made.put(gone, capture(gone), point(gone, LAST_SLOT - DAY), point(gone))
    return made


def test_a_restore_is_asked_for_and_says_what_will_be_lost(fleet: Fleet) -> None:
    result = run(fleet, "restore", "web-1", "--no-wait")
    assert result.exit_code == 0
    assert "from the point of 2026-11-20 02:00Z: the last 10 h are not in it" in result.stderr
    [asked] = fleet.stage.requests.asked.values()
    assert asked.order is not None
    assert (asked.order.mode, asked.by) == (RestoreMode.REBUILD, "oid-of-the-asker")
    assert asked.id in result.stdout


def test_a_restore_to_a_time_uses_the_newest_point_before_it(fleet: Fleet) -> None:
    words = ("--before", "2026-11-20 02:30", "--zone", "Europe/Berlin", "--no-wait")
    result = run(fleet, "restore", "web-1", *words)
    assert "from the point of 2026-11-19 02:00Z" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--before", "2026-11-01 00:00"), "every complete point is from 2026-11-01 00:00Z or later"),
        (("--slot", "20261101T0200Z"), "it has no point of 2026-11-01 02:00Z"),
        (("--mode", "disks", "--as", "x", "--protect"), "--as says nothing with --mode disks"),
        (("--mode", "in-place", "--group", "x"), "--group says nothing with --mode in-place"),
        (("--as", "x"), "--as says nothing with --mode rebuild"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(fleet: Fleet, words: tuple[str, ...], said: str) -> None:
    result = run(fleet, "restore", "web-1", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not fleet.stage.requests.asked


def test_a_point_that_is_not_complete_is_refused_with_its_reason() -> None:
    fleet = empty_fleet()
    row = machine(1, "web-1")
    fleet.put(row, capture(row), point(row, state=PointState.INCOMPLETE))
    result = run(fleet, "restore", "web-1", "--slot", "20261120T0200Z")
    assert result.exit_code == 2
    assert "the point of 2026-11-20 02:00Z cannot be used: it is incomplete" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_refusal_says_of_each_point_once_why_it_does_not_fit(fleet: Fleet) -> None:
    newest, older = run(fleet, "restore", "web-1", "--at-least", "application").stderr.splitlines()
    assert newest.endswith("that is at least application: the newest, of 2026-11-20 02:00Z, is per-disk")
    assert older == "tagback: 2026-11-19 02:00Z: it is only per-disk"


def test_a_machine_without_points_says_who_had_its_name_before(fleet: Fleet) -> None:
    """As after it was restored under its own name: the points are its predecessor's, which answers to its vmId."""
    fleet.put(replace(machine(2, "web-1"), id=machine(1, "web-1").id, as_of=machine(1, "web-1").as_of + DAY))
    said = run(fleet, "restore", "web-1").stderr
    assert "web-1 cannot be restored: it has no recovery point" in said
    assert f"the points of the machine that was web-1 before are named by its vmId: {uid_of(1)}" in said
    assert run(fleet, "restore", uid_of(1), "--no-wait").exit_code == 0


def test_a_restore_that_is_refused_where_it_is_carried_out_says_so(fleet: Fleet) -> None:
    """The points of this fleet have no model: only their disks can be brought back."""
    asked = answer(run(fleet, "restore", "web-1", "--no-wait", "--output", "json"))["id"]
    run_request(*fleet.open(), asked)
    assert fleet.stage.requests.asked[asked].progress is Progress.REFUSED
    told = answer(run(fleet, "request", asked, "--output", "json"))
    assert (told["progress"], told["restore"]["mode"]) == ("refused", "rebuild")
    assert "so only its disks can be brought back: --mode disks" in told["because"]
    assert "only its disks" in run(fleet, "request", asked).stdout


def test_an_unknown_machine_or_request_is_not_found(fleet: Fleet) -> None:
    assert run(fleet, "restore", "nobody").exit_code == 3
    assert run(fleet, "restore", "undo", "nothing").exit_code == 3
    assert run(fleet, "restore").exit_code == 3
    assert run(fleet, "restore", "--all-in", "nowhere").exit_code == 3


def test_several_are_asked_for_the_most_urgent_first(fleet: Fleet) -> None:
    for number, name in ((2, "alpha"), (3, "zeta")):
        row = replace(machine(number, name), tags={"backup": "silver", "backup-group": "Shop"})
        fleet.put(row, capture(row), point(row))
    words = ("restore", "web-1", "--together", "shop", "--mode", "disks", "--no-wait", "--output", "json")
    assert len(answer(run(fleet, *words))) == 3
    asked = [one.uid for one in fleet.stage.requests.asked.values()]
    assert asked == [uid_of(1), uid_of(2), uid_of(3)]
    for option, value, count in (("--all-in", "WEB", 3), ("--with-plan", "silver", 3)):
        chosen = ("restore", option, value, "--mode", "disks", "--no-wait", "--output", "json")
        assert len(answer(run(fleet, *chosen))) == count
    named = run(fleet, "restore", "alpha", "zeta", "--mode", "new", "--as", "x")
    assert (named.exit_code, "--as names one machine" in named.stderr) == (2, True)


def test_one_without_a_point_stops_all_of_them_before_anything_is_asked(fleet: Fleet) -> None:
    fleet.put(machine(2, "alpha"))
    result = run(fleet, "restore", "web-1", "alpha")
    assert (result.exit_code, "alpha cannot be restored: it has no recovery point" in result.stderr) == (2, True)
    assert not fleet.stage.requests.asked


def test_a_program_asks_for_the_same_by_texts(fleet: Fleet) -> None:
    world, rules = fleet.open()
    asked = request_kinds.ask(
        world, rules, {"asked": "restore", "vm": "web-1", "mode": "new", "as": "web-9"}, "program"
    )
    assert asked.order is not None
    assert (asked.order.mode, asked.order.name, asked.by) == (RestoreMode.NEW, "web-9", "program")


FILES = ("--mode", "files", "--to", "reader")


def test_single_files_are_asked_for_with_the_machine_that_reads_them(fleet: Fleet) -> None:
    reader = machine(2, "reader")
    fleet.put(reader)
    result = run(fleet, "restore", "web-1", *FILES, "--disk", "os", "--no-wait")
    assert result.exit_code == 0, result.stderr
    [asked] = fleet.stage.requests.asked.values()
    assert asked.order is not None
    assert (asked.order.mode, asked.order.reader, asked.order.disk) == (RestoreMode.FILES, str(reader.id), "os")


def test_the_machine_that_reads_has_to_be_known(fleet: Fleet) -> None:
    assert run(fleet, "restore", "web-1", *FILES).exit_code == 3
    missing = run(fleet, "restore", "web-1", "--mode", "files")
    assert (missing.exit_code, "files are read from a VM that you name: --to VM" in missing.stderr) == (2, True)


def test_without_the_app_nothing_is_lent_that_nobody_would_take_back(fleet: Fleet) -> None:
    result = run(fleet, "restore", "web-1", *FILES, "--from-azure")
    assert (result.exit_code, "nobody would take the disks away again" in result.stderr) == (2, True)


def test_it_is_told_which_disk_is_where_and_how_to_read_it(fleet: Fleet) -> None:
    reader = machine(2, "reader")
    fleet.put(reader)
    asked = answer(run(fleet, "restore", "web-1", *FILES, "--no-wait", "--output", "json"))["id"]
    run_request(*fleet.open(), asked)
    begun = fleet.stage.requests.asked[asked]
    assert begun.restore is not None
    sources = begun.restore.sources
    lent = tuple(Lent(ArmPath(f"/disks/{lun}"), source.disk, source.lun, lun) for lun, source in enumerate(sources, 3))
    lent += (Lent(ArmPath("/disks/9"), sources[0].disk, 0, 9),)
    restore = replace(begun.restore, lent=lent, failure=None)
    done = replace(begun, progress=Progress.DONE, because="reader has disks", restore=restore)
    fleet.stage.requests.asked[asked] = done
    told = answer(run(fleet, "request", asked, "--output", "json"))["restore"]["lent"]
    where = {"disk": "/disks/3", "of": "web-1-os", "was": "OS disk", "lun": 3, "linux": "/dev/disk/azure/scsi1/lun3"}
    assert told[0] == where
    page = run(fleet, "request", asked).stdout
    for said in (
        "LUN 3: the OS disk (web-1-os)",
        "LUN 9: the disk of LUN 0 (",
        "-o ro,noload",
        "-IsReadOnly",
        f"tagback restore undo {asked}",
    ):
        assert said in page
