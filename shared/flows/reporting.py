"""What an auditor asks: does every machine keep what its plan promises, what stands of it, and was a restore proven?

Called by the command line and the API. It reads the ledger and changes nothing.
"""

from __future__ import annotations

from datetime import timedelta

from shared.decide.compliance import Compliance, Verdict, compliance
from shared.flows.show import Json, drill, instant
from shared.flows.standing import Standing
from shared.model.rules import Rules
from shared.ports import World


def report(world: World, rules: Rules, standing: Standing) -> Json:
    """Every machine that a plan takes, or that still has points, measured by its plan."""
    found = []
    for machine in standing.machines:
        points = [held.row for held in world.ledger.points(machine.shard, machine.uid)]
        measured = compliance(machine, points, rules, standing.as_of)
        if measured.verdict is not Verdict.NONE or measured.retained:
            found.append(measured)
    counts = {verdict.value: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    return {
        "as_of": instant(standing.as_of),
        "kept": not counts[Verdict.BREACHED.value],
        "counts": counts,
        "machines": [_machine(one) for one in found],
    }


def _machine(found: Compliance) -> Json:
    return {
        "vm": found.machine.name,
        "id": str(found.machine.id),
        "vm_uid": found.machine.uid,
        "plan": found.machine.plan or None,
        "verdict": found.verdict.value,
        "because": found.because,
        "promised_seconds": _seconds(found.promised),
        "lost_seconds": _seconds(found.lost),
        "last_point": instant(found.machine.last_point),
        "points": found.retained,
        "oldest_point": instant(found.oldest),
        "last_verified": instant(found.verified),
        "proof": drill(found.machine.proof),
        "drill": drill(found.machine.drill),
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())
