"""What a source does for the daemon: hand out lines in order, and go on where it was after a stop.

A source reads *streams*: a log's content, a partition of a topic. Each is a ``Generation`` of the state, which keeps how far
it is read. A source inherits from ``Source``; what does not concern it has a default. `docs/add-a-source.md` goes through it,
and `tests/support/source_conformance.py` is the suite that every source passes.

All is called from one thread. Times are monotonic seconds. No call may block for long: the watchdog, SIGTERM and the store wait
meanwhile.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from ingestor.config.settings import Settings
from ingestor.sources.block import Block
from ingestor.state.generations import Generations


class Progress(NamedTuple):
    """How far what a source handed out has come. Bytes are those of lines, since the start of the daemon."""

    accepted_bytes: int
    """How many were taken."""
    acknowledged_bytes: int
    """How many of these are durable."""
    all_durable: bool
    """Whether all of them are, and nothing of the state waits to be written either."""


class Problem(NamedTuple):
    """What keeps something from being read now."""

    what: str
    denied: bool = False
    """Whether it is a missing permission."""


class Source(Protocol):
    """Everything that one daemon reads."""

    @property
    def settings(self) -> Settings:
        """The settings in effect, with what is read in the place of what is named, where these differ."""
        ...

    # Reading

    def begin(self, generations: Generations) -> None:
        """Open what the settings name. A stream that ``generations`` knows goes on at its position; called once, before all else.

        What is away now is a problem (``problems``), not an error. Raises sqlite3.Error.
        """
        ...

    def poll(self, now: float, *, force: bool = False) -> None:
        """Find out what is new. ``force``: look at everything, however lately that was done."""
        ...

    def next_block(self, now: float) -> Block | None:
        r"""Return the next lines of a stream; streams get their turns. None when there is none until the next ``poll``.

        By then the stream's position is behind the block: it becomes durable together with the block's points, or not at all.
        A block holds whole lines, each with its ``\n``, of at most some hundred kilobytes, and all parts of a record that was
        split over several (``parsers.envelopes.records.whole``); a line beyond ``max_line_bytes`` is a block of its own. The same lines have the same H and ordinal whenever they are read, so that they are stored once.
        """
        ...

    def sources(self) -> Iterable[str]:
        """Return the names (the tag ``source``) of all that may have a block."""
        ...

    @property
    def busy(self) -> bool:
        """Whether there is more to do at once, though the last ``next_block`` returned none."""
        return False

    @property
    def waiting(self) -> bool:
        """Whether something is looked for or waited for that may still bring lines, so that `--once` must not end yet."""
        return False

    def acknowledge(self, now: float, progress: Progress) -> None:
        """Let go of what is durable, where the origin keeps it until then. Called in every turn."""

    # What is shown

    def problems(self, *, at_end: bool = False) -> Sequence[Problem]:
        """Return what keeps something from being read now.

        ``at_end``: all was read that there is (`--once`), so that there was nothing at all is a problem, too.
        """
        ...

    def unread_bytes(self) -> int:
        """Return how many bytes wait to be read, as far as that can be told cheaply: it is asked every second."""
        ...

    def lag_since(self, progress: Progress) -> float | None:
        """Return since when the oldest line waits that is unread or not durable, wall clock seconds; None when there is none."""
        ...

    def remarks(self) -> Sequence[str]:
        """Return what else somebody should look at, though nothing is unread for it."""
        return ()

    def half_lines(self) -> Mapping[str, int]:
        """Return how many bytes of lines without an end wait, by what they are the end of."""
        return {}

    # Waking up

    def watch(self, wake: Callable[[], None] | None) -> None:
        """Call ``wake``, from whatever thread, when there may be something new; None: no more. Called in every turn.

        It is a hint that saves waiting for the next ``poll``.
        """

    # Ending

    @property
    def ended(self) -> bool:
        """Whether all has come to its end that has one: `--once` waits for it. True where nothing has one."""
        return True

    @property
    def over(self) -> bool:
        """Whether nothing can ever come any more: then the daemon ends by itself."""
        return False

    def leftover(self, progress: Progress) -> str:  # noqa: ARG002 - for those that can be over
        """Return, once it is ``over``, where something lies that is not read or not durable; "" for nowhere."""
        return ""

    def take_the_rest(self) -> bool:
        """Take what can be had only now, because the daemon ends; return whether there may be such."""
        return False

    # Living on

    def reload(self, settings: Settings) -> None:
        """Go on with other settings: what is still named is read on, what is not is left. All that was read is durable."""
        ...

    def close(self) -> None:
        """Release everything. What is not durable is read again next time."""
        ...
