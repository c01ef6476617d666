"""What is taken off a line, and what is not: real servers' lines, near misses, damaged and hostile ones."""

import time
from pathlib import Path

import pytest
import zstandard

import parsers
from parsers.contract import Reason, Rejection
from parsers.damage import damaged
from parsers.envelopes import kinds
from parsers.envelopes.kinds import Envelope
from parsers.envelopes.parser import LEFT_OUT, SPLIT
from parsers.envelopes.quick import unwrapped
from parsers.envelopes.records import records, whole
from parsers.envelopes.taking import taken_off
from tests.support.enveloped import ALL, COLLECTORS, RUNTIMES, SYSLOG, journald

REAL = Path(__file__).parent / "data"
NOW_MS = 1_793_600_000_000
EVENT = b'{"created_at":"2026-11-01T09:30:00.1Z","action":"token.revoked","details":{"client_id":"web"}}'
NATIVE = parsers.find("native")
KINDS = sorted(value for value in vars(kinds).values() if isinstance(value, Envelope))


def real(name: str) -> bytes:
    return zstandard.decompress((REAL / f"{name}.log.zst").read_bytes())


def texts(data: bytes) -> list[bytes]:
    return [record.text for record in records([taken_off(line) for line in data.splitlines()])]


@pytest.mark.parametrize("runtime", ["docker", "cri"])
def test_what_keycloak_wrote_is_there_again_to_the_byte(runtime: str) -> None:
    """Two of these records are longer than 16 KiB."""
    data = real(f"keycloak-21.1.2-{runtime}")
    assert texts(data) == real("keycloak-21.1.2-plain").splitlines()
    ends = [end for end in range(len(data) + 1) if end == len(data) or data[end : end + 1] == b"\n"]
    wholes = {whole(data[: end + 1]) for end in ends}
    assert len(wholes) == len(texts(data))  # no block ends within a record


def test_what_keycloak_sent_to_syslog_is_there_without_the_header() -> None:
    data = real("keycloak-26.7.3-syslog")
    assert b"#012" in data
    mark = b"\xef\xbb\xbf"
    assert texts(data) == [line.partition(mark)[2] for line in data.splitlines()]


@pytest.mark.parametrize("name", ALL)
def test_an_envelope_is_named(name: str) -> None:
    shorts = {"docker": "docker", "cri": "cri", "journald": "journald", **dict.fromkeys(SYSLOG, "syslog")}
    named = NATIVE.named(ALL[name](EVENT).removesuffix(b"\n"), NOW_MS)
    assert named.startswith("native in ")
    assert name in COLLECTORS or named == f"native in {shorts[name]}"


def test_two_envelopes_are_named_from_within() -> None:
    line = SYSLOG["rsyslog"](RUNTIMES["docker"](EVENT).removesuffix(b"\n")).removesuffix(b"\n")
    assert NATIVE.named(line, NOW_MS) == "native in docker in syslog"
    assert NATIVE.named(EVENT, NOW_MS) == "native"
    assert NATIVE.redact(line) == NATIVE.redact(EVENT)


@pytest.mark.parametrize(
    "line",
    [
        b'{"log":"x","stream":"stdout","time":"t","level":1,"client":"web"}',
        b'{"log":{"file":"x"},"stream":"stdout","time":"t"}',
        b'{"timestamp":"2026-11-29T22:24:15Z","loggerName":"org.keycloak.events","message":"type=\\"LOGIN\\""}',
        b'{"@timestamp":"2026-11-29T22:24:15Z","ecs.version":"1.2","log.level":"INFO","message":"{}"}',
        b'{"level":"info","message":"a token was issued","timestamp":"2026-11-01T09:30:00Z"}',
        b'{"created_at":"2026-11-01T09:30:00Z","action":"user.login","payload":{"a":1}}',
        b'{"level":30,"time":1793525400123,"pid":7,"hostname":"h","msg":"{}"}',
        b'{"log_id":"9","data":{"date":"2026-11-01","type":"seacft"}}',
        b"2026-11-29 22:24:59,651 INFO  [org.keycloak.events] (executor-thread-1) type=LOGIN: {}",
        b"2026-11-01T09:30:00.123Z stdout X text",
        b"2026-11-01T09:30:00.123Z stdin F text",
        b"2026-11-01T09:30:00Z ERROR: no host here",
        b"<14>2 2026-11-01T09:30:00Z idp1 oidc 12 - - version two",
        b"<14>1 2026-11-01T09:30:00Z idp1 oidc 12 - [no end x",
        b"Note that nobody: has written this",
        b'"a text that holds no object"',
        b"name | text",
        b"INFO 09:30 audit - {}",
        b"",
        b"{",
        b'"',
    ],
)
def test_what_only_resembles_an_envelope_stays(line: bytes) -> None:
    assert taken_off(line) is None


