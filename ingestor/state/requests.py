"""Requests to a running daemon: rows in the state that it carries out, since one process alone may write (design section 9)."""

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ingestor.errors import UnavailableError
from ingestor.state.database import DATABASE
from ingestor.state.lock import is_held


class Request(NamedTuple):
    """A request that waits to be carried out."""

    number: int
    kind: str
    """``backfill`` or ``replay``."""
    arguments: dict[str, Any]


def submit(directory: Path, kind: str, arguments: dict[str, Any]) -> int:
    """Queue a request and return its number. Raises UnavailableError when the state cannot be written."""
    try:
        with sqlite3.connect(directory / DATABASE, timeout=30) as connection:
            cursor = connection.execute(
                "INSERT INTO requests(kind, arguments, created) VALUES(?,?,?)",
                (kind, json.dumps(arguments), time.time()),
            )
        connection.close()
    except sqlite3.Error as error:
        raise UnavailableError(f"The request could not be queued: {error}", where=str(directory)) from error
    return int(cursor.lastrowid or 0)


def wait_for_answer(
    directory: Path, number: int, *, tick: Callable[[], None] = lambda: None, interval: float = 0.2
) -> dict[str, Any]:
    """Wait until the daemon has carried out a request, and return its answer.

    Raises UnavailableError when the daemon ends before; the request then waits for the next one.
    """
    connection = sqlite3.connect(directory / DATABASE, timeout=30)
    try:
        while True:
            row = connection.execute(
                "SELECT answer FROM requests WHERE id = ? AND finished IS NOT NULL", (number,)
            ).fetchone()
            if row is not None:
                answer: dict[str, Any] = json.loads(row[0])
                return answer
            if not is_held(directory):
                raise UnavailableError(
                    "The daemon ended before it carried out the request",
                    where=str(directory),
                    advice="It is queued, and is carried out when the daemon runs again.",
                )
            tick()
            time.sleep(interval)
    finally:
        connection.close()


def next_request(connection: sqlite3.Connection) -> Request | None:
    """Return the oldest request that is not finished. One that was interrupted by a crash is carried out again."""
    row = connection.execute(
        "SELECT id, kind, arguments FROM requests WHERE finished IS NULL ORDER BY id LIMIT 1"
    ).fetchone()
    return Request(row[0], row[1], json.loads(row[2])) if row else None


def finish(connection: sqlite3.Connection, number: int, answer: dict[str, Any]) -> None:
    """Record the answer."""
    connection.execute(
        "UPDATE requests SET finished = ?, answer = ? WHERE id = ?", (time.time(), json.dumps(answer), number)
    )
