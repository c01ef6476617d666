"""Paths: what they lead to, and how a wrong one is told."""

from typing import Any

import pytest

from parsers.mapping.paths import Group, getter, parse_path

RECORD: dict[Any, Any] = {
    "a": {"b": {"c": 1}, "empty": "", "zero": 0, "no": False, "dash": "-"},
    "log.logger": "org.example",
    "data": {"user.id": "u-1", 'a"b': 2},
    "target": [{"type": "User", "id": "u-2"}, {"type": "App", "id": "web"}, {"type": "User", "id": "u-3"}],
    "list": ["first", "second"],
    "@timestamp": "now",
    "none": None,
    Group("client"): "from a text",
}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a.b.c", 1),
        ("a.b", {"c": 1}),
        ('"log.logger"', "org.example"),
        ("log.logger", None),
        ('data."user.id"', "u-1"),
        (r'data."a\"b"', 2),
        ("@timestamp", "now"),
        ("list[0]", "first"),
        ("list[1]", "second"),
        ("list[2]", None),
        ("target[0].id", "u-2"),
        ("target[type=App].id", "web"),
        ("target[type=User].id", "u-2"),
        ('target["type"="User"].id', "u-2"),
        ("target[type=Nobody].id", None),
        ("target.type", None),
        ("a[0]", None),
        ("a[type=User]", None),
        ("list.first", None),
        ("a.b.c.d.e", None),
        ("none.a", None),
        ("nothing | a.empty | a.b.c", 1),
        ("nothing|list[0]", "first"),
        ("a.zero | a.b.c", 0),
        ("a.no | a.b.c", False),
        ("none | nothing", None),
        ("$client", "from a text"),
        ("$user | a.b.c", 1),
    ],
)
def test_a_path_leads_to_its_value(written: str, value: Any) -> None:
    assert getter(parse_path(written))(RECORD) == value


def test_what_counts_as_empty_is_left_out() -> None:
    assert getter(parse_path("a.dash | a.b.c"), {"-"})(RECORD) == 1
    assert getter(parse_path("a.dash"), {"-"})(RECORD) is None


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "a key is expected at character 1"),
        ("a..b", "a key is expected at character 3"),
        ("a.", "a key is expected at character 3"),
        ("[0]", "a key is expected at character 1"),
        ("a.[0]", "a key is expected at character 3"),
        ("a[x]", "a key is expected at character 2"),
        ("a[1000]", "a key is expected at character 2"),
        ("a[-1]", "a key is expected at character 2"),
        ('a."b', "a key is expected at character 3"),
        ("a b", "a dot, `[` or `|` is expected at character 3"),
        ("a |", "a key is expected at character 4"),
        ("$", "a key is expected at character 1"),
        ("$a.b", "a dot, `[` or `|` is expected at character 3"),
        (r'"\x"', r'"\x" is not a text as JSON writes it'),
    ],
)
def test_a_wrong_path_is_told_with_its_place(written: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"expected|JSON") as caught:
        parse_path(written)
    assert str(caught.value) == told


def test_no_key_of_a_line_is_a_group() -> None:
    assert getter(parse_path("$client"))({"$client": "forged", "client": "forged"}) is None
