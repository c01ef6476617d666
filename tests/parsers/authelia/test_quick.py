"""What Authelia's parser remembers changes nothing: its quick ways say what its careful ones do."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import parsers.authelia as module
from parsers.authelia import Line, logfmt
from parsers.authelia.meaning import of_message
from parsers.authelia.messages import Messages
from parsers.contract import Rejection
from parsers.records import RejectedError

CASES = Path(module.__file__).parent / "testcases"
LINES = [
    line
    for case in sorted(CASES.iterdir())
    for line in next(case.glob("input.*")).read_bytes().splitlines()
    if line.startswith(b'time="')
]
KEYS = Line.__optional_keys__
PIECES = st.sampled_from(
    [
        b"",
        b"\0",
        b"\xff",
        b'"',
        b'\\"',
        b"\\",
        b"\\\\",
        b"=",
        b" ",
        b"  ",
        b"'",
        b' msg="',
        b'" msg="x',
        b' x="" ',
        b" msg=y ",
        b"\t",
    ]
)
MESSAGES = [logfmt.read(line, {"msg"}).get("msg", "") for line in LINES if line.count(b'"') % 2 == 0 and line.isascii()]


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A line with something put into it, or taken from it."""
    line = draw(st.sampled_from(LINES))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(line)))
        line = line[:place] + draw(PIECES) + line[place + draw(st.integers(0, 3)) :]
    return line


def read(line: bytes, reader: Callable[[bytes], dict[str, str]]) -> dict[str, str] | Rejection:
    try:
        return reader(line)
    except RejectedError as error:
        return error.rejection


REMEMBERING = logfmt.Lines(KEYS)
"""One for all lines, so that what it knows of one is asked of another."""


@given(changed())
def test_a_line_is_read_as_with_care(line: bytes) -> None:
    assert read(line, REMEMBERING.read) == read(line, lambda each: logfmt.read(each, KEYS))


@given(st.text(' ="\\xyk', max_size=24))
def test_any_text_is_read_as_with_care(text: str) -> None:
    lines, keys = logfmt.Lines({"x", "k"}), {"x", "k"}
    line = text.encode()
    expected = read(line, lambda each: logfmt.read(each, keys))
    assert read(line, lines.read) == expected
    assert read(line, lines.read) == expected  # now it is known


def test_nearly_all_lines_are_read_the_quick_way() -> None:
    """Guards the tests above against comparing the careful way with itself."""
    lines = logfmt.Lines(KEYS)
    plain = [line for line in LINES if b'\\"' not in line and line.count(b'"') > 1]
    assert len(plain) > len(LINES) / 2
    assert sum(lines._find(line.decode()) is not None for line in plain) > len(plain) * 0.9


KNOWN = Messages()


@given(
    st.sampled_from(MESSAGES),
    st.lists(
        st.tuples(st.integers(0, 120), st.integers(0, 3), st.sampled_from(["", "'", "''", "x", " with id 'a'", "\n"])),
        max_size=2,
    ),
    st.sampled_from([None, "", "Token expired."]),
)
def test_a_message_means_what_it_does_with_care(
    message: str, changes: list[tuple[int, int, str]], error: str | None
) -> None:
    for place, length, text in changes:
        message = message[:place] + text + message[place + length :]
    assert KNOWN.meaning(message, error) == of_message(message, error)


def test_the_id_of_a_request_is_all_that_is_left_out() -> None:
    messages = Messages()
    message = "Access Request with id '{}' on client with id '{}' has successfully been processed"
    assert {
        (meant := messages.meaning(message.format(request, client), None)) and meant.client_id
        for request in "ab"
        for client in "cd"
    } == {"c", "d"}
    assert len(messages._known) == 2


def test_many_quotes_cost_what_their_number_says() -> None:
    line = b'time="' + b'" x="' * 40_000 + b'"'
    assert read(line, logfmt.Lines(KEYS).read) == read(line, lambda each: logfmt.read(each, KEYS))
