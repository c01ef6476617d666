"""Lines as container runtimes, syslog daemons and collectors write them: what was one line may be several.

Runtimes give each line a time of its own, so no two are equal.
"""

import itertools
import json
from collections.abc import Callable
from typing import Final

PART_BYTES: Final = 16_384
TIME: Final = "2026-11-01T09:30:00.123456789Z"
_COUNT: Final = itertools.count()
Wrap = Callable[[bytes], bytes]
r"""Takes a line without its ``\n``, returns lines that all have one."""


def parts(line: bytes, size: int = PART_BYTES) -> list[bytes]:
    """Cut a line where runtimes do; it is never nothing."""
    return [line[start : start + size] for start in range(0, len(line), size)] or [b""]


def _time() -> str:
    return f"2026-11-01T09:30:00.{next(_COUNT) % 10**9:09}Z"


def docker_line(text: str, stream: str = "stdout") -> bytes:
    """One line of Docker's json-file, escaped as Go does it."""
    encoded = json.dumps({"log": text, "stream": stream, "time": _time()}, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        encoded = encoded.replace(char, f"\\u{ord(char):04x}")
    return encoded.encode() + b"\n"


def docker(line: bytes, stream: str = "stdout") -> bytes:
    *heads, last = (part.decode(errors="replace") for part in parts(line))
    return b"".join(docker_line(head, stream) for head in heads) + docker_line(last + "\n", stream)


def cri(line: bytes, stream: str = "stdout") -> bytes:
    *heads, last = parts(line)
    tagged = [(b"P", head) for head in heads] + [(b"F", last)]
    return b"".join(f"{_time()} {stream} ".encode() + tag + b" " + text + b"\n" for tag, text in tagged)


def journald(line: bytes) -> bytes:
    """``journalctl -o json``: bytes where the line is no plain text, parts of 48 KiB of what is longer (``LineMax``)."""
    *heads, last = parts(line, 48 << 10)
    entries = [(head, {"_LINE_BREAK": "line-max"}) for head in heads] + [(last, {})]
    return b"".join(_journal_entry(text, more) for text, more in entries)


def _journal_entry(text: bytes, more: dict[str, str]) -> bytes:
    try:
        message: object = text.decode()
    except UnicodeDecodeError:
        message = list(text)
    entry = {
        "_STREAM_ID": "8f1c",
        **more,
        "__REALTIME_TIMESTAMP": str(1793525400000000 + next(_COUNT)),
        "PRIORITY": "6",
        "MESSAGE": message,
    }
    return json.dumps(entry).encode() + b"\n"


def around(before: bytes, after: bytes = b"") -> Wrap:
    return lambda line: before + line + after + b"\n"


def within(key: str, **others: object) -> Wrap:
    """A collector's object with the line as a text in it."""
    return lambda line: json.dumps({**others, key: line.decode()}).encode() + b"\n"


SYSLOG: Final[dict[str, Wrap]] = {
    "traditional": around(b"Nov  1 09:30:00 idp1 oidc[123]: "),
    "traditional with a mark": around(b"Nov 21 09:30:00 idp1 keycloak[8777]: \xef\xbb\xbf"),
    "priority": around(b"<14>Nov  1 09:30:00 idp1 oidc: "),
    "no host": around(b"<14>Nov  1 09:30:00 oidc[7]: "),
    "busybox": around(b"Nov  1 09:30:00 idp1 daemon.info oidc[7]: "),
    "rsyslog": around(b"2026-11-01T09:30:00.123456+00:00 idp1 oidc[123]: "),
    "short-iso": around(b"2026-11-01T09:30:00+0000 idp1 oidc[123]: "),
    "cee": around(b"Nov  1 09:30:00 idp1 oidc: @cee: "),
    "rfc 5424": around(b"<14>1 2026-11-01T09:30:00.651+00:00 vm keycloak 8777 org.keycloak.events - \xef\xbb\xbf"),
    "structured data": around(b'<14>1 - - oidc - - [a@1 b="\\"]\\\\" c="x y"][d@2] '),
    "octets counted": around(b"812 <14>1 2026-11-01T09:30:00Z idp1 oidc 12 ID1 - "),
    "ends escaped": around(b"Nov  1 09:30:00 idp1 oidc[123]: ", b"#015#012"),
}
COLLECTORS: Final[dict[str, Wrap]] = {
    "fluentd": within("log", stream="stdout", time=TIME, kubernetes={"pod_name": "x"}),
    "fluent-bit": within("log", date=1793525400.1),
    "filebeat": within("message", **{"@timestamp": TIME, "agent": {}, "log": {"offset": 1}, "input": {}}),
    "logstash": within("message", **{"@timestamp": TIME, "@version": "1", "host": "h"}),
    "vector": within("message", file="/x", host="h", source_type="file", timestamp=TIME),
    "gelf": within("short_message", version="1.1", host="h", level=6, _extra=1),
    "cloud logging, text": within("textPayload", logName="x", insertId="y", timestamp=TIME),
    "cloud logging, object": around(b'{"insertId":"y","jsonPayload":', b',"logName":"x"}'),
    "splunk": within("_raw", _time="1", host="h", sourcetype="json"),
    "splunk's events": around(b'{"time":1,"host":"h","event":', b"}"),
    "json": around(b'{"host":"h","json":', b"}"),
    "payload": around(b'{"payload": ', b', "topic": "audit"}'),
    "json as text": within("json", host="h"),
    "sequence": around(b"\x1e"),
    "string": lambda line: json.dumps(line.decode()).encode() + b"\n",
    "compose": around(b"idp-1  | "),
    "kubectl": around(b"[pod/idp-0/idp] "),
    "timestamps": around(b"2026-11-01T09:30:00.123456789Z "),
}
FOR_OBJECTS: Final = frozenset(
    {"cloud logging, object", "splunk's events", "json", "payload", "json as text", "string", "compose", "timestamps"}
)
"""Those that have a JSON object in them, or are known by it."""
RUNTIMES: Final[dict[str, Wrap]] = {"docker": docker, "cri": cri, "journald": journald}
"""Those that split long lines."""
ALL: Final = {**RUNTIMES, **SYSLOG, **COLLECTORS}
