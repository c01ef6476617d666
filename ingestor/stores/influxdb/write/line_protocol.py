r"""Points as InfluxDB line protocol, in nanoseconds.

``token_events,<tags> events=1i,<fields> <time>``: tags in key order, which spares the server a sort; fields in the order of
``points.POINT_COLUMNS``, integers always with their ``i``, because a field's first point fixes its type for ever. What
delimits is escaped here. What no escaping makes safe (line breaks; backslashes in tags, which InfluxDB 1.x and 2.x read
otherwise than 3.x) the parsers' normal form has already replaced; tags are normalised once more, since ``source`` and
``host`` come from elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from ingestor.model.finding import FIELDS as FINDING_FIELDS
from ingestor.model.finding import MEASUREMENT as FINDINGS
from ingestor.model.finding import RAISED_MEASUREMENT as RAISED
from ingestor.model.finding import TAGS as FINDING_TAGS
from ingestor.model.finding import StoredFinding
from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.points import MEASUREMENT, Point, Series, SeriesTable
from parsers.text import normal_tag

MAX_FRAGMENTS: Final = 20_000
MAX_FRAGMENT_CHARS: Final = 300
"""Bounds of what is remembered of a field: a hostile log, all of whose user agents differ, costs about 8 MB each."""

_TAG_ESCAPES: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})


def encode_point(point: Point, series: Series) -> str:
    """Return the line of a point, without a line end."""
    return _line(_prefix(series), point)


def _line(prefix: str, point: Point) -> str:
    time, _, user_id, ip, user_agent, scopes, client, expires_in, fraction, event_id, error_detail = point
    return (
        f"{prefix}{_text('user_id', user_id)}{_text('ip', ip)}{_text('user_agent', user_agent)}"
        f"{_text('scopes', scopes)}{_text('client', client)}{_integer('expires_in', expires_in)}"
        f"{_text('fraction', fraction)}{_text('event_id', event_id)}{_text('error_detail', error_detail)} {time}"
    )


class Encoder:
    """Encodes batches of one series table. A log says the same few things all the time, so what was written is remembered."""

    def __init__(self, table: SeriesTable) -> None:
        self._table = table
        self._prefixes: dict[int, str] = {}
        self._user_ids: dict[str | None, str] = {}
        self._ips: dict[str | None, str] = {}
        self._user_agents: dict[str | None, str] = {}
        self._scopes: dict[str | None, str] = {}
        self._lifetimes: dict[int | None, str] = {}

    def encode(self, points: Sequence[Point]) -> bytes:
        r"""Return one line a point, each ended by ``\n``: the lines of ``encode_point``."""
        # The hot loop: local names, exact dicts and one f-string a line.
        prefixes, user_ids, ips = self._prefixes, self._user_ids, self._ips
        user_agents, scopes_, lifetimes = self._user_agents, self._scopes, self._lifetimes
        lines: list[str] = []
        add = lines.append
        for point in points:
            time, series, user_id, ip, user_agent, scopes, client, expires_in, fraction, event_id, error_detail = point
            # These do not repeat or are rare: in most lines the id alone is there.
            rest = "" if fraction is None else f',fraction="{fraction}"'
            if event_id is not None:
                rest += (
                    _text("event_id", event_id) if '"' in event_id or "\\" in event_id else f',event_id="{event_id}"'
                )
            if error_detail is not None:
                rest += _text("error_detail", error_detail)
            try:
                add(
                    f"{prefixes[series]}{user_ids[user_id]}{ips[ip]}{user_agents[user_agent]}{scopes_[scopes]}"
                    f"{'' if client is None else _text('client', client)}{lifetimes[expires_in]}{rest} {time}\n"
                )
            except KeyError:
                add(self._encode_new(point) + "\n")
        self._forget()
        return "".join(lines).encode()

    def _encode_new(self, point: Point) -> str:
        _, number, user_id, ip, user_agent, scopes, _, expires_in, _, _, _ = point
        prefix = self._prefixes.get(number)
        if prefix is None:
            prefix = self._prefixes[number] = _prefix(self._table.by_number[number])
        for fragments, key, value in (
            (self._user_ids, "user_id", user_id),
            (self._ips, "ip", ip),
            (self._user_agents, "user_agent", user_agent),
            (self._scopes, "scopes", scopes),
        ):
            if value not in fragments:
                fragment = _text(key, value)
                if len(fragment) <= MAX_FRAGMENT_CHARS:
                    fragments[value] = fragment
        self._lifetimes[expires_in] = _integer("expires_in", expires_in)
        return _line(prefix, point)

    def _forget(self) -> None:
        for fragments in (self._user_ids, self._ips, self._user_agents, self._scopes, self._lifetimes):
            if len(fragments) > MAX_FRAGMENTS:
                fragments.clear()


def encode_finding(finding: StoredFinding) -> str:
    """Return the line of a finding, without a line end. Fields are in the order of ``finding.FIELDS``."""
    values = finding._asdict()
    fields = (
        _integer(name, value) if isinstance(value, int) else _text(name, value)
        for name, value in values.items()
        if name in FINDING_FIELDS
    )
    tags = {name: values[name] for name in FINDING_TAGS}
    return f"{FINDINGS}{tag_set(tags)} {''.join(fields)[1:]} {finding.time}"


def encode_raised(finding: StoredFinding, title: str) -> tuple[str, int]:
    """Return the line, without a line end, of the severity that a finding has come to, and its time."""
    alone = finding.raised_from is not None
    tags = {
        "addresses": finding.raised_from or "",
        "client_id": finding.true_client if alone else finding.client_id,
        "finding": finding.id if alone else "",
        "host": finding.host,
        "pattern": finding.pattern,
        "realm": finding.realm,
        "severity": finding.severity,
        "title": title,
    }
    fields = (("events", finding.events), ("first_seen", finding.first_seen), ("last_seen", finding.last_seen))
    written = "".join(_integer(name, value) for name, value in fields)[1:]
    at = finding.raised * MILLISECOND_SLOTS + finding.time % MILLISECOND_SLOTS
    return f"{RAISED}{tag_set(tags)} {written} {at}", at


def tag_set(tags: Mapping[str, str]) -> str:
    """Return tags as they stand behind the measurement; they must be in key order. Empty ones are absent."""
    return "".join(f",{key}={tag}" for key, value in tags.items() if (tag := _tag(value)))


def _prefix(series: Series) -> str:
    return f"{MEASUREMENT}{tag_set(series._asdict())} events=1i"


def _tag(value: str) -> str:
    return normal_tag(value).translate(_TAG_ESCAPES)


def _text(key: str, value: str | None) -> str:
    if value is None:
        return ""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f',{key}="{escaped}"'


def _integer(key: str, value: int | None) -> str:
    return "" if value is None else f",{key}={value}i"
