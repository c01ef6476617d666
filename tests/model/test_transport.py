import pytest

from ingestor.model.transport import is_unencrypted


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1:8086",
            "http://127.8.8.8",
            "http://[::1]:8086",
            "http://localhost:8086",
            "http://db.localhost",
        ),
        "https://influx.example",
    ],
)
def test_what_stays_on_this_machine_or_has_tls_is_read_by_nobody_else(url: str) -> None:
    assert not is_unencrypted(url)


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:8086", "http://influx.example", "http://localhost.example", "http://"]
)
def test_what_goes_through_a_network_in_the_clear_is_told(url: str) -> None:
    assert is_unencrypted(url)
