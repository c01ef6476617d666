"""One InfluxQL statement, and the rows that it answers with; for set-up and checks. Both major versions take it alike."""

from typing import Any

import orjson

from ingestor.config.settings import StoreSettings
from ingestor.errors import TokentailError
from ingestor.stores.influxdb.client.error_body import own_words, shown
from ingestor.stores.influxdb.client.http import InfluxHttp, NoAnswerError
from ingestor.stores.influxdb.client.refusals import refusal
from ingestor.stores.influxdb.client.server import Server, unreachable


class StatementError(TokentailError):
    """The server understood who asks, and did not do it: it says why."""


def ask(
    http: InfluxHttp, store: StoreSettings, server: Server, statement: str, *, doing: str, administrator: bool = False
) -> list[list[Any]]:
    """Return the rows. ``doing``, ``administrator``: as for ``refusals.refusal``. Raises TokentailError."""
    try:
        answer = http.request("POST", "/query", params={"q": statement, "db": store.database, "epoch": "ns"}, body=b"")
    except NoAnswerError as error:
        raise unreachable(http.url, str(error)) from error
    if answer.status != 200:
        words = own_words(answer.body)
        raise refusal(server.major, answer.status, words, store, doing=doing, administrator=administrator)
    try:
        result = orjson.loads(answer.body)["results"][0]
        problem = result.get("error")
        rows = [list(row) for series in result.get("series", []) for row in series.get("values", [])]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise TokentailError(f"InfluxDB did not {doing}: its answer makes no sense", where=http.url) from error
    if problem:
        raise StatementError(f"InfluxDB did not {doing}: {shown(problem)}", where=http.url)
    return rows
