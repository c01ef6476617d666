"""The programs that pages of providers have people run, to get a log into a file: what they write is read."""

import gzip
import http.client
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

import parsers
from parsers.contract import Event, events_of
from tests.docs.markdown import ROOT, blocks
from tests.support.webserver import serving

NOW_MS: Final = 1_798_761_600_000


def program(page: str) -> SimpleNamespace:
    """Return what the program of a page defines."""
    (block,) = blocks((ROOT / f"docs/{page}.md").read_text("utf-8"), "python")
    defined: dict[str, Any] = {"__name__": page}
    exec(compile(block.text, page, "exec"), defined)  # noqa: S102 - our own page
    return SimpleNamespace(**defined)


def records(provider: str) -> list[dict[str, Any]]:
    """Return the lines of a mapping's testcases that are whole."""
    file = ROOT / f"parsers/mapping/testcases/{provider}-operations/input.jsonl"
    found = []
    for line in file.read_text("utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def actions(provider: str, data: bytes) -> list[str]:
    """Return what the lines of a log are."""
    outcomes = parsers.find(f"mapping:{provider}").parse(data, NOW_MS)
    return [Event(*row).tags.action for outcome in outcomes for row in events_of(outcome)]


def written(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def post(url: str, body: bytes, token: str) -> int:
    """Send a stream's batch; return the status."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("POST", "/", body, {"Authorization": token})
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_receiver_of_auth0_writes_what_is_sent_with_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "stream.jsonl"
    monkeypatch.setenv("AUTH0_STREAM_TOKEN", "made-up-token")
    monkeypatch.setenv("AUTH0_STREAM_FILE", str(log))
    sent = records("auth0")
    with serving(program("auth0").Receiver) as url:
        assert post(url, written(sent[:5]), "made-up-token") == 204
        assert post(url, b'{"forged":1}', "wrong") == 401
        assert post(url, written(sent[5:]).rstrip(b"\n"), "made-up-token") == 204
    assert log.read_bytes() == written(sent)
    assert "token.reuse_detected" in actions("auth0", log.read_bytes())


def test_the_program_for_okta_follows_the_log_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [record for record in records("okta") if "uuid" in record]
    pages = {"/api/v1/logs": events[:4], "/after/4": events[4:], "/after/all": []}
    after = {"/api/v1/logs": "/after/4", "/after/4": "/after/all", "/after/all": "/after/all"}
    asked: list[str] = []

    class Okta(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            asked.append(query)
            assert self.headers["Authorization"] == "SSWS made-up-token"
            here = f"http://{self.headers['Host']}"
            self.send_response(200)
            self.send_header("Link", f'<{here}{path}>; rel="self"')
            self.send_header("Link", f'<{here}{after[path]}>; rel="next"')
            self.end_headers()
            self.wfile.write(json.dumps(pages[path]).encode())

        def log_message(self, *_: object) -> None:
            pass

    log, state = tmp_path / "system.jsonl", tmp_path / "state"
    with serving(Okta) as url:
        for name, value in (("URL", url), ("TOKEN", "made-up-token"), ("LOG", str(log)), ("STATE", str(state))):
            monkeypatch.setenv(f"OKTA_{name}", value)
        okta = program("okta")
        following, more = okta.poll(okta.first())
        assert more
        assert state.read_text() == following
        following, more = program("okta").poll(state.read_text())  # as if it had been started again
        assert more
        assert okta.poll(following) == (f"{url}/after/all", False)
    assert asked[0].startswith("sortOrder=ASCENDING&limit=1000&since=20")
    assert log.read_bytes() == written(events)
    assert "token.reuse_detected" in actions("okta", log.read_bytes())


def test_the_program_for_cloudtrail_takes_each_file_apart_once(tmp_path: Path) -> None:
    trail, lines = tmp_path / "trail/2026/11/29", tmp_path / "lines"
    trail.mkdir(parents=True)
    lines.mkdir()
    found = [record for record in records("cognito") if "eventSource" in record]
    for number, part in enumerate((found[:7], found[7:])):
        packed = trail / f"1_CloudTrail_eu-west-1_20261129T102{number}Z_x.json.gz"
        packed.write_bytes(gzip.compress(json.dumps({"Records": part}).encode()))
    take_apart = program("cognito").take_apart
    take_apart(tmp_path / "trail", lines)
    files = sorted(lines.iterdir())
    assert [file.suffix for file in files] == [".jsonl", ".jsonl"]
    ours = [record for record in found if record["eventSource"] == "cognito-idp.amazonaws.com"]
    assert len(ours) < len(found)
    assert b"".join(file.read_bytes() for file in files) == written(ours)
    assert "token.reuse_detected" in actions("cognito", written(ours))
    times = [file.stat().st_mtime_ns for file in files]
    take_apart(tmp_path / "trail", lines)
    assert [file.stat().st_mtime_ns for file in sorted(lines.iterdir())] == times
