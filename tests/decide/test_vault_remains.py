"""The row of a machine of which its vault alone knows: named by its id, and found by no look."""

from __future__ import annotations

from shared.decide.vault_remains import BY_VAULT, LOST, remembered, uid_of
from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import VM_TYPE, ResourceId
from shared.model.machine import Machine, Status
from shared.model.vault import ItemSeen, ItemState, Protection, Standing
from tests.fleet import NOW, SHARD, SUBSCRIPTION

VAULT = ResourceId(SUBSCRIPTION, "backups", VAULT_TYPE, "ours")
VM = ResourceId(SUBSCRIPTION, "web", VM_TYPE, "web-1")
ITEM = ItemSeen(VAULT, VM, ItemState.STOPPED, "Theirs", NOW)


def test_its_uid_follows_from_its_id_and_is_nobody_elses() -> None:
    assert uid_of(VM) == uid_of(ResourceId(SUBSCRIPTION, "web", VM_TYPE, "web-1"))
    assert uid_of(VM) == "vault-396367249eb37ad76e05f803"
    assert uid_of(VM) != uid_of(ResourceId(SUBSCRIPTION, "web", VM_TYPE, "web-2"))


def test_the_row_says_what_the_vault_knows_and_no_more() -> None:
    assert remembered(ITEM, SHARD, NOW) == Machine(
        uid=uid_of(VM),
        id=VM,
        name="web-1",
        shard=SHARD,
        tags={},
        disks=(),
        unsupported=(),
        plan="",
        status=Status.EXCLUDED,
        because=BY_VAULT,
        problems=(),
        as_of=NOW,
        absent_since=NOW,
        left_at=NOW,
        protection=Protection(Standing.NONE, BY_VAULT, NOW, asked=LOST, vault=VAULT, policy="Theirs"),
    )
