"""A line becomes the same in every envelope as without: one envelope or two, split or not, in any blocks that end where they may."""

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import parsers
from parsers.contract import IGNORED, NoEvent, Outcome, Parser, Rejection
from parsers.envelopes.parser import SPLIT
from parsers.envelopes.records import MOST_BETWEEN, records, whole
from parsers.envelopes.taking import taken_off
from tests.support.enveloped import ALL, PART_BYTES, RUNTIMES, SYSLOG, cri, docker, docker_line

NOW_MS = 1_793_600_000_000
NATIVE = parsers.find("native")
EVENT = b'{"created_at":"2026-11-01T09:30:00.1Z","action":"token.revoked","details":{"client_id":"web"}}'
SIZES = st.one_of(st.integers(0, 200), st.integers(PART_BYTES - 400, PART_BYTES + 400), st.integers(0, 4 * PART_BYTES))


@st.composite
def native_lines(draw: st.DrawFn) -> bytes:
    """A line of the native format, most of them events, some long enough to be split."""
    record = {
        "id": str(draw(st.integers(0, 10**9))),
        "created_at": f"2026-11-01T09:30:{draw(st.integers(0, 59)):02}.{draw(st.integers(0, 999)):03}Z",
        "action": draw(st.sampled_from(["token.refreshed", "token.revoked", "token.unheard_of", "user.login"])),
        "details": {"client_id": draw(st.text(max_size=20)), "user_agent": "x" * draw(SIZES)},
    }
    return json.dumps(record, ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")


def of_records(data: bytes, parser: Parser = NATIVE) -> list[Outcome]:
    """Return what becomes of the records of some lines: the outcomes of their last lines."""
    lines = data.removesuffix(b"\n").split(b"\n")
    outcomes = parser.parse(data, NOW_MS)
    assert len(outcomes) == len(lines)
    found = records([taken_off(line) for line in lines])
    parts = {index for record in found for index in record.lines[:-1]}
    assert all(outcomes[index] is IGNORED for index in parts)
    return [outcome for index, outcome in enumerate(outcomes) if index not in parts]


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=20)
@given(lines=st.lists(native_lines(), min_size=1, max_size=4))
def test_a_line_is_the_same_in_an_envelope(name: str, lines: list[bytes]) -> None:
    data = b"".join(map(ALL[name], lines))
    assert of_records(data) == NATIVE.parse(b"\n".join(lines), NOW_MS)


@pytest.mark.parametrize("outer", [*RUNTIMES, *SYSLOG, "fluentd", "filebeat", "vector"])
@pytest.mark.parametrize("inner", [*RUNTIMES, "rfc 5424", "json", "filebeat"])
def test_two_envelopes_are_taken_off(outer: str, inner: str) -> None:
    data = ALL[outer](ALL[inner](EVENT).removesuffix(b"\n"))
    assert NATIVE.parse(data, NOW_MS) == NATIVE.parse(EVENT, NOW_MS)
    third = ALL["rfc 5424"](data.removesuffix(b"\n"))
    assert isinstance(NATIVE.parse(third, NOW_MS)[0], Rejection | NoEvent)


@given(
    lines=st.lists(st.tuples(native_lines(), st.sampled_from([*ALL, ""])), min_size=1, max_size=12),
    cuts=st.lists(st.integers(0, 40)),
)
def test_a_file_may_mix_envelopes_and_be_cut_anywhere(lines: list[tuple[bytes, str]], cuts: Sequence[int]) -> None:
    wrapped = [ALL[name](line) if name else line + b"\n" for line, name in lines]
    data = b"".join(wrapped)
    expected = NATIVE.parse(b"\n".join(line for line, _ in lines), NOW_MS)
    assert of_records(data) == expected
    found: list[Outcome] = []
    blocks = blocks_of(data, cuts)
    assert b"".join(blocks) == data
    for block in blocks:
        found += of_records(block)
    assert found == expected


def blocks_of(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """Cut lines into blocks as a reader does that has more and more of them before it."""
    ends = sorted({data.find(b"\n", min(cut * 1000, len(data) - 1)) + 1 for cut in cuts} | {len(data)})
    blocks, start = [], 0
    for end in ends:
        length = whole(data[start:end])
        if length:
            blocks.append(data[start : start + length])
            start += length
    return blocks


@pytest.mark.parametrize("wrap", [docker, cri])
@settings(max_examples=30)
@given(sizes=st.lists(st.sampled_from([10, PART_BYTES]), min_size=4, max_size=4), order=st.lists(st.booleans()))
def test_two_streams_write_between_each_others_parts(
    wrap: Callable[[bytes, str], bytes], sizes: list[int], order: list[bool]
) -> None:
    """As two threads do: the parts of each stream stay in their order."""
    lines = [EVENT.replace(b"web", str(number).encode() * size) for number, size in enumerate(sizes)]
    out, err = (
        b"".join(wrap(line, stream) for line in part) for part, stream in ((lines[:2], "stdout"), (lines[2:], "stderr"))
    )
    queues = [out.splitlines(keepends=True), err.splitlines(keepends=True)]
    data = b"".join(queues[which].pop(0) for which in order if queues[which])
    data += b"".join(queues[0] + queues[1])
    assert whole(data) == len(data)
    assert sorted(map(repr, of_records(data))) == sorted(map(repr, NATIVE.parse(b"\n".join(lines), NOW_MS)))


def test_a_part_whose_stream_says_nothing_more_is_given_up() -> None:
    """The lines of the other stream must not wait for it for ever."""
    part, other = cri(b"x" * 20_000).splitlines(keepends=True)[0], cri(EVENT, "stderr")
    waits = part + other * MOST_BETWEEN
    assert whole(waits) == 0
    goes_on = waits + other
    assert whole(goes_on) == len(goes_on)
    assert [outcome is SPLIT for outcome in NATIVE.parse(goes_on, NOW_MS)] == [True] + [False] * (MOST_BETWEEN + 1)


def test_a_part_that_docker_cut_short_belongs_to_what_follows() -> None:
    for cut in range(1, len(EVENT)):
        data = docker_line(EVENT[:cut].decode()) + docker_line(EVENT[cut:].decode() + "\n")
        assert of_records(data) == NATIVE.parse(EVENT, NOW_MS)


def test_a_container_that_ended_within_a_line_takes_none_of_the_next_one() -> None:
    data = docker_line(EVENT[:40].decode()) + docker(EVENT)
    broken, event = NATIVE.parse(data, NOW_MS)
    assert isinstance(broken, Rejection)
    assert [event] == NATIVE.parse(EVENT, NOW_MS)
