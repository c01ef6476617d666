"""Asking InfluxQL over HTTP: statements in, tables out, faults as errors that a person reads."""

from collections.abc import Iterator, Sequence
from typing import Final

from ingestor.config.settings import StoreSettings
from ingestor.stores.influxdb.client.faults import no_answer, refused_request
from ingestor.stores.influxdb.client.http import InfluxHttp, NoAnswerError
from ingestor.stores.influxdb.read.results import Table, tables

MOST_STATEMENTS: Final = 50
"""In one request."""
ROWS_IN_A_CHUNK: Final = 5_000
"""What is held at a time: an event takes some hundred bytes of JSON."""
_MOST_BYTES_OF_A_REFUSAL: Final = 1 << 16


class Queries:
    """Runs statements that read. Safe to use from several threads."""

    def __init__(self, http: InfluxHttp, store: StoreSettings) -> None:
        self._http = http
        self._store = store

    def run(self, statements: Sequence[str]) -> Iterator[Table]:
        """Yield the tables of the answers as they come, in the order of the statements. Holds a chunk at a time.

        Raises TokentailError, also while the tables are read: an answer that breaks off is none.
        """
        for start in range(0, len(statements), MOST_STATEMENTS):
            for table in self._run(statements[start : start + MOST_STATEMENTS]):
                yield table._replace(statement=start + table.statement)

    def _run(self, statements: Sequence[str]) -> Iterator[Table]:
        form = {"q": "; ".join(statements), "epoch": "ns", "chunked": "true", "chunk_size": str(ROWS_IN_A_CHUNK)}
        try:
            with self._http.lines("/query", form=form) as (head, lines):
                if head.status != 200:
                    raise refused_request(self._store, head.status, _beginning(lines))
                yield from tables(self._store, lines, len(statements))
        except NoAnswerError as error:
            raise no_answer(self._store, str(error)) from error


def _beginning(lines: Iterator[bytes]) -> bytes:
    body = b""
    for line in lines:
        body += line
        if len(body) > _MOST_BYTES_OF_A_REFUSAL:
            break
    return body
