"""Put envelopes around the lines of a log, as those write them that do so in the field (``parsers.envelopes``)."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson

TIME: Final = "2026-11-01T09:30:00.123456789Z"
_JOURNAL: Final = {
    "__CURSOR": "s=0b1f7c3a2d9e4f0d8a6b5c4d3e2f1a0b;i=1a2b3c;b=5d4c3b2a19084756;m=8d1f5a2c;t=64a1f0b7c3d2e;x=9f8e7d6c5b4a3921",
    "__REALTIME_TIMESTAMP": "1793525400123456",
    "__MONOTONIC_TIMESTAMP": "2367642156",
    "_BOOT_ID": "5d4c3b2a190847565d4c3b2a19084756",
    "_MACHINE_ID": "0b1f7c3a2d9e4f0d8a6b5c4d3e2f1a0b",
    "_HOSTNAME": "idp1",
    "PRIORITY": "6",
    "SYSLOG_FACILITY": "3",
    "SYSLOG_IDENTIFIER": "token-endpoint",
    "_TRANSPORT": "stdout",
    "_STREAM_ID": "9f8e7d6c5b4a39219f8e7d6c5b4a3921",
    "_PID": "4711",
    "_UID": "987",
    "_GID": "987",
    "_COMM": "endpoint",
    "_EXE": "/usr/bin/endpoint",
    "_CMDLINE": "/usr/bin/endpoint --config /etc/endpoint.toml",
    "_SYSTEMD_CGROUP": "/system.slice/endpoint.service",
    "_SYSTEMD_UNIT": "endpoint.service",
    "_SYSTEMD_SLICE": "system.slice",
    "_SYSTEMD_INVOCATION_ID": "1a2b3c4d5e6f70819203a4b5c6d7e8f9",
}


def docker(line: bytes) -> bytes:
    """Return a line of Docker's json-file."""
    return orjson.dumps({"log": line.decode() + "\n", "stream": "stdout", "time": TIME})


def cri(line: bytes) -> bytes:
    """Return a line of containerd's or CRI-O's."""
    return f"{TIME} stdout F ".encode() + line


def syslog(line: bytes) -> bytes:
    """Return a line as rsyslog writes it."""
    return b"Nov  1 09:30:00 idp1 token-endpoint[4711]: " + line


def rfc5424(line: bytes) -> bytes:
    """Return a line of syslog as it is sent."""
    return b'<14>1 2026-11-01T09:30:00.123456Z idp1 token-endpoint 4711 audit [x@1 a="b"] ' + line


def journald(line: bytes) -> bytes:
    """Return a line of ``journalctl --output=json``."""
    return orjson.dumps({**_JOURNAL, "MESSAGE": line.decode()})


def fluentbit(line: bytes) -> bytes:
    """Return a line of Fluent Bit's, in Kubernetes."""
    pod = {
        "pod_name": "endpoint-7d9f8b6c5-x2k4q",
        "namespace_name": "auth",
        "container_name": "endpoint",
        "host": "node-3",
    }
    return orjson.dumps({"time": TIME, "stream": "stdout", "log": line.decode(), "kubernetes": pod})


def filebeat(line: bytes) -> bytes:
    """Return a line of Filebeat's."""
    agent = {"type": "filebeat", "version": "8.15.0", "id": "9f8e7d6c-5b4a-3921-9f8e-7d6c5b4a3921"}
    log = {"offset": 123456, "file": {"path": "/var/log/endpoint/audit.log"}}
    return orjson.dumps({"@timestamp": TIME, "agent": agent, "log": log, "message": line.decode()})


def collector(line: bytes) -> bytes:
    """Return an object that has the line as an object in it."""
    return b'{"host":"idp1","file":"/var/log/endpoint/audit.log","json":' + line + b"}"


ENVELOPES: Final[tuple[Callable[[bytes], bytes], ...]] = (
    docker,
    cri,
    syslog,
    rfc5424,
    journald,
    fluentbit,
    filebeat,
    collector,
)


def write(path: Path, lines: Path, envelope: Callable[[bytes], bytes]) -> None:
    """Write the lines of another file in an envelope."""
    with lines.open("rb") as plain, path.open("wb") as wrapped:
        wrapped.writelines(envelope(line.removesuffix(b"\n")) + b"\n" for line in plain)
