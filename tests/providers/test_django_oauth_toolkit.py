"""A real django-oauth-toolkit 3.4.1 on Django 5.2, and what was done to it; and the middleware of our page."""

import json
import logging
import sys
import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import pytest

import parsers
from parsers.contract import Event, Outcome, Rejection, events_of
from tests.docs.markdown import ROOT, blocks
from tests.providers.truth import operations, read, told

SERVER: Final = "django-oauth-toolkit-3.4.1"
LOG: Final = read(SERVER, "A.log")
OPERATIONS: Final = operations(SERVER, "A", "json/A.log")
NOT_IN_THE_LOG: Final = {
    "code_reused": "The library says invalid_grant of every code, without a description.",
    "code_wrong": "The same.",
    "code_expired": "The same.",
    "pkce_wrong_verifier": "The same.",
    "refresh_reused": "The library says invalid_grant of every refresh token, without a description.",
    "refresh_expired": "The same.",
}
PARSERS: Final = ("mapping:django_oauth_toolkit", "auto")


def parsed(parser: str) -> list[Outcome]:
    return parsers.find(parser).parse(LOG, time.time_ns() // 1_000_000)


@pytest.mark.parametrize("parser", PARSERS)
def test_every_operation_that_the_log_can_show_comes_out_exactly(parser: str) -> None:
    outcomes = parsed(parser)
    wrong = [each for each in OPERATIONS if told(outcomes, each) != each.expected]
    assert {each.name for each in wrong} == set(NOT_IN_THE_LOG)
    for each in wrong:
        assert told(outcomes, each) == [("token.validation_failed", "failure", "invalid_grant")]


@pytest.mark.parametrize("parser", PARSERS)
def test_nothing_is_rejected(parser: str) -> None:
    """But by ``auto`` a date, which Django's server for development prints: it may be anybody's."""
    lines = read(SERVER, "A.log").split(b"\n")
    rejected = [line for line, outcome in zip(lines, parsed(parser), strict=False) if isinstance(outcome, Rejection)]
    assert rejected == ([b"November 29, 2026 - 22:56:14"] if parser == "auto" else [])


def test_who_asked_is_told() -> None:
    outcomes = parsed("auto")
    for each in OPERATIONS:
        for row in (row for ordinal in each.lines for row in events_of(outcomes[ordinal])):
            event = Event(*row)
            assert event.ip == each.sent["ip"]
            assert event.user_agent
            assert event.expires_in == each.sent.get("expires_in")
            if each.name in {"code_ok", "refresh_ok", "password_ok"}:
                assert (event.tags.client_id, event.user_id) == (each.sent["client"], each.sent["user"])


# The middleware of docs/django-oauth-toolkit.md, without Django


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the page's module defines."""
    page = (ROOT / "docs/django-oauth-toolkit.md").read_text("utf-8")
    for name in ("django", "django.dispatch", "oauth2_provider", "oauth2_provider.signals", "pythonjsonlogger"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    jsonlogger = ModuleType("pythonjsonlogger.json")
    monkeypatch.setitem(sys.modules, "pythonjsonlogger.json", jsonlogger)
    monkeypatch.setattr(sys.modules["django.dispatch"], "receiver", lambda _: lambda f: f, raising=False)
    monkeypatch.setattr(sys.modules["oauth2_provider.signals"], "app_authorized", None, raising=False)
    monkeypatch.setattr(jsonlogger, "JsonFormatter", logging.Formatter, raising=False)
    defined: dict[str, Any] = {}
    exec(compile(blocks(page, "python")[0].text, "site_audit.py", "exec"), defined)  # noqa: S102 - our own page
    return SimpleNamespace(**defined)


def line_of(
    site: SimpleNamespace, caplog: pytest.LogCaptureFixture, respond: Callable[[Any], tuple[int, bytes]], **request: Any
) -> bytes:
    """Return the line that the middleware writes of a request, as the page's formatter does."""
    asked = SimpleNamespace(
        **{"method": "POST", "headers": {}, "META": {"REMOTE_ADDR": "203.0.113.9"}, "POST": {}, **request}
    )

    def get_response(request: Any) -> SimpleNamespace:
        status, content = respond(request)
        return SimpleNamespace(status_code=status, content=content)

    with caplog.at_level(logging.INFO, "audit"):
        site.audit_middleware(get_response)(asked)
    record = caplog.records[-1]
    written = site.UtcFormatter().formatTime(record)
    plain = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime"}
    extra = {key: value for key, value in record.__dict__.items() if key not in plain}
    return json.dumps({"asctime": written, "levelname": record.levelname, "name": record.name, **extra}).encode()


def test_what_the_page_has_people_write_is_read(site: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    def issue(request: Any) -> tuple[int, bytes]:
        token = SimpleNamespace(user=SimpleNamespace(get_username=lambda: "alice"))
        site.remember_user(sender=None, request=request, token=token)
        return 200, b'{"access_token":"made-up-token","scope":"read write","expires_in":300}'

    line = line_of(
        site,
        caplog,
        issue,
        path="/o/token/",
        headers={"Authorization": "Basic d2ViLWFwcDptYWRlLXVwLXNlY3JldA==", "User-Agent": "curl/8"},
        POST={"grant_type": "authorization_code", "code": "made-up-code"},
    )
    assert b"made-up" not in line
    (outcome,) = parsers.find().parse(line, time.time_ns() // 1_000_000)
    event = Event(*events_of(outcome)[0])
    assert event.tags.action == "token.issued.authorization_code"
    assert (event.tags.client_id, event.user_id, event.ip) == ("web-app", "alice", "203.0.113.9")
    assert (event.scopes, event.expires_in, event.user_agent) == ("read write", 300, "curl/8")
    assert abs(event.time_ms - time.time() * 1000) < 60_000


@pytest.mark.parametrize("content", [b'{"error":"invalid_client"}', b"<html>", b"[]"])
def test_a_refusal_is_read_whatever_the_answer_holds(
    site: SimpleNamespace, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    line = line_of(site, caplog, lambda _: (401, content), path="/o/device-authorization/", POST={"client_id": "tv"})
    (outcome,) = parsers.find().parse(line, time.time_ns() // 1_000_000)
    event = Event(*events_of(outcome)[0])
    assert (event.tags.action, event.tags.endpoint, event.tags.client_id) == ("token.validation_failed", "device", "tv")


def test_other_pages_of_the_site_are_not_logged(site: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(IndexError):
        line_of(site, caplog, lambda _: (200, b""), path="/shop/")
