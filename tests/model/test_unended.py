"""What may still become of a line whose end is not there yet."""

import json

import pytest

from ingestor.model.unended import may_become_object

OBJECT: dict[str, object] = {
    "a": 'é"\n',
    "b": [1, -2.5e-3, True, None, {"c": {}}],
    "created_at": "2026-11-01T09:30:00Z",
}


@pytest.mark.parametrize("ascii_only", [True, False])
def test_every_beginning_of_an_object_may_become_one_until_it_has_ended(ascii_only: bool) -> None:
    whole = json.dumps(OBJECT, ensure_ascii=ascii_only).encode()
    assert [end for end in range(len(whole) + 1) if not may_become_object(whole[:end])] == [len(whole)]


@pytest.mark.parametrize("before", [b"", b"\0\0\0", b"\xef\xbb\xbf", b" \t"])
def test_what_may_stand_before_an_object_changes_nothing(before: bytes) -> None:
    assert may_become_object(before + b'{"created_')


@pytest.mark.parametrize(
    "header",
    [
        b"2026-11-01T09:30:00.123456789Z stdout F ",
        b"Nov  1 09:30:00 idp1 oidc[123]: ",
        b'<14>1 2026-11-01T09:30:00Z idp1 oidc 12 ID1 [a b="c"] \xef\xbb\xbf',
        b"2026-11-01T09:30:00+01:00 idp1 oidc: ",
        b"Nov  1 09:30:00 idp1 docker[7]: 2026-11-01T09:30:00Z stdout P ",
    ],
)
def test_an_object_begins_behind_a_header_which_may_be_cut_as_well(header: bytes) -> None:
    whole = header + json.dumps(OBJECT).encode()
    assert [end for end in range(len(whole) + 1) if not may_become_object(whole[:end])] == [len(whole)]


@pytest.mark.parametrize(
    "line",
    [
        b"2026-11-01T09:30:00Z stdout F plain text",
        b"Nov  1 09:30:00 idp1 oidc[123]: plain text",
        b"2026-11-01 09:30:00 INFO  plain text",
        b'{"a": 1}{"a": 2}',
        b'{"a": 1}\r{"a": 2',
        b'{"a": 1}\r',
        b'{"a": 1} {',
        b"{'a': 1",
        b'{"a" 1',
        b'{"a": nul1',
        b"[{",
        b"plain text",
        b'{"a":' * 5000 + b"[" * 200_000,
    ],
)
def test_what_has_ended_or_gone_wrong_stays_so(line: bytes) -> None:
    assert not may_become_object(line)
