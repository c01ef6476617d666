"""Finding parsers: ours by folder, other people's by entry point; detection asks them line by line."""

import json
from collections.abc import Callable, Mapping
from importlib import metadata
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

import parsers
from ingestor.config.settings import ErrorRule
from parsers.checked import CheckedParser
from parsers.contract import BLANK, IGNORED, EventRow, Outcome, Parser, Reason, Rejection, Tags
from parsers.detection import DetectingParser
from parsers.envelopes.parser import EnvelopeParser
from parsers.native import NativeParser
from tests.support.installed import install_parser
from tests.support.several import SeveralParser, events, line, record

NOW_MS = 1_793_600_000_000
NATIVE = json.dumps(
    {"created_at": "2026-11-01T09:30:00.123Z", "action": "token.refreshed", "resource_id": "web-app"}
).encode()
EVENT: EventRow = (
    *(0, "", Tags("token.revoked", "b", "", "", "", "success", "")),
    *(None, None, None, None, None, None, None),
)


class Semicolons:
    """A provider whose lines are ``event;...``, ``ignored;...`` or not its own."""

    name = "semicolons"
    version = "3"
    options = ("errors", "trusted_proxies")

    def __init__(self, errors: object = None, trusted_proxies: object = ()) -> None:
        self.given = (errors, trusted_proxies)

    @property
    def counts(self) -> Mapping[str, int]:
        return {"addresses_invalid": 1}

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        assert now_ms == NOW_MS
        return [self._read(line) for line in data.removesuffix(b"\n").split(b"\n")]

    def redact(self, line: bytes) -> str:
        return f"semicolons {len(line)}"

    @staticmethod
    def _read(line: bytes) -> Outcome:
        if line.startswith(b"event;"):
            return EVENT
        return IGNORED if line.startswith(b"ignored;") else Rejection(Reason.INVALID_JSON, "no semicolon")


def checked(parser: EnvelopeParser) -> CheckedParser:
    assert isinstance(parser.parser, CheckedParser)
    return parser.parser


@pytest.fixture
def other_people(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(EntryPoint, "load", lambda _: Semicolons)

    def install(name: str) -> None:
        install_parser(tmp_path, name, "somewhere:Semicolons")

    return install


def test_ours_are_found_by_their_folder() -> None:
    assert parsers.names()[0] == "native"
    assert isinstance(checked(parsers.find("native")).parser, NativeParser)


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(LookupError, match=r"no parser named 'keycloack': there are auto, native"):
        parsers.find("keycloack")


@pytest.mark.parametrize(
    "options",
    [
        {"trusted_proxies": ["proxy.example"]},
        {"errors": {"slow": ErrorRule("slow")}},
        {"errors": {"slow": ErrorRule("slow_down", "token.refreshed")}},
    ],
)
def test_a_bad_option_is_a_value_error(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"proxy\.example|'slow': 'slow'|'slow': 'token\.refreshed'"):
        parsers.find("native", **options)


def test_alone_native_is_what_auto_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsers, "names", lambda: ["native"])
    assert isinstance(checked(parsers.find("auto")).parser, NativeParser)


def test_other_peoples_are_found_and_get_the_options(other_people: Callable[[str], None]) -> None:
    other_people("semicolons")
    assert parsers.names()[-1] == "semicolons"
    parser = checked(parsers.find("semicolons", errors={}, trusted_proxies=("10.0.0.0/8",), newer=1)).parser
    assert isinstance(parser, Semicolons)
    assert parser.given == ({}, ("10.0.0.0/8",))
    everybody = parsers.find("auto").parser
    assert isinstance(everybody, DetectingParser)
    assert [each.name for each in everybody.parsers] == parsers.names()


def test_what_is_installed_while_tokentail_runs_is_found_and_nothing_is_asked_twice(
    other_people: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Mock(wraps=entry_points)
    monkeypatch.setattr(metadata, "entry_points", asked)
    other_people("semicolons")
    assert parsers.names() == parsers.names()
    assert asked.call_count == 1
    other_people("colons")
    assert parsers.names()[-2:] == ["colons", "semicolons"]
    assert asked.call_count == 2


def test_other_people_cannot_replace_ours(other_people: Callable[[str], None]) -> None:
    other_people("native")
    assert parsers.names().count("native") == 1
    assert isinstance(checked(parsers.find("native")).parser, NativeParser)
    (problem,) = parsers.problems()
    assert "'native' is tokentail's own" in problem


def test_detection_is_by_line() -> None:
    parser = DetectingParser([NativeParser(), Semicolons()])
    foreign = NATIVE.replace(b"token.refreshed", b"user.login")
    data = b"\n".join([NATIVE, b"event;1", b"", b"ignored;", b"rubbish", foreign, b"event;2", NATIVE])
    outcomes = parser.parse(data, NOW_MS)
    (native,) = NativeParser().parse(NATIVE, NOW_MS)
    not_json = outcomes[4]
    assert outcomes == [native, EVENT, BLANK, IGNORED, not_json, IGNORED, EVENT, native]
    assert isinstance(not_json, Rejection)
    assert not_json.detail.startswith("not JSON")  # the first provider's reason stands
    assert parser.parse(data + b"\n", NOW_MS) == outcomes
    assert [parser.parse(line + b"\n", NOW_MS)[0] for line in data.split(b"\n")] == outcomes


def test_several_events_of_a_line_are_events_to_detection() -> None:
    parser = DetectingParser([NativeParser(), SeveralParser(), Semicolons()])
    several = line(record(), record("token.revoked"))
    outcomes = parser.parse(several + b"\nevent;1\n" + NATIVE, NOW_MS)
    assert outcomes[0] == SeveralParser().parse(several, NOW_MS)[0]
    assert len(events(outcomes[0])) == 2
    assert outcomes[1:] == [EVENT, NativeParser().parse(NATIVE, NOW_MS)[0]]
    assert parser.provider_of(several, NOW_MS) == "several"


def test_all_whom_detection_asks_decide() -> None:
    native, semicolons = NativeParser(), Semicolons()
    parser = DetectingParser([native, semicolons])
    assert parser.version == f"native {native.version}, semicolons 3"
    assert set(parser.options) == {*native.options, *semicolons.options}
    assert DetectingParser([semicolons, native]).version != parser.version


def test_detection_names_the_provider_of_a_line() -> None:
    native, semicolons = NativeParser(), Semicolons()
    parser = DetectingParser([native, semicolons])
    named: dict[bytes, Parser] = {
        NATIVE: native,
        b"event;1": semicolons,
        b"ignored;": semicolons,
        b"rubbish": native,
        b"": native,
    }
    for written, provider in named.items():
        assert parser.provider_of(written, NOW_MS) == provider.name


def test_detection_adds_counts_up_and_redacts_as_the_first() -> None:
    native = NativeParser()
    parser = DetectingParser([native, Semicolons()])
    native.counts.update(addresses_invalid=2, redacted_jwt=1)
    assert parser.counts == {"addresses_invalid": 3, "redacted_jwt": 1}
    assert parser.redact(b'{"password":"x"}') == native.redact(b'{"password":"x"}')
