"""A stored point as people see it, the same from every store."""

from ingestor.model.points import Point, Series
from ingestor.model.questions import Record
from ingestor.model.statistics import written_time


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
