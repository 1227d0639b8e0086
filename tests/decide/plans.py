"""Plans and machines for the tests of decisions, as small as they can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from shared.model.identity import DiskUid, ResourceId, Shard, VmUid, vm_id
from shared.model.machine import Disk, Lens, Machine, Sighting, Status
from shared.model.plan import Age, Keep, Plan, Plans, Schedule, Unit
from shared.model.rules import Mode, Rules

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
SHARD = Shard(SUBSCRIPTION, "westeurope")
NOW = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)
VM = vm_id(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/web/providers/Microsoft.Compute/virtualMachines/web-1")
UID = VmUid("aaaaaaaa-0000-0000-0000-000000000001")

DAILY = Schedule(at=(time(2),), every=None, zone="UTC", window=timedelta(hours=1))
SILVER = Plan("silver", DAILY, Keep((Age(7, Unit.DAY), Age(4, Unit.WEEK))), timedelta(hours=24), 24)
GOLD = replace(SILVER, name="gold", schedule=replace(DAILY, at=(), every=timedelta(hours=6)))
PLANS = Plans({"silver": SILVER, "gold": GOLD}, "silver", {})
RULES = Rules(plans=PLANS, subscriptions={SUBSCRIPTION: Mode.ENFORCE}, owner="acct")


def at(text: str) -> datetime:
    """A UTC instant from `2027-03-10 12:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def disk(name: str, lun: int | None = None, left_out: str = "") -> Disk:
    return Disk(ResourceId(SUBSCRIPTION, "web", "microsoft.compute/disks", name), DiskUid(f"uid-{name}"), lun, left_out)


def sighting(
    tags: dict[str, str] | None = None, disks: tuple[Disk, ...] = (disk("os"),), when: datetime = NOW
) -> Sighting:
    return Sighting(
        uid=UID,
        id=VM,
        name="web-1",
        shard=SHARD,
        tags={"backup": "silver"} if tags is None else tags,
        disks=disks,
        unsupported=(),
        scale_set=False,
        model={},
        lens=Lens.GET,
        as_of=when,
    )


def machine(**changes: object) -> Machine:
    """A machine enrolled in silver a day ago, with nothing owed at NOW."""
    settled = Machine(
        uid=UID,
        id=VM,
        name="web-1",
        shard=SHARD,
        tags={"backup": "silver"},
        disks=(disk("os"),),
        unsupported=(),
        plan="silver",
        status=Status.PROTECTED,
        because="",
        problems=(),
        as_of=NOW - timedelta(hours=1),
        enrolled_at=NOW - timedelta(days=1),
        settled=at("2027-03-10 02:00"),
        last_point=at("2027-03-10 02:00"),
    )
    return replace(settled, **changes)  # type: ignore[arg-type]  # a test names the fields it changes
