"""The line of each key of a TOML text."""

import tomllib
from typing import Any

import pytest

from parsers.mapping.positions import Place, line_of, lines_of

TEXT = """\
# a comment [with] = signs
title = "x"  # [y]
"a.b".c = \"\"\"
[no.table]
key = 1
\"\"\"

[fields]
time = { path = "ts", format = "]}#" }

list = [ # a comment ]
  "one", { p = 1, q = [2,
  3] },
]
date = 1979-05-27 07:32:00 # a date

[[rules]]
action = 'it''s'
[rules.when]
'data."type"' = [
  "a",
  "b",
]
[[rules]]

  action = '''
x'''
when."x.y" = 1
[[rules.deeper]]
a = 1
[[rules.deeper]]
b = 1
""".replace("'it''s'", "'its'")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("title",), 2),
        (("a.b", "c"), 3),
        (("fields",), 8),
        (("fields", "time", "format"), 9),
        (("fields", "list", 1), 12),
        (("fields", "list", 1, "q", 1), 13),
        (("fields", "date"), 15),
        (("rules", 0), 17),
        (("rules", 0, "when", 'data."type"', 1), 22),
        (("rules", 1), 24),
        (("rules", 1, "action"), 26),
        (("rules", 1, "when", "x.y"), 28),
        (("rules", 1, "deeper", 1, "b"), 32),
        (("rules", 1, "nothing", "below"), 24),
        (("nothing",), 1),
    ],
)
def test_a_place_has_its_line(place: Place, line: int) -> None:
    assert line_of(place, lines_of(TEXT)) == line


def test_every_value_is_found_where_its_key_is_written() -> None:
    lines, written = lines_of(TEXT), TEXT.splitlines()
    for place in _places(tomllib.loads(TEXT), ()):
        assert place in lines, place
        if isinstance(place[-1], str):
            assert place[-1] in written[lines[place] - 1]


def _places(value: Any, place: Place) -> list[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place] if place else []
    for key, part in inner:
        found += _places(part, (*place, key))
    return found


@pytest.mark.parametrize("text", ["", "\n\n", "a", "[", "[[a", "a = [", "a = {", '"', "a = '", "= 1", "]", "a = [1 2"])
def test_what_is_no_toml_ends(text: str) -> None:
    assert isinstance(lines_of(text), dict)
