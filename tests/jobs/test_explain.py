from typing import Final

import orjson

from ingestor.jobs.explain import Explainer, Explanation
from ingestor.model.identity import generation_hash, point_time
from parsers.contract import BLANK, IGNORED, EventRow, Outcome, Reason, Rejection, Tags
from parsers.envelopes.parser import EnvelopeParser

NOW: Final = 1_793_526_000_000
H: Final = generation_hash(b"first")
TAGS: Final = Tags("token.refreshed", "web", "token", "", "refresh_token", "success", "")


def event(client: str, fraction: str | None = None) -> EventRow:
    tags = TAGS._replace(client_id=client)
    return (1_793_525_400_123, fraction, tags, "u-1", "203.0.113.9", None, "openid", 3600, "e-1", None)


class WordParser:
    """A parser whose lines are words: what becomes of each is known."""

    name = "words"
    version = "1"
    options = ()

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        assert now_ms == NOW
        known: dict[bytes, Outcome] = {
            b"": BLANK,
            b"ignore": IGNORED,
            b"broken": Rejection(Reason.WRONG_TYPE, "details.scopes"),
        }
        lines = data.removesuffix(b"\n").split(b"\n")
        return [known[line] if line in known else self._events(line.decode().split("+")) for line in lines]

    @staticmethod
    def _events(clients: list[str]) -> Outcome:
        return [event(client) for client in clients] if len(clients) > 1 else event(clients[0])

    def redact(self, line: bytes) -> str:
        return f"<{line.decode()}>"


def explained(data: bytes, *, ordinal: int = 0, clients: int = 10) -> list[Explanation]:
    explainer = Explainer(
        EnvelopeParser(WordParser(), is_ours=True),
        source="s",
        host="h",
        clients=clients,
        failing_clients=0,
        realms=1,
        failing_realms=0,
    )
    return list(explainer.explain(data, h=H, ordinal=ordinal, now_ms=NOW))


def test_every_line_but_a_blank_one_is_explained_in_order() -> None:
    lines = explained(b"web\n\nbroken\nignore\nweb", ordinal=7)
    assert [(line.ordinal, line.result, line.reason) for line in lines] == [
        (7, "event", None),
        (9, "rejected", "wrong_type"),
        (10, "ignored", "not_a_token_action"),
        (11, "event", None),
    ]
    assert [line.text for line in lines] == ["<web>", "<broken>", "<ignore>", "<web>"]


def test_the_json_has_the_designed_keys_and_no_others() -> None:
    event_line, rejected = (line.as_json() for line in explained(b"web\nbroken\n"))
    assert list(event_line) == list(rejected) == ["result", "parser", "rule", "reason", "event", "point", "findings"]
    assert orjson.loads(orjson.dumps(rejected)) == {
        "result": "rejected",
        "parser": "words",
        "rule": None,
        "reason": "wrong_type",
        "event": None,
        "point": None,
        "findings": [],
    }
    assert list(event_line["event"]) == [
        *("time", "action", "outcome", "client_id", "user_id", "grant_type", "scopes", "ip", "user_agent", "error"),
        *("error_detail", "expires_in", "event_id", "realm", "endpoint", "source", "host"),
    ]
    assert event_line["event"]["time"] == "2026-11-01T09:30:00.123Z"
    assert event_line["event"]["realm"] is None


def test_the_point_is_the_one_that_the_daemon_would_store() -> None:
    (line,) = explained(b"web\n", ordinal=3)
    assert line.point is not None
    assert line.point.startswith("token_events,action=token.refreshed,client_id=web,endpoint=token,")
    assert line.point.endswith(f" {point_time(1_793_525_400_123, None, H, 3)}")


def test_each_event_of_a_line_is_explained() -> None:
    first, second, third = explained(b"web\nweb+api\n")
    assert [line.ordinal for line in (first, second, third)] == [0, 1, 1]
    assert second.text == third.text == "<web+api>"
    assert second.event is not None
    assert third.event is not None
    assert (second.event.client_id, third.event.client_id) == ("web", "api")
    assert second.point is not None
    assert third.point is not None
    assert second.point.endswith(f" {point_time(1_793_525_400_123, None, H, 1, 0)}")
    assert third.point.endswith(f" {point_time(1_793_525_400_123, None, H, 1, 1)}")


def test_a_client_beyond_the_budget_shows_its_true_name_in_the_event_and_other_in_the_point() -> None:
    _, second = explained(b"web\nlate\n", clients=1)
    assert second.event is not None
    assert second.point is not None
    assert second.event.client_id == "late"
    assert "client_id=_other" in second.point
    assert 'client="late"' in second.point


def test_an_over_long_line_is_rejected_with_the_bound() -> None:
    parser = EnvelopeParser(WordParser(), is_ours=True)
    explainer = Explainer(parser, source="s", host="h", clients=1, failing_clients=0, realms=1, failing_realms=0)
    line = explainer.too_long(b"head", ordinal=4, limit=1024, now_ms=NOW)
    assert (line.result, line.reason, line.detail, line.ordinal) == (
        "rejected",
        "line_too_long",
        "more than 1024 bytes",
        4,
    )
