"""What may go wrong with drills and vaults (S13 and the judges of both): each breaks the papers of a whole play."""

from __future__ import annotations

import json
from datetime import datetime

from tests.judges.breaks.common import Break, Listed
from tests.judges.papers import DB, HOUR, WEB, Paper, Papers, text
from tests.judges.proofs import DRILLS, drilled, made_by

FAILED, LAST = DRILLS[1][0], DRILLS[-1][0]


def vm_of(papers: Papers, day: int) -> Paper:
    return next(one for one in papers.state if one["id"] == made_by(day).id)


def a_disk_was_left_out(papers: Papers) -> None:
    vm_of(papers, FAILED)["properties"]["storageProfile"]["dataDisks"] = []


def never_removed(papers: Papers) -> None:
    vm_of(papers, FAILED)["gone"] = None


def the_drilled_one_is_enrolled(papers: Papers) -> None:
    papers.snapshots(WEB)[0]["tags"]["tagback-vm"] = made_by(FAILED).uid


def of_nobody(papers: Papers) -> None:
    drilled = vm_of(papers, FAILED)
    drilled |= {named: drilled[named].replace("web-1-drill", "web-9-drill") for named in ("id", "name")}


def network_of(papers: Papers, kind: str) -> Paper:
    """The properties of a thing in the network of the failed drill's machine."""
    place = f"/{kind}/{made_by(FAILED).name}"
    found: Paper = next(one["properties"] for one in papers.state if one["id"].endswith(place))
    return found


def lets_out(papers: Papers) -> None:
    network_of(papers, "networkSecurityGroups")["securityRules"].pop()


def lets_some_in(papers: Papers) -> None:
    rules = network_of(papers, "networkSecurityGroups")["securityRules"]
    rules.append({"properties": {**rules[0]["properties"], "access": "Allow", "priority": 99}})


def denies_only_some(papers: Papers) -> None:
    network_of(papers, "networkSecurityGroups")["securityRules"][0]["properties"]["protocol"] = "Tcp"


def under_no_rules(papers: Papers) -> None:
    del network_of(papers, "networkInterfaces")["networkSecurityGroup"]
    network_of(papers, "virtualNetworks")["subnets"].clear()


def with_a_public_address(papers: Papers) -> None:
    address = network_of(papers, "networkInterfaces")["ipConfigurations"][0]
    address["properties"]["publicIPAddress"] = {"id": "/somewhere"}


def on_an_unknown_card(papers: Papers) -> None:
    vm_of(papers, FAILED)["properties"]["networkProfile"]["networkInterfaces"][0]["id"] += "-2"


def saying(day: int, **said: object) -> Break:
    """Other words in the verdict of a day, in every row that has it."""

    def broken(papers: Papers) -> None:
        for row in papers.rows_of(f"m|{WEB.uid}"):
            verdict = json.loads(row.get("drill", "{}"))
            if verdict.get("request") == f"drill-{day}":
                row["drill"] = json.dumps({**verdict, **said})

    return broken


def not_restored_at_all(papers: Papers) -> None:
    papers.state.remove(vm_of(papers, LAST))


def restored_wrongly(papers: Papers) -> None:
    disk = made_by(LAST).disk(0)
    next(one for one in papers.state if one["id"] == disk)["content"] = {"0": "0" * 64}


def its_agent(since: object) -> Break:
    """The agent of what the last drill made reported at another time, or never."""
    return lambda papers: vm_of(papers, LAST).update(agent=since)


def not_shown(papers: Papers) -> None:
    for row in papers.rows_of(f"m|{WEB.uid}"):
        row["status"] = "protected"


def never_again(papers: Papers) -> None:
    """The first drill was the last."""
    rows = papers.rows_of(f"m|{WEB.uid}")
    for row in rows:
        row["drill"] = rows[0]["drill"]


def without_drills_in_its_plan(papers: Papers) -> None:
    plans = next(act for act in papers.script if act["do"] == "plans")
    head, _, tail = plans["text"].partition("[plans.daily.drill]")
    plans["text"] = head + tail[tail.index("[plans.often]") :]


def nothing_in_the_vault(papers: Papers) -> None:
    papers.state[:] = [one for one in papers.state if not one["id"].endswith("/recoveryPoints/5")]


def a_row_is_forgotten(papers: Papers) -> None:
    papers.rows[:] = [row for row in papers.rows if not is_vault_row(row, 5)]


def is_vault_row(row: Paper, day: int) -> bool:
    return str(row["RowKey"]).startswith(f"p|{DB.uid}|202703{10 + day}T20") and row.get("engine") == "vault"


def a_row_of_nothing(papers: Papers) -> None:
    row = next(row for row in papers.rows if is_vault_row(row, 5))
    papers.rows.append({**row, "slot": text(datetime.fromisoformat(row["slot"]) + HOUR)})


BREAKS: Listed = [
    ("S13", a_disk_was_left_out, "has 1 disks of 2"),
    ("S13", never_removed, "stayed"),
    ("S13", the_drilled_one_is_enrolled, "enrolled again"),
    ("S13", of_nobody, "a drill of no machine"),
    ("S13", lets_out, "nothing stops what is outbound"),
    ("S13", lets_some_in, "nothing stops what is inbound"),
    ("S13", denies_only_some, "nothing stops what is inbound"),
    ("S13", under_no_rules, "nothing stops what is inbound, nothing stops what is outbound"),
    ("S13", with_a_public_address, "public address"),
    ("S13", on_an_unknown_card, "an interface that Azure does not know"),
    ("drills", saying(FAILED, proven=True), "was not on its disk"),
    ("drills", saying(LAST, proven=False), "nothing was wrong"),
    ("drills", not_restored_at_all, "nothing was ever restored"),
    ("drills", restored_wrongly, "holds something else"),
    ("drills", its_agent(None), "its agent had not reported"),
    ("drills", its_agent(text(drilled(LAST) + HOUR)), "its agent had not reported"),
    ("drills", not_shown, "does not show"),
    ("drills", lambda papers: papers.events.clear(), "nobody was told"),
    ("drills", never_again, "not drilled since"),
    ("drills", without_drills_in_its_plan, "its plan has no drills"),
    ("vaults", nothing_in_the_vault, "nothing came into its vault"),
    ("vaults", a_row_is_forgotten, "that no row tells of"),
    ("vaults", a_row_of_nothing, "that no vault has"),
]
