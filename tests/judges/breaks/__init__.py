"""Everything that may go wrong in a play, one thing at a time.

BREAKS names the promise that is broken, the break, and words that its judge must find for it; HARMLESS is only odd.
"""

from __future__ import annotations

from tests.judges.breaks import as_one, deletions, doors, people, points, proofs, share, swaps, traffic
from tests.judges.breaks.common import Break
from tests.judges.breaks.oddities import ODDITIES
from tests.judges.breaks.points import put_twice

__all__ = ["BREAKS", "HARMLESS", "Break", "put_twice"]

BREAKS = [
    *points.BREAKS,
    *deletions.BREAKS,
    *traffic.BREAKS,
    *proofs.BREAKS,
    *doors.BREAKS,
    *swaps.BREAKS,
    *as_one.BREAKS,
    *share.BREAKS,
]
HARMLESS = [*ODDITIES, *people.HARMLESS, *share.HARMLESS]
