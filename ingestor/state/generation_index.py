"""The index of all generations: by number, by source, and by what a file shows of the one that it holds."""

from collections.abc import Iterable, Iterator
from typing import Final

from ingestor.model.generation import Generation, Status, digest
from ingestor.model.log_file import FileIdentity

NEAR: Final = 3
"""Of a log that lost its beginning so many of its last contents are looked through."""


class GenerationIndex:
    """Every generation that is known. Whoever changes one that is in it has it indexed again."""

    def __init__(self, generations: Iterable[Generation] = ()) -> None:
        self._by_number: dict[int, Generation] = {}
        self._by_source: dict[str, list[Generation]] = {}
        self._by_head: dict[tuple[int, bytes], dict[int, Generation]] = {}
        self._heads: dict[int, tuple[int, bytes]] = {}
        self._head_lengths: dict[int, int] = {}
        self._by_key: dict[int, dict[int, Generation]] = {}
        self._unread_by_key: dict[int, dict[int, Generation]] = {}
        self._by_identity: dict[FileIdentity, dict[int, Generation]] = {}
        self._open: dict[int, Generation] = {}
        self._identities: dict[int, FileIdentity] = {}
        self._by_path: dict[str, dict[int, Generation]] = {}
        self._paths: dict[int, str] = {}
        self._followed_by: dict[int, set[int]] = {}
        self._last_number = 0
        for generation in generations:
            self._add(generation)

    def __iter__(self) -> Iterator[Generation]:
        return iter(self._by_number.values())

    def __getitem__(self, number: int) -> Generation:
        return self._by_number[number]

    def get(self, number: int) -> Generation | None:
        """Return a generation by its number; None for one that is not known."""
        return self._by_number.get(number)

    def of(self, source: str) -> list[Generation]:
        """Return the generations of a source, oldest first."""
        return self._by_source.get(source, [])

    @property
    def sources(self) -> list[str]:
        """Every source with a generation."""
        return list(self._by_source)

    @property
    def head_lengths(self) -> list[int]:
        """How long the beginnings are by which generations are found."""
        return list(self._head_lengths)

    def by_head(self, head: bytes) -> Iterable[Generation]:
        """Return the generations of which these are the first bytes that were read."""
        return self._by_head.get((len(head), digest(head)), {}).values()

    def by_key(self, key: int) -> Iterable[Generation]:
        """Return the generations whose file begins alike, through the first line with a date."""
        return self._by_key.get(key, {}).values()

    def count_by_key(self, key: int | None) -> int:
        """Return how many they are."""
        return 0 if key is None else len(self._by_key.get(key, ()))

    def unread_by_key(self, key: int) -> Iterable[Generation]:
        """Return those of them of which nothing was read yet."""
        return self._unread_by_key.get(key, {}).values()

    def by_identity(self, identity: FileIdentity) -> Iterable[Generation]:
        """Return the generations that were last seen in a file of this device and inode."""
        return self._by_identity.get(identity, {}).values()

    def near(self, source: str, path: str, identity: FileIdentity) -> tuple[Generation, ...]:
        """Return the last generations of a source, and those last seen at a path or in a file: a log goes on with one of these."""
        found = {g.number: g for g in self.of(source)[-NEAR:]}
        found.update(list(self._by_path.get(path, {}).items())[-NEAR:])
        found.update(list(self._by_identity.get(identity, {}).items())[-NEAR:])
        return tuple(found.values())

    def _successors(self, number: int) -> list[Generation]:
        """Return the generations in whose files lines of this one were found, or are looked for."""
        return [self._by_number[successor] for successor in self._followed_by.get(number, ())]

    def _add(self, generation: Generation) -> None:
        self._by_number[generation.number] = generation
        self._by_source.setdefault(generation.source, []).append(generation)
        self._last_number = max(self._last_number, generation.number)
        self._index(generation)

    def _index(self, generation: Generation) -> None:
        number, position = generation.number, generation.position
        if generation.status is Status.OPEN:
            self._open[number] = generation
        else:
            self._open.pop(number, None)
        head = (position.head_length, position.head_digest)
        if position.offset and self._heads.get(number) != head:
            self._drop_head(generation)
            self._heads[number] = head
            self._by_head.setdefault(head, {})[number] = generation
            self._head_lengths[position.head_length] = self._head_lengths.get(position.head_length, 0) + 1
        if generation.file_key is not None:
            self._by_key.setdefault(generation.file_key, {})[number] = generation
            if not position.offset:
                self._unread_by_key.setdefault(generation.file_key, {})[number] = generation
            else:
                self._unread_by_key.get(generation.file_key, {}).pop(number, None)
        for earlier in generation.formers:
            self._followed_by.setdefault(earlier, set()).add(number)
        identity = FileIdentity(generation.device, generation.inode)
        former = self._identities.get(number)
        if former != identity:
            if former is not None:
                self._by_identity.get(former, {}).pop(number, None)
            self._identities[number] = identity
            self._by_identity.setdefault(identity, {})[number] = generation
        if self._paths.get(number) != generation.path:
            self._by_path.get(self._paths.get(number, ""), {}).pop(number, None)
            self._paths[number] = generation.path
            self._by_path.setdefault(generation.path, {})[number] = generation

    def _drop_head(self, generation: Generation) -> None:
        head = self._heads.pop(generation.number, None)
        if head is not None:
            self._by_head.get(head, {}).pop(generation.number, None)
            self._head_lengths[head[0]] -= 1
            if not self._head_lengths[head[0]]:
                del self._head_lengths[head[0]]
