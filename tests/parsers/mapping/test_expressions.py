"""Regular expressions: about the whole text, in time that grows with it, or refused."""

import time

import pytest

from parsers.mapping.expressions import BadExpressionError, capturer, check, group_names, matcher
from tests.support.engine import no_engine


@pytest.mark.parametrize(
    ("expression", "text", "matches"),
    [
        ("issued", "issued", True),
        ("issued", "token issued", False),
        (".*issued.*", "a token\nissued to web", True),
        ("(?i)ISSUED", "issued", True),
        (".", "ü", True),
        (".", "\ud83d", True),  # a lone surrogate is one character, too
        (r"\p{L}+", "Straße", True),
        ("a|b", "ab", False),
    ],
)
def test_an_expression_is_about_the_whole_text(expression: str, text: str, matches: bool) -> None:
    assert matcher(expression)(text) is matches


def test_named_groups_are_taken_out() -> None:
    expression = r"client (?P<client>\S+)(?: user (?P<user>\S*))?(?: (?:.*))?"
    assert group_names(expression) == {"client", "user"}
    assert capturer(expression)("client web-ü user al more") == {"client": "web-ü", "user": "al"}
    assert capturer(expression)("client web") == {"client": "web"}
    assert capturer(expression)("nothing of it") == {}


@pytest.mark.parametrize(
    "expression", ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)b", "(?P<x>(a|aa)+)b", "(a?){200}a{200}b"]
)
def test_what_is_catastrophic_elsewhere_takes_no_time(expression: str) -> None:
    text = "a" * 200_000
    start = time.process_time()
    assert not matcher(expression)(text)
    assert capturer(expression)(text) == {}
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("(", "missing"),
        ("a**", "bad repetition operator"),
        (r"(a)\1", "no back-references"),
        ("(?=a)b", "no looking around"),
        ("a{1001}", "at most 1000 times"),
        ("((a{100}){100}){100}", "multiplied"),
        ("a" * 2001, "at most 2000 characters"),
        ("[z-a]", "invalid character class range"),
    ],
)
def test_what_cannot_be_used_is_told(expression: str, told: str) -> None:
    with pytest.raises(BadExpressionError, match=told):
        check(expression)


def test_a_machine_without_the_engine_says_what_to_install() -> None:
    with no_engine(), pytest.raises(BadExpressionError, match="pip install google-re2"):
        check("a")
