"""An HTTP server on loopback that answers what a test tells it to, and misbehaves as told."""

import contextlib
import json
import os
import socket
import socketserver
import ssl
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path

from ingestor.config.settings import StoreSettings


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def lines(self) -> list[bytes]:
        return self.body.splitlines()


@dataclass(frozen=True)
class Reply:
    """What is sent back, and how."""

    status: int = 204
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    stored: bool | None = None
    """Whether the points are stored all the same; None: as the status says."""
    sent: float = 1.0
    """The part of the answer's bytes that is sent before the connection is cut."""
    drip: bool = False
    """Send a body without end, a byte at a time."""
    slow_head: bool = False
    """Send the status line and then a header without end, a byte at a time."""
    hang: bool = False
    """Send nothing, until the server is closed."""

    @property
    def stores(self) -> bool:
        return self.status == 204 if self.stored is None else self.stored


OK = Reply()
Script = Callable[[Request], Reply]


class ScriptedServer:
    """Answers writes from a queue, and when that is empty by ``otherwise``; keeps what InfluxDB would have stored."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.queue: deque[Reply | Script] = deque()
        self.otherwise: Reply | Script = OK
        self.requests: list[Request] = []
        self.stored: list[bytes] = []
        """Lines, as often as they were written."""
        self._changed = threading.Condition()
        self._closing = threading.Event()
        scripted = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError, ValueError):  # the client has gone
                    while scripted.serve(self.rfile, self.wfile, self.connection):
                        pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 50

            def handle_error(self, *_: object) -> None:
                """Say nothing: a failed handshake is what a test wants."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._scheme = "http" if certificate is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def store(self) -> StoreSettings:
        port = self._server.server_address[1]
        return StoreSettings(type="influxdb", url=f"{self._scheme}://127.0.0.1:{port}", timeout_seconds=5.0)

    def wait_for(self, requests: int) -> None:
        """Wait until so many requests have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= requests, 30), len(self.requests)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, rfile: BufferedIOBase, wfile: BufferedIOBase, connection: socket.socket) -> bool:
        """Take one request and answer it; return whether the connection stays."""
        head = rfile.readline().split()
        if not head:
            return False
        headers: dict[str, str] = {}
        while (line := rfile.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        request = Request(head[1].decode(), headers, rfile.read(int(headers.get("content-length", "0"))))
        if request.path in {"/metrics", "/debug/vars"}:  # it does not tell its start, and a script is about the rest
            return self._answer(Reply(404), wfile, connection)
        if request.path.startswith("/query"):  # a script is about writes; where these are well, nothing is stored yet
            answer = self.otherwise(request) if callable(self.otherwise) else self.otherwise
            if answer.stores and not answer.hang and not answer.slow_head:
                answer = _nothing_found(request)
            return self._answer(answer, wfile, connection)
        with self._changed:
            reply = self.queue.popleft() if self.queue else self.otherwise
            reply = reply(request) if callable(reply) else reply
            if reply.stores:
                self.stored += request.lines
            self.requests.append(request)
            self._changed.notify_all()
        return self._answer(reply, wfile, connection)

    def _answer(self, reply: Reply, wfile: BufferedIOBase, connection: socket.socket) -> bool:
        if reply.hang:
            self._closing.wait()
            return False
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in reply.headers.items())]
        if not reply.drip and reply.status != 204:
            lines.append(f"Content-Length: {len(reply.body)}")
        data = "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body
        if reply.slow_head:
            wfile.write(data[: data.index(b"\n") + 1] + b"X-Slow: ")
        else:
            wfile.write(data[: int(len(data) * reply.sent)])
        wfile.flush()
        if reply.sent < 1:
            # Cut hard: the peer sees a reset, not an end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            os.close(connection.detach())
            return False
        while (reply.drip or reply.slow_head) and not self._closing.wait(0.01):
            wfile.write(b"x")
            wfile.flush()
        return not (reply.drip or reply.slow_head)


def _nothing_found(request: Request) -> Reply:
    """Return what an empty InfluxDB answers to a question in InfluxQL."""
    asked = request.body.count(b"SELECT")
    return Reply(200, json.dumps({"results": [{"statement_id": number} for number in range(asked)]}).encode())


@contextlib.contextmanager
def scripted(certificate: Path | None = None) -> Iterator[ScriptedServer]:
    server = ScriptedServer(certificate)
    try:
        yield server
    finally:
        server.close()


def expired_certificate(directory: Path) -> Path:
    """Make a certificate of 127.0.0.1, signed by itself, whose time is over. Returns the file with it and its key."""
    names, both = directory / "names", directory / "both.pem"
    key, asked, certificate = directory / "key.pem", directory / "asked.pem", directory / "certificate.pem"
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    ask = f"openssl req -new -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout {key} -out {asked}"
    sign = f"openssl x509 -req -in {asked} -signkey {key} -days -1 -extfile {names} -out {certificate}"
    for command in (ask, sign):
        subprocess.run(command.split(), check=True, capture_output=True)
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both
