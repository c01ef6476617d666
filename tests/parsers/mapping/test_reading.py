"""Mapping files are read strictly: what is wrong is told with its line, all of it at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.mapping import MAPPING_BYTES, MappingError, Problem, read_mapping

GOOD = """\
title = "Acme"
require = ["type"]
[fields]
time = "at"
client_id = "client | $client"
user_id = "user"
grant_type = "grant"
[[rules]]
when = { type = "ok", text = { matches = 'of (?P<client>\\S+)' } }
action = "token.issued.{grant}"
[[rules]]
when = { type = "no" }
action = "token.validation_failed"
error = "invalid_client"
drop = ["user_id"]
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(MappingError) as caught:
        read_mapping(text)
    return list(caught.value.problems)


def test_a_good_one_is_read() -> None:
    mapping = read_mapping(GOOD)
    assert (mapping.title, len(mapping.rules), mapping.rules[1].line) == ("Acme", 2, 11)


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ('title = "Acme"', 'titel = "Acme"', 1, 'unknown key "titel"; did you mean "title"?'),
        ('title = "Acme"', 'title = "Acme', 1, "is not TOML: Illegal character"),
        ('"at"', '"at..x"', 4, 'the path "at..x": a key is expected at character 4'),
        ('time = "at"', "", 3, "[fields] needs a time"),
        ('"at"', '{ path = "at", format = "iso" }', 4, "time: must be rfc3339"),
        ('"at"', '{ path = "at", format = "%Y-%m-%d %H:%M:%S" }', 4, "time: a layout without %z needs a zone"),
        ('"at"', '{ format = "epoch_s" }', 4, "time needs a path"),
        ('"at"', '{ path = "at", zoen = "UTC" }', 4, 'unknown key "zoen"; did you mean "zone"?'),
        ("client_id =", "client =", 5, 'unknown key "client"; did you mean "client_id"?'),
        ("$client", "$clients", 5, "$clients: no expression has a group of this name"),
        ('user_id = "user"', "user_id = 5", 6, "a path must be a text, such as data.client_id (found 5)"),
        ('grant_type = "grant"', "", 10, "needs the field grant_type"),
        ("(?P<client>", "(?=", 9, "no back-references and no looking around"),
        ('type = "ok"', '"a b" = "ok"', 9, 'the path "a b": a dot, `[` or `|` is expected'),
        ('type = "ok"', '"$client" = "ok"', 9, "a condition cannot ask for a named group"),
        ('type = "ok"', 'type.kind = "ok"', 9, 'a path with dots is one key, in quotes: "type.kind"'),
        ('type = "ok"', "type = []", 9, "an empty list of values fits nothing"),
        ('type = "ok"', 'type = ""', 9, "write { absent = true }"),
        ('type = "ok"', "type = 1979-05-27", 9, "a condition is a value, a list of values"),
        ('type = "ok"', "type = { absent = 1 }", 9, "absent must be true or false"),
        ('type = "ok"', "type = { absent = true }", 9, "rule 1 can never match: type is required"),
        ('type = "ok"', "type = { from = 5, to = 4 }", 9, "from 5 to 4 fits nothing"),
        ('type = "ok"', 'type = { from = "5" }', 9, "from must be a number"),
        ('type = "ok"', "type = {}", 9, "a condition is a value"),
        ('type = "ok"', 'type = { matches = "a", absent = true }', 9, "matches must be a text"),
        (
            "token.issued.{grant}",
            "token.issud",
            10,
            'action: "token.issud" is not known; did you mean "token.issued.ciba"',
        ),
        ('action = "token.issued.{grant}"', "", 8, "rule 1 needs an action"),
        ('action = "token.issued.{grant}"', 'action = "ignore"\nendpoint = "token"', 11, "endpoint has no use"),
        ("token.validation_failed", "token.revoked", 14, "error has no use where the action is a success"),
        ("invalid_client", "bad_client", 14, 'error: "bad_client" is not known; did you mean'),
        ('drop = ["user_id"]', 'drop = ["user"]', 15, 'drop: "user" is not known; did you mean "user_id"?'),
        ('drop = ["user_id"]', 'drop = "user_id"', 15, "drop must be a list of fields"),
        ('drop = ["user_id"]', 'endpoint = "tokens"', 15, 'endpoint: "tokens" is not known; did you mean "token"?'),
        ('drop = ["user_id"]', 'fields = { ip = "$x" }', 15, "$x: no expression of this rule has a group of this name"),
        ('drop = ["user_id"]', 'fields = { ipp = "x" }', 15, 'unknown key "ipp"; did you mean "ip"?'),
        ('when = { type = "no" }', "", 12, ""),
        ('require = ["type"]', 'require = ["$type"]', 2, "require has no named groups"),
        ('require = ["type"]', 'require = "type"', 2, "require must be a list"),
        ('require = ["type"]', "signs = [5]", 2, "signs must be a text"),
        ('require = ["type"]', 'not_json = "drop"', 2, 'not_json: "drop" is not known'),
        ('require = ["type"]', 'otherwise = "rejct"', 2, 'did you mean "reject"?'),
        ('require = ["type"]', "clients_unknown = 1", 2, "clients_unknown must be true or false"),
        ('require = ["type"]', 'empty = ["no", "ok"]', 9, 'rule 1 can never match: "ok" counts as empty'),
        ("[fields]", '[grants]\na = "b"\n[fields]', 4, '"b" is not known'),
        ("[fields]", '[errors]\na = { error = "unknown", action = "token.revoked" }\n[fields]', 4, "is not known"),
        ("[fields]", "[errors]\na = 5\n[fields]", 4, "an error text is an error"),
        ("[fields]", "[realms]\na = 5\n[fields]", 4, "must be a text that is not empty"),
        ("[fields]", "[groups]\ntext = 'a.*'\n[fields]", 4, "an expression with named groups"),
        ("[fields]", "[groups]\ntext = '(?P<a'\n[fields]", 4, "the expression"),
        ("[fields]", "[groups]\n'$b' = '(?P<a>.*)'\n[fields]", 4, "an expression with named groups"),
        ("[fields]", "[groups]\ntext = 5\n[fields]", 4, "must be a text that is not empty"),
        ('require = ["type"]', 'unwrap = "$a"', 2, "unwrap has no named groups"),
        ("[fields]", "realms = 5\n[fields]", 3, "realms must be a table"),
        (
            'type = "no"',
            "type = \"ok\", text = { matches = 'of (?P<client>\\S+)' }",
            11,
            "rule 2 can never match: rule 1 (line 8)",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, line: int, told: str) -> None:
    assert GOOD.count(old) >= 1
    text = GOOD.replace(old, new, 1)
    if not told:
        read_mapping(text)
        return
    found = problems(text)
    assert (line, True) in [(its_line, told in what) for its_line, what in found], found


