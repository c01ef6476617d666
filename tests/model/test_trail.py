"""What of a content was there before: told line by line, however the lines come."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.model import trail as trail_module
from ingestor.model.trail import (
    DIGEST_BYTES,
    PART_LINES,
    SHORT_BYTES,
    UNMATCHED_LINES,
    Alignment,
    Run,
    Trail,
    agreement,
    line_digests,
    long_line_digest,
    numbers,
    rejoins,
)


def text(*lines: str) -> bytes:
    """Lines that are long enough to be events."""
    return "".join(f"{line:->{SHORT_BYTES + 1}}\n" for line in lines).encode()


def digests_of(*lines: str) -> bytes:
    return line_digests(text(*lines))


def runs(alignment: Alignment, digests: bytes) -> list[Run]:
    """Everything that the alignment says of these lines."""
    found = []
    while digests:
        run = alignment.first_run(digests)
        assert run.lines, "it always moves on"
        found.append(run)
        digests = digests[run.lines * DIGEST_BYTES :]
    return found


def places(found: list[Run]) -> list[int | None]:
    """For each line its place in the former content, or None."""
    return [None if run.former is None else run.former + line for run in found for line in range(run.lines)]


def compared(former: str, lines: str) -> list[int | None]:
    """Compare contents whose lines are single letters."""
    return places(runs(Alignment(digests_of(*former)), digests_of(*lines)))


# Digests


def test_each_line_has_a_digest_and_a_last_one_without_an_end_has_the_same() -> None:
    assert line_digests(b"a\nb\n") == line_digests(b"a\nb") == line_digests(b"a\n") + line_digests(b"b")
    assert len(line_digests(b"a\n\nb\n")) == 3 * DIGEST_BYTES
    assert line_digests(b"") == b""
    assert line_digests(b"\n") != bytes(DIGEST_BYTES), "a blank line is not a line of which nothing is known"


def test_nulls_around_a_line_are_a_hole_and_within_it_a_part_of_it() -> None:
    assert line_digests(b"\0\0\0a\nb\0\0\n") == line_digests(b"a\nb\n")
    assert line_digests(b"a\0b\n") != line_digests(b"ab\n")


@given(st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.integers(0, 20))
def test_digests_do_not_depend_on_where_whole_lines_are_cut(lines: list[bytes], cut: int) -> None:
    whole = [line + b"\n" for line in lines]
    parts = line_digests(b"".join(whole[:cut])) + line_digests(b"".join(whole[cut:]))
    assert line_digests(b"".join(whole)) == parts
    assert len(parts) == DIGEST_BYTES * len(lines)


def test_digests_are_those_that_states_hold() -> None:
    """XXH3 of nothing, from its specification, as little-endian bytes; and of a line that is long enough to be an event."""
    assert line_digests(b"\n").hex() == "c294d3380580062d"
    assert line_digests(b"x" * 100 + b"\n").hex() == "43ce50dfff8409c9"


def test_the_digest_of_a_long_line_is_of_its_sha256() -> None:
    assert len(long_line_digest("ab" * 32)) == DIGEST_BYTES
    assert long_line_digest("ab" * 32) != long_line_digest("cd" * 32)


@pytest.mark.parametrize("length", [0, 1, SHORT_BYTES, SHORT_BYTES + 1, 1000])
def test_digests_of_short_lines_are_even(length: int) -> None:
    (number,) = numbers(line_digests(b"x" * length + b"\n"))
    assert bool(number & 1) == (length > SHORT_BYTES)
    (number,) = numbers(long_line_digest(f"{length * 2:064x}"))
    assert number & 1


def test_digests_as_numbers() -> None:
    assert len(numbers(digests_of("a", "b", "a"))) == 3
    assert numbers(digests_of("a", "b", "a"))[0] == numbers(digests_of("a"))[0]
    with pytest.raises(ValueError, match="not a multiple"):
        numbers(b"abc")


# Parts


def some_digests(count: int, first: int = 0) -> bytes:
    return b"".join(number.to_bytes(DIGEST_BYTES, "little") for number in range(first, first + count))


@given(st.lists(st.integers(0, 3000), max_size=6), st.data())
def test_the_parts_that_were_saved_are_the_trail(counts: list[int], data: st.DataObject) -> None:
    """Whatever comes at a time, whenever it is saved, and over starts in between."""
    trail, saved, read = Trail(), dict[int, bytes](), 0
    for count in counts:
        trail.add(some_digests(count, read))
        read += count
        if data.draw(st.booleans(), "save"):
            saved.update(trail.take_changed())
            assert trail.take_changed() == []
            if data.draw(st.booleans(), "start anew"):
                trail = Trail(read)
                trail.resume(saved.get(read // PART_LINES, b""))
    saved.update(trail.take_changed())
    assert trail.lines == read
    assert b"".join(saved[part] for part in sorted(saved)) == some_digests(read)
    assert all(len(digests) <= DIGEST_BYTES * PART_LINES for digests in saved.values())


@pytest.mark.parametrize("lines", [PART_LINES - 1, PART_LINES, PART_LINES + 1, 3 * PART_LINES])
def test_a_part_is_full_at_its_last_line(lines: int) -> None:
    trail = Trail()
    trail.add(some_digests(lines))
    parts = trail.take_changed()
    assert [part for part, _ in parts] == list(range(-(-lines // PART_LINES)))
    assert b"".join(digests for _, digests in parts) == some_digests(lines)
    assert len(trail.last_part) == lines % PART_LINES * DIGEST_BYTES


def test_what_was_not_saved_is_unknown_after_a_start() -> None:
    trail = Trail(PART_LINES + 3)
    trail.resume(some_digests(1))
    trail.add(some_digests(1, 7))
    ((part, digests),) = trail.take_changed()
    assert part == 1
    assert digests == some_digests(1) + bytes(2 * DIGEST_BYTES) + some_digests(1, 7)


def test_of_what_was_saved_too_much_the_rest_is_left_out() -> None:
    trail = Trail(2)
    trail.resume(some_digests(5))
    assert trail.last_part == some_digests(2)


# Alignment


@pytest.mark.parametrize(
    ("former", "lines", "expected"),
    [
        ("abcde", "abcde", [0, 1, 2, 3, 4]),
        ("abcde", "abc", [0, 1, 2]),
        ("abcde", "abcxyz", [0, 1, 2, None, None, None]),
        ("abcde", "abcdexy", [0, 1, 2, 3, 4, None, None]),
        ("abcde", "cde", [2, 3, 4]),
        ("abcde", "abde", [0, 1, 3, 4]),
        ("abcdefg", "bdg", [1, 3, 6]),
        ("abcde", "abxcde", [0, 1, None, 2, 3, 4]),
        ("abcde", "xyabcde", [None, None, 0, 1, 2, 3, 4]),
        ("abcde", "abXde", [0, 1, None, 3, 4]),
        ("abcde", "xyz", [None, None, None]),
        ("", "abc", [None, None, None]),
        ("abcde", "ba", [1, None]),  # what was passed over is not come back to
        ("abab", "abab", [0, 1, 2, 3]),
        ("aaaa", "aaaaa", [0, 1, 2, 3, None]),
        ("axbxc", "xc", [None, 4]),  # which of both cannot be told
        ("axbxc", "abxc", [0, 2, 3, 4]),
        ("axbxc", "abyx", [0, 2, None, 3]),
        ("xaxbcx", "xazx", [0, 1, None, 2]),
        ("xabxc", "xazc", [0, 1, None, 4]),
        ("axbxc", "zaxx", [None, 0, 1, 3]),  # it stands once further on, whatever stood before
    ],
)
def test_lines_are_found_in_a_former_content(former: str, lines: str, expected: list[int | None]) -> None:
    assert compared(former, lines) == expected


def test_a_short_line_is_a_former_one_only_in_its_place() -> None:
    """A blank line, or a banner, comes again and again: that one stands further on says nothing."""
    event, other, short = text("event"), text("other"), b"start\n"
    former = line_digests(event + short + other)
    assert places(runs(Alignment(former), line_digests(event + short + other))) == [0, 1, 2]
    assert places(runs(Alignment(former), line_digests(short + event + short))) == [None, 0, 1]
    assert places(runs(Alignment(former), line_digests(event + other + short))) == [0, 2, None]


def test_runs_are_lines_in_a_row() -> None:
    alignment = Alignment(digests_of(*"abcdef"))
    assert runs(alignment, digests_of(*"abxyefz")) == [Run(2, 0), Run(2, None), Run(2, 4), Run(1, None)]
    assert (alignment.position, alignment.unmatched, alignment.all_met, alignment.ended) == (6, 1, True, True)
    assert alignment.first_run(b"") == Run(0, None)


def test_a_run_ends_where_the_former_content_has_another_owner() -> None:
    alignment = Alignment(digests_of(*"abcdef"), breaks=[0, 2, 5])
    assert runs(alignment, digests_of(*"abcdef")) == [Run(2, 0), Run(3, 2), Run(1, 5)]


def test_a_comparison_goes_on_where_it_was() -> None:
    alignment = Alignment(digests_of(*"abcdef"), position=2, unmatched=3)
    assert alignment.first_run(digests_of(*"xx")) == Run(2, None)
    assert (alignment.position, alignment.unmatched) == (2, 5)
    assert runs(alignment, digests_of(*"cd")) == [Run(2, 2)]
    assert (alignment.position, alignment.unmatched) == (4, 0)


@pytest.mark.parametrize("new", [UNMATCHED_LINES - 1, UNMATCHED_LINES])
def test_after_so_many_new_lines_nothing_is_expected_any_more(new: int) -> None:
    alignment = Alignment(digests_of(*"abc"))
    alignment.first_run(digests_of("a"))
    assert alignment.first_run(digests_of(*(str(number) for number in range(new)))) == Run(new, None)
    assert alignment.ended == (new == UNMATCHED_LINES)
    assert alignment.first_run(digests_of("b")) == Run(1, None if alignment.ended else 1)
    assert not alignment.all_met


def test_lines_are_looked_for_no_further_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_module, "INDEX_LINES", 4)
    assert compared("abcdefghij", "f") == [None]
    assert compared("abcdefghij", "dfj") == [3, 5, 9]
    assert compared("abcdefghij", "abcdefghij") == list(range(10))
    assert compared("abcdefghaj", "a") == [0], "the other one is too far away"
    assert compared("abcdefghij", "dhj") == [3, 7, 9], "the limit moves with the place"


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("cdef", 2),
        ("bdf", 1),
        ("zcd", 2),
        ("zzzfg", 5),
        ("g", None),
        ("gzzz", None),
        ("dc", None),
        ("aab", None),
        ("abc", 1),
        ("xyz", None),
        ("", None),
    ],
)
def test_a_log_goes_on_with_what_it_was_when_two_lines_stand_there_in_order(lines: str, place: int | None) -> None:
    """One line is not enough; nor is one that stands there twice ("a")."""
    assert rejoins(digests_of(*"abcdefag"), digests_of(*lines)) == place


def test_short_lines_say_nothing_of_where_a_log_goes_on() -> None:
    short = line_digests(b"# one\n# two\n")
    assert rejoins(short, short) is None


LETTERS = st.text("abcdef", max_size=30)


def by_definition(former: str, lines: str, ahead: int) -> list[int | None]:
    """The contract of ``Alignment``, said in the simplest way."""
    position, told = 0, list[int | None]()
    for line in lines:
        window = former[position : position + ahead]
        if window[:1] == line or window.count(line) == 1:
            position = position + window.index(line) + 1
            told.append(position - 1)
        else:
            told.append(None)
    return told


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str]:
    """Return a content, and another one of pieces of it and of other lines."""
    former = draw(st.text("abcdefgh", min_size=1, max_size=20))
    at = st.integers(0, len(former))
    pieces = st.one_of(st.text("abcxyz", max_size=2), st.builds(lambda one, other: former[one:other], at, at))
    return former, "".join(draw(st.lists(pieces, max_size=8)))


@pytest.mark.slow
@settings(max_examples=400)
@given(contents=edited(), cuts=st.sets(st.integers(0, 30)), starts=st.sets(st.integers(0, 30)), data=st.data())
def test_what_is_told_depends_on_the_lines_not_on_how_they_come(
    contents: tuple[str, str], cuts: set[int], starts: set[int], data: st.DataObject
) -> None:
    """Neither on where they are cut, nor on starts in between, nor on runs that end early."""
    former, lines = contents
    ahead = data.draw(st.sampled_from((3, 5, 1 << 19)), "ahead")
    breaks = data.draw(st.sets(st.integers(0, 30), max_size=3), "breaks")
    bounds = sorted({0, len(lines), *(cut for cut in cuts | starts if cut < len(lines))})
    told: list[int | None] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trail_module, "INDEX_LINES", ahead)
        alignment = Alignment(digests_of(*former), breaks=breaks)
        for begin, end in itertools.pairwise(bounds):
            if begin in starts:
                alignment = Alignment(digests_of(*former), alignment.position, alignment.unmatched, breaks)
            told += places(runs(alignment, digests_of(*lines[begin:end])))
    assert told == by_definition(former, lines, ahead)


@given(edited())
def test_each_former_line_is_met_once_and_in_order(contents: tuple[str, str]) -> None:
    former, lines = contents
    met = [place for place in compared(former, lines) if place is not None]
    assert met == sorted(set(met))
    assert [former[place] for place in met] == [
        line for line, place in zip(lines, compared(former, lines), strict=True) if place is not None
    ]


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=40), st.data())
def test_of_a_log_without_equal_lines_everything_is_known_again(lines: list[int], data: st.DataObject) -> None:
    """Whatever lines are removed, and whatever new ones come between."""
    kept = [line for line in lines if data.draw(st.booleans())]
    content: list[int] = []
    for line in kept:
        content += [10**7 + len(content)] * data.draw(st.integers(0, 2)) + [line]
    told = places(runs(Alignment(digests_of(*map(str, lines))), digests_of(*map(str, content))))
    assert told == [lines.index(line) if line < 10**7 else None for line in content]


@given(LETTERS, LETTERS, LETTERS)
def test_agreement_is_how_many_first_lines_are_equal(both: str, one: str, other: str) -> None:
    expected = len(both)
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        expected += 1
    assert agreement(digests_of(*both, *one), digests_of(*both, *other)) == expected


@pytest.mark.parametrize("lines", [1, 5, PART_LINES, PART_LINES + 1])
@pytest.mark.parametrize("saved", [False, True])
def test_the_last_line_is_forgotten_and_another_takes_its_place(lines: int, *, saved: bool) -> None:
    digests = b"".join(number.to_bytes(DIGEST_BYTES, "little") for number in range(lines))
    trail, kept = Trail(), dict[int, bytes]()
    trail.add(digests)
    if saved:
        kept.update(trail.take_changed())
    trail.forget_last()
    if not trail.last_part and trail.lines % PART_LINES:
        trail.resume(kept.get(trail.lines // PART_LINES, b""))
    trail.add(b"another!")
    kept.update(trail.take_changed())
    assert (
        b"".join(kept[part] for part in sorted(kept))[: DIGEST_BYTES * lines] == digests[:-DIGEST_BYTES] + b"another!"
    )
    assert trail.lines == lines
