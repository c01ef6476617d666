"""Where an event comes from and with what, told apart as coarsely as harmless changes need it."""

import functools
import ipaddress
import re
from typing import Final

_NUMBERS: Final = re.compile(r"[0-9]+(?:[._][0-9]+)*")


@functools.lru_cache(4096)
def network_of(ip: str) -> str:
    """Return the network of an address in normal form: /24 of IPv4, /48 of IPv6.

    A machine that starts anew or a home that connects again gets another address there. Mobile networks go beyond it.
    """
    if ":" in ip:
        return _network_of_v6(ip)
    return f"{ip.rpartition('.')[0]}.0/24"


@functools.lru_cache(4096)
def product_of(user_agent: str) -> str:
    """Return a user agent without its numbers: an update of a browser or of a library is no other one."""
    return _NUMBERS.sub("", user_agent)


def _network_of_v6(ip: str) -> str:
    try:
        return str(ipaddress.ip_network((ip, 48), strict=False))
    except ValueError:
        return ip
