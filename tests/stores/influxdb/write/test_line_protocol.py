"""The encoder against a small strict decoder: whatever is in a point comes back, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.points import POINT_COLUMNS, Point, Series, SeriesTable
from ingestor.stores.influxdb.write.line_protocol import Encoder, encode_point
from parsers.text import normal_field, normal_tag

SERIES = Series("token.refreshed", "web-app", "token", "", "refresh_token", "h1", "success", "", "/var/log/audit.log")
POINT: Point = (1_793_525_400_123_456_789, 1, "u-1", "203.0.113.9", "curl/8", "openid", None, 3600, "", "9f1c", None)

# Text that delimits, escapes or ends something, beside anything else that Unicode has.
TEXT = st.text(st.sampled_from(' ,="\\#\n\r\té') | st.characters(exclude_categories=["Cs"]), max_size=20)
TAGS = TEXT.map(normal_tag)
FIELDS = st.none() | TEXT.map(normal_field)
SERIES_OF_ANY_TEXT = st.builds(Series, TAGS.filter(bool), TAGS, TAGS, TAGS, TAGS, TAGS, TAGS, TAGS, TAGS)
POINTS: st.SearchStrategy[Point] = st.tuples(
    st.integers(0, 2**63 - 1),
    st.just(1),
    *[FIELDS] * 5,
    st.none() | st.integers(0, 2**31 - 1),
    st.none() | st.from_regex(r"[0-9]{0,9}", fullmatch=True),
    *[FIELDS] * 2,
)


def decode(line: str) -> tuple[dict[str, str], dict[str, str | int], int]:
    """Read one line as the specification says; anything else is an AssertionError."""
    head, rest = take(line, " ", escape=",= ")
    measurement, *pairs = split(head, ",", escape=",= ")
    assert measurement == "token_events"
    tags = {}
    for pair in pairs:
        key, value = split(pair, "=", escape=",= ")
        assert value
        assert key not in tags
        tags[key] = unescape(value, ",= ")
    assert list(tags) == sorted(tags)
    fields: dict[str, str | int] = {}
    while True:
        key, rest = take(rest, "=", escape="")
        if rest.startswith('"'):
            value, rest = take(rest[1:], '"', escape='"\\')
            decoded: str | int = unescape(value, '"\\')
            separator, rest = rest[:1], rest[1:]
        else:
            end = min(position for position in (rest.find(","), rest.find(" ")) if position >= 0)
            number, separator, rest = rest[:end], rest[end], rest[end + 1 :]
            assert number.endswith("i")
            decoded = int(number[:-1])
        assert key not in fields
        fields[key] = decoded
        if separator == " ":
            return tags, fields, int(rest)
        assert separator == ","


def take(text: str, stop: str, escape: str) -> tuple[str, str]:
    """Cut at the first ``stop`` that is not escaped."""
    index = 0
    while text[index] != stop:
        index += 2 if text[index] == "\\" and text[index + 1] in escape else 1
    return text[:index], text[index + 1 :]


def split(text: str, stop: str, escape: str) -> list[str]:
    parts = []
    text += stop
    while text:
        part, text = take(text, stop, escape)
        parts.append(part)
    return parts


def unescape(text: str, escape: str) -> str:
    for character in escape if "\\" not in escape else '"':
        text = text.replace("\\" + character, character)
    return text.replace("\\\\", "\\") if "\\" in escape else text


def table_of(*series: Series) -> SeriesTable:
    return SeriesTable(dict(enumerate(series, 1)))


def test_a_line_as_people_read_it() -> None:
    assert encode_point(POINT, SERIES) == (
        "token_events,action=token.refreshed,client_id=web-app,endpoint=token,grant_type=refresh_token,host=h1,"
        "outcome=success,source=/var/log/audit.log events=1i,"
        'user_id="u-1",ip="203.0.113.9",user_agent="curl/8",scopes="openid",expires_in=3600i,fraction="",event_id="9f1c"'
        " 1793525400123456789"
    )


@given(point=POINTS, series=SERIES_OF_ANY_TEXT)
def test_every_point_comes_back_from_its_line(point: Point, series: Series) -> None:
    line = encode_point(point, series)
    assert "\n" not in line
    tags, fields, time = decode(line)
    assert tags == {key: value for key, value in series._asdict().items() if value}
    expected = {"events": 1, **dict(zip(POINT_COLUMNS[2:], point[2:], strict=True))}
    assert fields == {key: value for key, value in expected.items() if value is not None}
    assert time == point[0]


@given(points=st.lists(POINTS, max_size=5), series=SERIES_OF_ANY_TEXT)
def test_a_batch_is_the_lines_of_its_points_remembered_or_not(points: list[Point], series: Series) -> None:
    encoder = Encoder(table_of(series))
    expected = "".join(encode_point(point, series) + "\n" for point in points).encode()
    assert encoder.encode(points) == expected
    assert encoder.encode(points) == expected


def test_a_source_with_delimiters_and_line_breaks_stays_one_tag() -> None:
    hostile = SERIES._replace(source="/logs/a\nb,host=x y\\", host=" h ")
    tags, _, _ = decode(encode_point(POINT, hostile))
    assert tags["source"] == "/logs/a\N{REPLACEMENT CHARACTER}b,host=x y/"
    assert tags["host"] == "h"


def test_each_point_of_a_batch_has_the_tags_of_its_own_series() -> None:
    series = [SERIES, SERIES._replace(client_id="other"), SERIES._replace(action="token.revoked")]
    numbers = [0, 1, 0, 2, 1]
    points: list[Point] = [(time, numbers[time] + 1, *POINT[2:]) for time in range(5)]
    encoder = Encoder(SeriesTable(dict(enumerate(series, 1))))
    expected = "".join(encode_point(point, series[point[1] - 1]) + "\n" for point in points)
    assert encoder.encode(points).decode() == expected
    assert encoder.encode(points).decode() == expected


def test_long_values_are_not_remembered() -> None:
    encoder = Encoder(table_of(SERIES))
    point: Point = (*POINT[:4], "x" * 4096, *POINT[5:])
    for _ in range(2):
        assert encoder.encode([point]).decode() == encode_point(point, SERIES) + "\n"
    assert not encoder._user_agents


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestor.stores.influxdb.write.line_protocol.MAX_FRAGMENTS", 10)
    encoder = Encoder(table_of(SERIES))
    encoder.encode([(*POINT[:2], str(user), *POINT[3:]) for user in range(11)])
    assert not encoder._user_ids
    assert encoder._ips
