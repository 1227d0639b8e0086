"""Makes things go wrong: fault rules of the simulator, silence, outages, garbage, forged events.

Entered on the stage by play.py; one function for each `do` of a scenario's troubles. Each writes into the script what
was in the way and for how long. People who mean harm or know no measure are in strangers.py.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import requests
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueServiceClient

from local.clock.followers import HostClock
from local.demo.ambush import Ambush
from local.demo.cast import Cast
from local.demo.fault_files import adapted
from local.demo.knocks import knock
from local.demo.scenario import Trouble
from local.demo.strangers import attack, hungry_neighbour
from local.judges.world import PRODUCT, SNAPSHOT

QUEUES = ("vms", "shards", "requests")
VM_READ = "Microsoft.Compute/virtualMachines/read"
TWICE, BRIEFLY = timedelta(minutes=12), timedelta(minutes=2)  # a second 404 counts after ten minutes


def rules(cast: Cast, trouble: Trouble) -> None:
    """Set the rules of a fault file, moved to this time."""
    at = cast.now()
    for rule in adapted(trouble, at, cast.script.count("trouble")):
        cast.observer.order("faults", rule)
    cast.script.note("trouble", at, at + trouble.lasts, fault=trouble.fault, says=trouble.says)


def kill(cast: Cast, trouble: Trouble) -> None:
    """kill -9 in the middle of a call to Azure, which is carried out or not; a new host is started at once."""
    Ambush(cast, trouble.options).start()


def silence(cast: Cast, trouble: Trouble) -> None:
    """The host is gone for a while, and time goes on without it."""
    with cast.noted("silence", fault=trouble.fault), cast.conductor.away(HostClock.name):
        cast.stack.kill_host()
        cast.sleep(trouble.lasts)
        cast.stack.restart_host()


def outage(cast: Cast, trouble: Trouble) -> None:
    """A storage service answers 503 for a while."""
    at = cast.now()
    cast.stack.azurite.break_down(str(trouble.options["service"]), at + trouble.lasts)
    cast.script.note("outage", at, at + trouble.lasts, fault=trouble.fault, service=trouble.options["service"])


def lock(cast: Cast, trouble: Trouble) -> None:
    """A recovery group is locked against deletions, as governance does without asking."""
    for subscription in cast.scenario.subscriptions[:1]:
        scope = f"/subscriptions/{subscription}/resourceGroups/tagback-{trouble.options['region']}"
        with cast.noted("trouble", fault=trouble.fault, says=trouble.says):
            cast.fleet.lock(scope)
            cast.sleep(trouble.lasts)
            cast.fleet.unlock(scope)


def pause(cast: Cast, trouble: Trouble) -> None:
    """A person has something rest for a while, everywhere, by the command line."""
    what, began = str(trouble.options["what"]), cast.now()
    cast.tagback.done("pause", what, "--because", trouble.says)
    cast.sleep(trouble.lasts)
    cast.script.note("pause", began, cast.now(), what=what)
    cast.tagback.done("resume", what)


def garbage(cast: Cast, trouble: Trouble) -> None:
    """Messages that no version of the app has ever sent."""
    began, wanted = cast.now(), int(trouble.options["count"])
    with QueueServiceClient.from_connection_string(cast.stack.azurite.connection_string) as service:
        for name in QUEUES:
            with suppress(ResourceExistsError):
                service.create_queue(name)
            with service.get_queue_client(name) as queue:
                for number in range(wanted):
                    text = ('{"not json', json.dumps({"vm": number}), "\u202e\U0001f4a9", "[" * 500)[number % 4]
                    queue.send_message(base64.b64encode(f"{text}{number}".encode()).decode())
    sent = wanted * len(QUEUES)
    cast.script.note("garbage", began, cast.now(), fault=trouble.fault, sent=sent)
    cast.screen.line(f"    {sent} messages in {len(QUEUES)} queues: each is set aside after its tries, and shown")


def forge(cast: Cast, trouble: Trouble) -> None:
    """Events that Event Grid never sent: of machines elsewhere, of none, of ours; with the key and with a wrong one."""
    endpoint = cast.stack.event_endpoint
    wrong = endpoint.rpartition("=")[0] + "=guessed"
    ours = [machine.id for machine in cast.scenario.machines[:2]]
    elsewhere = ours[0].replace(cast.scenario.subscriptions[0], "c0000000-0000-4000-8000-00000000000c")
    subjects = [*ours, elsewhere, f"{ours[0]}-none", "http://169.254.169.254/latest", "../../etc/passwd"]
    with cast.noted("forged", fault=trouble.fault):
        for number in range(int(trouble.options["count"])):
            event = forged(cast, subjects[number % len(subjects)], number)
            for target in (endpoint, wrong):
                said = {"subject": event["subject"], "key": target == endpoint}
                headers = {"aeg-event-type": "Notification"}
                answer = requests.post(target, json=[event], headers=headers, timeout=30)
                cast.script.note("forged-event", cast.now(), status=answer.status_code, **said)


def forged(cast: Cast, subject: str, number: int) -> Mapping[str, Any]:
    return {
        "id": f"forged-{cast.now():%Y%m%d}-{number}",
        "topic": "/subscriptions/none",
        "subject": subject,
        "eventType": "Microsoft.Resources.ResourceDeleteSuccess",
        "eventTime": cast.now().isoformat(),
        "data": {"resourceUri": subject, "operationName": "Microsoft.Compute/virtualMachines/delete"},
        "dataVersion": "2",
        "metadataVersion": "1",
    }


def hide(cast: Cast, trouble: Trouble) -> None:
    """Every list is empty, two machines are found nowhere, one with its subscription, and a third may not be read.

    An operator who wonders has the sweep run by hand, as the portal's Test/Run does: it asks for what the lists lack.
    """
    fleet = {machine.name: machine for machine in cast.scenario.machines}
    disabled, briefly, denied = (fleet[str(trouble.options[name])] for name in ("disabled", "briefly", "denied"))
    absent, forbidden = {"status": 404, "code": "ResourceNotFound"}, {"status": 403, "code": "AuthorizationFailed"}
    state = {"status": 200, "body": {"subscriptionId": disabled.subscription, "state": "Disabled"}}
    with cast.noted("trouble", fault=trouble.fault, says=trouble.says):
        strike(cast, trouble, "Microsoft.ResourceGraph/resources/read", "*", {"list": "empty"})
        strike(cast, trouble, VM_READ, disabled.id, absent)
        strike(cast, trouble, VM_READ, denied.id, forbidden)
        strike(
            cast, trouble, "Microsoft.Resources/subscriptions/read", f"/subscriptions/{disabled.subscription}", state
        )
        by_hand(cast, "sweep")
        cast.sleep(TWICE)
        strike(cast, trouble, VM_READ, briefly.id, absent)
        for _ in range(2):
            by_hand(cast, "sweep")
            cast.sleep(BRIEFLY)


def lead_astray(cast: Cast, trouble: Trouble) -> None:
    """Lists of snapshots say that they go on at another host, to which no token may go."""
    at = cast.now()
    strike(cast, trouble, f"{SNAPSHOT}/read", "*", {"list": "abroad"})
    cast.script.note("trouble", at, at + trouble.lasts, fault=trouble.fault, says=trouble.says)


def strike(cast: Cast, trouble: Trouble, operation: str, resource: str, effect: Mapping[str, object]) -> None:
    """Let what the product asks for of one resource go wrong until the trouble is over."""
    until = cast.scenario.start + trouble.at + trouble.lasts
    match = {"operation": operation, "resource": resource, "principal": PRODUCT}
    name = f"{trouble.fault}-{len(cast.observer.simulator('faults'))}"
    cast.observer.order("faults", {"id": name, "match": match, "effect": effect, "until": until.isoformat()})


def by_hand(cast: Cast, function: str) -> None:
    """An operator starts a function of the app."""
    headers, url = {"x-functions-key": cast.stack.keys["master"]}, f"{cast.stack.host_url}/admin/functions/{function}"
    requests.post(url, json={"input": ""}, headers=headers, timeout=30).raise_for_status()
    cast.script.note("by-hand", cast.now(), function=function)


MAKERS: Mapping[str, Callable[[Cast, Trouble], object]] = {
    "rules": rules,
    "kill": kill,
    "silence": silence,
    "outage": outage,
    "lock": lock,
    "pause": pause,
    "hide": hide,
    "lead": lead_astray,
    "garbage": garbage,
    "forge": forge,
    "neighbour": hungry_neighbour,
    "attack": attack,
    "knock": knock,
}


def make(cast: Cast, trouble: Trouble) -> None:
    """Tell of a trouble and let it happen."""
    lasting = f" (for {int(trouble.lasts / timedelta(minutes=1))} min)" if trouble.lasts else ""
    cast.screen.line(f"{trouble.fault}: {trouble.says}{lasting}", "yellow")
    if cast.screen.progress is not None:
        cast.screen.progress.meet(f"{trouble.fault}: {trouble.says}", cast.now() + trouble.lasts)
    MAKERS[trouble.do](cast, trouble)
