"""What rules ask of values, and which rules never get a line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.mapping.conditions import Absent, Matches, OneOf, Test, Within
from parsers.mapping.definition import Condition, Rule
from parsers.mapping.paths import parse_path
from parsers.mapping.reachability import shadowed


@pytest.mark.parametrize(
    ("test", "fitting", "others"),
    [
        (OneOf(("a",)), ["a"], ["b", "", None, 1, ["a"], {"a": 1}]),
        (OneOf(("a", "b")), ["a", "b"], ["c", None, ["a"]]),
        (OneOf((0,)), [0, 0.0, "0", "0.0"], ["", None, False, "00x", 1]),
        (OneOf((401, "x")), [401, "401", "x"], [True, "y", float("inf")]),
        (OneOf((True,)), [True], [1, "true", False, None]),
        (OneOf((1,)), [1, "1"], [True]),
        (Matches("to.*"), ["token", "to"], ["a token", "", None, 5]),
        (Matches(".*"), ["x"], ["", None]),
        (Within(400, 499), [400, 499.0, "450"], [399, 500, "x", None, True, "4e2"]),
        (Within(None, 5), [-3, 5, "-1"], [6, None]),
        (Within(5, None), [5, 2**70], [4]),
        (Absent(absent=True), [None, "", [], {}], [0, False, "x", [0]]),
        (Absent(absent=False), [0, False, "x"], [None, "", [], {}]),
    ],
)
def test_a_test_fits_what_it_says(test: Test, fitting: list[Any], others: list[Any]) -> None:
    holds = test.compile()
    assert [value for value in fitting if not holds(value)] == []
    assert [value for value in others if holds(value)] == []


TESTS: tuple[Test, ...] = (
    *(OneOf(("a",)), OneOf(("a", "b")), OneOf((1,)), OneOf(("1",)), OneOf((1, "a")), OneOf((True,)), OneOf((450,))),
    *(Matches("[a-z]"), Matches(".*"), Matches("[0-9]*"), Within(0, 10), Within(400, 499), Within(None, 10)),
    *(Within(400, None), Within(None, None), Absent(absent=True), Absent(absent=False)),
)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["a", "b", "1", "1.0", "", "450", "ab", 1, 1.0, 450, 7, True, False, None, [], ["a"], {}]),
    st.integers(),
    st.text(max_size=3),
)


@given(st.sampled_from(TESTS), st.sampled_from(TESTS), VALUES)
def test_what_is_included_is_never_met_alone(outer: Test, inner: Test, value: Any) -> None:
    if outer.includes(inner) and inner.compile()(value):
        assert outer.compile()(value)


@pytest.mark.parametrize("test", TESTS)
def test_each_test_includes_itself(test: Test) -> None:
    assert test.includes(test)


def rule(number: int, **when: Test) -> Rule:
    return Rule(number, number, "ignore", tuple(Condition(parse_path(path), test) for path, test in when.items()))


@pytest.mark.parametrize(
    ("rules", "by"),
    [
        ([rule(1), rule(2, a=OneOf(("x",)))], (1,)),
        ([rule(1, a=OneOf(("x",))), rule(2, a=OneOf(("x",)))], (1,)),
        ([rule(1, a=OneOf(("x", "y"))), rule(2, a=OneOf(("x",)), b=OneOf(("z",)))], (1,)),
        ([rule(1, a=OneOf(("x",))), rule(2, a=OneOf(("y",))), rule(3, a=OneOf(("x", "y")))], (1, 2)),
        ([rule(1, a=Matches("t.*")), rule(2, a=OneOf(("token", "to")))], (1,)),
        ([rule(1, a=Matches("t.*")), rule(2, a=Matches("t.*"), b=Absent(absent=True))], (1,)),
        ([rule(1, a=Within(400, 499)), rule(2, a=Within(401, 403))], (1,)),
        ([rule(1, a=Absent(absent=False)), rule(2, a=Matches("x"))], (1,)),
        ([rule(1, a=OneOf(("x",))), rule(2)], None),
        ([rule(1, a=OneOf(("x",)), b=OneOf(("y",))), rule(2, a=OneOf(("x",)))], None),
        ([rule(1, a=OneOf(("x",))), rule(2, a=OneOf(("x", "y")))], None),
        ([rule(1, a=OneOf(("x",))), rule(2, b=OneOf(("x",)))], None),
        ([rule(1, a=Matches("t.*")), rule(2, a=Matches("to.*"))], None),  # not seen, so not said
        ([rule(1, a=Within(400, 499)), rule(2, a=Within(400, None))], None),
    ],
)
def test_a_rule_that_gets_no_line_is_found(rules: list[Rule], by: tuple[int, ...] | None) -> None:
    found = list(shadowed(rules))
    if by is None:
        assert found == []
    else:
        ((its_rule, takers),) = found
        assert its_rule is rules[-1]
        assert tuple(taker.number for taker in takers) == by
