"""A web server on loopback that answers everything alike, for what is no InfluxDB, or one that says what we want it to."""

import contextlib
import http.server
import threading
from collections.abc import Iterator, Mapping

HTML = b"<!doctype html><title>Sign in</title>"


@contextlib.contextmanager
def web_server(
    status: int = 200, headers: Mapping[str, str] | None = None, body: bytes = HTML, *, ping: int = 0, write: int = 0
) -> Iterator[tuple[str, list[Mapping[str, str]]]]:
    """Serve, with another status for ``/ping`` or ``/write`` if one is given; yield the URL, and the headers of the requests as they come."""
    seen: list[Mapping[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            special = {"/ping": ping, "/write": write}.get(self.path.partition("?")[0])
            self.send_response_only(special or status)
            length = 0 if special == 204 else len(body)
            for name, value in {"Content-Length": str(length), **(headers or {"Content-Type": "text/html"})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[:length])

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        yield url, seen


@contextlib.contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on loopback as long as the block lasts; yield the URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
