"""Whom the configuration leaves out: networks and user agents that are known to be harmless."""

import functools
import ipaddress
from typing import TypeAlias

from ingestor.detectors.contract import Options
from parsers.contract import Event
from parsers.wildcards import matches

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_allowed(event: Event, options: Options) -> bool:
    """Whether an event is one that the options leave out."""
    if not options.user_agents and not options.networks:
        return False
    agent = event.user_agent or ""
    if any(agent == each if "*" not in each else matches(agent, each.split("*")) for each in options.user_agents):
        return True
    return bool(options.networks and event.ip) and _is_in(event.ip or "", options.networks)


@functools.lru_cache(4096)
def _is_in(ip: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return any(address in network for network in _networks(networks))


@functools.lru_cache(256)
def _networks(written: tuple[str, ...]) -> list[_Network]:
    return [ipaddress.ip_network(network, strict=False) for network in written]
