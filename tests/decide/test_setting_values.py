"""Values of settings that tests of the whole settings seldom meet. The settings themselves: tests/test_settings.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.decide.setting_values import (
    account_name,
    address,
    api_address,
    extra_tags,
    group_pattern,
    schedule,
    share,
    slice_of_draining,
    subscriptions,
    vault_pattern,
)


@pytest.mark.parametrize(
    "text", ["UseDevelopmentStorage=true", "UseDevelopmentStorage=true;", " usedevelopmentstorage = TRUE ; "]
)
def test_the_emulator_is_an_account_of_its_own(text: str) -> None:
    assert account_name(text) == "devstoreaccount1"


KEY = "AccountName=a1b;AccountKey=QUJD"


@pytest.mark.parametrize(("port", "fits"), [("0", False), ("1", True), ("10000", True), ("99999", False)])
def test_an_endpoint_has_a_port_that_can_be_called(port: str, fits: bool) -> None:
    text = f"{KEY};BlobEndpoint=http://127.0.0.1:{port}/a1b"
    if fits:
        assert account_name(text) == "a1b"
    else:
        with pytest.raises(ValueError, match="its BlobEndpoint is no address"):
            account_name(text)


@pytest.mark.parametrize(
    "text", ["https://a/?x=1", "https://a/#x", "https://me@a/", "http://a", "https://a:0", "https://a:x"]
)
def test_an_address_to_which_tokens_are_sent_is_plain_and_safe(text: str) -> None:
    with pytest.raises(ValueError, match="allowed: an https address"):
        address(text)


def test_on_this_very_machine_plain_http_will_do() -> None:
    assert api_address("http://localhost:7071/by/http:80/") == "http://localhost:7071/by/http:80"
    assert api_address("http://localhost:7071/to/https:80/") == "http://localhost:7071/to/https:80"
    assert api_address("https://api/") == "https://api"


@pytest.mark.parametrize(("text", "found"), [("0", 0.0), ("0.9", 0.9), ("0.91", None), ("-0.1", None), ("half", None)])
def test_a_share_that_is_left_to_others_leaves_us_something(text: str, found: float | None) -> None:
    if found is not None:
        assert share(text) == found
    else:
        with pytest.raises(ValueError, match=r"allowed: 0 to 0\.9"):
            share(text)


@pytest.mark.parametrize(("text", "seconds"), [("10", 10), ("10s", 10), ("4min", 240), ("9", None), ("241", None)])
def test_a_slice_of_draining_has_its_bounds(text: str, seconds: int | None) -> None:
    if seconds:
        assert slice_of_draining(text) == timedelta(seconds=seconds)
    else:
        with pytest.raises(ValueError, match="allowed: 10s to 240s"):
            slice_of_draining(text)


def test_an_endpoint_that_is_none_is_told_with_the_form_of_its_service() -> None:
    with pytest.raises(ValueError, match=r"its BlobEndpoint is no address; allowed: https://name\.blob\.core"):
        account_name(f"{KEY};BlobEndpoint=junk")


def test_only_the_slashes_at_its_end_leave_an_address() -> None:
    assert address("https://api/X//") == "https://api/X"


def test_a_pattern_leaves_room_for_a_regions_name() -> None:
    longest = "a" * 58 + "{region}"
    assert group_pattern(longest) == longest
    with pytest.raises(ValueError, match="at most 60 characters"):
        group_pattern(f"a{longest}")
    assert vault_pattern(longest[-31:]) == longest[-31:]
    with pytest.raises(ValueError, match="at most 24 characters"):
        vault_pattern(longest[-32:])


@pytest.mark.parametrize("name", ["a" * 513, "a?", "a" * 510 + "<>%"])
def test_a_name_that_azure_refuses_is_no_tag(name: str) -> None:
    with pytest.raises(ValueError, match="is no tag; allowed: name=value"):
        extra_tags(f"{name}=1")


def test_a_tag_is_as_long_as_azure_allows_and_its_value_may_hold_what_parts_the_two() -> None:
    longest = {"a" * 512: "b" * 256}
    assert extra_tags(",".join(f"{name}={value}" for name, value in longest.items())) == longest
    assert extra_tags("sum=1+1=2") == {"sum": "1+1=2"}
    assert len(extra_tags(",".join(f"t{number}=1" for number in range(10)))) == 10


@pytest.mark.parametrize(
    ("judge", "text", "told"),
    [
        (
            subscriptions,
            "a,b",
            "'a' is no subscription id; allowed: 00000000-0000-0000-0000-000000000000; "
            "'b' is no subscription id; allowed: 00000000-0000-0000-0000-000000000000",
        ),
        (account_name, "AccountName=a;AccountKey=!", "letters and digits; its AccountKey is missing"),
        (extra_tags, ",".join(f"t{number}=1" for number in range(11)), "11 tags; allowed: at most 10, the VM's own"),
        (schedule, "60 60 * * * *", "'60' is no second (0-59), '60' is no minute (0-59); allowed: "),
    ],
)
def test_several_problems_with_a_setting_are_told_one_after_the_other(
    judge: Callable[[str], object], text: str, told: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        judge(text)
