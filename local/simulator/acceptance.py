"""How accepted work is announced: which headers each family of operations sends, and the form of its poll URLs.

Recorded: which of Azure-AsyncOperation and Location is sent, where the URL lies, what Retry-After says.
"""

import hashlib
from typing import TYPE_CHECKING

from local.simulator import eras
from local.simulator.answers import Document, Reply, encode
from local.simulator.lro import Family, Operation

if TYPE_CHECKING:
    from local.simulator.call import Call

RETRY_AFTER = {
    Family.DISK: 2,
    Family.COMPUTE: 10,
    Family.GALLERY: 0,
    Family.NETWORK: 3,
    Family.EVENT_GRID: 10,
    Family.GROUP: 15,
    Family.DEPLOYMENT: 0,
    Family.VAULT: 60,
    Family.BACKUP: 60,
}


PLACED_SINCE = "2019-06-01"  # Event Grid's operations name their region since (recorded: not in 2018-09-15-preview)
NOTIFIED_ACTIONS = "2022-08"  # recorded: actions of 2021-11-01 announce no notification, those of 2022-11-01 do
# Actions whose answer names a wait; the others leave it to the client, as extensions do (recorded: test_compute_vm).
WAITED_FOR = frozenset({"start", "deallocate"})


def wait_of(operation: Operation) -> dict[str, str]:
    """Return the Retry-After header of a running operation, where its kind has one."""
    silent = operation.work.startswith("extension.") or (
        operation.work == "vm.act" and operation.arguments.get("action") not in WAITED_FOR
    )
    seconds = RETRY_AFTER[operation.family] if operation.wait is None else operation.wait
    return {} if silent or not seconds else {"Retry-After": str(seconds)}


def accepted(call: "Call", operation: Operation, status: int, document: Document | None, location: bool) -> Reply:
    """Answer that work was accepted, with the headers of its family."""
    url = _url(call, operation)
    headers = {"Azure-AsyncOperation": url, **wait_of(operation)}
    if operation.family is Family.EVENT_GRID:
        headers["Azure-AsyncOperation"] = _with_port(url)
        if location:
            headers["Location"] = url.replace("/operationsStatus/", "/operationResults/")
    elif operation.family is Family.GROUP:
        del headers["Azure-AsyncOperation"]
        headers["Location"] = url
    elif location:
        headers["Location"] = url + "&monitor=true"
    announced = call.method != "POST" or call.version >= NOTIFIED_ACTIONS
    if operation.family is Family.COMPUTE and announced and eras.NOTIFICATIONS.reached(call.now):
        headers["Azure-AsyncNotification"] = "Enabled"
    return Reply(status, encode(document) if document is not None else b"", headers, operation)


def _url(call: "Call", operation: Operation) -> str:
    root = f"{call.base_url}/subscriptions/{operation.subscription}"
    if operation.family is Family.GROUP:
        return f"{root}/operationresults/{operation.id}?api-version={call.version}"
    if operation.family is Family.DEPLOYMENT:
        return f"{call.base_url}{call.path}/operationStatuses/{operation.id}?api-version={call.version}"
    name = operation.id.upper() if operation.family is Family.EVENT_GRID else operation.id
    where = operation.family.value.format(location=operation.location)
    if operation.family is Family.EVENT_GRID and call.version < PLACED_SINCE:
        where = where.replace(f"locations/{operation.location}/", "")
    url = f"{root}/providers/{where}/{name}?"
    if operation.family not in (Family.DISK, Family.COMPUTE, Family.GALLERY):
        return f"{url}api-version={call.version}"
    version = eras.carried_out_as(call.version, call.now) if operation.family is Family.DISK else call.version
    return url + _partition(call, operation) + f"api-version={version}" + signature(call, operation)


def _partition(call: "Call", operation: Operation) -> str:
    """Name the partition, as recorded since 2021."""
    if call.version < "2021" or operation.family is Family.GALLERY:
        return ""
    return f"p={operation.subscription[:8]}-0000-4000-8000-000000000000&"


def signature(call: "Call", operation: Operation) -> str:
    """Sign the poll URL, as recorded since about 2023; clients must use it verbatim."""
    if call.version < "2022-08":
        return ""
    digest = hashlib.sha256(operation.id.encode()).hexdigest()
    ticks = 621355968000000000 + int(operation.started * 10_000_000)
    return f"&t={ticks}&c=MII{digest * 4}&s={digest}{digest}&h={digest[:43]}"


def _with_port(url: str) -> str:
    """Event Grid writes the port even where it is the scheme's own."""
    scheme, rest = url.split("://", 1)
    host, path = rest.split("/", 1)
    return url if ":" in host else f"{scheme}://{host}:{443 if scheme == 'https' else 80}/{path}"
