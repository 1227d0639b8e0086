"""What follows a failure: every row of the facts has its one rule and scenario, and the course of each is finite."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.decide.failure import (
    LAST,
    RULES,
    AskPerson,
    GiveUp,
    Gone,
    Retry,
    Tries,
    follow_up,
    gravity,
    known_codes,
    rule_for,
)
from shared.decide.failure_arm import CAUTIOUS
from shared.decide.failure_rules import Course, Follow, WaitFor
from shared.model.fault import Area, Fault, Task, Trouble
from tests.decide.failures import Scenario, scenarios

FACTS = Path(__file__).parents[3] / "shared" / "docs" / "azure-facts.md"
SECTIONS = {"3.9": "| code | usual HTTP |", "5.12": "| code | class |", "2015": "| 2015 row |"}


def rows_of(section: str, text: str) -> list[str]:
    """The first cells of one table of the facts, without their marks."""
    lines = text[text.index(SECTIONS[section]) :].splitlines()[2:]
    table = lines[: next(number for number, line in enumerate([*lines, ""]) if not line.startswith("|"))]
    return [f"{section}: {plain(line.strip('|').split('|')[0])}" for line in table]


def plain(cell: str) -> str:
    """The cell without marks of sources and emphasis; a note on what a code usually means is no part of its name."""
    bare = re.sub(r"\s*\((?:in|doc)[^)]*\)|\s*\[[\w, -]+\]|`|\*", "", cell)
    return re.sub(r"\s+", " ", bare).strip()


def word(next_: Retry | AskPerson | GiveUp | Gone) -> str:
    return {Retry: "retry", AskPerson: "ask", GiveUp: "give-up", Gone: "gone"}[type(next_)]


def course_of(fault: Fault) -> list[Retry | AskPerson | GiveUp | Gone]:
    """Everything that follows while the same failure comes again."""
    followed: list[Retry | AskPerson | GiveUp | Gone] = []
    while not followed or isinstance(followed[-1], (Retry, AskPerson)):
        times = len(followed) + 1
        assert times <= LAST, f"{fault} is tried for ever"
        followed.append(follow_up(fault, Tries(times, times, "uid")))
    return followed


def lines_of(name: str, course: Course) -> list[str]:
    """One course as an operator reads it."""
    often = f"{course.follow} {course.first} to {course.most}, {course.attempts} times: {course.because}"
    further = [
        f"    until {course.wait_for}" * bool(course.wait_for),
        f"    remedy: {course.remedy}" * bool(course.remedy),
    ]
    return [name, f"  {often}", *filter(None, further)]


def book() -> str:
    """The whole table, row by row."""
    lines: list[str] = []
    for rule in RULES:
        told = ", ".join(rule.codes) or " / ".join(repr(words) for words in rule.says) or str(rule.trouble)
        lines += lines_of(f"{rule.source} [{rule.area}, {rule.task}] {told}", rule.course)
        for words, course in rule.when:
            lines += [f"    {line}" for line in lines_of(f"when it says {' / '.join(map(repr, words))}", course)]
    for trouble, course in CAUTIOUS.items():
        lines += lines_of(f"any other code, {trouble}", course)
    return "\n".join(lines) + "\n"


def test_the_table_is_as_the_golden_file_shows_it(update_golden: bool) -> None:
    golden = Path(__file__).parents[1] / "golden" / "failures.txt"
    if update_golden:
        golden.write_text(book(), encoding="utf-8")
    wanted = golden.read_text(encoding="utf-8")
    assert book() == wanted, "the table changed. If that is wanted: pytest --update-golden, read the diff"


def test_a_row_that_is_looked_up_is_the_row_of_the_table() -> None:
    """The look-up is made from the table when it is imported; this notices where the two part."""
    for rule in RULES:
        for code in rule.codes:
            assert rule_for(Fault(Trouble.CONFLICT, code, "", area=rule.area)) is rule
        for words in rule.says:
            assert rule_for(Fault(Trouble.CONFLICT, "", words, area=rule.area, task=rule.task)) is rule


needs_facts = pytest.mark.skipif(not FACTS.exists(), reason="the facts are not beside this repository")


@needs_facts
@pytest.mark.parametrize("section", SECTIONS)
def test_every_row_of_the_facts_has_exactly_one_rule_and_a_scenario(section: str) -> None:
    rows = rows_of(section, FACTS.read_text())
    told = {scenario.row for scenario in scenarios()}
    assert len(rows) > 15
    assert sorted(rows) == sorted(rule.source for rule in RULES if rule.source.startswith(f"{section}:"))
    assert [row for row in rows if row not in told] == []


def test_every_rule_has_a_source_of_its_own_and_a_scenario() -> None:
    sources = [rule.source for rule in RULES]
    assert len(set(sources)) == len(sources)
    assert [one for one in sources if one.partition(":")[0] not in (*SECTIONS, "ours")] == []
    assert set(sources) == {scenario.row for scenario in scenarios()}


def test_every_code_and_every_wording_of_azure_backup_has_a_scenario_of_its_own() -> None:
    told = [one for one in scenarios() if one.area == "vault"]
    codes = {one.code.lower() for one in told}
    rules = [rule for rule in RULES if rule.area is Area.VAULT]
    assert [code for rule in rules for code in rule.codes if code.lower() not in codes] == []
    for rule in rules:
        words = [*rule.says, *(word for words, _ in rule.when for word in words)]
        said = [one.message.lower() for one in told if one.row == rule.source]
        assert [word for word in words if not any(word in message for message in said)] == []


def test_no_code_has_two_rules() -> None:
    codes = [(rule.area, code.lower()) for rule in RULES for code in rule.codes]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda one: f"{one.row[:60]}-{one.code or one.message[:30]}")
def test_a_failure_in_its_real_words_takes_its_course(scenario: Scenario) -> None:
    found = rule_for(scenario.fault)
    assert found is not None
    assert found.source == scenario.row
    followed = course_of(scenario.fault)
    runs = [(key, len(list(run))) for key, run in groupby(word(one) for one in followed)]
    ended = runs[-1][0] in ("give-up", "gone")
    assert ended
    assert [f"{key} {count}" for key, count in runs[:-1]] + [runs[-1][0]] == scenario.path
    remedies = " ".join(one.remedy for one in followed if isinstance(one, (AskPerson, GiveUp)))
    assert scenario.says in f"{remedies} {followed[0].because}"
    waits = {one.wait_for for one in followed if isinstance(one, (Retry, AskPerson))}
    assert not scenario.waits_for or waits == {scenario.waits_for}


def test_every_course_that_asks_says_what_to_do_and_every_wait_says_for_what() -> None:
    courses = [course for rule in RULES for course in (rule.course, *(one for _, one in rule.when))]
    for course in (*courses, *CAUTIOUS.values()):
        assert course.because
        assert course.follow is not Follow.ASK or course.remedy
        assert course.follow is not Follow.WAIT or course.wait_for is not WaitFor.NOTHING
        assert course.follow is Follow.GIVE_UP or course.attempts == 1 or timedelta(0) < course.first <= course.most


@pytest.mark.parametrize("trouble", Trouble)
def test_a_code_that_no_row_names_is_treated_cautiously_and_never_given_up_at_once(trouble: Trouble) -> None:
    fault = Fault(trouble, "BrandNewCode", "something new")
    first = follow_up(fault, Tries(1, 1, "uid"))
    assert isinstance(first, (Retry, AskPerson))
    if trouble not in (Trouble.THROTTLED, Trouble.OUTCOME_UNKNOWN):
        assert rule_for(fault) is None


def test_the_code_is_compared_without_case_and_a_429_is_a_429_whatever_its_code() -> None:
    assert rule_for(Fault(Trouble.BLOCKED, "scopelocked", "", 409)) is rule_for(
        Fault(Trouble.BLOCKED, "ScopeLocked", "")
    )
    throttled = rule_for(Fault(Trouble.BLOCKED, "ScopeLocked", "", 429))
    assert throttled is not None
    assert throttled.trouble is Trouble.THROTTLED


CODES_OF_VAULTS = """
    UserErrorGuestAgentStatusUnavailable GuestAgentSnapshotTaskStatusError UserErrorVmProvisioningStateFailed
    UserErrorVmNotInDesirableState VMRestorePointInternalError 380008 AzureVmOffline
    320001 ResourceNotFound 400094 BCMV2VMNotFound

    ExtensionSnapshotFailedNoNetwork ExtensionSnapshotFailedNoSecureNetwork ExtensionOperationFailed
    ExtensionOperationFailedForManagedDisks ExtensionSnapshotFailedCOM ExtensionInstallationFailedCOM
    ExtensionInstallationFailedMDTC ExtensionFailedVssWriterInBadState ExtensionFailedVssServiceInBadState
    ExtensionConfigParsingFailure ExtensionStuckInDeletionState ExtensionFailedSnapshotLimitReachedError
    ExtensionFailedTimeoutVMNetworkUnresponsive ExtensionSnapshotBitlockerError ExtensionVCRedistInstallationFailure
    UserErrorFsFreezeFailed UserErrorUnableToOpenMount

    BackUpOperationFailed BackUpOperationFailedV2 UserErrorBackupOperationInProgress JobFailed
    CopyingVHDsFromBackUpVaultTakingLongTime OperationNotAllowed Conflict CloudTooManyRequests

    UserErrorRpCollectionLimitReached UserErrorKeyvaultPermissionsNotConfigured UserErrorUnsupportedDiskSize
    UserErrorBCMPremiumStorageQuotaError UserErrorSkuNotAvailable UserErrorMarketPlaceVMNotSupported
    UserErrorRequestDisallowedByPolicy UserErrorInstantRpNotFound
    UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed

    UserErrorResourceGuardOperationRequestIdMissing UserErrorOperationNotAllowedOnImmutableVault
    UserErrorSoftDeleteAlwaysOn NoVault UserErrorPolicyLimit UserErrorVmAlreadyProtected BMSUserErrorObjectLocked
    UserErrorItemAlreadyProtectedInAnotherVault BMSUserErrorContainerObjectNotFound UserErrorContainerNotFound
    BMSUserErrorInvalidConfigureProtectionRequest UserErrorItemInSoftDeletedState
