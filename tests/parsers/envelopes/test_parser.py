"""The parser before all others keeps the contract of parsers, and asks other people's for what they read by themselves."""

from collections.abc import Mapping
from typing import Any

import pytest

import parsers
from parsers.contract import BLANK, IGNORED, EventRow, Outcome, Reason, Rejection, Tags
from parsers.envelopes.parser import EnvelopeParser
from parsers.native import NativeParser
from parsers.testing import check_parser
from tests.support.enveloped import ALL, PART_BYTES, Wrap, cri, docker, docker_line, parts

NOW_MS = 1_793_600_000_000
EVENT = b'{"created_at":"2026-11-01T09:30:00.1Z","action":"token.revoked","details":{"client_id":"web"}}'
OTHER = b'{"created_at":"2026-11-01T09:30:00.1Z","action":"user.login","details":{"client_id":"web"}}'
ROW: EventRow = (
    *(0, "", Tags("token.revoked", "b", "", "", "", "success", "")),
    *(None, None, None, None, None, None, None),
)


class DockerReader:
    """A parser of somebody who has taken Docker's wrapper off by himself, and knows words besides."""

    name = "docker-reader"
    version = "7"
    options = ()
    counts: Mapping[str, int] = {"seen": 3}

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        assert now_ms == NOW_MS
        lines = data.removesuffix(b"\n").split(b"\n")
        self.asked += lines
        return [
            ROW if b'"log":"mine' in line or line == b"word" else Rejection(Reason.INVALID_JSON, "") for line in lines
        ]

    def redact(self, line: bytes) -> str:
        return line.decode()


def native(**options: Any) -> EnvelopeParser:
    return parsers.find("native", **options)


@pytest.mark.parametrize("name", ["docker", "cri", "rfc 5424", "vector"])
def test_it_keeps_the_contract(name: str) -> None:
    events, others = (ALL[name](line).removesuffix(b"\n") for line in (EVENT, OTHER))
    check_parser(native, [events], [others, EVENT + b"x"], secrets=name == "docker")


def test_what_it_says_of_itself_is_the_parsers_but_for_the_version() -> None:
    inner = DockerReader()
    parser = EnvelopeParser(inner, is_ours=False)
    assert (parser.name, parser.options, parser.counts) == ("docker-reader", (), {"seen": 3})
    assert parser.version.startswith("7 ")
    assert parser.version != EnvelopeParser(NativeParser(), is_ours=True).version


def test_a_line_that_other_peoples_parsers_read_is_theirs_as_it_stands() -> None:
    mine, words, neither = docker_line("mine\n"), docker(b"word"), docker(b"nothing")
    parser = EnvelopeParser(DockerReader(), is_ours=False)
    for data in (mine + words + neither, words + mine + neither, neither + words + mine):
        outcomes = dict(zip(data.splitlines(keepends=True), parser.parse(data, NOW_MS), strict=True))
        assert outcomes[mine] == outcomes[words] == ROW
        assert isinstance(outcomes[neither], Rejection)


def test_ours_are_not_asked_for_a_line_with_its_envelope() -> None:
    inner = DockerReader()
    EnvelopeParser(inner, is_ours=True).parse(docker(b"word") + cri(b"word"), NOW_MS)
    assert inner.asked == [b"word", b"word"]


def test_an_envelope_around_nothing_is_no_blank_line() -> None:
    blank = b"\n"
    data = cri(b"") + docker(b" ") + blank + cri(EVENT)
    assert native().parse(data, NOW_MS) == [IGNORED, IGNORED, BLANK, *native().parse(EVENT, NOW_MS)]
    assert native().parse(blank + data, NOW_MS)[1:] == native().parse(data, NOW_MS)
    assert native().parse(docker(b"") + docker(EVENT), NOW_MS) == [IGNORED, *native().parse(EVENT, NOW_MS)]


@pytest.mark.parametrize("wrap", [docker, cri])
def test_a_record_without_its_end_is_rejected_once(wrap: Wrap) -> None:
    lines = wrap(b"x" * PART_BYTES * 3).splitlines(keepends=True)
    assert len(lines) == len(parts(b"x" * PART_BYTES * 3)) == 3
    event = wrap(EVENT)
    for data in (b"".join(lines[:2]), b"".join(lines[:2]) + EVENT + b"\n", event + lines[0] + lines[1]):
        outcomes = native().parse(data, NOW_MS)
        rejected = [outcome for outcome in outcomes if isinstance(outcome, Rejection)]
        assert [rejection.reason for rejection in rejected] == [Reason.SPLIT_RECORD]
        assert outcomes.count(IGNORED) == 1
        assert len(outcomes) == data.count(b"\n")


def test_a_rejected_record_shows_the_text_of_all_its_parts() -> None:
    line = EVENT.replace(b"revoked", b"unheard_of").replace(b"web", b"w" * 30_000)
    assert native().redact(docker(line).removesuffix(b"\n")) == native().redact(line)
    beginning = docker(line).splitlines()[0]
    assert native().redact(beginning) == native().redact(line[:PART_BYTES])
