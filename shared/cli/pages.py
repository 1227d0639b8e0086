"""The tables and sentences in which the command line shows what show.py and explaining.py say. Used by main.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shared.cli.layout import Column
from shared.cli.output import print_lines, print_table, words

NAME = 12
SENTENCE = 30
STATUS = (
    Column("VM", "vm", NAME),
    Column("STATUS", "status"),
    Column("PLAN", "plan"),
    Column("LAST POINT", "last_point"),
    Column("NEXT DUE", "next_due"),
    Column("REGION", "region"),
    Column("BECAUSE", "because", SENTENCE),
)
POINTS = (
    Column("SLOT", "slot"),
    Column("STATE", "state"),
    Column("CONSISTENCY", "consistency"),
    Column("PARTS", "ready"),
    Column("CLASS", "class"),
    Column("KEEP UNTIL", "keep_until"),
    Column("BECAUSE", "because", SENTENCE),
)
JOBS = (
    Column("STARTED", "started"),
    Column("VM", "vm", NAME),
    Column("KIND", "kind"),
    Column("STATE", "state"),
    Column("READY", "ready"),
    Column("ATTEMPTS", "attempts"),
    Column("ENDED", "ended"),
    Column("NEXT LOOK", "next_look"),
    Column("BECAUSE", "said", SENTENCE),
)
REPORT = (
    Column("VM", "vm", NAME),
    Column("PROMISE", "verdict"),
    Column("PLAN", "plan"),
    Column("POINTS", "points"),
    Column("OLDEST", "oldest_point"),
    Column("LAST POINT", "last_point"),
    Column("LAST VERIFIED", "last_verified"),
    Column("BECAUSE", "because", SENTENCE),
)
CHANGES = (
    Column("VM", "vm", NAME),
    Column("EFFECT", "effect"),
    Column("PLAN", "plans"),
    Column("STATUS", "statuses"),
    Column("NEXT DUE", "next_due"),
    Column("BECAUSE", "said", SENTENCE),
)
DYING = (
    Column("VM", "vm", NAME),
    Column("SLOT", "slot"),
    Column("NOT BEFORE", "at"),
    Column("OTHERWISE", "otherwise"),
    Column("BECAUSE", "because", SENTENCE),
)
VAULT_WRITES = "Writes to vaults to get there: {machines} about machines, and at most {policies_at_most} of policies."
VAULTED = (
    Column("VM", "vm", NAME),
    Column("EFFECT", "effect"),
    Column("BECAUSE", "because", SENTENCE),
)
GOING = (Column("SLOT", "slot"), Column("NOT BEFORE", "at"), Column("BECAUSE", "because", SENTENCE))
GOING_SHOWN = 5
SHORT = 8  # characters of a vmId, up to its first hyphen

Json = Mapping[str, Any]


def print_status(answer: Json) -> None:
    machines: Sequence[Json] = answer["machines"]
    if machines:
        print_table(STATUS, _told_apart(machines))
        counted = ", ".join(f"{count} {status}" for status, count in answer["counts"].items())
        print_lines(["", f"As of {words(answer['as_of'])}: {counted}."])
    else:
        print_lines(["No VM has been seen yet. The sweep looks at every subscription it may read."])
    _print_made_again(machines)
    further = [f"{machine['vm']}: {problem}" for machine in machines for problem in _unsaid(machine)]
    if further:
        print_lines(["", "Problems:", *(f"  {line}" for line in further)])
    if answer["brakes"]:
        print_lines(["", "Stopped:", *(f"  {brake['said']}" for brake in answer["brakes"])])
    _print_poisoned(answer["poisoned"])
    if answer["newer"]:
        print_lines(["", "Not shown, and left alone by this version:", *(f"  {line}" for line in answer["newer"])])


def _told_apart(machines: Sequence[Json]) -> Sequence[Json]:
    """Machines that had one id after each other, each with the beginning of its vmId."""
    often = Counter(machine["id"] for machine in machines)
    return [
        {**machine, "vm": f"{machine['vm']} ({machine['vm_uid'][:SHORT]})"} if often[machine["id"]] > 1 else machine
        for machine in machines
    ]


def _print_made_again(machines: Sequence[Json]) -> None:
    """By what the points of a machine are found whose name another one has now."""
    living = {machine["id"] for machine in machines if machine["status"] != "gone"}
    replaced = [one for one in machines if one["status"] == "gone" and one["id"] in living and one["last_point"]]
    if replaced:
        print_lines(["", "Made again under the same name; what was before is found by its vmId:"])
        print_lines([f"  tagback points {one['vm_uid']}   ({one['vm']})" for one in replaced])


def _print_poisoned(messages: Sequence[Json]) -> None:
    if messages:
        print_lines(["", "Messages that could not be served (the sweep makes up for them):"])
        print_lines([f"  {words(message['at'])} {message['queue']}: {message['text']}" for message in messages])


def _unsaid(machine: Json) -> list[str]:
    unsaid = [problem for problem in machine["problems"] if problem != machine["because"]]
    return unsaid + ([machine["frozen"]] if machine["frozen"] else [])


def print_points(answer: Sequence[Json], earlier: Sequence[str]) -> None:
    if answer:
        print_table(POINTS, [{**point, "ready": _ready(point)} for point in answer])
    else:
        print_lines(["It has no recovery point yet; `tagback explain` says why and when the next is due."])
    if earlier:
        print_lines(["", *(f"{said[0].upper()}{said[1:]}" for said in earlier)])


def _ready(point: Json) -> str:
    """How many parts are ready; a point of a vault has none."""
    if point["vault"]:
        return "in a vault"
    ready = sum(part["state"] == "ready" for part in point["parts"])
    return f"{ready} of {len(point['parts'])}"


def print_jobs(answer: Sequence[Json]) -> None:
    if not answer:
        print_lines(["There are no jobs."])
        return
    print_table(JOBS, [{**job, "said": _said(job), "ready": _share(job["progress"])} for job in answer])


def _share(progress: Json | None) -> str:
    """How many of its parts are ready; nothing for a job that has ended or has no parts yet."""
    return f"{progress['ready']} of {progress['parts']}" if progress and progress["parts"] else ""


def _said(job: Json) -> str:
    error = job["error"]
    if not error:
        return str(job["because"])
    return "; ".join(part for part in (f"{error['code']}: {error['message']}", error["remedy"]) if part)


def print_explanation(answer: Json) -> None:
    tags = ", ".join(f"{name} = {value}" for name, value in answer["tags"].items())
    print_lines(
        [
            f"{answer['vm']} is {answer['decision']}",
            *(f"  - {reason}" for reason in answer["because"]),
            "",
            f"id         {answer['id']}",
            f"tags       {tags or 'none that ask for anything'}",
            f"plan       {words(answer['plan'])}",
            f"next slot  {words(answer['next_slot'])}",
        ]
    )
    if answer["problems"]:
        print_lines(["", "Problems:", *(f"  - {problem}" for problem in answer["problems"])])
    _print_going(answer["deletes_next"])


def _print_going(going: Sequence[Json]) -> None:
    if not going:
        return
    print_lines(["", "Points that go next:"])
    print_table(GOING, going[:GOING_SHOWN])
    if len(going) > GOING_SHOWN:
        print_lines([f"and {len(going) - GOING_SHOWN} more (--output json lists all)"])


def print_report(answer: Json) -> None:
    if not answer["machines"]:
        print_lines(["No VM has a plan or a recovery point yet."])
        return
    print_table(REPORT, _told_apart(answer["machines"]))
    counted = ", ".join(f"{count} {verdict}" for verdict, count in answer["counts"].items() if count)
    print_lines(["", f"As of {words(answer['as_of'])}: {counted}."])


def print_plan(answer: Json) -> None:
    changes: Sequence[Json] = answer["changes"]
    if changes:
        print_table(CHANGES, [_changed(change) for change in changes])
    dying = [{"vm": change["vm"], **death} for change in changes for death in change["deletes"]]
    if dying:
        print_lines(["", "Points that would go earlier:"])
        print_table(DYING, [{**death, "otherwise": death["otherwise"] or "kept"} for death in dying])
    if moved := [change for change in changes if change["vault"]["effect"] != "same"]:
        print_lines(["", "In Azure Backup:"])
        print_table(VAULTED, [{"vm": change["vm"], **change["vault"]} for change in moved])
    counted = ", ".join(f"{count} {effect}" for effect, count in answer["counts"].items() if count)
    told = [f"Machines: {counted or 'none seen yet'}. {_calls(answer['calls_per_day'])}"]
    once = answer["vault_writes_once"]
    told += [VAULT_WRITES.format(**once)] if once["machines"] else []
    print_lines([*([""] if changes else []), *told])


def _changed(change: Json) -> Json:
    arrows = {f"{name}{'es' if name == 'status' else 's'}": _arrow(change[name]) for name in ("plan", "status")}
    return {**change, **arrows, "said": "; ".join(change["because"])}


def _arrow(sides: Json) -> str:
    before, after = words(sides["before"]), words(sides["after"])
    return before if before == after else f"{before} -> {after}"


def _calls(calls: Json) -> str:
    before, after = (f"{side['writes']:g} writes and {side['deletes']:g} deletes" for side in calls.values())
    return f"Calls on an ordinary day: {before}" + (f"; then {after}." if before != after else ", as before.")


def print_check(answer: Json) -> None:
    if answer["ok"]:
        print_lines([f"{answer['file']} is fine: plans {', '.join(answer['plans'])}; default {answer['default']}."])
        return
    print_lines([f"{answer['file']} cannot be used:", *(f"  {problem}" for problem in answer["problems"])])
