"""No secret is stored or shown: not of a message that nobody could serve, not of what Azure says went wrong."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError

from shared.cloud import redaction, vault_restores, vault_shapes
from shared.cloud.guards import OwnHost
from shared.cloud.poisoned import LONGEST, presentable
from shared.cloud.redaction import GONE
from shared.cloud.refusals import MESSAGE_LENGTH, refusal
from shared.cloud.rows import entity_of
from shared.errors import CloudError, Conflict, Refused
from shared.flows.casework import Case
from shared.flows.poisoned import record
from shared.flows.setbacks import setback
from shared.messages import VMS
from shared.model.identity import ResourceId
from shared.model.operation import State
from shared.model.request import PoisonedMessage
from tests.cli.running import run
from tests.fleet import LAST_SLOT, NOW, RULES, SHARD, capture, empty_fleet, machine, usual_fleet
from tests.surfaces.test_redaction import CANARIES, FORMS
from tests.web.test_api import ask

EACH = pytest.mark.parametrize(("form", "canary"), CANARIES, ids=[form[:30] for form in FORMS])
PAGES = ("/api/", "/api/status", "/api/jobs", "/api/pages/jobs")
COMMANDS = (("status", "--output", "json"), ("status",), ("jobs", "--output", "json"), ("jobs",), ("explain", "web-1"))
VAULT = ResourceId("s", "g", "microsoft.recoveryservices/vaults", "v")
URL = "https://evil.example/c?sig=canary0123456789"


def answered(body: str, status: int = 409) -> HttpResponseError:
    """What an SDK raises for an answer."""
    answer: Any = SimpleNamespace(
        status_code=status, reason="Conflict", headers={}, text=lambda *_, **__: body, content_type="application/json"
    )
    return HttpResponseError(f"Operation returned {status}: {body}", response=answer)


def raised(text: str) -> list[AzureError]:
    """An error of Azure's with a text in its message, its code, a body that is no JSON; and one without an answer."""
    return [
        answered(json.dumps({"error": {"code": "ScopeLocked", "message": f"no: {text}"}})),
        answered(json.dumps({"error": {"code": text, "message": "no"}})),
        answered(json.dumps({"odata.error": {"code": "X", "message": {"value": text}}})),
        answered(f"<html>{text}</html>", 400),
        ServiceRequestError(f"cut: {text}"),
    ]


@EACH
def test_no_error_of_azures_has_a_secret(form: str, canary: str) -> None:
    for error in raised(form.format(canary)):
        told = refusal(error, NOW)
        assert canary not in f"{told} {told.code} {told.message}"
        assert GONE in str(told)


def test_an_error_of_azures_says_everything_else() -> None:
    text = "/subscriptions/s is locked by Authorization: Bearer abcdefgh, see disk d-1"
    told = refusal(answered(json.dumps({"error": {"code": "ScopeLocked", "message": text}})), NOW)
    assert (told.code, told.message) == ("ScopeLocked", f"/subscriptions/s is locked by {GONE}, see disk d-1")


def failed_with(error: CloudError) -> tuple[str, str]:
    """The rows that a failure leaves, and all that people are shown of them."""
    fleet, of = empty_fleet(), machine(1, "web-1")
    fleet.put(of, capture(of, LAST_SLOT, State.STARTED))
    held = fleet.world.ledger.record(SHARD, of.uid)
    assert held is not None
    rows = setback(Case.of(held), held.operations[0].row, error, NOW)
    shown = empty_fleet()
    shown.put(of, *rows)
    told = [run(shown, *words).stdout for words in COMMANDS]
    told += [ask(shown, path).body.decode() for path in PAGES]
    return json.dumps([entity_of(row, "p") for row in rows], default=str), "\n".join(told)


@EACH
def test_a_secret_in_azures_words_is_in_no_row_and_is_shown_to_nobody(form: str, canary: str) -> None:
    for error in raised(form.format(canary)):
        stored, shown = failed_with(refusal(error, NOW))
        assert canary not in stored + shown
        assert GONE in stored
    assert "ScopeLocked" in failed_with(refusal(raised("")[0], NOW))[1]


@EACH
def test_a_secret_in_a_vaults_words_is_in_no_row_and_is_shown_to_nobody(form: str, canary: str) -> None:
    text = form.format(canary)
    named = {"errorCode": "X", "errorTitle": text, "errorString": text, "recommendations": ["look", text]}
    job = vault_shapes.job_seen(VAULT, {"name": "j", "properties": {"errorDetails": [named, {"errorCode": text}]}})
    refused = {"status": "Failed", "errorCode": "X", "errorMessage": text, "recommendation": text}
    dry = vault_shapes.refusal_seen(refused)
    tracked = vault_shapes.tracked({"status": "Failed", "error": {"code": "X", "message": text}}).error
    checked = vault_restores._refusal({"code": "X", "message": text, "recommendations": [text]})
    for error in (*job.errors, dry, tracked, checked):
        assert error is not None
        assert canary not in f"{error}"
        assert GONE in f"{error}"
        stored, shown = failed_with(Conflict(error.code, f"{error.message}; {error.recommendation}"))
        assert canary not in stored + shown


@EACH
def test_a_secret_in_a_poisoned_message_is_in_no_row_and_is_shown_to_nobody(form: str, canary: str) -> None:
    fleet = usual_fleet()
    text = json.dumps({"vm": "11111111-2222", "request": "eb723b9f", "headers": form.format(canary)})
    record(fleet.world, RULES, VMS, text)
    [kept] = fleet.world.poisoned.kept()
    told = [run(fleet, *words).stdout for words in COMMANDS] + [ask(fleet, path).body.decode() for path in PAGES]
    assert canary not in f"{kept} {entity_of(kept, 'poisoned')} {told}"
    assert canary not in str(entity_of(presentable(PoisonedMessage(VMS, text, NOW)), "poisoned"))
    assert GONE in told[0]
    assert "11111111-2222" in told[0]
    assert "eb723b9f" in told[0]


@EACH
def test_no_secret_is_cut_so_that_it_is_not_known_any_more(form: str, canary: str) -> None:
    text = form.format(canary)
    for beyond in range(1, len(text)):
        long = "x" * (LONGEST - len(text) + beyond - 1) + " " + text
        assert canary[:12] not in presentable(PoisonedMessage(VMS, long, NOW)).text
        assert canary[:12] not in refusal(ServiceRequestError(long), NOW).message
    assert LONGEST == MESSAGE_LENGTH < redaction.LONGEST


def test_a_link_that_leads_elsewhere_is_told_without_what_opens_it() -> None:
    request: Any = SimpleNamespace(http_request=SimpleNamespace(url=URL))
    with pytest.raises(Refused) as refused:
        OwnHost("https://management.azure.com").on_request(request)
    assert "canary" not in str(refused.value)
    assert "https://evil.example/c?" in str(refused.value)
