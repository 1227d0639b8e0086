"""How a machine stands with Azure Backup, in words, for `tagback explain`; what the service cannot do as well."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from shared.decide.durations import duration_text
from shared.decide.plan_vault import WEEKDAYS
from shared.decide.policies import left_out_of
from shared.decide.vault_plan import start_of
from shared.model.machine import Machine
from shared.model.plan import Plan, PolicyType, VaultPart
from shared.model.vault import Protection, Standing

STANDS = {
    Standing.WANTED: "it is not in a vault yet",
    Standing.PENDING: "protected, its first backup is still to come",
    Standing.PROTECTED: "protected",
    Standing.STOPPED: "its protection is stopped, what it has is kept",
    Standing.DELETED: "its backups are deleted, and can be taken back for a while",
    Standing.ELSEWHERE: "somebody else's vault protects it",
    Standing.NONE: "no vault has anything of it",
}

STARTS = "a backup that fails because the VM does not run has it started, at most once a day, as its plan allows"


def backup_reasons(machine: Machine, plan: Plan | None) -> list[str]:
    """Everything that explains a machine's vault; nothing where none was ever asked for."""
    part, known = plan.vault if plan else None, machine.protection
    asked = [*_asked(machine, part), *_cannot(machine, part)] if part else []
    return [*asked, *_stands(known)] if known else asked


def _asked(machine: Machine, part: VaultPart) -> list[str]:
    wanted = part.schedule
    often = "every day"
    if wanted.every is not None:
        often = f"every {duration_text(wanted.every)} for {duration_text(wanted.span)} a day"
    elif wanted.weekdays:
        often = "on " + " and ".join(WEEKDAYS[day] for day in wanted.weekdays)
    start = start_of(part, machine.uid)
    kind = "an enhanced" if part.type is PolicyType.ENHANCED else "a standard"
    return [
        f"Azure Backup runs {often} from {start:%H:%M} {wanted.zone} on, by {kind} policy that keeps {part.keep}; "
        "it starts within two hours of that, and a point can be restored at once from its snapshots for "
        f"{part.instant_days} days",
        *([STARTS] if part.starts else []),
    ]


def _cannot(machine: Machine, part: VaultPart) -> list[str]:
    """What is asked for and Azure Backup cannot do."""
    told = []
    if _clocks_change(part.schedule.zone, machine.as_of.year):
        told.append("Azure Backup does not follow changes of the clocks: for a part of the year it starts an hour off")
    modified = [name for name in machine.tags if name.rpartition("-")[2] in ("at", "keep")]
    told += [f"its tag {name} does not reach its vault: a policy is for many machines" for name in sorted(modified)]
    if any(disk.left_out and disk.lun is None for disk in machine.disks):
        told.append("its vault backs up the OS disk all the same: a policy cannot leave that out")
    if left_out_of(machine) and part.type is PolicyType.STANDARD:
        told.append("with disks left out, its points in the vault restore disks only, not the VM as a whole")
    return told


def _clocks_change(zone: str, year: int) -> bool:
    """Whether the clocks of a zone are moved in a year."""
    months = (datetime(year, month, 1, tzinfo=ZoneInfo(zone)) for month in range(1, 13))
    return len({month.utcoffset() for month in months}) > 1


def _stands(known: Protection) -> list[str]:
    where = f" in vault {known.vault.name}" if known.vault else ""
    policy = f" by policy {known.policy}" if known.policy else ""
    told = [f"Azure Backup since {known.since:%Y-%m-%d %H:%M}Z: {STANDS[known.state]}{where}{policy}: {known.because}"]
    if known.last_point:
        told.append(f"the vault's newest point is of {known.last_point:%Y-%m-%d %H:%M}Z")
    if known.next_look:
        told.append(f"the vault is next looked at from {known.next_look:%Y-%m-%d %H:%M}Z on")
    return told
