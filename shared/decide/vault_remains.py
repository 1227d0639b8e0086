"""What a vault alone says of a machine that is gone: a row of the ledger by which its backups can be found again.

Called by flows/vault_remains.py after the loss of the ledger. A vault names VMs and no uids, so the uid is ours:
derived from the VM's id, and never that of a machine in Azure.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Machine, Status
from shared.model.vault import ItemSeen, Protection, Standing

LOST = "what was asked for before the ledger was lost"
BY_VAULT = "its vault alone knows of it, by its name; it was not found"


def uid_of(vm: ResourceId) -> VmUid:
    """The uid of the machine that last bore an id, of which nothing else is known."""
    return VmUid(f"vault-{hashlib.sha256(str(vm).encode()).hexdigest()[:24]}")


def remembered(item: ItemSeen, shard: Shard, now: datetime) -> Machine:
    """The machine of an item whose VM a GET did not find just now; whether it is gone a second look decides."""
    return Machine(
        uid=uid_of(item.vm),
        id=item.vm,
        name=item.vm.name,
        shard=shard,
        tags={},
        disks=(),
        unsupported=(),
        plan="",
        status=Status.EXCLUDED,
        because=BY_VAULT,
        problems=(),
        as_of=now,
        absent_since=now,
        left_at=now,
        protection=Protection(Standing.NONE, BY_VAULT, now, asked=LOST, vault=item.vault, policy=item.policy),
    )
