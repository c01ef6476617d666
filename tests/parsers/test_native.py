"""The native parser as a whole: blocks of any size and mixture, options, counts."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from parsers.contract import BLANK, IGNORED, Event, Reason, Rejection
from parsers.native import NativeParser
from parsers.records import CHUNK_BYTES

NOW_MS = 1_793_600_000_000


def line(number: int = 0, **details: Any) -> bytes:
    record = {
        "id": f"evt_{number}",
        "created_at": f"2026-11-01T09:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z",
        "action": "token.refreshed",
        "user_id": f"u-{number % 7}",
        "details": {"client_id": "web-app", "user_agent": "x" * 300, **details},
    }
    return json.dumps(record, ensure_ascii=False).encode()


@pytest.mark.parametrize("end", [b"\n", b""], ids=["whole", "half line at the end"])
def test_a_block_of_many_pieces_is_its_lines(end: bytes) -> None:
    lines = [line(number) for number in range(1000)]
    lines[10] = b""
    lines[300] = b'{"broken'
    lines[301] = b"x" * (CHUNK_BYTES * 2)
    lines[600] = line(600, user_agent="\N{SNOWMAN}" * 100)
    lines[700] = b'{"action":"user.login"}'
    lines[800] = b"\xff"
    block = b"\n".join(lines) + end
    assert len(block) > 5 * CHUNK_BYTES
    outcomes = NativeParser().parse(block, NOW_MS)
    assert outcomes == [NativeParser().parse(each or b"\n", NOW_MS)[0] for each in lines]
    assert outcomes[10] is BLANK
    assert outcomes[700] is IGNORED
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Rejection)] == [
        *(Reason.INVALID_JSON, Reason.INVALID_JSON, Reason.INVALID_UTF8)
    ]
    assert sum(outcome.__class__ is tuple for outcome in outcomes) == 995


@pytest.mark.parametrize("size", [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_a_line_break_may_stand_anywhere_around_the_end_of_a_piece(size: int) -> None:
    first = line()
    first += b" " * (size - len(first) - 1) + b"\n"
    assert len(first) == size
    outcomes = NativeParser().parse(first + line(1) + b"\n\n" + line(2), NOW_MS)
    assert [outcome if outcome is BLANK else Event(*outcome).event_id for outcome in outcomes] == [  # type: ignore[misc]
        *("evt_0", "evt_1", BLANK, "evt_2")
    ]


def test_an_empty_block_has_no_lines() -> None:
    assert NativeParser().parse(b"", NOW_MS) == []
    assert NativeParser().parse(b"\n", NOW_MS) == [BLANK]
    assert NativeParser().parse(b"\n\r\n", NOW_MS) == [BLANK, BLANK]


def test_bytes_that_are_skipped_are_checked_too() -> None:
    good, bad = line(), line(note="x").replace(b'"x"', b'"\xff"')
    assert NativeParser().parse(b"\n".join([good, bad, good]), NOW_MS)[1] == Rejection(
        Reason.INVALID_UTF8, f"not UTF-8 at byte {bad.index(0xFF)}"
    )


def test_what_was_left_out_is_counted_each_time() -> None:
    parser = NativeParser()
    block = b"\n".join([line(ip_address="unknown", error="Bearer dGhpcyBpcyBz", user_agent="a code=1x&code=2x")] * 3)
    parser.parse(block, NOW_MS)
    parser.parse(block, NOW_MS)
    assert parser.counts == {"addresses_invalid": 6, "redacted_credential": 6, "redacted_secret": 12}


@pytest.mark.parametrize("key", ["id", "user_id", "client_id", "realm", "error", "user_agent", "scopes"])
def test_a_redaction_counts_once_a_line_whatever_way_it_goes(key: str) -> None:
    parser = NativeParser()
    record = json.loads(line())
    (record if key in {"id", "user_id"} else record["details"])[key] = "pass\u200bword=x1"
    leak = json.dumps(record).encode()
    for _ in range(2):  # then the rest of the line is known, and it goes the quick way
        parser.parse(b"\n".join([line(), leak, leak, leak.replace(b":00Z", b":00.5Z")]), NOW_MS)
    assert parser.counts == {"redacted_secret": 6}


@pytest.mark.parametrize(
    "options",
    [
        {"errors": {"x": SimpleNamespace(error="no_such_error", action=None)}},
        {"errors": {"x": SimpleNamespace(error="invalid_grant", action="token.refreshed")}},
        {"errors": {"x": SimpleNamespace(error="invalid_grant", action="token.suspicious")}},
        {"trusted_proxies": ["10.0.0.0/33"]},
    ],
)
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no_such_error|token\.|10\.0\.0\.0/33"):
        NativeParser(**options)
