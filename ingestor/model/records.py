"""A stored point as people see it, and as detectors do, the same from every store."""

from collections.abc import Iterable, Iterator

from ingestor.model.identity import MILLISECOND_SLOTS, SECOND_SLOTS
from ingestor.model.points import Point, Series
from ingestor.model.questions import Record
from ingestor.model.statistics import written_time
from parsers.contract import EventRow, Tags


def record(tags: Series, point: Point) -> Record:
    """Return the keys of ``events`` and ``activity`` (design section 9). The number of the series is not looked at."""
    time, _, user_id, ip, user_agent, scopes, client, expires_in, fraction, event_id, error_detail = point
    return Record(
        time=written_time(time, fraction),
        action=tags.action,
        outcome=tags.outcome,
        client_id=(tags.client_id if client is None else client) or None,
        user_id=user_id,
        grant_type=tags.grant_type or None,
        scopes=scopes,
        ip=ip,
        user_agent=user_agent,
        error=tags.error or None,
        error_detail=error_detail,
        expires_in=expires_in,
        event_id=event_id,
        realm=tags.realm or None,
        endpoint=tags.endpoint or None,
        source=tags.source,
        host=tags.host,
    )


def event_rows(points: Iterable[tuple[Series, Point]]) -> Iterator[tuple[Series, EventRow]]:
    """Yield stored points as the events that they were made of. The number of the series is not looked at."""
    tags_of: dict[Series, Tags] = {}
    for series, point in points:
        time, _, user_id, ip, user_agent, scopes, client, expires_in, fraction, event_id, error_detail = point
        tags = tags_of.get(series)
        if tags is None:
            tags = tags_of[series] = _tags(series)
        if client is not None:
            tags = tags._replace(client_id=client)
        # What was written to the second is stored at a moment within it.
        time_ms = time // SECOND_SLOTS * 1000 if fraction == "" else time // MILLISECOND_SLOTS
        yield (
            series,
            (time_ms, fraction, tags, user_id, ip, user_agent, scopes, expires_in, event_id, error_detail),
        )


def _tags(series: Series) -> Tags:
    return Tags(**{name: getattr(series, name) for name in Tags._fields})
