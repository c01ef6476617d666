r"""Records that were split over several lines: which lines they are, what they come to, and where a block may end.

Docker and CRI split what is longer than some 16 KiB, journald what is longer than its ``LineMax``. The parts of a record are lines
of one stream, and a few lines of another one may stand between two of them, since two threads write. All here depends on the
lines alone, and not on how they were cut into blocks, as long as each block ends where ``whole`` says.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from parsers.envelopes.kinds import Envelope, Taken
from parsers.envelopes.strings import is_whole_object
from parsers.envelopes.taking import outermost, taken_off

MOST_DEEP: Final = 2
"""So many envelopes are taken off a line."""
MOST_BETWEEN: Final = 8
"""So many lines of another stream may stand between two parts: they wait until the record has its end, which may never come."""


class Record(NamedTuple):
    """What is in the envelope of one line, or of the lines that are its parts."""

    lines: tuple[int, ...]
    """Their indexes. The last one has the outcome."""
    text: bytes
    envelopes: tuple[Envelope, ...]
    is_split: bool = False
    """Whether it lacks its end, or its text was left out: nothing can be made of it."""
    is_open: bool = False
    """Whether its end may stand behind the last line."""

    @property
    def first(self) -> int:
        """The line that it begins with."""
        return self.lines[0]

    @property
    def last(self) -> int:
        """The line that it ends with."""
        return self.lines[-1]


class _Begun:
    """A record whose end has not come yet."""

    def __init__(self, index: int, part: Taken) -> None:
        self.lines = [index]
        self.part = part
        """The last one."""
        self._texts = [part.text]

    def add(self, index: int, part: Taken) -> None:
        """Add the next part."""
        self.lines.append(index)
        self.part = part
        self._texts.append(part.text)

    def record(self, *, is_split: bool = False, is_open: bool = False) -> Record:
        """Return what it comes to."""
        is_split = is_split or None in self._texts
        text = b"".join(text for text in self._texts if text is not None)
        return Record(tuple(self.lines), text, self.part.envelopes, is_split, is_open)


def records(takens: Sequence[Taken | None]) -> list[Record]:
    """Put together what lines in a row have in their envelopes, in the order of the records' last lines.

    ``takens``: what was taken off each line; None for one in no envelope, which ends what was begun before it.
    """
    found: list[Record] = []
    begun: dict[object, _Begun] = {}
    for index, taken in enumerate(takens):
        if begun:
            ended = [key for key in begun if _is_ended(begun[key], key, taken, index)]
            found += [begun.pop(key).record(is_split=True) for key in ended]
        if taken is None:
            continue
        if taken.stream is None or not (begun or taken.more):
            found.append(Record((index,), taken.text or b"", taken.envelopes, taken.text is None))
            continue
        key = _key(taken)
        if key in begun:
            begun[key].add(index, taken)
        else:
            begun[key] = _Begun(index, taken)
        if not taken.more:
            found.append(begun.pop(key).record())
    found += [each.record(is_split=True, is_open=True) for each in begun.values()]
    found.sort(key=lambda record: record.last)
    return found


def whole(data: bytes) -> int:
    r"""Return how many of these bytes are whole records: a block may end there. It is 0 where the first one has no end.

    ``data``: lines, the last of them perhaps without its ``\n``, which is then no whole one. Unless a part is among the last
    lines, a glance at these tells.
    """
    end = data.rfind(b"\n") + 1
    if not _may_be_unfinished(data, end):
        return end
    lines = data[: end - 1].split(b"\n")
    found = records([taken_off(line) for line in lines])
    cut = min((record.first for record in found if record.is_open), default=len(lines))
    for record in sorted(found, key=lambda record: -record.first):
        if record.first < cut <= record.last:
            cut = record.first
    return _length(lines[:cut])


def begins_unfinished(data: bytes) -> bool:
    """Tell whether the first record has no end in these bytes: ``whole`` is 0. Of a record of one line, its first line tells."""
    end = data.find(b"\n")
    return end < 0 or (is_part(data[:end]) and not whole(data))


def beginning(data: bytes) -> int:
    """Return how many of these bytes reach to the last part of their first record, whose end is not in them."""
    lines = data[: data.rfind(b"\n")].split(b"\n")
    found = records([taken_off(line) for line in lines])
    return _length(lines[: next(record.last for record in found if record.first == 0) + 1])


def rest(before: bytes, data: bytes) -> int:
    r"""Return how many of these bytes are the rest of a record that was given up, so that nothing is to be made of them.

    ``before``: the line in front of them, without its ``\n``. Lines in a row of the same stream are the rest, to its first end.
    """
    part, position = taken_off(before), 0
    while part is not None and part.more and (end := data.find(b"\n", position) + 1):
        taken = taken_off(data[position : end - 1])
        if taken is None or _key(taken) != _key(part) or not _goes_on(part, taken):
            break
        part, position = taken, end
    return position


def is_part(line: bytes) -> bool:
    """Tell whether the record of a line goes on in another one."""
    taken = None if _is_entry(line) else taken_off(line)
    return taken is not None and taken.more


def of_several_lines(lines: Sequence[bytes]) -> dict[int, Record]:
    """Return the records among some lines that have several, by the index of their last one."""
    found = records([taken_off(line) for line in lines])
    return {record.last: record for record in found if len(record.lines) > 1}


def innermost(lines: Sequence[bytes]) -> tuple[bytes, tuple[Envelope, ...]]:
    """Return the text of the record that ends with the last of some lines, and the envelopes that it was in, outermost first."""
    ending = [record for record in records([taken_off(line) for line in lines]) if record.last == len(lines) - 1]
    if not ending:
        return lines[-1], ()
    text, envelopes = ending[0].text, ending[0].envelopes
    if len(envelopes) < MOST_DEEP and (inner := outermost(text)) is not None:
        return inner.text or b"", envelopes + inner.envelopes
    return text, envelopes


def _key(taken: Taken) -> object:
    return taken.envelopes, taken.stream


def _is_ended(begun: _Begun, key: object, taken: Taken | None, index: int) -> bool:
    """Tell whether a record that was begun goes on no more, by what the next line is."""
    if taken is None or taken.stream is None:
        return True
    between = index - begun.lines[-1] - 1
    if key == _key(taken):
        return between > MOST_BETWEEN or not _goes_on(begun.part, taken)
    return between >= MOST_BETWEEN


def _goes_on(part: Taken, taken: Taken) -> bool:
    """Tell whether a part goes on with the next line of its stream. Docker also leaves out a line's end where a container ends."""
    return part.sure or taken.text is None or not is_whole_object(taken.text)


def _may_be_unfinished(data: bytes, end: int) -> bool:
    """Tell whether a part is among the last lines, as far back as it may still go on."""
    for _ in range(MOST_BETWEEN + 1):
        if not end:
            return False
        begin = data.rfind(b"\n", 0, end - 1) + 1
        line, end = data[begin : end - 1], begin
        if _is_entry(line):
            continue
        taken = taken_off(line)
        if taken is None or taken.stream is None:
            return False  # it ends what was begun before it
        if taken.more:
            return True
    return False


def _is_entry(line: bytes) -> bool:
    """Tell whether a line is most likely one of journald's, and surely no part: its many fields take long to look at."""
    return line.startswith(b'{"_') and b"line-max" not in line and b'"__REALTIME_TIMESTAMP"' in line


def _length(lines: Sequence[bytes]) -> int:
    return sum(map(len, lines)) + len(lines)
