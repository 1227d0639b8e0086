"""The form of the failure table: what a rule is about, and what follows. The rows are in `failure_arm` and
`failure_vault`; `failure.py` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from shared.model.fault import Area, Task, Trouble

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOTHING = timedelta(0)


class Follow(StrEnum):
    """What follows a failure, as long as its course says.

    `retry`: the same again, after a while. `wait`: the same, for a condition. `ask`: a person is asked at once. Courses
    of the first two that have a remedy ask a person when their attempts are used up, the others give up. `gone`: what
    it needs is not there; looked for as often as the course says, then it is over.
    """

    RETRY = "retry"
    WAIT = "wait"
    ASK = "ask"
    GIVE_UP = "give-up"
    GONE = "gone"


class WaitFor(StrEnum):
    """What must come true before another attempt makes sense, in words that finish `waits until`."""

    NOTHING = ""
    VM_RUNNING = "the VM is running"
    VM_SETTLED = "the VM is in a settled state"
    AGENT = "the VM agent is ready"
    OTHER_OPERATION = "the other operation has ended"
    LOCK_GONE = "the lock is gone"
    QUOTA = "there is room in the quota"
    ROOM = "there is room below the platform's limit"
    CAPACITY = "the region has capacity"
    PERMISSION = "the permission is granted"
    POLICY = "the policy allows it"
    COPIED = "the copy is complete"
    PERSON = "somebody has mended it"


@dataclass(frozen=True, slots=True)
class Course:
    """How it goes on: after `first` at the earliest, growing to `most`, `attempts` times in a row."""

    follow: Follow
    because: str
    first: timedelta = NOTHING
    most: timedelta = NOTHING
    attempts: int = 1
    wait_for: WaitFor = WaitFor.NOTHING
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the codes it answers for, or what the message of a task says where no code is known.

    `when` are texts of the message that decide before the code does, each with a course of its own. `source` names the
    row of the facts that the rule was made from, or says that it is ours.
    """

    source: str
    codes: tuple[str, ...]
    course: Course
    area: Area = Area.ARM
    task: Task = Task.ANY
    says: tuple[str, ...] = ()
    trouble: Trouble | None = None
    when: tuple[tuple[tuple[str, ...], Course], ...] = ()

    def course_for(self, message: str) -> Course:
        """The course of a failure that this rule answers for."""
        folded = message.lower()
        return next((course for words, course in self.when if any(word in folded for word in words)), self.course)
