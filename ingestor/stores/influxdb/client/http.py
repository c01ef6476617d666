"""One pool of HTTP connections to an InfluxDB server. It gives back whole answers, whatever they say, and decides nothing.

``influxdb-client`` takes a sign-in page for success and has no InfluxQL, so requests go through the library below it.
"""

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions

from ingestor.config.credentials import password_of, token_of
from ingestor.config.settings import StoreSettings
from ingestor.errors import ConfigError

MOST_ANSWER_BYTES: Final = 64 << 20
"""A longer answer is none: a server that sends without end must not fill the memory."""
TLS_FAILED: Final = "TLS failed"
"""How the reason begins when the server could not prove who it is."""
_CONNECT_SECONDS: Final = 10.0
_STEP: Final = 1 << 16


class NoAnswerError(Exception):
    """No whole answer came. The text says why, for people, and holds nothing of the request."""

    cut_off: bool = False
    """Whether the exchange had begun: a smaller one may come to its end."""


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


def tls_context(store: StoreSettings) -> ssl.SSLContext | None:
    """Return what servers must prove themselves by. Raises ConfigError when the certificates cannot be loaded.

    None where nothing is encrypted and no file is named: the system's certificates take longer to load than a request.
    """
    if store.ca_file is None and store.url.startswith("http://"):
        return None
    try:
        return ssl.create_default_context(cafile=str(store.ca_file) if store.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The certificates cannot be loaded: {error}", where=str(store.ca_file), advice="Check store.ca_file."
        ) from error


class InfluxHttp:
    """Requests to one server. Safe to use from several threads."""

    def __init__(self, store: StoreSettings, *, connections: int = 4) -> None:
        """Keep up to ``connections`` open. Raises ConfigError when the certificates cannot be loaded."""
        self.answered = 0
        """Exchanges that came to their end, so far."""
        self.broken = 0
        """Exchanges that did not: no connection, none any more, no answer in time."""
        self._store = store
        self._pool = urllib3.PoolManager(
            num_pools=1, maxsize=connections, block=False, retries=False, ssl_context=tls_context(store)
        )

    @property
    def url(self) -> str:
        """The server's address, which holds no secret."""
        return self._store.url

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        anonymous: bool = False,
    ) -> Answer:
        """Send a request and return the whole answer. ``timeout``: seconds until it begins, and until it is whole.

        ``anonymous``: send no secret, and need none. Raises NoAnswerError; ConfigError and PermissionDeniedError when a
        secret cannot be read.
        """
        with self._exchange(method, path, params, body, headers, timeout, anonymous=anonymous) as response:
            parts: list[bytes] = []
            size, deadline = 0, time.monotonic() + (timeout or self._store.timeout_seconds)
            for part in _parts(response):
                parts.append(part)
                size += len(part)
                if size > MOST_ANSWER_BYTES or time.monotonic() > deadline:
                    raise NoAnswerError("the answer has no end")
            return Answer(response.status, _lower(response.headers), b"".join(parts))

    @contextmanager
    def lines(
        self, path: str, *, form: Mapping[str, str], timeout: float | None = None
    ) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        r"""Post a form and yield the head of the answer and its lines, as they come, without their ``\n``.

        A form, because addresses end up in access logs, and proxies cut long ones off. ``timeout``: seconds that the server
        may be silent. Raises NoAnswerError, also while the lines are read.
        """
        body = urlencode(form).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with self._exchange("POST", path, None, body, headers, timeout) as response:
            yield Answer(response.status, _lower(response.headers), b""), _lines(response)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    @contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        timeout: float | None,
        *,
        anonymous: bool = False,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        seconds = timeout or self._store.timeout_seconds
        query = f"?{urlencode(params)}" if params else ""
        response: urllib3.BaseHTTPResponse | None = None
        whole = False
        try:
            try:
                response = self._pool.request(
                    method,
                    f"{self._store.url}{path}{query}",
                    body=body,
                    headers={
                        "User-Agent": "tokentail",
                        "Accept-Encoding": "identity",
                        **({} if anonymous else self._authorization()),
                        **(headers or {}),
                    },
                    timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, seconds), read=seconds),
                    preload_content=False,
                    redirect=False,
                )
            except ValueError:  # its text holds the secret
                raise NoAnswerError("the token, user or password holds what no request may hold") from None
            yield response
            whole = True
            self.answered += 1
        except exceptions.HTTPError as error:
            self.broken += 1
            no_answer = NoAnswerError(reason(error))
            no_answer.cut_off = isinstance(error, exceptions.ReadTimeoutError | exceptions.ProtocolError)
            raise no_answer from error
        finally:
            if response is not None:
                if not whole:
                    response.close()  # its rest must not be taken for the next answer
                response.release_conn()

    def _authorization(self) -> dict[str, str]:
        if token := token_of(self._store).read():
            return {"Authorization": f"Token {token}"}
        if self._store.username:
            password = password_of(self._store).read()
            return urllib3.make_headers(basic_auth=f"{self._store.username}:{password}")
        return {}


def _lower(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items()}


def _parts(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield what has come, as it comes: ``stream`` waits until so much has come, for ever if it comes slowly."""
    while part := response.read1(_STEP):
        yield part


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for part in _parts(response):
        *lines, rest = (rest + part).split(b"\n")
        yield from lines
        if len(rest) > MOST_ANSWER_BYTES:
            raise NoAnswerError("the answer has no end")
    if rest:
        yield rest


_REASONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (exceptions.NameResolutionError, "the server's name cannot be resolved"),
    (exceptions.NewConnectionError, "no connection"),
    (exceptions.ConnectTimeoutError, "no connection in time"),
    (exceptions.ReadTimeoutError, "no answer in time"),
    (exceptions.ProtocolError, "the connection broke"),
)


def reason(error: BaseException) -> str:
    """Say why in few words. urllib3's own name objects' addresses, and for some errors the URL with its query."""
    for kind, words in _REASONS:
        if isinstance(error, kind):
            system = error.__cause__
            return f"{words}: {system.strerror}" if isinstance(system, OSError) and system.strerror else words
    tls = error.args[0] if error.args and isinstance(error.args[0], ssl.SSLError) else error
    if isinstance(tls, ssl.SSLError):
        return f"{TLS_FAILED}: {getattr(tls, 'verify_message', '') or tls.reason or 'no common ground'}"
    return type(error).__name__