def test_all_is_told_at_once_in_the_order_of_lines() -> None:
    text = GOOD.replace("title", "titel").replace('"at"', "5").replace("invalid_client", "nobody")
    assert [line for line, _ in problems(text)] == [1, 4, 14]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no rule"),
        ("[fields]\ntime = 'a'\nrules = []", "there is no rule"),
        ("rules = 5", "rules must be written as [[rules]]"),
        ("rules = [5]", "rules must be written as [[rules]]"),
        ("a = " + "[" * 5000, "is not TOML"),
        ("x" * (MAPPING_BYTES + 1), "at most 1,048,576"),
        ("a = 99999999999999999999999999", 'unknown key "a"'),
        ('a = "\\ud800"', "is not TOML"),
    ],
)
def test_what_is_no_mapping_is_told(text: str, told: str) -> None:
    assert any(told in what for _, what in problems(text))


def test_only_what_it_says_is_in_the_digest() -> None:
    digest = read_mapping(GOOD).digest
    assert read_mapping("# another comment\n\n" + GOOD.replace(" = ", "  =  ")).digest == digest
    for old, new in (('"ok"', '"okay"'), ("invalid_client", "invalid_grant"), ('"at"', '"ts"')):
        assert read_mapping(GOOD.replace(old, new, 1)).digest != digest
    table = '[errors]\n"a*" = "{}"\n"*a" = "{}"\n'
    first, second = table.format("invalid_code", "unknown"), '[errors]\n"*a" = "unknown"\n"a*" = "invalid_code"\n'
    assert read_mapping(GOOD + first).digest != read_mapping(GOOD + second).digest  # the first that fits decides


@given(st.text(max_size=200), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_no_text_raises_anything_else(text: str, at: int, length: int) -> None:
    for each in (text, GOOD[:at] + text + GOOD[at + length :]):
        found: tuple[Problem, ...] = ()
        try:
            read_mapping(each)
        except MappingError as error:
            found = error.problems
        assert all(1 <= line <= each.count("\n") + 1 and what for line, what in found)
