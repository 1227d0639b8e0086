"""Every mode, over one to four disks: what comes back holds what was captured, and nothing else changed."""

from __future__ import annotations

import pytest

from shared.model.request import Progress
from shared.model.restore import RestoreMode, RestoreOrder
from tests.restore.estate import Estate, Wanted, disks_of


@pytest.mark.parametrize("disks", [1, 2, 3, 4])
def test_a_deleted_machine_is_rebuilt_under_its_own_name(estate: Estate, disks: int) -> None:
    machine = estate.machine(Wanted(disks=disks))
    row, before, held = estate.protected(machine), estate.body(machine), estate.contents(machine)
    assert len({str(content) for content in held.values()}) == disks
    estate.delete(machine)
    done = estate.restored(row, RestoreOrder(RestoreMode.REBUILD))
    assert done.progress is Progress.DONE, done
    after = estate.body(machine)
    assert after["name"] == before["name"]
    assert estate.contents(machine) == held
    assert set(disks_of(after)) == set(disks_of(before))
