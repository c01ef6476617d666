"""Open the store that is configured, for questions."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator

from ingestor.config.settings import Settings
from ingestor.model.questions import Answers
from ingestor.stores.embedded.answers import SqliteAnswers
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read.answers import InfluxAnswers


@contextlib.contextmanager
def remote_answers(settings: Settings) -> Iterator[Answers]:
    """Yield what asks InfluxDB. Raises TokentailError."""
    with contextlib.closing(InfluxHttp(settings.store)) as http:
        yield InfluxAnswers(http, settings.store, settings.retention, time.time_ns)


@contextlib.contextmanager
def open_answers(settings: Settings, connection: sqlite3.Connection) -> Iterator[Answers]:
    """Yield what asks InfluxDB, or the embedded store behind ``connection``. Raises what the store raises."""
    if settings.store.type == "influxdb":
        with remote_answers(settings) as answers:
            yield answers
    else:
        yield SqliteAnswers(connection)
