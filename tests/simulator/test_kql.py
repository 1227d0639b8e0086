"""The simulator's Kusto: what queries answer, what they refuse and where they say the mistake is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from local.simulator.kql import KqlError, UnsupportedKql, run

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _machine(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/{name}",
        "name": name,
        "type": "microsoft.compute/virtualmachines",
        "location": "westeurope",
        "tags": None,
        "sku": None,
        "managedBy": "",
        "properties": {},
    } | more


ROWS = [
    _machine(
        "web-1",
        tags={"backup": "Silver", "odd name": "x"},
        properties={
            "timeCreated": "2026-11-19T10:00:00.1234567+00:00",
            "storageProfile": {"osDisk": {"osType": "Linux"}, "dataDisks": [{"lun": 0}, {"lun": 5}]},
            "enabled": True,
            "size": 32,
        },
    ),
    _machine("web-2", location="northeurope", tags={"backup": "off"}, properties={"size": 128, "enabled": False}),
    _machine("db", tags={}, properties={"timeCreated": "2026-01-01T00:00:00Z", "size": 7}),
    _machine("data disk", type="microsoft.compute/disks", managedBy="/x/web-1"),
]
CONTAINERS = [{"id": "/subscriptions/s1", "name": "one", "type": "microsoft.resources/subscriptions"}]
TABLES = {"resources": ROWS, "ResourceContainers": CONTAINERS}


def ask(query: str) -> list[dict[str, Any]]:
    return run(query, TABLES, NOW)


def names(condition: str) -> list[str]:
    return [row["name"] for row in ask(f"resources | where {condition}")]


WHERE = {
    "equal respects case": ("name == 'web-1'", ["web-1"]),
    "equal in another case finds nothing": ("name == 'WEB-1'", []),
    "folded equality ignores case": ("name =~ 'WEB-1'", ["web-1"]),
    "unequal": ("name != 'web-1'", ["web-2", "db", "data disk"]),
    "folded inequality": ("name !~ 'WEB-1'", ["web-2", "db", "data disk"]),
    "in": ("name in ('db', 'web-1', 'WEB-2')", ["web-1", "db"]),
    "folded in": ("name in~ ('DB', 'Web-1')", ["web-1", "db"]),
    "not in": ("name !in ('db', 'WEB-1')", ["web-1", "web-2", "data disk"]),
    "not folded in": ("name !in~ ('DB', 'Web-1')", ["web-2", "data disk"]),
    "in a dynamic list": ("name in (dynamic(['db']))".replace("'", '"'), ["db"]),
    "in numbers": ("properties.size in (7, 128)", ["web-2", "db"]),
    "contains": ("name contains 'EB-'", ["web-1", "web-2"]),
    "not contains": ("name !contains 'EB-'", ["db", "data disk"]),
    "contains by case": ("name contains_cs 'EB-'", []),
    "has wants whole terms": ("name has 'WEB'", ["web-1", "web-2"]),
    "has does not find parts of terms": ("name has 'we'", []),
    "not has": ("name !has 'web'", ["db", "data disk"]),
    "startswith": ("name startswith 'D'", ["db", "data disk"]),
    "endswith": ("name endswith 'ISK'", ["data disk"]),
    "not startswith": ("name !startswith 'web'", ["db", "data disk"]),
    "less": ("properties.size < 32", ["db"]),
    "at least": ("properties.size >= 32", ["web-1", "web-2"]),
    "a missing value is in no order": ("properties.size < 1000", ["web-1", "web-2", "db"]),
    "numbers order as numbers": ("properties.size > 100.5", ["web-2"]),
    "text orders as text": ("name < 'e'", ["db", "data disk"]),
    "booleans": ("properties.enabled == true", ["web-1"]),
    "booleans as text": ("properties.enabled =~ 'False'", ["web-2"]),
    "one is not true": ("properties.enabled == 1", []),
    "and binds closer than or": ("name == 'db' or name == 'web-1' and location == 'nowhere'", ["db"]),
    "parentheses": ("(name == 'db' or name == 'web-1') and location == 'nowhere'", []),
    "not": ("not(name has 'web')", ["db", "data disk"]),
    "a missing tag equals nothing": ("tags['backup'] == ''", []),
    "a missing tag differs from everything": ("tags.backup !~ 'silver'", ["web-2", "db", "data disk"]),
    "tag by indexer": ("tags['backup'] =~ 'silver'", ["web-1"]),
    "tag keys respect case": ("tags['Backup'] =~ 'silver'", []),
    "tag with a blank": ("tags['odd name'] == 'x'", ["web-1"]),
    "isnull": ("isnull(properties.size)", ["data disk"]),
    "isnotnull": ("isnotnull(properties.storageProfile.osDisk)", ["web-1"]),
    "isempty of text": ("isempty(managedBy)", ["web-1", "web-2", "db"]),
    "isempty of nothing": ("isempty(tags.backup)", ["db", "data disk"]),
    "isnotempty": ("isnotempty(tags.backup)", ["web-1", "web-2"]),
    "tolower": ("tolower(tags.backup) == 'silver'", ["web-1"]),
    "toupper": ("toupper(name) == 'DB'", ["db"]),
    "array element": ("properties.storageProfile.dataDisks[1].lun == 5", ["web-1"]),
    "array element from the end": ("properties.storageProfile.dataDisks[-1].lun == 5", ["web-1"]),
    "beyond the array": ("isnotnull(properties.storageProfile.dataDisks[2])", []),
    "array length": ("array_length(properties.storageProfile.dataDisks) == 2", ["web-1"]),
    "younger than": ("todatetime(properties.timeCreated) > ago(7d)", ["web-1"]),
    "older than": ("todatetime(properties.timeCreated) < now() - 30d", ["db"]),
    "datetime literal": ("todatetime(properties.timeCreated) >= datetime(2026-11-19T10:00:00Z)", ["web-1"]),
    "hours": ("todatetime(properties.timeCreated) > ago(26.5h)", ["web-1"]),
    "double quotes": ('name == "db"', ["db"]),
    "verbatim": ("name == @'db'", ["db"]),
    "arithmetic": ("properties.size * 2 == 64", ["web-1"]),
    "comment": ("name == 'db' // and nothing else", ["db"]),
}


@pytest.mark.parametrize(("condition", "expected"), WHERE.values(), ids=WHERE.keys())
def test_where_keeps_the_rows_that_hold(condition: str, expected: list[str]) -> None:
    assert names(condition) == expected


def test_escapes_are_read_in_plain_strings_and_left_alone_in_verbatim_ones() -> None:
    [row] = ask(r"resources | limit 1 | project a = 'it\'s\n', b = @'a\n', c = @'it''s', d = " + r'"say \"x\""')
    assert row == {"a": "it's\n", "b": r"a\n", "c": "it's", "d": 'say "x"'}


def test_project_names_columns_after_their_paths() -> None:
    [row] = ask(
        "Resources | where name == 'web-1' | project id = name, properties.storageProfile.osDisk.osType, "
        "tags['backup'], tostring(properties.size), strcat(name, '/', location)"
    )
    assert row == {
        "id": "web-1",
        "properties_storageProfile_osDisk_osType": "Linux",
        "tags_backup": "Silver",
        "properties_size": "32",
        "Column1": "web-1/westeurope",
    }


def test_project_gives_null_for_what_a_row_lacks() -> None:
    assert ask("resources | where name == 'db' | project tags.backup, zones") == [{"tags_backup": None, "zones": None}]


def test_a_query_without_a_table_reads_resources_as_recorded() -> None:
    assert ask("project name | limit 1") == [{"name": "web-1"}]


def test_tables_are_named_in_any_case() -> None:
    assert ask("RESOURCECONTAINERS | project name") == [{"name": "one"}]


def test_a_table_alone_gives_its_rows_whole() -> None:
    assert ask("resources") == ROWS


def test_extend_adds_and_replaces_columns_without_touching_the_rows() -> None:
    [row] = ask(
        "resources | where name == 'db' | extend name = toupper(name), plan = iff(isempty(tags.backup), 'no', 'yes')"
    )
    assert (row["name"], row["plan"], row["location"]) == ("DB", "no", "westeurope")
    assert ROWS[2]["name"] == "db"


def test_project_away_keep_and_rename() -> None:
    [row] = ask("resources | limit 1 | project-keep name, location | project-rename region = location")
    assert row == {"name": "web-1", "region": "westeurope"}
    assert "tags" not in ask("resources | project-away tags, sku")[0]


ORDER = {
    "descending is the default": ("order by name", ["web-2", "web-1", "db", "data disk"]),
    "sort ascending": ("sort by name asc", ["data disk", "db", "web-1", "web-2"]),
    "numbers, nothing last": ("order by properties.size desc", ["web-2", "web-1", "db", "data disk"]),
    "nothing first when ascending": ("order by properties.size asc", ["data disk", "db", "web-1", "web-2"]),
    "nulls last": ("order by properties.size asc nulls last", ["db", "web-1", "web-2", "data disk"]),
    "two keys": ("order by location asc, name asc", ["web-2", "data disk", "db", "web-1"]),
    "top": ("top 2 by name asc", ["data disk", "db"]),
    "take": ("take 2", ["web-1", "web-2"]),
    "limit": ("limit 1", ["web-1"]),
}


@pytest.mark.parametrize(("stage", "expected"), ORDER.values(), ids=ORDER.keys())
def test_rows_come_in_the_order_asked_for(stage: str, expected: list[str]) -> None:
    assert [row["name"] for row in ask(f"resources | {stage}")] == expected


def test_count_counts() -> None:
    assert ask("resources | where name has 'web' | count") == [{"Count": 2}]


def test_summarize_counts_per_group() -> None:
    found = ask("resources | summarize count() by location | order by count_ desc")
    assert found == [{"location": "westeurope", "count_": 3}, {"location": "northeurope", "count_": 1}]


def test_summarize_with_named_aggregates_and_without_groups() -> None:
    [row] = ask("resources | summarize n = count(), top = max(properties.size), dcount(type), all = make_set(location)")
    assert row == {"n": 4, "top": 128, "dcount_type": 2, "all": ["westeurope", "northeurope"]}
    assert ask("resources | where name == 'none' | summarize count()") == [{"count_": 0}]
    assert ask("resources | where name == 'none' | summarize count() by name") == []


def test_distinct_keeps_the_first_of_each() -> None:
    assert ask("resources | distinct location, type") == [
        {"location": "westeurope", "type": "microsoft.compute/virtualmachines"},
        {"location": "northeurope", "type": "microsoft.compute/virtualmachines"},
        {"location": "westeurope", "type": "microsoft.compute/disks"},
    ]


def test_mv_expand_gives_a_row_per_element() -> None:
    found = ask(
        "resources | where name == 'web-1' | mv-expand disk = properties.storageProfile.dataDisks "
        "| project name, disk.lun"
    )
    assert found == [{"name": "web-1", "disk_lun": 0}, {"name": "web-1", "disk_lun": 5}]
    assert len(ask("resources | mv-expand properties.storageProfile.dataDisks")) == 5


def test_distinct_of_everything_drops_rows_that_are_wholly_equal() -> None:
    assert ask("resources | project type | distinct *") == [{"type": ROWS[0]["type"]}, {"type": ROWS[3]["type"]}]


MISTAKES = {
    "as recorded": ("where where", 1, 11, "<EOF>"),
    "single equals": ("resources | where name = 'a'", 1, 23, "="),
    "nothing after or": ("resources | where name == 'a' or", 1, 32, "<EOF>"),
    "nothing after the comma": ("project id,", 1, 11, "<EOF>"),
    "open parenthesis": ("resources | where (name == 'a'", 1, 30, "<EOF>"),
    "open string": ("resources | where name == 'a", 1, 26, "'"),
    "the second line": ("resources\n| were name == 'a'", 2, 2, "were"),
    "operators respect case": ("resources | Where name == 'a'", 1, 12, "Where"),
    "unknown table": ("machines | count", 1, 0, "machines"),
    "no pipe": ("resources where name == 'a'", 1, 10, "where"),
    "a name for a number": ("resources | limit many", 1, 18, "many"),
    "a list is wanted": ("resources | where name in 'a'", 1, 26, "'a'"),
    "an empty stage": ("resources | | count", 1, 12, "|"),
    "nonsense after the end": ("resources | count 3", 1, 18, "3"),
    "a strange character": ("resources | where name ? 3", 1, 23, "?"),
    "too many arguments": ("resources | where isnull(a, b)", 1, 18, "isnull"),
    "not a date": ("resources | where a > datetime(noon)", 1, 22, "datetime(noon)"),
}


@pytest.mark.parametrize(("query", "line", "position", "token"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_refused_and_located(query: str, line: int, position: int, token: str) -> None:
    with pytest.raises(KqlError) as caught:
        ask(query)
    assert (caught.value.line, caught.value.position, caught.value.token) == (line, position, token)
    assert not isinstance(caught.value, UnsupportedKql)


@pytest.mark.parametrize(
    "query",
    [
        "resources | join (resourcecontainers) on id",
        "union resources, resourcecontainers",
        "let a = 1; resources",
        "resources | where a between (1 .. 2)",
        "resources | extend a = extract('x', 0, name)",
        "resources | summarize arg_max(name, *)",
        "resources | mv-expand tags to typeof(string)",
    ],
)
def test_kusto_that_is_not_built_here_is_refused_as_such(query: str) -> None:
    with pytest.raises(UnsupportedKql):
        ask(query)


def test_twenty_thousand_rows_and_many_names_take_well_under_a_second() -> None:
    rows = [_machine(f"vm{number}", tags={"backup": "silver"} if number % 2 else None) for number in range(20_000)]
    wanted = ", ".join(f"'VM{number}'" for number in range(0, 20_000, 25))
    query = (
        f"resources | where type =~ 'Microsoft.Compute/virtualMachines' and name in~ ({wanted}) "
        "| where isnotempty(tags['backup']) | project id, name, tags | order by id asc"
    )
    began = time.process_time()
    found = run(query, {"resources": rows})
    assert time.process_time() - began < 0.9
    assert len(found) == 400
