"""What may go wrong with calls, writes, the audit log and restores (S9 to S13): each breaks a whole play."""

from __future__ import annotations

from datetime import datetime

from tests.judges.breaks.common import NIGHT, Break, Listed
from tests.judges.papers import (
    DB,
    END,
    GROUPS,
    HOUR,
    MINUTE,
    START,
    WEB,
    Papers,
    text,
)
from tests.judges.play import PUT

DELETED = NIGHT + 12 * HOUR


def before_retry_after(papers: Papers) -> None:
    next(call for call in papers.calls if call["status"] == 429)["retry_after"] = "600"


def before_the_date_said(papers: Papers) -> None:
    refused = next(call for call in papers.calls if call["status"] == 429)
    moment = datetime.fromisoformat(refused["t"]) + 10 * MINUTE
    refused["retry_after"] = f"{moment:%a, %d %b %Y %H:%M:%S} GMT"


def at_host(host: str) -> Break:
    """The app was told where Azure is, and one call of its went to this host."""

    def broken(papers: Papers) -> None:
        papers.script[0]["settings"]["TAGBACK_ARM_ENDPOINT"] = "https://127.0.0.1:4430"
        for call in papers.calls:
            call["host"] = "127.0.0.1:4430"
        papers.calls[-1]["host"] = host

    return broken


def calling(method: str, path: str, operation: str) -> Break:
    return lambda papers: papers.call(END, method, path, operation)


def unconditional(condition: str | None) -> Break:
    def broken(papers: Papers) -> None:
        operation = papers.requests[0]["operations"][0]
        operation.pop("if-match")
        if condition:
            operation["if-match"] = condition

    return broken


def untold(event: str) -> Break:
    def broken(papers: Papers) -> None:
        papers.audit.remove(next(line for line in papers.audit if line["event"] == event and line["vm"] == DB.uid))

    return broken


def told_afterwards(papers: Papers) -> None:
    line = next(line for line in papers.audit if line["event"] == "point.deleting")
    line["at"] = text(END)


def told_without_reason(papers: Papers) -> None:
    next(line for line in papers.audit if line["event"] == "point.deleting")["because"] = ""


def taken_out_of_the_log(papers: Papers) -> None:
    request = next(one for one in papers.requests if one["service"] == "blob")
    papers.requests.append({**request, "method": "DELETE"})


def restored(disks: int) -> Break:
    def broken(papers: Papers) -> None:
        at = text(START)
        papers.script.append({"do": "restore", "at": at, "until": at, "to": WEB.id, "disks": disks})

    return broken


def nothing_restored(papers: Papers) -> None:
    papers.script.append({"do": "restore", "at": text(START), "to": f"{WEB.id}-again", "disks": 2})


ELSEWHERE = "/subscriptions/b0000000-0000-4000-8000-000000000002/resourceGroups/tagback-westeurope"
OURS, STRANGE = f"{GROUPS}/shop/providers/Microsoft.Compute/snapshots/x", f"{ELSEWHERE}/providers/Microsoft.Compute"
PUTTING = "PUT microsoft.compute/snapshots/write"
NETWORK_CARD, RESTORING = "Microsoft.Network/networkInterfaces/write", "microsoft.network/networkinterfaces"
DRILLED = f"{GROUPS}/shop/providers/Microsoft.Compute/virtualMachines"
DRILLING = "Microsoft.Compute/virtualMachines/delete"


def drilling(name: str, since: datetime = START) -> Break:
    """A machine is deleted while the script says that there are drills from an instant on."""

    def broken(papers: Papers) -> None:
        papers.script.append({"do": "drills", "at": text(since), "until": text(END)})
        papers.call(END, "DELETE", f"{DRILLED}/{name}", DRILLING)

    return broken


def removing_a_machine(papers: Papers) -> None:
    """While a restore is under way a machine is deleted that no restore made."""
    papers.script.append({"do": "restore", "at": text(END), "until": text(END), "to": DRILLED, "disks": 2})
    papers.call(END, "DELETE", WEB.id, DRILLING)


def paused(what: str, since: datetime) -> Break:
    """A person says that something is to rest, and it goes on."""

    def broken(papers: Papers) -> None:
        act = {"at": text(since), "until": text(since + HOUR), "what": what}
        papers.script.append({"do": "pause", **act})

    return broken


def asking_a_vault(subscription: str) -> Break:
    """The product asks what a vault would refuse a machine for."""
    provider = f"/subscriptions/{subscription}/providers/Microsoft.RecoveryServices"
    asked = "Microsoft.RecoveryServices/locations/backupPreValidateProtection/action"
    return calling("POST", f"{provider}/locations/westeurope/backupPreValidateProtection", asked)


BREAKS: Listed = [
    ("S10", at_host("localhost:4430"), "a token was sent to localhost:4430"),
    ("S10", asking_a_vault("c" * 8), "backupprevalidateprotection"),
    ("S10", paused("captures", NIGHT - 20 * MINUTE), "captures had been paused at 00:40"),
    ("S10", paused("all", NIGHT - 20 * MINUTE), "captures had been paused"),
    ("S10", paused("deletes", DELETED - 20 * MINUTE), "deletes had been paused"),
    ("S10", drilling("web-1"), "microsoft.compute/virtualmachines"),
    ("S10", drilling("web-1-drill-0123"), "microsoft.compute/virtualmachines"),
    ("S10", calling("DELETE", f"{DRILLED}/web-1-drill-01234567", DRILLING), "microsoft.compute/virtualmachines"),
    ("S10", calling("PUT", f"{GROUPS}/shop/providers/Microsoft.Network/networkInterfaces/n", NETWORK_CARD), RESTORING),
    ("S10", calling("PUT", OURS, PUT), PUTTING),
    ("S10", calling("PUT", f"{STRANGE}/snapshots/tb-{'3' * 32}", PUT), PUTTING),
    ("S10", calling("DELETE", WEB.id, "Microsoft.Compute/virtualMachines/delete"), "microsoft.compute/virtualmachines"),
    ("S10", removing_a_machine, "never made by the product"),
    ("S9", before_retry_after, "as Azure had asked"),
    ("S9", before_the_date_said, "as Azure had asked"),
    ("S11", unconditional(None), "not conditional"),
    ("S11", unconditional("*"), "not conditional"),
    ("S12", untold("capture.intended"), "no audit line capture.intended"),
    ("S12", untold("point.deleting"), "no audit line point.deleting"),
    ("S12", untold("point.complete"), "the audit log does not say so"),
    ("S12", told_afterwards, "no audit line point.deleting"),
    ("S12", told_without_reason, "without a reason"),
    ("S12", taken_out_of_the_log, "DELETE on the audit log"),
    ("S13", restored(3), "has 2 disks of 3"),
    ("S13", restored(2), "enrolled again"),
    ("S13", nothing_restored, "no machine came"),
]
