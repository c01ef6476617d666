"""The lines of a chunked answer to InfluxQL (pure): every statement answered to its end, or an error, never less."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import orjson

from ingestor.config.settings import StoreSettings
from ingestor.stores.influxdb.client.faults import failed_statement, no_answer, not_influxdb

_NO_TAGS: Final[dict[str, str]] = {}


class Table(NamedTuple):
    """Some rows of the answer to a statement. A group of many rows comes in several tables, one behind the other."""

    statement: int
    """Which one of the request, from 0."""
    tags: dict[str, str]
    """Those of GROUP BY; empty text for an absent one."""
    rows: list[list[Any]]


def tables(store: StoreSettings, lines: Iterable[bytes], statements: int) -> Iterator[Table]:
    """Yield the tables in the lines of an answer to so many statements. Raises TokentailError."""
    unanswered = set(range(statements))
    for line in lines:
        if not line:
            continue
        for result in _results(store, line):
            if "error" in result:
                raise failed_statement(store, result["error"])
            statement = result.get("statement_id", 0)
            for series in result.get("series", ()):
                yield Table(statement, series.get("tags") or _NO_TAGS, series.get("values") or [])
            if not result.get("partial"):
                unanswered.discard(statement)
    if unanswered:
        raise no_answer(store, "the answer breaks off")


def _results(store: StoreSettings, line: bytes) -> list[dict[str, Any]]:
    try:
        answer = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise not_influxdb(store, "its answer is not JSON") from None
    if isinstance(answer, dict):
        if "error" in answer:
            raise failed_statement(store, answer["error"])
        results = answer.get("results")
        if isinstance(results, list) and all(isinstance(result, dict) for result in results):
            return results
    raise not_influxdb(store, "its JSON is of another kind")
