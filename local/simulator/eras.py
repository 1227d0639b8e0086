"""What the platform changed by itself, whatever api-version a client asks for: since when, and where later.

Each date lies between the last recording without and the first with. Called where answers are written; the platform of
today is the one after all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.simulator.clock import parse_time


@dataclass(frozen=True, slots=True)
class Rollout:
    """A change of the platform; some regions had it later."""

    since: str
    source: str
    later: Mapping[str, str] = field(default_factory=dict)

    def reached(self, now: float, location: str = "") -> bool:
        """Tell whether the change is there."""
        return now >= parse_time(self.later.get(location, self.since))


ETAGS = Rollout("2024-07-01", "machines: azure-cli-2025-02, May and August 2024")
NOTIFICATIONS = Rollout("2019-07-01", "Azure-AsyncNotification: azure-sdk-for-net-2019-02 and azure-cli-2021-07")
DELETE_OPTIONS = Rollout(
    "2021-05-01", "osDisk.deleteOption: azure-cli-2021-07, May and June 2021", {"southeastasia": "2021-07-01"}
)
PRIVATE_VAULTS = Rollout("2020-01-01", "privateEndpointStateForBackup: azure-cli-2019-08 and azure-cli-2021-07")
SOFT_DELETE = Rollout("2019-10-01", "items of vaults: azure-cli-2019-08 (deleted at once) and azure-cli-2021-07")
INSTANT_RESTORE = Rollout(
    "2018-12-01", "instantRpRetentionRangeInDays: azure-sdk-for-net-2019-02 (June 2018) and azure-cli-2019-08"
)
AGENT_UPDATES = Rollout("2022-11-01", "enableVMAgentPlatformUpdates is shown: 2022 and 2023 recordings")
AGENT_UPDATES_BY_REGION = Rollout("2024-03-01", "enableVMAgentPlatformUpdates: April and August 2024")


# A version of the disk provider that was carried out as its forerunner until it had come everywhere (recorded in
# December 2023 and March 2024): operations name the forerunner.
FORERUNNERS = {"2023-10-02": ("2023-04-02", Rollout("2024-02-01", "azure-cli-2025-02/vm disk sessions"))}


def carried_out_as(version: str, now: float) -> str:
    """Return the version in which the disk provider carries a request out."""
    forerunner, rollout = FORERUNNERS.get(version, (version, None))
    return version if rollout is None or rollout.reached(now) else forerunner


def agent_updates(now: float, location: str) -> bool | None:
    """Return what a new machine says of its agent's updates: nothing, false, and lately true in canary regions."""
    if not AGENT_UPDATES.reached(now):
        return None
    if not AGENT_UPDATES_BY_REGION.reached(now):
        return False
    return True if location.endswith("euap") else None