"""
"""The codes of Azure Backup, as it writes them: of the VM and its agent, of the extension, of a job that may pass, of
what a person mends, of the vault itself."""


def test_the_codes_that_are_looked_for_in_the_words_of_a_job_are_those_of_azure_backup() -> None:
    assert sorted(known_codes()) == sorted(code.lower() for code in CODES_OF_VAULTS.split())


def test_a_vault_passes_on_what_arm_said() -> None:
    lock = Fault(Trouble.BLOCKED, "ScopeLocked", "", 409, area=Area.VAULT)
    assert rule_for(lock) is rule_for(Fault(Trouble.BLOCKED, "ScopeLocked", ""))


def test_a_message_counts_only_for_the_task_that_it_was_told_of() -> None:
    said = "The job is not in a cancellable state - Please wait until the job completes."
    assert rule_for(Fault(Trouble.CONFLICT, "", said, area=Area.VAULT, task=Task.CANCEL)) is not None
    assert rule_for(Fault(Trouble.CONFLICT, "", said, area=Area.VAULT, task=Task.BACK_UP)) is None


def test_of_several_failures_the_one_that_ends_it_decides() -> None:
    refused = Fault(Trouble.REFUSED, "BadRequest", "", 400)
    locked = Fault(Trouble.BLOCKED, "ScopeLocked", "", 409)
    busy = Fault(Trouble.CONFLICT, "Conflict", "", 409)
    assert max((busy, refused, locked), key=gravity) is refused
    assert max((busy, locked), key=gravity) is locked


codes = some.sampled_from(sorted({code for rule in RULES for code in rule.codes} | {"", "New"}))
messages = some.sampled_from(
    sorted({words for rule in RULES for words in rule.says} | {"in progress", "throttled", ""})
)
afters = some.integers(0, 90000).map(lambda seconds: timedelta(seconds=seconds))
statuses = some.sampled_from((0, 400, 403, 404, 409, 412, 429, 500, 503))
faults = some.builds(
    Fault,
    some.sampled_from(Trouble),
    codes,
    messages,
    statuses,
    afters,
    some.sampled_from(Area),
    some.sampled_from(Task),
)


@given(faults, some.integers(1, 2 * LAST), some.integers(1, 2 * LAST), some.text(max_size=6))
def test_every_failure_has_one_follow_up_with_a_reason_in_its_bounds(
    fault: Fault, total: int, alike: int, key: str
) -> None:
    tries = Tries(max(total, alike), alike, key)
    next_ = follow_up(fault, tries)
    assert next_.because
    assert follow_up(fault, tries) == next_
    if isinstance(next_, (Retry, AskPerson)):
        rule = rule_for(fault)
        course = rule.course_for(fault.message) if rule else CAUTIOUS[fault.trouble]
        assert next_.after >= fault.after
        assert next_.after >= min(course.first, course.most)
        assert next_.after <= max(fault.after, course.most * 1.25)
    assert tries.total < LAST or isinstance(next_, GiveUp)


def test_whatever_follows_says_why() -> None:
    for rule in RULES:
        for code in rule.codes[:1]:
            fault = Fault(Trouble.CONFLICT, code, "words", area=rule.area, task=rule.task)
            assert [one.because for one in course_of(fault) if not one.because] == []


@pytest.mark.parametrize("trouble", Trouble)
def test_after_so_many_attempts_of_whatever_kind_it_is_over(trouble: Trouble) -> None:
    fault = Fault(trouble, "NobodyKnowsIt", "words")
    over = follow_up(fault, Tries(LAST, 1, "uid"))
    assert isinstance(over, GiveUp)
    assert over.because.endswith(f"; it was tried {LAST} times")
    assert over.remedy == CAUTIOUS[trouble].remedy
    assert not isinstance(follow_up(fault, Tries(LAST - 1, 1, "uid")), GiveUp)


@pytest.mark.parametrize(
    ("trouble", "follows", "seconds"),
    [
        (Trouble.UNAVAILABLE, Retry, [30, 60, 120, 240, 480, 960, 1800, 1800]),
        (Trouble.REFUSED, AskPerson, [3600, 7200, 14400, 28800, 43200, 43200]),
    ],
)
def test_a_delay_doubles_up_to_its_bound_and_is_spread_by_at_most_a_quarter(
    trouble: Trouble, follows: type, seconds: list[int]
) -> None:
    for number, delay in enumerate(seconds, 1):
        found = follow_up(Fault(trouble, "BrandNewCode", "new"), Tries(number, 1, "uid"))
        assert isinstance(found, (Retry, AskPerson))
        assert isinstance(found, follows)
        share = int.from_bytes(sha256(f"uid|{number}".encode()).digest()[:4], "big") / 2**32
        assert found.after == timedelta(seconds=delay) * (1 + share / 4)
    longer = follow_up(Fault(trouble, "BrandNewCode", "new", after=timedelta(days=2)), Tries(1, 1, "uid"))
    assert isinstance(longer, (Retry, AskPerson))
    assert longer.after == timedelta(days=2)


def of_course(follow: Follow) -> tuple[Fault, Course]:
    """A failure that is followed so, by the first rule of which the code alone says it."""
    rule = next(each for each in RULES if each.codes and each.course.follow is follow and each.course.remedy)
    return Fault(Trouble.CONFLICT, rule.codes[0], "words", area=rule.area, task=rule.task), rule.course


def test_what_is_given_up_at_once_says_what_a_person_can_do() -> None:
    fault, course = of_course(Follow.GIVE_UP)
    assert follow_up(fault, Tries(1, 1, "uid")) == GiveUp(course.because, course.remedy)


def test_what_is_not_there_is_looked_for_again_after_a_while() -> None:
    rule = next(each for each in RULES if each.codes and each.course.follow is Follow.GONE and each.course.first)
    found = follow_up(Fault(Trouble.MISSING, rule.codes[0], "", area=rule.area, task=rule.task), Tries(1, 1, "uid"))
    assert isinstance(found, Retry)
    assert rule.course.first < found.after < rule.course.first * 1.25


def test_the_words_of_azure_backup_say_nothing_of_anything_else() -> None:
    wordy = [(words, rule) for rule in RULES if rule.area is Area.VAULT for words in rule.says]
    assert wordy
    for words, rule in wordy:
        assert rule_for(Fault(Trouble.CONFLICT, "", words, task=rule.task)) is not rule


def test_what_nobody_mended_is_given_up_with_its_remedy() -> None:
    course = CAUTIOUS[Trouble.REFUSED]
    over = follow_up(Fault(Trouble.REFUSED, "BrandNewCode", "new"), Tries(9, course.attempts + 1, "uid"))
    assert over == GiveUp(f"{course.because}, and nobody mended it", course.remedy)


@pytest.mark.parametrize("follow", [Follow.RETRY, Follow.WAIT])
def test_what_was_tried_in_vain_waits_for_a_person_as_long_as_azure_asks(follow: Follow) -> None:
    fault, course = of_course(follow)
    found = follow_up(replace(fault, after=timedelta(days=2)), Tries(9, course.attempts + 1, "uid"))
    assert found == AskPerson(timedelta(days=2), course.remedy, course.because, course.wait_for)


@given(faults)
def test_delays_grow_and_differ_between_machines(fault: Fault) -> None:
    early, late = (follow_up(fault, Tries(number, 1, "uid")) for number in (1, 9))
    if isinstance(early, (Retry, AskPerson)) and isinstance(late, (Retry, AskPerson)) and not fault.after:
        assert late.after >= early.after / 1.25
        spread = {follow_up(fault, Tries(1, 1, f"uid-{number}")) for number in range(20)}
        assert len(spread) > 10


def test_of_several_failures_the_one_that_ends_more_decides() -> None:
    order = [Follow.RETRY, Follow.WAIT, Follow.GONE, Follow.ASK, Follow.GIVE_UP]
    of_follow = {rule.course.follow: one.fault for one in scenarios() if (rule := rule_for(one.fault))}
    faults = [of_follow[follow] for follow in order if follow in of_follow]
    assert [gravity(fault)[0] for fault in faults] == [
        number for number, follow in enumerate(order) if follow in of_follow
    ]
    assert len(faults) >= 4
