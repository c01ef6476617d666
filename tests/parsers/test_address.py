"""The rightmost untrusted hop, in canonical text, or nothing."""

import time
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.address import client_address, networks

TRUSTED = networks(["10.0.0.0/8", "192.0.2.7", "2001:db8:ffff::/48"])
ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)


def plain(address: IPv4Address | IPv6Address) -> str:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


@given(ADDRESSES, st.integers(0, 65535))
def test_any_way_of_writing_an_address_is_that_address(address: IPv4Address | IPv6Address, port: int) -> None:
    ways = [str(address), f" {address}\t", address.exploded, address.exploded.upper()]
    ways += [f"[{address}]", f"[{address}]:{port}"] if address.version == 6 else [f"{address}:{port}"]
    assert {client_address(way) for way in ways} == {plain(address)}


@given(st.text() | st.text(st.sampled_from("0123456789abf:.,[]%/ -"), max_size=30))
def test_what_comes_out_is_an_address(text: str) -> None:
    found = client_address(text, TRUSTED)
    assert found is None or str(ip_address(found)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what a client sends stands further left
        ("198.51.100.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("198.51.100.1,203.0.113.9:4711,[2001:db8:ffff::1]:80,192.0.2.7", "203.0.113.9"),
        ("10.0.0.1, 10.0.0.2", "10.0.0.1"),  # all ours: it began inside
        ("198.51.100.1, unknown, 10.0.0.2", None),  # who was before our proxy is not known
        ("unknown, 203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1, 203.0.113.9, ::ffff:10.0.0.2", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8:0:0::0001", "2001:db8::1"),
    ],
)
def test_hops(text: str, found: str | None) -> None:
    assert client_address(text, TRUSTED) == found


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",", "unknown", "_hidden", "localhost", "203.0.113", "203.0.113.256", "203.0.113.09", "1", "0x7f.1"),
        *("203.0.113.9/24", "203.0.113.9:", "203.0.113.9:x", "[203.0.113.9", "203.0.113.9,", "[]", "[::1", "::1]:80"),
        *("\u0661.1.1.1", "203.0.113.9\n", "x" * 5000, "1:" * 3000),
    ],
)
def test_no_address(text: str) -> None:
    assert client_address(text) is None


def test_an_endless_list_costs_little() -> None:
    start = time.process_time()
    assert client_address("203.0.113.9," + "10.0.0.1," * 100_000 + "10.0.0.2", TRUSTED) is None
    assert time.process_time() - start < 1


def test_without_trusted_proxies_the_last_hop_counts() -> None:
    assert client_address("203.0.113.9, 10.1.2.3") == "10.1.2.3"


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/40"):
        networks(["10.0.0.0/40"])
