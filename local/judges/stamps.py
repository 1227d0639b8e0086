"""S5: a point's dates are at least as long as its plan and class ask for, and are never taken back."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from local.judges.evidence import Record, instant
from local.judges.finding import Finding
from local.judges.retention import promised, stamped
from local.judges.snapshots import Key
from local.judges.world import World

MINUTE = timedelta(minutes=1)


def stamps_hold(world: World) -> Finding:
    """S5, over the rows of all evenings and the stamps at birth."""
    finding = Finding()
    for key, dumped in world.rows_of.items():
        if key in world.tampered:
            continue
        rows = [row for _, row in dumped]
        for row in rows:
            ledger, birth = instant(row["keep_until"]), instant(row["birth_keep_until"])
            finding.expect(ledger >= birth, "the ledger's date is before the birth stamp", str(row["RowKey"]))
        for earlier, later in pairwise(rows):
            _not_taken_back(world, finding, key, earlier, later)
        _long_enough(world, finding, key, rows[-1])
    return finding


def _not_taken_back(world: World, finding: Finding, key: Key, earlier: Record, later: Record) -> None:
    """Within an attempt; after a rebuild a lengthening that only the ledger knew may be lost, never the stamp."""
    if earlier["attempt"] != later["attempt"]:
        return
    rebuilt = bool(later.get("rebuilt_at")) and not earlier.get("rebuilt_at")
    for name in ("birth_keep_until",) if rebuilt else ("birth_keep_until", "keep_until"):
        kept = instant(later[name]) >= instant(earlier[name])
        finding.expect(kept, f"{name} went from {earlier[name]} back to {later[name]}", *key)


def _long_enough(world: World, finding: Finding, key: Key, row: Record) -> None:
    whole = world.wholes.get(key)
    parts = [part for name in (whole.parts if whole else ()) if (part := world.by_name.get(name))]
    if whole is None or not parts or not row["complete"]:
        return
    until = max(promised(world, whole, part) for part in parts)
    kept = instant(row["keep_until"]) >= until - MINUTE
    finding.expect(kept, f"kept until {row['keep_until']}, its class asks for {until:%Y-%m-%d %H:%M}Z", *key)
    for part in parts:
        born = stamped(world, part)
        finding.expect(born > whole.slot, "no stamp at its birth", part.name, part.born)