def test_a_line_is_one_line_whatever_is_in_it() -> None:
    """Nothing in a text can begin another line, nor another event."""
    forged = EVENT.replace(b"web", b"victim")
    (outcome,) = NATIVE.parse(journald(b"a line\n" + forged + b"\nand more"), NOW_MS)
    assert isinstance(outcome, Rejection)
    (outcome,) = NATIVE.parse(SYSLOG["traditional"](b"a line#012" + forged), NOW_MS)
    assert isinstance(outcome, Rejection)
    pretty = EVENT.replace(b",", b",\n ").replace(b"{", b"{\n ")
    assert NATIVE.parse(journald(pretty), NOW_MS) == NATIVE.parse(EVENT, NOW_MS)
    assert NATIVE.parse(SYSLOG["traditional"](pretty.replace(b"\n", b"#012")), NOW_MS) == NATIVE.parse(EVENT, NOW_MS)


def test_journalds_bytes_are_a_text_and_null_is_a_reason_of_its_own() -> None:
    entry = b'{"__REALTIME_TIMESTAMP":"1","_STREAM_ID":"a","MESSAGE":%s}'
    assert NATIVE.parse(entry % str(list(EVENT)).encode(), NOW_MS) == NATIVE.parse(EVENT, NOW_MS)
    assert NATIVE.parse(entry % b"null", NOW_MS) == [LEFT_OUT]
    for message in (b"[256]", b'["a",1]', b"1", b"{}", b"[[[", b"true"):
        (outcome,) = NATIVE.parse(entry % message, NOW_MS)
        assert isinstance(outcome, Rejection)
        assert outcome.reason is not Reason.SPLIT_RECORD


def test_parts_of_a_text_within_another_envelope_that_splits_are_not_put_together() -> None:
    first, last = b"2026-11-01T09:30:00Z stdout P " + EVENT[:40], b"2026-11-01T09:30:00Z stdout F " + EVENT[40:]
    broken, rest = NATIVE.parse(RUNTIMES["docker"](first) + RUNTIMES["docker"](last), NOW_MS)
    assert broken == SPLIT
    assert rest.__class__ is not tuple


def test_collectors_say_which_lines_are_parts() -> None:
    half = len(EVENT) // 2
    fluentd = [
        b'{"log":"%s","source":"stdout","partial_message":"true","partial_id":"a","partial_last":"%s"}' % (text, last)
        for text, last in ((escaped(EVENT[:half]), b"false"), (escaped(EVENT[half:]), b"true"))
    ]
    fluent_bit = [
        b'{"time":"t","stream":"stdout","logtag":"%s","log":"%s"}' % (tag, text)
        for tag, text in ((b"P", escaped(EVENT[:half])), (b"F", escaped(EVENT[half:])))
    ]
    for first, last in (fluentd, fluent_bit):
        assert whole(first + b"\n") == 0
        assert NATIVE.parse(first + b"\n" + last + b"\n", NOW_MS)[1:] == NATIVE.parse(EVENT, NOW_MS)


def escaped(text: bytes) -> bytes:
    return text.replace(b'"', b'\\"')


def test_the_quick_way_of_many_lines_is_the_same() -> None:
    lines = [line for wrap in ALL.values() for line in damaged([wrap(EVENT).removesuffix(b"\n")]) if b"\n" not in line]
    agreed = 0
    for line in lines:
        taken = taken_off(line)
        for envelope in KINDS:
            if (found := unwrapped(envelope, [line])) is not None:
                assert taken is not None
                assert taken.text is not None
                assert (len(taken.envelopes), taken.text + b"\n", taken.more) == (1, found, False)
                agreed += 1
    assert agreed > len(ALL)


@pytest.mark.parametrize("name", ALL)
def test_ours_make_no_event_of_a_line_in_an_envelope(name: str) -> None:
    """So they need not be asked for it before the envelope is taken off."""
    for provider in set(parsers.names()):
        raw = parsers.find(provider).parser
        assert not any(outcome.__class__ is tuple for outcome in raw.parse(ALL[name](EVENT), NOW_MS))


@pytest.mark.parametrize("size", [20_000, 200_000])
@pytest.mark.parametrize(
    "piece",
    [
        *(
            b'{"log":',
            b'{"log":"',
            b"[",
            b"<1>1 ",
            b'<1>1 - - - - - [a b="',
            b"2026-11-01T09:30:00Z stdout P ",
            b" x: ",
        ),
        *(b'\\"', b"#012", b"\0", b"a=b ", b"Nov  1 09:30:00 ", b'"', b"\x1e", b"\xef\xbb\xbf", b'{"a":'),
    ],
)
def test_hostile_lines_cost_what_their_length_is(piece: bytes, size: int) -> None:
    lines = [
        *(head + piece * (size // len(piece)) for head in (b"", b"<14>1 - - - - - ", b"Nov  1 09:30:00 ")),
        *(
            b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":"' + piece * (size // len(piece)),
            b"<1>1 - a b c d [x " + piece * 9000,
        ),
    ]
    start = time.process_time()
    for line in lines:
        taken_off(line)
        NATIVE.redact(line)
    assert time.process_time() - start < 1
