"""Lines as no provider writes them, made of lines as it does: damaged ones, and ones with secrets in the place of values."""

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

CANARY: Final = "cAnArY7Qx"
"""Is in every planted secret, and in nothing else."""
SECRETS: Final = (
    f"eyJhbGciOiJSUzI1NiJ9.{CANARY}eyJzdWIiOiJhbGljZSJ9.{CANARY}",
    f"Bearer {CANARY}",
    f"Authorization: Basic {CANARY}==",
    f"https://a.example/cb?code={CANARY}&state=1",
    f"redirect=https%3A%2F%2Fa%2Fcb%3Fcode%3D{CANARY}%26x",
    f"grant_type=refresh_token&refresh_token={CANARY}&client_secret={CANARY}",
    f"ghp_{CANARY}0123456789abcdef",
    f"https://bob:{CANARY}@a.example/",
    f"pass\u200bword={CANARY}",
)
"""Secrets that are known as such wherever they stand."""

_DAMAGES: Final = 200
"""Of each line, at random places."""
_VALUE: Final = re.compile(rb"[^\s\"'=,;|{}\[\]()<>]+")
"""What may be a value in a line that is no JSON."""
_PIECES: Final = (
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"=",
    b",",
    b"\r",
    b"\t",
    b" ",
    b"\xed\xa0\x80",
    b"\\ud83d",
    b"1e999",
)
_WRONG: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    " ",
    "\u202e\0\n",
    "x" * 70_000,
    [],
    {},
    ["a", None],
    {"a": {}},
)
_HOSTILE: Final = (
    *(
        b"\0",
        b"\0" * 100,
        b"\xff\xfe\xfd",
        b"\xef\xbb\xbf",
        b"null",
        b"[]",
        b"{}",
        b'""',
        b"0",
        b"=",
        b'"',
        b"\\",
        b"\r",
    ),
    *(b"[" * 100_000, b'{"a":' * 5_000, b"1" * 10_000, b"x" * 1_000_000, b" " * 10_000, "ä\u2028ö".encode()),
    "a line in UTF-16".encode("utf-16"),
)


def damaged(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Yield lines that are no line, and the given ones cut, glued, with other bytes and other values in them; none twice alike.

    Equal lines give equal damage: a test that fails fails again.
    """
    yield from _HOSTILE
    chance = random.Random(1)  # noqa: S311 - no secret is made of it
    for line in lines:
        yield from (
            b" " + line,
            line + b"\r",
            line + b"\0",
            b"\xef\xbb\xbf" + line,
            line + line,
            line.decode("latin-1").encode("utf-16"),
        )
        for _ in range(_DAMAGES):
            start, end = sorted(chance.choices(range(len(line) + 1), k=2))
            yield line[:start]
            yield line[:start] + line[end:]
            yield line[:start] + chance.choice(_PIECES) + line[start:]
            yield line[:start] + bytes([chance.choice([b for b in range(256) if b != ord("\n")])]) + line[start + 1 :]
        for value in _WRONG:
            yield from replaced(line, value)


def canaries(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines with each secret in the place of each of their values, by themselves.

    At each place one of them, another one each time, also comes in a line that is cut off, and in one with a byte that is no text.
    """
    for line in lines:
        for number, secret in enumerate(SECRETS):
            for place, planted in enumerate(replaced(line, secret)):
                yield planted
                if place % len(SECRETS) == number:
                    yield planted[:-2]
                    yield planted + b"\xff"


def replaced(line: bytes, value: Any) -> Iterator[bytes]:
    """Yield the line with another value in the place of each of its own: those of a JSON object, else its words."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if isinstance(record, dict | list):
        for changed in _changed(record, value):
            yield json.dumps(changed).encode()
        return
    text = value if isinstance(value, str) else json.dumps(value)
    for word in _VALUE.finditer(line):
        yield line[: word.start()] + text.replace("\n", " ").encode() + line[word.end() :]


def _changed(value: Any, other: Any) -> Iterator[Any]:
    """Yield a JSON value with one of the values in it, at any depth, being another one."""
    parts: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in list(parts):
        copy = value.copy()
        copy[key] = other
        yield copy
        if isinstance(part, dict | list):
            for inner in _changed(part, other):
                yield {**copy, key: inner} if isinstance(value, dict) else [*value[:key], inner, *value[key + 1 :]]
