"""Route templates: what they match and which is tried first."""

import pytest

from local.host.routes import RouteError, compile_route

MATCHES: list[tuple[str, str, dict[str, str] | None]] = [
    ("orders", "orders", {}),
    ("orders", "ORDERS/", {}),
    ("orders", "orders/1", None),
    ("orders/{id}", "orders/a%20b", {"id": "a b"}),
    ("orders/{id}", "orders", None),
    ("orders/{id:int}", "orders/7", {"id": "7"}),
    ("orders/{id:int}", "orders/x", None),
    ("orders/{id:int}", "orders/99999999999", None),
    ("orders/{id:long}", "orders/99999999999", {"id": "99999999999"}),
    ("orders/{id:int?}", "orders", {}),
    ("orders/{id:int?}", "orders/7", {"id": "7"}),
    ("orders/{id=5}", "orders", {"id": "5"}),
    ("{*rest}", "", {}),
    ("{*rest}", "a/b/c", {"rest": "a/b/c"}),
    ("files/{*rest}", "files", {}),
    ("files/{*rest}", "files/a/b", {"rest": "a/b"}),
    ("{name}.{extension}", "a.txt", {"name": "a", "extension": "txt"}),
    ("{a}/{b:alpha:minlength(2)}", "1/xy", {"a": "1", "b": "xy"}),
    ("{a}/{b:alpha:minlength(2)}", "1/x", None),
    ("{n:range(1,3)}", "3", {"n": "3"}),
    ("{n:range(1,3)}", "4", None),
    ("{n:min(2)}", "x", None),
    ("{id:guid}", "6f566c25-a263-4df0-95ac-a8bfe3b5a6af", {"id": "6f566c25-a263-4df0-95ac-a8bfe3b5a6af"}),
    ("{id:guid}", "6f56", None),
    ("{b:bool}", "True", {"b": "True"}),
    ("a+b", "a+b", {}),
    ("a+b", "aab", None),
]


@pytest.mark.parametrize(("template", "path", "expected"), MATCHES)
def test_a_template_matches(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert compile_route(template).match(path) == expected


def test_the_more_particular_template_is_tried_first() -> None:
    templates = ["{*rest}", "{a}", "{a:int}", "known", "known/{*rest}", "known/more"]
    ranked = sorted(templates, key=lambda template: compile_route(template).rank)
    assert ranked.index("known") < ranked.index("{a:int}") < ranked.index("{a}") < ranked.index("{*rest}")
    assert ranked.index("known/more") < ranked.index("known/{*rest}") < ranked.index("{a:int}")


@pytest.mark.parametrize("template", ["{id:colour}", "{", "a}", "{a:int:oops}"])
def test_a_template_that_cannot_be_read_is_refused(template: str) -> None:
    with pytest.raises(RouteError):
        compile_route(template)
