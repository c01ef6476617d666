"""Prove that points can be written and read back: by doing it. For `tokentail validate`.

What proves writing: one point, ``tokentail validated=1i`` without tags, in the policy ``own``, which keeps it for as long as
the daemon's own figures; no question of design section 7 looks there. For the other policies a request to write nothing
at all: both major versions look at name and rights first (checked on 1.6.7 and 2.7.12), and no point of ours must be
among the events.
"""

import time

from ingestor.config.credentials import token_of
from ingestor.config.settings import StoreSettings
from ingestor.errors import ConfigError, PermissionDeniedError, TokentailError
from ingestor.model import schema
from ingestor.stores.influxdb.client.error_body import own_words
from ingestor.stores.influxdb.client.http import Answer, InfluxHttp, NoAnswerError
from ingestor.stores.influxdb.client.refusals import daemon_advice, refusal
from ingestor.stores.influxdb.client.server import Server, unreachable
from ingestor.stores.influxdb.client.statements import StatementError, ask
from ingestor.stores.influxdb.setup.plan import OWN

MEASUREMENT = schema.OWN.name
FIELD = "validated"


def prove_writing(http: InfluxHttp, store: StoreSettings, server: Server, policy: str) -> None:
    """Write nothing to a policy. Raises TokentailError when a point would have been refused."""
    answer = _write(http, store, policy, b"")
    if answer.status not in {200, 204} or "x-influxdb-version" not in answer.headers:
        raise _refused(answer, store, server)


def write_point(http: InfluxHttp, store: StoreSettings, server: Server) -> int:
    """Write the harmless point and return its time. Raises TokentailError."""
    now = time.time_ns()
    answer = _write(http, store, OWN, f"{MEASUREMENT} {FIELD}=1i {now}".encode())
    if answer.status != 204:
        raise _refused(answer, store, server)
    return now


def prove_reading(http: InfluxHttp, store: StoreSettings, server: Server, policy: str, at: int | None = None) -> None:
    """Ask a policy for a point of the last minute; with ``at``, for the one that was written then.

    Raises TokentailError, also when a point is not there although the server acknowledged it.
    """
    span = f"time > {time.time_ns() - 60_000_000_000}" if at is None else f"time = {at}"
    statement = f'SELECT "{FIELD}" FROM "{store.database}"."{policy}"."{MEASUREMENT}" WHERE {span} LIMIT 1'  # the names are ours
    try:
        rows = ask(http, store, server, statement, doing="read")
    except StatementError as error:
        # InfluxDB 2.x hides what a token may not read: it says of a bucket that is there that it is not.
        raise PermissionDeniedError(
            "InfluxDB does not let this be read",
            where=store.url,
            advice=daemon_advice(server.major, store),
        ) from error
    if at is not None and not rows:
        raise TokentailError(
            "A point that was acknowledged is not there",
            where=store.url,
            advice="Does something in between answer in the name of InfluxDB, or write elsewhere than it reads?",
        )


def _write(http: InfluxHttp, store: StoreSettings, policy: str, body: bytes) -> Answer:
    try:
        return http.request("POST", "/write", params={"db": store.database, "rp": policy}, body=body)
    except NoAnswerError as error:
        raise unreachable(http.url, str(error)) from error


def _refused(answer: Answer, store: StoreSettings, server: Server) -> TokentailError:
    if server.major == 2 and answer.status == 404:
        whose = f"of the organization {store.organization!r}" if store.organization else "of the buckets' organization"
        return ConfigError(
            "InfluxDB finds no bucket for writing with this token",
            where=str(token_of(store).place() or store.url),
            advice=f"Points go to the token's own organization: take a token {whose}.",
        )
    return refusal(server.major, answer.status, own_words(answer.body), store, doing="write")
