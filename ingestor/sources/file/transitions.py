"""Following as one state machine: what becomes of a content whose file is followed, by what was seen of it.

Two rules. Whatever decides about a file that is followed is in this table. Nothing in this module looks at a file or a clock:
who follows says what was seen, and does what the row says (``tailer``, ``live``, ``candidates``, ``rotated``, ``missing``).

::

    live path:    NOTHING, COPY -> ASKED -> LIVE -+-> ROTATED -> HALF_LINE -> LAST_LINE -> CLOSED
    beside it:                     BESIDE --------+      |
    its rest:                                     +------+-> MISSING -> ROTATED, CLOSED, LOST

What the system refuses to read is no row: the state stays, that is reported, and it is tried again. A pair that is not in the
table cannot be: ``transition`` raises ``KeyError`` for it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple


class State(Enum):
    """Where a content is that is followed; NOTHING and COPY are states of a live path."""

    NOTHING = "nothing is open at the live path"
    COPY = "the file at the live path holds what is read from another file"
    ASKED = "the file at the live path is asked what it holds"
    LIVE = "the file at the live path is open"
    BESIDE = "a file beside the log is asked what it holds"
    ROTATED = "a file is open that is not at the live path any more, or never was"
    HALF_LINE = "all whole lines of a rotated file are read, and no more are expected"
    LAST_LINE = "what is left of it is a line of its own"
    MISSING = "the rest is in no file that is open"
    CLOSED = "nothing more of it is expected"
    LOST = "its rest was reported as a gap"


class Seen(Enum):
    """What was seen."""

    # At the live path
    ABSENT = "nothing is there"
    SAME = "the file that was there before"
    OTHER = "a file that must be asked what it holds"

    # Of what a file holds that is asked (``recognition.recognise``)
    ROTATED_ONE = "it is a rotated file that is open: it was renamed back"
    NEW_YET = "nothing that is known, as long as what lies beside the log was not asked"
    NEW = "nothing that is known"
    FORMER = "it begins like a former content, or has one behind another"
    KNOWN = "all that was read of a content that nobody reads now, and perhaps more"
    OF_ANOTHER_SOURCE = "the same, and that was read under another source or host"
    READ_TO_END = "just what was read of a content, to its end"
    READ_ELSEWHERE = "what is read from another file, as far as that one was read"
    PARTS = "what is read from another file up to here, and something else behind it"
    HOLDS_MORE = "what was read from another file, which is at its end, and more"
    NOT_OURS = "what is another log's, or is left to a backfill"

    # Of a file that is open
    CUT = "it does not hold what was read of it"
    AS_BEFORE = "it looks as it did when it was read to its end"
    BLOCK = "there are lines"
    BUSY = "there is more to pass over in the next turn"
    WAITS = "another file that holds the same is still being read"
    END_GROWING = "no whole line is left; more may be written"
    END_QUIET = "no whole line is left, for so long that a half line is the last one; a writer may still have it open"
    END_OVER = "no whole line is left, and nothing more is written"
    DAMAGED = "it is compressed and broken: nothing behind this place can be read"

    # Of the half line that is left of a rotated file
    GOES_ON = "it goes on in a live log, with the same content"
    GOES_ON_ELSEWHERE = "it goes on in a live log that is read as another content"
    ENDS = "it goes on nowhere"

    # Of a rest that is looked for
    FOUND = "a file that holds it is open, or was"
    FOUND_AS_NEW = "a file is read as a new content that is this one, as far as can be told"
    TOO_SOON = "it may still be moved or compressed, or not every log has looked for it"
    GONE_UNREAD = "it is nowhere, and there is reason to think that something was unread"
    GONE_READ = "it is nowhere, and nothing tells that anything was unread"


class Action(Enum):
    """What to do."""

    REST = "nothing until something changes"
    GO_ON = "read on in the next turn"
    NOTE = "remember how the file looks, so that it is missed when it is gone"
    TAKE = "ask the file at the live path what it holds"
    TAKE_BACK = "go on with the file as the live one"
    BEGIN = "begin a content and read it from the file"
    COMPARE = "begin one, and compare it with the former content while it is read"
    READ_ON = "go on with the content where reading has come to"
    READ_ON_AS_ANOTHER = "begin a content of this source there, and close the other one"
    FORK = "begin a content where the two files part"
    TAKE_OVER = "let go of the other file, which was a copy, and read on in this one"
    NOTE_PLACE = "remember where the content is, so that it is not asked again at each rotation"
    ROTATE = "follow the file on as a rotated one, and take the one that is at the live path now"
    MISS = "let go of the file and look for what it held"
    MISS_DAMAGED = "the same, and do not open that file again while it looks so"
    HAND_OUT = "hand out the lines"
    LOOK_AGAIN = "read it again in the next turn, however it looks"
    NOTE_END = "remember how it looked when it was read to its end"
    ASK_LIVE_LOG = "ask the live log whether it goes on with the half line"
    READ_LAST_LINE = "read the half line as a line"
    LEAVE = "let go of the file; its content is read elsewhere"
    CLOSE = "let go of the file; nothing more of it is expected"
    FORGET = "look for it no longer"
    REPORT_GAP = "report what is gone"


class Step(NamedTuple):
    """One row's right side."""

    action: Action
    state: State


