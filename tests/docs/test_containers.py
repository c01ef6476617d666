"""The page on containers and collectors: each line that it shows is the same event, and each envelope that is known has its place."""

import parsers
from parsers.envelopes import kinds
from parsers.envelopes.kinds import Envelope
from parsers.envelopes.records import MOST_BETWEEN
from tests.docs.markdown import PAGES, blocks

PAGE = PAGES["docs/containers.md"].read_text("utf-8")
NOW_MS = 1_800_000_000_000
LINES = [line.encode() for block in blocks(PAGE, "text") for line in block.text.splitlines()]


def test_every_line_is_the_same_event_in_an_envelope_of_its_own() -> None:
    parser = parsers.find("auto")
    outcomes = parser.parse(b"\n".join(LINES), NOW_MS)
    assert outcomes[0].__class__ is tuple
    assert outcomes == outcomes[:1] * len(LINES)
    named = [parser.named(line, NOW_MS) for line in LINES]
    assert all(name.startswith("native in ") for name in named)
    assert {"native in docker", "native in cri", "native in syslog", "native in journald"} <= set(named)


def test_every_program_that_puts_lines_into_envelopes_is_named() -> None:
    others = {"cri": "Kubernetes", "cloud-logging": "Google Cloud Logging", "gelf": "Graylog", "fluentd": "Fluent Bit"}
    without_name = {"collector", "json-seq", "json-string", "prefix"}
    shorts = {value.short for value in vars(kinds).values() if isinstance(value, Envelope)} - without_name
    assert [short for short in shorts if others.get(short, short).lower() not in PAGE.lower()] == []


def test_the_limits_are_those_of_the_code() -> None:
    assert f"more than {MOST_BETWEEN} lines of the container's other stream" in PAGE
