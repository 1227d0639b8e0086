"""Judges of a finished scenario: code that shares nothing with the product and reads only what others left behind.

`judge(folder)` reads an evidence folder (docs of the contract: calls, events, rows, requests, state, audit) with the
script of what people did, and gives the count and the violations of each promise. Used by the demo, the end-to-end
tests and `python -m local.judges FOLDER`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from local.judges.absence import absence_triggers_nothing, the_unasked_are_left_alone
from local.judges.audit import births_and_deaths_are_told
from local.judges.deletions import deletion_rule, last_point_stays
from local.judges.drills import drills_say_what_is_so
from local.judges.evidence import Evidence, read
from local.judges.finding import Finding, Violation
from local.judges.holds import holds_are_kept
from local.judges.points import complete_means_every_part, one_per_slot
from local.judges.rest import everything_converges
from local.judges.restores import restores_are_whole
from local.judges.script import Script, read_script
from local.judges.share import others_keep_their_share
from local.judges.slots import no_silence
from local.judges.stamps import stamps_hold
from local.judges.traffic import ledger_writes_are_conditional, nobody_calls_too_early, writes_stay_inside
from local.judges.vaults import vaults_hold_what_rows_tell
from local.judges.world import World

__all__ = ["PROMISES", "Evidence", "Finding", "Script", "Violation", "World", "judge", "judged"]

SCRIPT = "script.jsonl"
PROMISES: Mapping[str, tuple[str, Callable[[World], Finding]]] = {
    "S1": ("at most one complete point per machine and slot", one_per_slot),
    "S2": ("every due slot has its answer, never silence", no_silence),
    "S3": ("deleted only by the deletion rule", deletion_rule),
    "S4": ("the last complete point is never deleted", last_point_stays),
    "S5": ("stamps never shrink below plan and floor", stamps_hold),
    "S6": ("complete means every part is", complete_means_every_part),
    "S7": ("absence triggers nothing", absence_triggers_nothing),
    "S8": ("after the faults everything converges", everything_converges),
    "S9": ("no call before Retry-After", nobody_calls_too_early),
    "S10": ("no write outside what is allowed", writes_stay_inside),
    "S11": ("every ledger write is conditional", ledger_writes_are_conditional),
    "S12": ("births and deaths are in the audit log", births_and_deaths_are_told),
    "S13": ("a restored machine is complete, and not enrolled", restores_are_whole),
    "S14": ("a hold is never lost", holds_are_kept),
    "left-alone": ("what nobody asked for is left alone", the_unasked_are_left_alone),
    "drills": ("a drill says what is so, and its failure shows", drills_say_what_is_so),
    "vaults": ("vaults hold what rows tell", vaults_hold_what_rows_tell),
    "share": ("of Azure's buckets others keep their share", others_keep_their_share),
}


def judge(folder: Path, script: Path | None = None) -> Mapping[str, Finding]:
    """What holds and what does not, by promise. The script lies in the folder unless it is named."""
    return judged(World(read(folder), read_script(script or folder / SCRIPT)))


def judged(world: World) -> dict[str, Finding]:
    """The same for evidence that is at hand."""
    return {name: look(world) for name, (_, look) in PROMISES.items()}
