"""How a job is shown: durations, tasks, progress, by api-version. Pure; used by backup_jobs.py."""

from typing import TYPE_CHECKING

from local.simulator.answers import Document
from local.simulator.clock import iso
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call

NEVER = "0001-01-01T00:00:00"


def duration(seconds: float) -> str:
    """Write a duration as the service does (recorded)."""
    left = max(0.0, seconds)
    hours, rest = divmod(left, 3600)
    minutes, rest = divmod(rest, 60)
    text = "PT" + (f"{int(hours)}H" if hours else "") + (f"{int(minutes)}M" if minutes else "")
    number = f"{rest:.7f}".rstrip("0").rstrip(".")
    return text + (f"{number}S" if rest or text == "PT" else "")


def _task(name: str, started: float | None, ended: float | None, status: str, now: float) -> Document:
    running = started is not None and ended is None
    shown = "Completed" if ended is not None else (status if running else "NotStarted")
    length = (ended if ended is not None else now) - started if started is not None else 0.0
    return {
        "taskId": name,
        "startTime": iso(started) if started is not None else NEVER,
        "endTime": iso(ended) if ended is not None else NEVER,
        "duration": duration(length),
        "status": shown,
        "taskType": "Normal",
    }


# What became of a task that was running when its job ended.
ENDS = {"Failed": "Failed", "Cancelled": "Cancelled", "Completed": "Completed", "CompletedWithWarnings": "Completed"}


NAMED_SINCE = "2021-12-01"  # older versions number what newer ones name (recorded: 2021-01-01 and 2024-04-01)


def shown(job: Resource, call: "Call", listed: bool = False) -> Document:
    """Write a job; lists leave out its details (recorded)."""
    document, notes = job.document(), job.notes or {}
    properties = document["properties"]
    until = float(notes.get("ended", call.now))
    status = ENDS.get(properties["status"], "InProgress")
    tasks = [_task(name, start, stop, status, until) for name, start, stop in notes["tasks"]]
    first = ("jobType", "actionsInfo", "containerName")
    ordered = {name: properties[name] for name in first if name in properties}
    if "actionsInfo" in ordered and call.version < NAMED_SINCE:
        ordered["actionsInfo"] = [1]
    ordered["duration"] = duration(until - float(notes["started"]))
    for name, value in properties.items():
        ordered.setdefault(name, value)
    if listed:
        ordered.pop("extendedInfo")
    elif properties["operation"] == "Restore":
        ordered["extendedInfo"] = _restoring(properties["extendedInfo"], notes, tasks, until)
    else:
        ordered["extendedInfo"] = {**properties["extendedInfo"], "tasksList": tasks}
    return {**document, "properties": ordered}


def _restoring(extended: Document, notes: Document, tasks: list[Document], now: float) -> Document:
    """Write the details of a restore: progress instead of times of tasks (recorded)."""
    start, length = float(notes["started"]), max(1.0, float(notes.get("expected", 600.0)))
    done = 1.0 if "ended" in notes else min(0.99, (now - start) / length)
    gib = int(notes.get("gib", 0))
    for task in tasks:
        del task["startTime"], task["endTime"]
        task["duration"] = "PT0S"
        if done >= 0.02 and task["taskId"] == "Transfer data from vault":
            told = {"taskExecutionDetails": f"{round(gib * done, 2):g} GBs / {gib} GBs Transferred"}
            kind = task.pop("taskType")
            task |= {**told, "taskType": kind}
    found = {**extended, "tasksList": tasks}
    message = found.pop("dynamicErrorMessage", None)
    found["progressPercentage"] = float(max(1, int(done * 100)))
    if done >= 0.02:
        found["estimatedRemainingDuration"] = duration(0 if done == 1.0 else length * (1 - done))
    return found if message is None else {**found, "dynamicErrorMessage": message}
