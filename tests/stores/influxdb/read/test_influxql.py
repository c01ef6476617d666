"""Quoting, conditions, and where the raw policy ends: without a server."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.config.settings import RetentionSettings
from ingestor.model.periods import DAY_NS, HOUR_NS
from ingestor.model.questions import Filters, Period
from ingestor.stores.influxdb.read.influxql import FIRST, LAST, identifier, literal, on_events, where, within
from ingestor.stores.influxdb.read.retention import NOTHING, Parts, parts
from parsers.text import clean

# The scanner of InfluxQL: within quotes, a backslash is followed by one of these, and a line does not end.
STRING = re.compile(r"""'(?:[^'\\\n\0]|\\[\\'"n])*'""")
NAME = re.compile(r'"(?:[^"\\\n\0]|\\[\\"\'n])*"')
ESCAPE = re.compile(r"\\(.)")
hostile = st.text() | st.text(alphabet="'\"\\;-/*\n\r\0 a")


@given(hostile)
def test_a_literal_is_one_string_that_says_the_value(value: str) -> None:
    quoted = literal(value)
    assert STRING.fullmatch(quoted)
    assert ESCAPE.sub(r"\1", quoted[1:-1]) == clean(value)


@given(hostile)
def test_an_identifier_is_one_name(value: str) -> None:
    quoted = identifier(value)
    assert NAME.fullmatch(quoted)
    assert ESCAPE.sub(r"\1", quoted[1:-1]) == clean(value)


def test_a_filter_that_is_not_set_sends_no_condition() -> None:
    assert on_events(Filters()) == []
    assert where(Period(1, 2), []) == "WHERE time >= 1 AND time < 2"
    assert on_events(Filters(realm="r", ip="i")) == ["\"realm\" = 'r'", "\"ip\" = 'i'"]


def test_a_period_beyond_the_calendar_of_influxdb() -> None:
    assert within(Period(-(1 << 70), 1 << 70)) == f"time >= {FIRST} AND time < {LAST}"


NOW = 1_000 * DAY_NS + 1
CUT = 910 * DAY_NS + HOUR_NS
"""The first hour that raw holds whole: it lost a nanosecond of the one before."""


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (Period(CUT, NOW), Parts(NOTHING, Period(CUT, NOW))),
        (Period(CUT - 1, NOW), Parts(Period(CUT, CUT), Period(CUT, NOW))),  # not a whole hour
        (Period(CUT - HOUR_NS, NOW), Parts(Period(CUT - HOUR_NS, CUT), Period(CUT, NOW))),
        (Period(CUT - 3 * HOUR_NS + 1, CUT - 1), Parts(Period(CUT - 2 * HOUR_NS, CUT - HOUR_NS), Period(CUT, CUT))),
        (Period(0, NOW), Parts(Period(270 * DAY_NS + HOUR_NS, CUT), Period(CUT, NOW))),
    ],
)
def test_a_period_is_cut_where_raw_begins(period: Period, expected: Parts) -> None:
    assert parts(period, Filters(), RetentionSettings(), NOW) == expected
    assert parts(period, Filters(user="u"), RetentionSettings(), NOW) == Parts(NOTHING, period)
    assert parts(period, Filters(ip="i"), RetentionSettings(), NOW) == Parts(NOTHING, period)
