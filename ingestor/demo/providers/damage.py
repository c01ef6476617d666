"""What breaks a line of JSON so that it must be rejected. Pure. Each takes a line without its end, and returns it so."""

from collections.abc import Callable
from typing import Any

import orjson


def cut_short(line: bytes) -> bytes:
    """Leave half of it, as a process that died while it wrote."""
    return line[: len(line) // 2]


def with_values(**values: Any) -> Callable[[bytes], bytes]:
    """Put these values in the place of what its keys have."""
    return lambda line: orjson.dumps(orjson.loads(line) | values)


def without(key: str) -> Callable[[bytes], bytes]:
    """Leave this key out."""
    return lambda line: orjson.dumps({name: value for name, value in orjson.loads(line).items() if name != key})


def not_utf8(key: str) -> Callable[[bytes], bytes]:
    """Begin the text of this key with bytes that are none."""
    return lambda line: line.replace(f'"{key}":"'.encode(), f'"{key}":"'.encode() + b"\xff\xfe")
