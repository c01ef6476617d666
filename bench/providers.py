"""Logs of other providers than Keycloak, made of native events: lines that these providers wrote, with other values in them.

A line is that of a real server (``tests/providers/data``) or, of servers that only their owners can run, of the parser's testcases.
What stands there as client, user, address, user agent and time becomes the native event's; identifiers of requests and tokens are
new in each line, those of realms stay. A native action that the log never tells takes any line of its outcome, or else any. Lines that are no event are left out, since
native logs have none. Hydra's spans have many events a line: these are one client's and user's.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

import parsers
from parsers.contract import OUTCOMES, Event, events_of
from tests.providers import truth

SEED: Final = 20261201
NOW_MS: Final = 1_900_000_000_000
_TESTCASES: Final = Path(parsers.__file__).parent / "mapping" / "testcases"


class Log(NamedTuple):
    """Where lines of a provider's log are to be had."""

    parser: str
    read: Callable[[], bytes]


def _of_testcases(name: str) -> Log:
    return Log(f"mapping:{name}", (_TESTCASES / f"{name}-operations" / "input.jsonl").read_bytes)


def _real(parser: str, server: str, name: str) -> Log:
    return Log(parser, lambda: truth.read(server, name))


LOGS: Final = {
    "hydra, log": _real("hydra", "hydra-26.2.0", "A.log"),
    "hydra, spans": _real("hydra", "hydra-26.2.0", "A.otlp"),
    "oidc-provider": _real("oidc_provider", "oidc-provider-9.13.3", "A.log"),
    "authelia, JSON": _real("authelia", "authelia-4.39.20", "A.log"),
    "authelia, text": _real("authelia", "authelia-4.39.20", "T.log"),
    "mapping:dex": _real("mapping:dex", "dex-2.45.1", "A.log"),
    "mapping:django": _real("mapping:django_oauth_toolkit", "django-oauth-toolkit-3.4.1", "A.log"),
    **{f"mapping:{name}": _of_testcases(name) for name in ("auth0", "cognito", "duende", "entra", "okta", "pingam")},
}

_CHANGING: Final = (
    rb"(?P<date>20\d\d-\d\d-\d\d)(?P<between>[T ])(?P<clock>\d\d:\d\d:\d\d)(?P<fraction>[.,]\d+)?"
    rb'|(?P<nanoseconds>(?<=Nano":")\d{19})|(?P<milliseconds>(?<="time":)\d{13}\b)'
    rb"|(?P<hex>\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b|\b[0-9a-f]{16}\b)"
)
_HEX: Final = re.compile(rb"[0-9a-f]+")


class Template(NamedTuple):
    """A line in pieces: what stays, and by turns the kind and the text of what changes."""

    pieces: list[tuple[str, bytes]]
    events: int


@cache
def _templates(form: str) -> dict[str, list[Template]]:
    """Return the lines of a log that are events: by the first one's action, by its outcome, and by "" all."""
    log = LOGS[form]
    lines = log.read().splitlines()
    found: dict[str, list[Template]] = {}
    for line, outcome in zip(lines, parsers.find(log.parser).parse(b"\n".join(lines), NOW_MS), strict=True):
        events = [Event(*row) for row in events_of(outcome)]
        if events:
            template = Template(list(_pieces(line, events)), len(events))
            for key in (events[0].tags.action, events[0].tags.outcome, ""):
                found.setdefault(key, []).append(template)
    return found


def _pieces(line: bytes, events: list[Event]) -> Iterator[tuple[str, bytes]]:
    said = {name: {getattr(event, name) for event in events} for name in ("user_id", "ip", "user_agent")}
    said |= {name: {getattr(event.tags, name) for event in events} for name in ("client_id", "realm")}
    texts = [
        b"(?P<%s>(?<=[\"'=])(?:%s)(?=[\"':\\s]))"
        % (name.encode(), b"|".join(re.escape(value.encode()) for value in values if value))
        for name, values in said.items()
        if any(values)
    ]
    end = 0
    for match in re.compile(b"|".join([*texts, _CHANGING])).finditer(line):
        yield "", line[end : match.start()]
        yield from ((kind, text) for kind, text in match.groupdict().items() if text is not None)
        end = match.end()
    yield "", line[end:]


def write(form: str, native: Iterable[bytes]) -> bytes:
    """Return lines with as many events as there are native lines, or the few more that a last line of many has."""
    draw = random.Random(SEED)
    templates = _templates(form)
    lines, events = [], 0
    for number, line in enumerate(native):
        if events <= number:
            record = orjson.loads(line)
            action = record["action"]
            template = draw.choice(templates.get(action) or templates.get(OUTCOMES[action]) or templates[""])
            values = _values(record)
            lines.append(b"".join([_changed(kind, text, values, draw) for kind, text in template.pieces]))
            events += template.events
    return b"\n".join(lines) + b"\n"


def _values(record: dict[str, Any]) -> dict[str, bytes]:
    details = record["details"]
    milliseconds = round(datetime.fromisoformat(record["created_at"]).timestamp() * 1000)
    texts = {
        "client_id": details["client_id"],
        "user_id": record["user_id"] or "somebody",
        "ip": details["ip_address"],
        "user_agent": details["user_agent"],
        "date": record["created_at"][:10],
        "clock": record["created_at"][11:19],
        "milliseconds": str(milliseconds),
        "nanoseconds": f"{milliseconds}000000",
    }
    return {name: text.encode() for name, text in texts.items()}


def _changed(kind: str, text: bytes, values: dict[str, bytes], draw: random.Random) -> bytes:
    if kind == "fraction":
        return text[:1] + b"%0*d" % (len(text) - 1, draw.randrange(10 ** (len(text) - 1)))
    if kind == "hex":
        return _HEX.sub(lambda found: b"%0*x" % (len(found[0]), draw.getrandbits(4 * len(found[0]))), text)
    return values.get(kind, text)
