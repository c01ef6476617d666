"""InfluxDB's reasons are read in one place, whatever was asked; nobody else's text passes for one."""

import pytest

from ingestor.stores.influxdb.client.error_body import error_message, own_words


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":"database not found: \\"x\\""}\n', 'database not found: "x"'),  # 1.x
        (b'{"code":"not found","message":"bucket \\"x/raw\\" not found"}', 'bucket "x/raw" not found'),  # 2.x
        ('{"code":"invalid","message":"as text"}', "as text"),
    ],
)
def test_both_major_versions_say_why(body: bytes | str, message: str) -> None:
    assert error_message(body) == message
    assert own_words(body) == message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>sign in</html>",
        b"[]",
        b'"error"',
        b'{"message":"of a proxy"}',
        b'{"error":""}',
        b'{"error":7}',
        b"{}",
    ],
)
def test_what_is_not_of_influxdb_is_no_reason(body: bytes) -> None:
    assert error_message(body) is None
    assert own_words(body) == ""


def test_what_is_shown_is_printable_and_short() -> None:
    shown = own_words('{"error":"\\u001b[31mred' + "ü" * 10_000 + '"}')
    assert shown.isprintable()
    assert len(shown.encode()) <= 300
