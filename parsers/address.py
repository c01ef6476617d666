"""The address of a client, from what an endpoint wrote about it."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_HOP: Final = re.compile(r"\[([^\]]{1,64})\](?::[0-9]{1,5})?|([0-9.]{7,15}):[0-9]{1,5}")
"""``[v6]``, ``[v6]:port`` and ``v4:port``; anything else is an address by itself or none."""
_HOP_CHARS: Final = 80
_HOPS: Final = 100
"""No request comes through more proxies; the list is as long as its sender likes."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks (``10.0.0.0/8``, a single address too). Raises ValueError for what is none."""
    return tuple(ip_network(text, strict=False) for text in texts)


def client_address(text: str, trusted: Iterable[Network] = ()) -> str | None:
    """Return the canonical text of the rightmost untrusted hop, or None when that is no address.

    ``text`` is an address or a list of them as ``X-Forwarded-For`` carries it: every proxy appends the address it saw,
    so only what our own (trusted) proxies wrote is true, and everything further left is the client's invention. When
    every hop is trusted the request began inside, at the leftmost. Ports, brackets and zones are dropped; an IPv4
    address in IPv6 clothes (``::ffff:192.0.2.1``) is the IPv4 address.
    """
    trusted = tuple(trusted)
    address: Address | None = None
    for hop in reversed(text.rsplit(",", _HOPS)):
        address = _hop(hop)
        if address is None:
            return None
        if not any(address in network for network in trusted):
            break
    return None if address is None else str(address)


def _hop(text: str) -> Address | None:
    text = text.strip(" \t")
    if len(text) > _HOP_CHARS:
        return None
    match = _HOP.fullmatch(text)
    if match:
        text = match[1] or match[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.version == 6 and address.ipv4_mapped) or address
