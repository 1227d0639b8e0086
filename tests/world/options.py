"""What a seeded world is made of, drawn from its seed. SOME_HAVE names what only a share of the worlds has."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tests.world.host import SWEEP
from tests.world.storm import KINDS, Kind

STARTS = (
    datetime(2026, 3, 24, 7, 13, tzinfo=UTC),  # summer time begins in Berlin on the 29th
    datetime(2026, 10, 20, 7, 13, tzinfo=UTC),  # and ends on the 25th, in New York on November 1st
    datetime(2027, 3, 9, 23, 50, tzinfo=UTC),  # summer time begins in New York on the 14th
    datetime(2028, 2, 24, 12, 0, tzinfo=UTC),  # a leap day
    datetime(2026, 12, 27, 0, 0, tzinfo=UTC),  # ISO week 53 and a new year
    datetime(2026, 6, 3, 3, 33, tzinfo=UTC),
)
DAYS = 10
SKEWS = (0, 0, 0, -150, 40, 150)  # F9: seconds by which the clock of a process is wrong
SWEEPS = (SWEEP, 4 * SWEEP, 4 * SWEEP)  # every quarter of an hour as we ship it, or hourly by setting
INHERITS = 0.4  # the share of installations in which machines inherit the tags of their resource group
LOSSES = 0.25  # the share of runs in which every table is deleted once
VAULTS = 0.1  # the share of runs in which machines ask for Azure Backup too
SOME = 0.36  # the share of runs in which what is drawn of the following is there, beside those of an exodus
EDITS = 0.15  # the share of runs in which somebody edits the plans file
WHOLES = 0.1  # the share of runs in which most machines ask for restore points
DRILLS = 0.1  # the share of runs whose plans have drills; of those in which no table is lost
EXODUS = 0.06  # the share of runs in which most machines leave at once
KEEPERS = 0.1  # the share of runs in which much is held, in odd words too, and read for days
SOME_HAVE = ("vaults", "edits", "wholes", "keepers", "drills", "exodus")


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is made of, drawn from its seed. `skews` has the wrongness of the clock of each process."""

    seed: int
    start: datetime
    machines: int
    skews: tuple[timedelta, ...]
    kinds: tuple[Kind, ...]
    spells_every: timedelta
    acts_every: timedelta
    share: float
    days: int = DAYS
    loses_ledger: bool = False
    sweeps_every: timedelta = SWEEP
    inherits: bool = False
    garbage: int = 0
    vaults: bool = False
    edits: bool = False
    wholes: bool = False
    keepers: bool = False
    drills: bool = False
    exodus: bool = False

    @classmethod
    def of(cls, seed: int) -> Options:
        draw = random.Random(seed)
        kinds = tuple(sorted(draw.sample(KINDS, draw.randint(3, len(KINDS))), key=KINDS.index))
        drawn = cls(
            seed=seed,
            start=draw.choice(STARTS),
            machines=draw.choice((8, 8, 8, 12)),
            skews=tuple(timedelta(seconds=draw.choice(SKEWS)) for _ in range(draw.randint(1, 3))),
            kinds=kinds,
            spells_every=timedelta(hours=draw.choice((2, 4, 8))),
            acts_every=timedelta(hours=draw.choice((3, 6, 12))),
            share=draw.choice((0.0, 0.0, 0.1)),
            loses_ledger=draw.random() < LOSSES,
            sweeps_every=draw.choice(SWEEPS),
            inherits=draw.random() < INHERITS,
            garbage=draw.randint(0, 4),
            vaults=draw.random() < VAULTS,
            edits=draw.random() < EDITS,
            wholes=draw.random() < WHOLES,
            keepers=draw.random() < KEEPERS,
            drills=draw.random() < DRILLS,
            exodus=draw.random() < EXODUS,
        )
        drawn = replace(drawn, drills=drawn.drills and not drawn.loses_ledger)
        there = draw.random() < SOME or drawn.exodus
        return drawn if there else drawn.having({"vaults"} if drawn.vaults else ())

    def having(self, some: Collection[str]) -> Options:
        """The same world with these of SOME_HAVE and none of the others."""
        return replace(
            self,
            vaults="vaults" in some,
            edits="edits" in some,
            wholes="wholes" in some,
            keepers="keepers" in some,
            drills="drills" in some,
            exodus="exodus" in some,
        )