TRANSITIONS: Final[Mapping[tuple[State, Seen], Step]] = {
    # The live path
    (State.NOTHING, Seen.ABSENT): Step(Action.REST, State.NOTHING),
    (State.NOTHING, Seen.OTHER): Step(Action.TAKE, State.ASKED),
    (State.COPY, Seen.ABSENT): Step(Action.REST, State.COPY),
    (State.COPY, Seen.SAME): Step(Action.REST, State.COPY),
    (State.COPY, Seen.OTHER): Step(Action.TAKE, State.ASKED),
    (State.LIVE, Seen.SAME): Step(Action.NOTE, State.LIVE),
    (State.LIVE, Seen.ABSENT): Step(Action.ROTATE, State.ROTATED),
    (State.LIVE, Seen.OTHER): Step(Action.ROTATE, State.ROTATED),
    # What the file at the live path holds
    (State.ASKED, Seen.ROTATED_ONE): Step(Action.TAKE_BACK, State.LIVE),
    (State.ASKED, Seen.NEW_YET): Step(Action.REST, State.NOTHING),
    (State.ASKED, Seen.NEW): Step(Action.BEGIN, State.LIVE),
    (State.ASKED, Seen.FORMER): Step(Action.COMPARE, State.LIVE),
    (State.ASKED, Seen.KNOWN): Step(Action.READ_ON, State.LIVE),
    (State.ASKED, Seen.OF_ANOTHER_SOURCE): Step(Action.READ_ON_AS_ANOTHER, State.LIVE),
    (State.ASKED, Seen.READ_ELSEWHERE): Step(Action.REST, State.COPY),
    (State.ASKED, Seen.PARTS): Step(Action.FORK, State.LIVE),
    # What a file beside the log holds. One that is new is begun, or left to a backfill, when all files were asked.
    (State.BESIDE, Seen.NEW): Step(Action.REST, State.BESIDE),
    (State.BESIDE, Seen.NOT_OURS): Step(Action.REST, State.BESIDE),
    (State.BESIDE, Seen.READ_ELSEWHERE): Step(Action.REST, State.BESIDE),
    (State.BESIDE, Seen.READ_TO_END): Step(Action.NOTE_PLACE, State.CLOSED),
    (State.BESIDE, Seen.FORMER): Step(Action.COMPARE, State.ROTATED),
    (State.BESIDE, Seen.KNOWN): Step(Action.READ_ON, State.ROTATED),
    (State.BESIDE, Seen.PARTS): Step(Action.FORK, State.ROTATED),
    (State.BESIDE, Seen.HOLDS_MORE): Step(Action.TAKE_OVER, State.ROTATED),
    # The live file
    (State.LIVE, Seen.CUT): Step(Action.MISS, State.MISSING),
    (State.LIVE, Seen.AS_BEFORE): Step(Action.REST, State.LIVE),
    (State.LIVE, Seen.BLOCK): Step(Action.HAND_OUT, State.LIVE),
    (State.LIVE, Seen.BUSY): Step(Action.GO_ON, State.LIVE),
    (State.LIVE, Seen.WAITS): Step(Action.GO_ON, State.LIVE),
    (State.LIVE, Seen.END_GROWING): Step(Action.NOTE_END, State.LIVE),
    # A rotated file
    (State.ROTATED, Seen.CUT): Step(Action.MISS, State.MISSING),
    (State.ROTATED, Seen.AS_BEFORE): Step(Action.REST, State.ROTATED),
    (State.ROTATED, Seen.BLOCK): Step(Action.HAND_OUT, State.ROTATED),
    (State.ROTATED, Seen.BUSY): Step(Action.GO_ON, State.ROTATED),
    (State.ROTATED, Seen.WAITS): Step(Action.LOOK_AGAIN, State.ROTATED),
    (State.ROTATED, Seen.END_GROWING): Step(Action.LOOK_AGAIN, State.ROTATED),
    (State.ROTATED, Seen.END_QUIET): Step(Action.ASK_LIVE_LOG, State.HALF_LINE),
    (State.ROTATED, Seen.END_OVER): Step(Action.ASK_LIVE_LOG, State.HALF_LINE),
    (State.ROTATED, Seen.DAMAGED): Step(Action.MISS_DAMAGED, State.MISSING),
    # What is left of it
    (State.HALF_LINE, Seen.GOES_ON): Step(Action.LEAVE, State.LIVE),
    (State.HALF_LINE, Seen.GOES_ON_ELSEWHERE): Step(Action.CLOSE, State.CLOSED),
    (State.HALF_LINE, Seen.ENDS): Step(Action.READ_LAST_LINE, State.LAST_LINE),
    (State.LAST_LINE, Seen.BLOCK): Step(Action.HAND_OUT, State.ROTATED),
    (State.LAST_LINE, Seen.BUSY): Step(Action.GO_ON, State.ROTATED),
    (State.LAST_LINE, Seen.WAITS): Step(Action.LOOK_AGAIN, State.ROTATED),
    (State.LAST_LINE, Seen.END_QUIET): Step(Action.NOTE_END, State.ROTATED),
    (State.LAST_LINE, Seen.END_OVER): Step(Action.CLOSE, State.CLOSED),
    (State.LAST_LINE, Seen.CUT): Step(Action.MISS, State.MISSING),
    (State.LAST_LINE, Seen.DAMAGED): Step(Action.MISS_DAMAGED, State.MISSING),
    # What is looked for
    (State.MISSING, Seen.FOUND): Step(Action.FORGET, State.ROTATED),
    (State.MISSING, Seen.FOUND_AS_NEW): Step(Action.CLOSE, State.CLOSED),
    (State.MISSING, Seen.TOO_SOON): Step(Action.REST, State.MISSING),
    (State.MISSING, Seen.GONE_UNREAD): Step(Action.REPORT_GAP, State.LOST),
    (State.MISSING, Seen.GONE_READ): Step(Action.CLOSE, State.CLOSED),
}

