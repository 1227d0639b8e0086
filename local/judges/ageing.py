"""What is past its time is on its way: the rows of every evening say of each point whose age has ended that it goes.

Part of S8. When and how fast it may go is S3's; here nothing is to be forgotten, neither of machines that are there nor
of those that left. The newest complete point of a machine stays, and so do as many as `last=N` of its plan asks for.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from local.judges.deletions import away_since
from local.judges.evidence import Record, instant, table
from local.judges.finding import Finding
from local.judges.lives import Machine
from local.judges.retention import owed
from local.judges.world import Dump, World, key_of

TO_SAY_SO = timedelta(hours=3)  # a round of expiry and a sweep an hour, and time to carry them out


def what_is_over_goes(world: World, finding: Finding) -> None:
    """Every evening of every machine."""
    for dump in world.dumps:
        points: defaultdict[str, list[Record]] = defaultdict(list)
        for row in dump.of("p"):
            if row["complete"]:
                points[key_of(row)[0]].append(row)
        for uid, rows in points.items():
            if uid in world.by_uid:
                _judge(world, finding, world.by_uid[uid], rows, dump)


def _judge(world: World, finding: Finding, machine: Machine, rows: list[Record], dump: Dump) -> None:
    newest_first = sorted(rows, key=lambda row: instant(row["slot"]), reverse=True)
    since, asked = away_since(machine, dump.at), machine.at(dump.at)
    staying = asked.plan.last if since is None and asked and asked.plan else 1
    for row in newest_first[max(staying, 1) :]:
        over = max(_date(world, machine, row, dump.at), since or machine.born)
        said = bool(table(row, "removal").get("marked_at")) or row["state"] == "deleting"
        if world.after_trouble(over, TO_SAY_SO) <= dump.at:
            told = f"its time is over since {over:%Y-%m-%d %H:%M}Z, and nothing says that it goes"
            finding.expect(said, told, str(row["RowKey"]), dump.at)


def _date(world: World, machine: Machine, row: Record, at: datetime) -> datetime:
    """Until when a point has to stay: by its row, its class and floor, and the floor of its machine's plan of now."""
    dates = [instant(row["keep_until"]), instant(row["birth_keep_until"])]
    asked, whole = machine.at(at), world.wholes.get(key_of(row))
    for part in filter(None, (world.by_name.get(name) for name in (whole.parts if whole else ()))):
        dates.append(part.born + (asked.plan.floor if asked and asked.plan else timedelta()))
        if whole is not None:
            dates.append(owed(world, whole, part))
    return max(dates)
