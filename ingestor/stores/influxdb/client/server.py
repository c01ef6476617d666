"""Which server is at an address: InfluxDB 1.x, 2.x, or something else, which is said. No secret is sent to find out."""

import re
import time
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from ingestor.errors import ConfigError, TokentailError, UnavailableError
from ingestor.stores.influxdb.client.http import TLS_FAILED, Answer, InfluxHttp, NoAnswerError
from parsers.text import clean

SUPPORTED: Final = frozenset({1, 2})
_VERSION: Final = re.compile(r"v?((\d{1,4})\.\d[0-9A-Za-z.~+-]{0,60})")
_HEADER: Final = "x-influxdb-version"
_URL: Final = "Name the server's own address in store.url, such as http://127.0.0.1:8086, without a path of a page."


class Server(NamedTuple):
    """An InfluxDB that we can talk to."""

    version: str
    major: int
    ahead: float | None
    """By how many seconds its clock is ahead of ours, to a second; None: it did not tell."""


def identify(http: InfluxHttp) -> Server:
    """Ask who answers.

    Raises UnavailableError when nobody does, ConfigError when it is no InfluxDB 1.x or 2.x. A secret goes along only when a proxy
    demands one before it lets the question through.
    """
    sent = time.time()
    try:
        answer = http.request("GET", "/ping", anonymous=True)
        if answer.status == 401 and _HEADER not in answer.headers:
            sent = time.time()
            answer = http.request("GET", "/ping")
    except NoAnswerError as error:
        raise unreachable(http.url, str(error)) from error
    server = recognise(answer, http.url)
    return server._replace(ahead=clock_ahead(answer.headers.get("date", ""), sent, time.time()))


def recognise(answer: Answer, url: str) -> Server:
    """Tell the server by its answer to ``/ping``. Raises as ``identify`` does."""
    told = answer.headers.get(_HEADER, "")
    version = _VERSION.fullmatch(told)
    if version and int(version[2]) in SUPPORTED:
        if answer.status < 500:
            return Server(version[1], int(version[2]), None)
        raise unreachable(url, f"InfluxDB {version[1]} is not ready (status {answer.status})")
    if told:
        raise ConfigError(
            f"InfluxDB {clean(told)[:60]} is not supported",
            where=url,
            advice="tokentail works with InfluxDB 1.x and 2.x.",
        )
    if answer.status in {429, 502, 503, 504}:
        raise unreachable(url, f"something in between answers with status {answer.status}")
    raise ConfigError(f"This is no InfluxDB: {_instead(answer)} answers", where=url, advice=_URL)


def _instead(answer: Answer) -> str:
    """Name what answered in place of an InfluxDB."""
    if 300 <= answer.status < 400:
        return f"a redirect ({answer.status}), perhaps to a sign-in page,"
    kind = "a web page" if "html" in answer.headers.get("content-type", "") else "something else"
    return f"{kind} (status {answer.status})"


def unreachable(url: str, why: str) -> TokentailError:
    """Return what to raise when no answer comes."""
    advice = "Is it running, and is store.url its address?"
    if why.startswith(TLS_FAILED):
        advice = "A certificate of your own is named in store.ca_file; it must be made out to the host in store.url."
    return UnavailableError(f"InfluxDB cannot be reached: {why}", where=url, advice=advice)


def clock_ahead(date: str, sent: float, received: float) -> float | None:
    """Return by how many seconds a server is ahead that wrote this ``Date`` between our two readings.

    It is cut to whole seconds, so what lies between the readings and a second after is no difference at all.
    """
    try:
        told = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
    if told > received:
        return told - received
    return min(0.0, told + 1 - sent)