AT_ONCE: Final = frozenset({State.ASKED, State.HALF_LINE, State.LAST_LINE})
"""A file is not left in one of these: what comes next is looked at in the same turn."""


def transition(state: State, seen: Seen) -> Step:
    """Return what to do, and what is so afterwards. Raises KeyError for what cannot be seen in a state."""
    return TRANSITIONS[state, seen]


def end_of_rotated(*, quiet: bool, newest: bool, deleted: bool, compressed: bool) -> Seen:
    """Return what it means that no whole line is left of a rotated file.

    ``quiet``: it has not grown for long enough. ``newest``: no file was rotated after it, so a writer may still have it open.
    """
    if compressed or (quiet and (deleted or not newest)):
        return Seen.END_OVER
    return Seen.END_QUIET if quiet else Seen.END_GROWING


def outcome(end: Seen, *, block: bool, damaged: bool, busy: bool, waits: bool) -> Seen:
    """Return what was seen when a file was read. ``end``: what it means that no whole line is left."""
    if block:
        return Seen.BLOCK
    if damaged:
        return Seen.DAMAGED
    if busy:
        return Seen.BUSY
    return Seen.WAITS if waits else end


def look_for_rest(*, is_found: bool, waited_enough: bool, unread: bool) -> Seen:
    """Return what was seen of a rest that is looked for.

    ``is_found``: somebody has it, or has had it. ``waited_enough``: its grace is over, and every log has looked beside it.
    ``unread``: there is reason to think that something was unread.
    """
    if is_found:
        return Seen.FOUND
    if not waited_enough:
        return Seen.TOO_SOON
    return Seen.GONE_UNREAD if unread else Seen.GONE_READ
