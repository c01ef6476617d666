"""All of design section 7 in plain Python, one event at a time: slow, and meant to be right by reading it.

It shares no code with the stores (``ingestor.model.statistics`` least of all), only the shapes of questions and answers. It
answers the questions itself, so a test reads ``answers.stats(...) == oracle.stats(...)``.

An event is a mapping: the keys of ``tokentail events --json`` (a missing key is None), ``time_ns`` (the point's time in
nanoseconds: what periods and the order compare) and ``client_tag`` (the tag, when it is not ``client_id``: ``_other``).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from ingestor.model.points import Series
from ingestor.model.questions import AnalyticsRow, Filters, PeakCell, Period, Ranked, Record, Stats
from parsers.contract import EventRow, Tags

Event = Mapping[str, Any]

_SECOND = 1_000_000_000
_TAGS = ("action", "client_tag", "endpoint", "error", "grant_type", "host", "outcome", "realm", "source")


class Oracle:
    """Answers over a list of events. Implements ``ingestor.model.questions.Answers``."""

    def __init__(self, events: Iterable[Event]) -> None:
        keys = {*Record._fields, "time_ns", "client_tag"}
        self._events: list[dict[str, Any]] = [{key: event.get(key) for key in keys} for event in events]
        for event in self._events:
            event["client_tag"] = event["client_tag"] or event["client_id"]

    def stats(self, period: Period, filters: Filters) -> Stats:
        events = self._matching(period, filters)
        issued = [e for e in events if e["action"].startswith("token.issued.")]
        refreshed = [e for e in events if e["action"] == "token.refreshed"]
        failures = [e for e in events if e["outcome"] == "failure"]

        at_token = [e for e in events if e["endpoint"] in (None, "token")]
        failed_attempts = [e for e in at_token if e["outcome"] == "failure"]
        good_attempts = [
            e for e in at_token if e["action"].startswith("token.issued.") or e["action"] == "token.refreshed"
        ]

        by_refresh_token = refreshed + [e for e in issued if e["action"] == "token.issued.refresh_token"]
        by_code = [e for e in issued if e["action"] == "token.issued.authorization_code"]

        granted = issued + refreshed
        lifetimes = [e["expires_in"] for e in granted if e["expires_in"] is not None]

        return Stats(
            total_issued=len(issued),
            total_refreshed=len(refreshed),
            total_failed=sum(_like_token_failed(e["action"]) for e in events),
            total_expired=sum(e["action"] == "token.expired" for e in events),
            total_rate_limited=sum(e["action"] == "token.rate_limited" for e in events),
            total_reused=sum(e["action"] == "token.reuse_detected" for e in events),
            total_failures=len(failures),
            userinfo_accesses=sum(e["action"] == "token.userinfo_accessed" for e in events),
            unique_users=len({e["user_id"] for e in events if e["user_id"] is not None}),
            unique_clients=len({(e["realm"], e["client_id"]) for e in events if e["client_id"]}),
            without_client=sum(e["client_id"] is None for e in events),
            failure_rate=_share(len(failed_attempts), len(failed_attempts) + len(good_attempts)),
            refresh_usage_rate=_share(len(by_refresh_token), len(by_refresh_token) + len(by_code)),
            average_token_lifetime_seconds=_share(sum(lifetimes), len(lifetimes)),
            token_lifetime_coverage=_share(len(lifetimes), len(granted)),
            by_action=_by(events, lambda e: e["action"]),
            by_grant_type=_by(events, lambda e: e["grant_type"]),
            by_client=_by(events, _realm_and_name),
            by_error=_by(events, lambda e: e["error"]),
        )

    def activity(self, period: Period, filters: Filters, limit: int) -> list[Record]:
        events = sorted(self._matching(period, filters), key=lambda e: (-e["time_ns"], _series(e)))
        return [_record(e) for e in events[:limit]]

    def events(self, period: Period, filters: Filters) -> Iterator[Record]:
        yield from (
            _record(e) for e in sorted(self._matching(period, filters), key=lambda e: (e["time_ns"], _series(e)))
        )

    def rows(self, period: Period) -> Iterator[tuple[Series, EventRow]]:
        for event in sorted(self._matching(period, Filters()), key=lambda e: (e["time_ns"], _series(e))):
            values = {key: value or "" for key, value in event.items()}
            tags = Tags(**{name: values[name] for name in Tags._fields})
            series = Series(**{name: values["client_tag" if name == "client_id" else name] for name in Series._fields})
            second, _, fraction = event["time"].removesuffix("Z").partition(".")
            seconds = int(datetime.fromisoformat(f"{second}+00:00").timestamp())
            yield (
                series,
                (
                    seconds * 1000 + int(fraction[:3].ljust(3, "0")),
                    None if len(fraction) == 3 else fraction,
                    tags,
                    event["user_id"],
                    event["ip"],
                    event["user_agent"],
                    event["scopes"],
                    event["expires_in"],
                    event["event_id"],
                    event["error_detail"],
                ),
            )

    def top_clients(self, period: Period, filters: Filters, limit: int) -> list[Ranked]:
        groups: dict[tuple[str | None, str | None], list[Event]] = {}
        for e in self._matching(period, filters):
            groups.setdefault((e["client_id"], e["realm"]), []).append(e)
        ranked = [_ranked(name, realm, group) for (name, realm), group in groups.items()]
        return sorted(ranked, key=lambda r: (-r.events, r.name or "", r.realm or ""))[:limit]

    def top_users(self, period: Period, filters: Filters, limit: int) -> list[Ranked]:
        groups: dict[str, list[Event]] = {}
        for e in self._matching(period, filters):
            if e["user_id"] is not None:
                groups.setdefault(e["user_id"], []).append(e)
        ranked = [_ranked(name, None, group) for name, group in groups.items()]
        return sorted(ranked, key=lambda r: (-r.events, r.name or ""))[:limit]

    def peak(self, period: Period, filters: Filters, zone: str) -> list[PeakCell]:
        cells: Counter[tuple[int, int]] = Counter()
        for e in self._matching(period, filters):
            local = _local(e, zone)
            cells[local.weekday(), local.hour] += 1
        return [PeakCell(*cell, events) for cell, events in sorted(cells.items())]

    def analytics(self, period: Period, filters: Filters, zone: str) -> list[AnalyticsRow]:
        rows: Counter[tuple[str, str, str | None, str | None]] = Counter()
        for e in self._matching(period, filters):
            rows[_local(e, zone).date().isoformat(), e["action"], e["client_id"], e["grant_type"]] += 1
        ordered = sorted(rows.items(), key=lambda row: tuple(part or "" for part in row[0]))
        return [AnalyticsRow(*key, count) for key, count in ordered]

    def _matching(self, period: Period, filters: Filters) -> list[dict[str, Any]]:
        return [e for e in self._events if period.since <= e["time_ns"] < period.until and _matches(e, filters)]


def _matches(event: Event, filters: Filters) -> bool:
    if filters.client is not None and filters.client not in (event["client_tag"] or "", event["client_id"] or ""):
        return False
    wanted = {
        "realm": filters.realm,
        "user_id": filters.user,
        "action": filters.action,
        "outcome": filters.outcome,
        "error": filters.error,
        "ip": filters.ip,
    }
    return all(value is None or event[key] == value for key, value in wanted.items())


def _like_token_failed(action: str) -> bool:
    """SQL: ``action LIKE 'token.%failed%'``."""
    return action.startswith("token.") and action.find("failed", len("token.")) >= 0


def _share(part: int, whole: int) -> float | None:
    return None if whole == 0 else float(Fraction(part, whole))


def _by(events: Sequence[Event], key: Callable[[Event], str | None]) -> dict[str, int]:
    counts = Counter(value for e in events if (value := key(e)) is not None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _realm_and_name(event: Event) -> str | None:
    if not event["client_id"]:
        return None
    escapes = {"%": "%25", "/": "%2F"}
    parts = [part for part in (event["realm"], event["client_id"]) if part]
    return "/".join("".join(escapes.get(character, character) for character in part) for part in parts)


def _ranked(name: str | None, realm: str | None, events: Sequence[Event]) -> Ranked:
    return Ranked(
        name,
        realm,
        events=len(events),
        issued=sum(e["action"].startswith("token.issued.") for e in events),
        refreshed=sum(e["action"] == "token.refreshed" for e in events),
        failures=sum(e["outcome"] == "failure" for e in events),
    )


def _series(event: Event) -> tuple[str, ...]:
    return tuple(event[tag] or "" for tag in _TAGS)


def _local(event: Event, zone: str) -> datetime:
    return datetime.fromtimestamp(event["time_ns"] // _SECOND, ZoneInfo(zone))


def _record(event: Event) -> Record:
    return Record(**{key: event[key] for key in Record._fields})
