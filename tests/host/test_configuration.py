"""host.json, local.settings.json, names and connections, queue message text: what is read how."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from azure.functions.meta import Datum

from local.host.keys import Keys, Level, allows
from local.host.options import HostOptions, read_options
from local.host.outputs import messages
from local.host.queue_message import body_datum, decode, poison_queue
from local.host.settings import AppSettings, pour
from local.host.storage import Storage
from local.host.values import FunctionInError, HostError, RetryPolicy
from local.host.worker import thread_count


def options(folder: Path, document: object, **environment: str) -> HostOptions:
    (folder / "host.json").write_text(json.dumps(document))
    return read_options(folder, AppSettings(environment))


def test_without_host_json_the_defaults_hold(tmp_path: Path) -> None:
    found = read_options(tmp_path, AppSettings({}))
    queues = found.queues
    assert (queues.batch_size, queues.new_batch_threshold, queues.max_dequeue_count) == (16, 8, 5)
    assert (queues.visibility_timeout, queues.max_polling_interval) == (timedelta(0), timedelta(seconds=2))
    assert found.function_timeout == timedelta(minutes=30)
    assert found.route_prefix == "api"


def test_host_json_is_read_and_settings_override_it(tmp_path: Path) -> None:
    document = {
        "version": "2.0",
        "functionTimeout": "00:05:00",
        "functions": ["One"],
        "extensions": {
            "http": {"routePrefix": ""},
            "queues": {"batchSize": 8, "visibilityTimeout": "00:00:30", "messageEncoding": "none"},
        },
    }
    changed = {"AzureFunctionsJobHost__extensions__queues__batchSize": "4"}
    found = options(tmp_path, document, **changed)
    assert (found.queues.batch_size, found.queues.new_batch_threshold) == (4, 2)
    assert found.queues.visibility_timeout == timedelta(seconds=30)
    assert found.queues.base64 is False
    assert found.function_timeout == timedelta(minutes=5)
    assert (found.route_prefix, found.allowed) == ("", frozenset({"one"}))
    assert options(tmp_path, {"version": "2.0", "functionTimeout": "-1"}).function_timeout is None


@pytest.mark.parametrize(
    ("queues", "named"),
    [
        ({"batchSize": 33}, "batchSize"),
        ({"batchSize": 0}, "batchSize"),
        ({"batchSize": "many"}, "batchSize"),
        ({"maxDequeueCount": 0}, "maxDequeueCount"),
        ({"newBatchThreshold": -1}, "newBatchThreshold"),
        ({"visibilityTimeout": "30"}, "visibilityTimeout"),
        ({"maxPollingInterval": "00:00:00.05"}, "maxPollingInterval"),
        ({"messageEncoding": "utf8"}, "messageEncoding"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(tmp_path: Path, queues: dict[str, object], named: str) -> None:
    with pytest.raises(HostError, match=rf"extensions\.queues\.{named}") as refused:
        options(tmp_path, {"version": "2.0", "extensions": {"queues": queues}})
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("document", [{}, {"version": "1.0"}, [], {"version": 2.0}])
def test_another_version_of_host_json_is_refused(tmp_path: Path, document: object) -> None:
    with pytest.raises(HostError, match="version"):
        options(tmp_path, document)


def test_host_json_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(HostError, match=r"host\.json is not JSON"):
        read_options(tmp_path, AppSettings({}))


STORAGE = [
    ({}, "missing value for AzureWebJobsStorage in settings"),
    ({"AzureWebJobsStorage": "nonsense"}, "AzureWebJobsStorage is not a storage connection string"),
]


@pytest.mark.parametrize(("environment", "why"), STORAGE, ids=["missing", "nonsense"])
def test_a_useless_storage_setting_is_named(environment: dict[str, str], why: str) -> None:
    with pytest.raises(HostError, match=why):
        Storage(AppSettings(environment)).blobs()


def test_a_queue_connection_is_found_by_either_name_and_as_a_connection_string() -> None:
    text = "AccountName=a;AccountKey=YQ==;QueueEndpoint=http://{}/a"
    settings = AppSettings(
        {
            "AzureWebJobsMine": text.format("prefixed"),
            "Mine": text.format("plain"),
            "ConnectionStrings__Theirs": text.format("theirs"),
        }
    )
    storage = Storage(settings)
    assert storage.queue("Mine", "q").url == "http://prefixed/a/q"
    assert storage.queue("Theirs", "q").url == "http://theirs/a/q"
    with pytest.raises(FunctionInError, match="'Nobodys' is not in the settings"):
        storage.queue("Nobodys", "q")


def test_values_fill_what_is_not_set_and_connection_strings_get_their_prefix(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    values = {"A": "file", "B": "file", "C": "file"}
    connections = {"Main": "x", "Other": {"ConnectionString": "y"}}
    file.write_text(json.dumps({"IsEncrypted": False, "Values": values, "ConnectionStrings": connections}))
    environment = {"A": "already", "B": ""}
    pour(file, environment)
    assert (environment["A"], environment["B"], environment["C"]) == ("already", "file", "file")
    assert environment["ConnectionStrings__Main"] == "x"
    assert environment["ConnectionStrings__Other"] == "y"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", "one JSON object"),
        ('{"Values": {}}', "encrypted"),
        ('{"IsEncrypted": false, "Values": {"A": 1}}', "A must be a string"),
    ],
)
def test_a_settings_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text(text)
    with pytest.raises(HostError, match=why) as refused:
        pour(file, {})
    assert refused.value.exit_code == 2


def test_names_in_percent_signs_are_replaced_without_regard_to_case() -> None:
    settings = AppSettings({"Prefix": "p-", "Empty": ""})
    assert settings.resolve("%PREFIX%work%prefix%") == "p-workp-"
    for text, why in (("%Gone%", "'%Gone%' does not resolve"), ("%Empty%", "does not resolve"), ("50%", "unbalanced")):
        with pytest.raises(FunctionInError, match=why):
            settings.resolve(text)


@pytest.mark.parametrize(
    ("name", "value", "disabled"),
    [
        ("AzureWebJobs.work.Disabled", "true", True),
        ("AzureWebJobs_work_Disabled", "1", True),
        ("AZUREWEBJOBS.WORK.DISABLED", "True", True),
        ("AzureWebJobs.work.Disabled", "false", False),
        ("AzureWebJobs.work.Disabled", "yes", False),
        ("AzureWebJobs.other.Disabled", "true", False),
    ],
)
def test_a_setting_disables_a_function(name: str, value: str, disabled: bool) -> None:
    assert AppSettings({name: value}).is_disabled("work") is disabled


def test_only_good_base64_is_decoded() -> None:
    assert decode("aGk=", True) == b"hi"
    assert decode("aG\nk=", True) == b"hi"
    assert decode("plain", False) == b"plain"
    for text in ("plain text", "aGk", "a===", "äöü="):
        with pytest.raises(ValueError, match="base64"):
            decode(text, True)
    assert body_datum(b"\xff").type == "bytes"
    assert body_datum("é".encode()) == Datum("é", "string")


def test_poison_queues_and_long_names_have_no_poison_queue() -> None:
    assert poison_queue("work") == "work-poison"
    assert poison_queue("work-poison") is None
    assert poison_queue("q" * 56) == "q" * 56 + "-poison"
    assert poison_queue("q" * 57) is None


OUTPUTS = [
    (Datum("plain", "string"), [b"plain"]),
    (Datum("", "string"), [b""]),
    (Datum('{"b":1,"a":"\u00e9"}', "string"), ['{\n  "b": 1,\n  "a": "\u00e9"\n}'.encode()]),
    (Datum(' ["x", 1, null, true, {"a": []}] ', "string"), [b"x", b"1", b"", b"True", b'{\n  "a": []\n}']),
    (Datum("[]", "json"), []),
    (Datum('"text"', "json"), [b"text"]),
    (Datum(b"\xff", "bytes"), [b"\xff"]),
    (Datum({"a": 1}, "dict"), [b'{\n  "a": 1\n}']),
    (Datum(["a", "b"], "list"), [b"a", b"b"]),
    (Datum(True, "int"), [b"1"]),
    (Datum(1.5, "double"), [b"1.5"]),
    (Datum(None, None), []),
]


@pytest.mark.parametrize(("datum", "expected"), OUTPUTS, ids=[repr(row[0].value) for row in OUTPUTS])
def test_what_a_queue_output_becomes(datum: Datum, expected: list[bytes]) -> None:
    assert messages(datum) == expected


@pytest.mark.parametrize("datum", [Datum("{no}", "string"), Datum([object()], "list")])
def test_an_output_that_cannot_be_json_fails(datum: Datum) -> None:
    with pytest.raises(FunctionInError):
        messages(datum)


def test_a_key_gives_its_level_and_function_keys_fit_one_function() -> None:
    keys = Keys("m", "d", "e", {"one": "o"})
    assert [keys.level(key, "One") for key in ("m", "d", "e", "o", "x", "", None)] == [
        Level.ADMIN,
        Level.FUNCTION,
        Level.SYSTEM,
        Level.FUNCTION,
        Level.ANONYMOUS,
        Level.ANONYMOUS,
        Level.ANONYMOUS,
    ]
    assert keys.level("o", "two") is Level.ANONYMOUS
    assert not allows(Level.SYSTEM, Level.FUNCTION)
    assert allows(Level.ADMIN, Level.SYSTEM)


def test_retries_wait_evenly_or_ever_longer() -> None:
    fixed = RetryPolicy(3, timedelta(seconds=5), timedelta(seconds=5))
    growing = RetryPolicy(-1, timedelta(seconds=1), timedelta(seconds=5))
    assert [fixed.delay(attempt).seconds for attempt in (1, 2, 9)] == [5, 5, 5]
    assert [growing.delay(attempt).seconds for attempt in (1, 2, 3, 4, 99)] == [1, 2, 4, 5, 5]


@pytest.mark.parametrize(("text", "count"), [("8", 8), ("0", None), ("-1", None), ("many", None), (None, None)])
def test_the_thread_count_is_a_positive_number_or_the_default(text: str | None, count: int | None) -> None:
    assert thread_count(text) == count
