"""Log analytics of the compute provider: exports of request rates to a blob container.

No storage is simulated behind a SAS, so an export ends as one whose container cannot be written (recorded).
"""

from typing import TYPE_CHECKING

from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply, invalid
from local.simulator.lro import Family, Operation, Work
from local.simulator.routing import Evidence, Route, Versions

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

NAMES = ("getRequestRateByInterval", "getThrottledRequests")


def export(world: "World", call: "Call") -> Reply:
    """Accept an export (202)."""
    found = world.subscription(call["subscription"])
    body = call.body()
    for name in ("blobContainerSasUri", "fromTime", "toTime"):
        if not body.get(name):
            raise invalid(f"Required parameter '{name}' is missing (null).", name)
    work = Work("analytics.export", Family.COMPUTE, found, call["location"].lower(), "analytics", {}, wait=0)
    reply = accepted(call, world.operations.begin(call, work), 202, None, location=True)
    reply.headers.pop("Azure-AsyncNotification", None)
    return reply


def finish(_world: "World", _operation: Operation, _at: float) -> Document:
    """Fail: nothing can be written."""
    message = "Could not write log analytics to the given SAS URI due to The remote server returned an error: (403) "
    raise ArmError(400, "BadRequest", message + "Forbidden..")


_AT = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/logAnalytics/apiAccess"
ROUTES = tuple(
    Route("POST", f"{_AT}/{name}", f"Microsoft.Compute/locations/logAnalytics/{name}/action", export, Evidence.RECORDED,
          "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_log_analytics", Versions("2017-12-01"))
    for name in NAMES
)  # fmt: skip
FINISHERS = {"analytics.export": finish}
