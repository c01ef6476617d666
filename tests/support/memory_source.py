"""A source that is no file: topics of lines in memory, as a message broker has them. It shows what a source has to do.

``Broker`` is the other side; it goes on when the daemon ends. ``[[logs]] path = "memory:TOPIC"`` names a topic.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from ingestor.config.settings import Settings
from ingestor.model.generation import Generation
from ingestor.sources.block import Block
from ingestor.sources.contract import Problem, Progress, Source
from ingestor.sources.streams import Streams
from ingestor.state.generations import Generations

SCHEME: Final = "memory:"
BLOCK_BYTES: Final = 1 << 14


class Message(NamedTuple):
    """One line, without its end."""

    line: bytes
    written_at: float
    """Wall clock, seconds."""


class Broker:
    """Topics by name. A topic is a list of messages; the number of a message is its index, for ever."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Message]] = {}
        self.first: dict[str, int] = {}
        """The number of the oldest message that is still there."""
        self.committed: dict[str, int] = {}
        """Up to which message the reader has said that it needs none of them again."""
        self.away = ""
        """Why it cannot be reached."""
        self.on_write: Callable[[], None] = lambda: None

    def write(self, topic: str, data: bytes) -> None:
        """Append each line of ``data`` as a message."""
        self.topics.setdefault(topic, []).extend(Message(line, time.time()) for line in data.splitlines())
        self.on_write()

    def expire(self, topic: str, first: int) -> None:
        """Drop all messages before this one."""
        self.first[topic] = first


class _Topic:
    """One topic as it is read."""

    def __init__(self, name: str, stream: Generation, next_message: int) -> None:
        self.name = name
        self.stream = stream
        self.next = next_message


class MemorySource(Source):
    """Reads the topics of a broker that the settings name."""

    def __init__(self, settings: Settings, broker: Broker) -> None:
        self._settings = settings
        self._broker = broker
        self._streams: Streams
        self._topics: dict[str, _Topic] = {}
        self._turns: deque[_Topic] = deque()
        self._unsettled: deque[tuple[int, float]] = deque()
        """What was handed out and is not known to be durable: bytes handed out by then, and when its first line was written."""
        self._handed_out = 0

    @property
    def settings(self) -> Settings:
        return self._settings

    def begin(self, generations: Generations) -> None:
        self._streams = Streams(generations)
        self._open_topics()

    def _open_topics(self) -> None:
        named = {entry.path.removeprefix(SCHEME): entry for entry in self._settings.logs}
        for name in self._topics.keys() - named:
            del self._topics[name]
        for name, entry in named.items():
            source = entry.source or entry.path
            if name not in self._topics or self._topics[name].stream.source != source:
                stream = self._streams.open(source, entry.path)
                self._topics[name] = _Topic(name, stream, int(self._streams.position(stream) or b"0"))
        self._turns = deque(self._topics.values())

    def poll(self, now: float, *, force: bool = False) -> None:  # noqa: ARG002 - the contract's
        self._turns = deque(self._topics.values())

    def next_block(self, now: float) -> Block | None:  # noqa: ARG002 - as above
        if self._broker.away:
            return None
        while self._turns:
            topic = self._turns.popleft()
            block = self._block_of(topic)
            if block is not None:
                self._turns.append(topic)
                return block
        return None

    def _block_of(self, topic: _Topic) -> Block | None:
        first = self._broker.first.get(topic.name, 0)
        if topic.next < first:
            why = f"messages {topic.next} to {first - 1} were gone before they were read"
            topic.next = first
            self._streams.report_gap(topic.stream, why, b"%d" % first)
        messages = self._broker.topics.get(topic.name, [])[topic.next :]
        if not messages:
            return None
        if len(messages[0].line) > self._settings.read.max_line_bytes:
            topic.next += 1
            block = self._streams.long_line(topic.stream, messages[0].line, b"%d" % topic.next)
        else:
            lines: list[bytes] = []
            size = 0
            for message in messages:
                if size > BLOCK_BYTES or len(message.line) > self._settings.read.max_line_bytes:
                    break
                lines.append(message.line + b"\n")
                size += len(message.line) + 1
            topic.next += len(lines)
            block = self._streams.block(topic.stream, b"".join(lines), b"%d" % topic.next)
        self._handed_out += block.too_long.length if block.too_long else len(block.data)
        self._unsettled.append((self._handed_out, messages[0].written_at))
        return block

    def sources(self) -> Iterable[str]:
        return [topic.stream.source for topic in self._topics.values()]

    def acknowledge(self, now: float, progress: Progress) -> None:  # noqa: ARG002 - as above
        if progress.all_durable:
            self._broker.committed.update({topic.name: topic.next for topic in self._topics.values()})

    def problems(self, *, at_end: bool = False) -> Sequence[Problem]:  # noqa: ARG002 - as above
        return [Problem(self._broker.away)] if self._broker.away else []

    def _unread(self) -> list[list[Message]]:
        return [self._broker.topics.get(topic.name, [])[topic.next :] for topic in self._topics.values()]

    def unread_bytes(self) -> int:
        return sum(len(message.line) + 1 for messages in self._unread() for message in messages)

    def lag_since(self, progress: Progress) -> float | None:
        while self._unsettled and self._unsettled[0][0] <= progress.acknowledged_bytes:
            self._unsettled.popleft()
        waiting = [messages[0].written_at for messages in self._unread() if messages]
        waiting += [written_at for _, written_at in self._unsettled]
        return min(waiting, default=None)

    def watch(self, wake: Callable[[], None] | None) -> None:
        self._broker.on_write = wake or (lambda: None)

    def reload(self, settings: Settings) -> None:
        self._settings = settings
        self._open_topics()

    def close(self) -> None:
        self.watch(None)
