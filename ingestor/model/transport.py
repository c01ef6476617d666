"""Whether others can read what is sent to a server."""

import ipaddress
from urllib.parse import urlsplit


def is_unencrypted(url: str) -> bool:
    """Whether what is sent to this address leaves the machine, and without TLS."""
    return url.startswith("http://") and not _is_loopback(urlsplit(url).hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761
