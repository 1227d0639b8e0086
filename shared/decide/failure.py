"""What follows a failed act: when to look again, what to wait for, when to ask a person, when to stop.

Read off the table of rules: Azure's status decides where it is a 429 or the answer is lost, then the code, then the
words of the message; what no row names is treated cautiously and reported. Delays grow and are spread by a hash, so
that a region that comes back is not stormed. Called by flows/setbacks.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TypeAlias, assert_never

from shared.decide import failure_arm, failure_vault, failure_vault_2015, failure_vault_ours
from shared.decide.failure_rules import Course, Follow, Rule
from shared.model.fault import Area, Fault, Task, Trouble

RULES: tuple[Rule, ...] = (
    *failure_arm.FACTS,
    *failure_arm.OURS,
    *failure_vault.FACTS,
    *failure_vault_2015.FACTS,
    *failure_vault_ours.FACTS,
)
LOOKS = 30  # how often a person is waited for, where asking is the end of a course
LAST = 400  # no operation is tried more often, whatever the causes were
GRAVITY = (Follow.RETRY, Follow.WAIT, Follow.GONE, Follow.ASK, Follow.GIVE_UP)
TRANSIENT = (Trouble.THROTTLED, Trouble.OUTCOME_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Tries:
    """The attempts of an operation so far, this one included: in all, and in a row with this code. `key` spreads."""

    total: int
    alike: int
    key: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Look again after a while, when `wait_for` has come true if it names anything."""

    after: timedelta
    because: str
    wait_for: str = ""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Only a person can mend it; look again now and then, so that nobody has to tell us when it is mended."""

    after: timedelta
    remedy: str
    because: str
    wait_for: str = ""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The same act would fail again."""

    because: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """What it was about does not exist any more: a deletion has nothing left to do, anything else is over."""

    because: str


Next: TypeAlias = Retry | AskPerson | GiveUp | Gone


def follow_up(fault: Fault, tries: Tries) -> Next:
    """What to do after an attempt failed."""
    course = _course_of(fault)
    if tries.total >= LAST:
        return GiveUp(f"{course.because}; it was tried {tries.total} times", course.remedy)
    after = max(_delay(course, tries), fault.after)
    match course.follow:
        case Follow.GIVE_UP:
            return GiveUp(course.because, course.remedy)
        case Follow.GONE:
            return Retry(after, course.because) if tries.alike < course.attempts else Gone(course.because)
        case Follow.ASK:
            return _asked(course, after, tries.alike <= course.attempts)
        case Follow.RETRY | Follow.WAIT:
            if tries.alike <= course.attempts:
                return Retry(after, course.because, course.wait_for)
            if course.remedy:
                return _asked(course, after, tries.alike <= course.attempts + LOOKS)
            return GiveUp(f"{course.because}, {tries.alike} times in a row")
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(course.follow)


def last_word(fault: Fault) -> GiveUp:
    """What is said of a failure that nothing follows any more: why, and what people can do."""
    course = _course_of(fault)
    return GiveUp(course.because, course.remedy)


def gravity(fault: Fault) -> tuple[int, timedelta]:
    """How much a failure decides, where several met one operation: the one that ends it first, then the slowest."""
    course = _course_of(fault)
    return GRAVITY.index(course.follow), course.first


def rule_for(fault: Fault) -> Rule | None:
    """The one row that answers for a failure; None when no row does."""
    if fault.trouble in TRANSIENT or fault.status == 429:
        trouble = Trouble.THROTTLED if fault.status == 429 else fault.trouble
        return _BY_TROUBLE[trouble]
    areas = (fault.area, Area.ARM) if fault.area is Area.VAULT else (Area.ARM,)
    for area in areas:
        found = _BY_CODE.get((area, fault.code.lower())) or _by_words(area, fault)
        if found:
            return found
    return None


def known_codes() -> frozenset[str]:
    """Every code that a row of the tables about Azure Backup names, in lower case."""
    return _OF_VAULTS


def _course_of(fault: Fault) -> Course:
    rule = rule_for(fault)
    return rule.course_for(fault.message) if rule else failure_arm.CAUTIOUS[fault.trouble]


def _by_words(area: Area, fault: Fault) -> Rule | None:
    said = fault.message.lower()
    wordy = (rule for rule in RULES if rule.says and rule.area is area)
    fitting = (rule for rule in wordy if rule.task in (Task.ANY, fault.task))
    return next((rule for rule in fitting if any(word in said for word in rule.says)), None)


def _asked(course: Course, after: timedelta, still: bool) -> Next:
    if still:
        return AskPerson(after, course.remedy, course.because, course.wait_for)
    return GiveUp(f"{course.because}, and nobody mended it", course.remedy)


def _delay(course: Course, tries: Tries) -> timedelta:
    grown = min(course.most, course.first * 2 ** min(tries.total - 1, 16))
    return _spread(grown, f"{tries.key}|{tries.total}")


def _spread(delay: timedelta, key: str) -> timedelta:
    """Between the delay and a quarter more, always the same for the same key."""
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
    return delay * (1 + share / 4)


def _codes(rules: Iterable[Rule]) -> Mapping[tuple[Area, str], Rule]:
    return MappingProxyType({(rule.area, code.lower()): rule for rule in rules for code in rule.codes})


_BY_CODE = _codes(RULES)
_BY_TROUBLE = MappingProxyType({rule.trouble: rule for rule in RULES if rule.trouble})
_OF_VAULTS = frozenset(code for area, code in _BY_CODE if area is Area.VAULT)
