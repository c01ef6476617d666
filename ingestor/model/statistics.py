"""The numbers of design section 7, folded from grouped events: every store groups, this module alone knows what counts."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar

from ingestor.model.points import Series
from ingestor.model.questions import Ranked, Stats
from parsers.contract import ISSUED_PREFIX

_Key = TypeVar("_Key")

REFRESHED: Final = "token.refreshed"
FAILURE: Final = "failure"
_ISSUED_BY_REFRESH_TOKEN: Final = ISSUED_PREFIX + "refresh_token"
_ISSUED_BY_CODE: Final = ISSUED_PREFIX + "authorization_code"
_KEY: Final = re.compile(r"(?:(?P<realm>(?:[^/%]|%2F|%25)+)/)?(?P<id>(?:[^/%]|%2F|%25)+)")
_ATTEMPTED_AT: Final = frozenset({"token", ""})
"""Endpoints of the failure rate; a line that names none is taken for the token endpoint's."""


class Group(NamedTuple):
    """Events alike in everything that section 7 tells apart, users and time excepted."""

    tags: Series
    client: str | None
    """The true client id, where the tag is ``_other``."""
    events: int
    lifetime_sum: int
    """Sum of ``expires_in`` in seconds, over ``lifetime_count`` events that carry it."""
    lifetime_count: int

    @property
    def client_id(self) -> str:
        """The client under which these events count and rank; empty where they name none."""
        return self.tags.client_id if self.client is None else self.client


def is_issued(action: str) -> bool:
    """Whether ``total_issued`` counts this action."""
    return action.startswith(ISSUED_PREFIX)


def is_failed(action: str) -> bool:
    """Whether ``total_failed`` counts this action: ``LIKE 'token.%failed%'``."""
    return action.startswith("token.") and "failed" in action.removeprefix("token.")


def stats(groups: Iterable[Group], unique_users: int) -> Stats:
    """Fold groups into the figures of ``tokentail stats``.

    The dictionaries are ordered by count, then name, and leave out events that lack the key. The keys of ``by_client`` are
    ``client_key``'s.
    """
    groups = list(groups)
    by_action = _count((group.tags.action, group.events) for group in groups)
    by_client = _count(((group.tags.realm, group.client_id), group.events) for group in groups if group.client_id)
    issued = sum(events for action, events in by_action.items() if is_issued(action))
    refreshed = by_action[REFRESHED]
    at_token = [group for group in groups if group.tags.endpoint in _ATTEMPTED_AT]
    failures_at_token = _events(group for group in at_token if group.tags.outcome == FAILURE)
    granted_at_token = _events(group for group in at_token if _grants(group.tags.action))
    by_refresh_token = refreshed + by_action[_ISSUED_BY_REFRESH_TOKEN]
    grants = [group for group in groups if _grants(group.tags.action)]
    lifetimes = sum(group.lifetime_count for group in grants)
    return Stats(
        total_issued=issued,
        total_refreshed=refreshed,
        total_failed=sum(events for action, events in by_action.items() if is_failed(action)),
        total_expired=by_action["token.expired"],
        total_rate_limited=by_action["token.rate_limited"],
        total_reused=by_action["token.reuse_detected"],
        total_failures=_events(group for group in groups if group.tags.outcome == FAILURE),
        userinfo_accesses=by_action["token.userinfo_accessed"],
        unique_users=unique_users,
        unique_clients=len(by_client),
        without_client=_events(group for group in groups if not group.client_id),
        failure_rate=_ratio(failures_at_token, failures_at_token + granted_at_token),
        refresh_usage_rate=_ratio(by_refresh_token, by_refresh_token + by_action[_ISSUED_BY_CODE]),
        average_token_lifetime_seconds=_ratio(sum(group.lifetime_sum for group in grants), lifetimes),
        token_lifetime_coverage=_ratio(lifetimes, issued + refreshed),
        by_action=_ordered(by_action),
        by_grant_type=_ordered(_count((g.tags.grant_type, g.events) for g in groups if g.tags.grant_type)),
        by_client=_ordered({client_key(*client): events for client, events in by_client.items()}),
        by_error=_ordered(_count((group.tags.error, group.events) for group in groups if group.tags.error)),
    )


def client_key(realm: str, client_id: str) -> str:
    """Name a client, which is (realm, client_id), in one word: ``realm/id``, or ``id`` where there is no realm.

    ``/`` and ``%`` in either part are percent-encoded. So no two clients share a key, whatever ids an attacker invents, and
    a key depends on its client alone: the same client has the same key in every answer.
    """
    return f"{_escaped(realm)}/{_escaped(client_id)}" if realm else _escaped(client_id)


def client_of(key: str) -> tuple[str, str]:
    """Return realm and id of a client from its key, as ``client_key`` writes it. Raises ValueError for what it never writes."""
    found = _KEY.fullmatch(key)
    if found is None:
        raise ValueError("write a client as `realm/id`, or `id` where there is no realm; / and % within as %2F and %25")
    return client_name(found["realm"] or ""), client_name(found["id"])


def client_name(key: str) -> str:
    """Write a key of ``client_key`` for people, without its escapes: they want to copy the id."""
    return key.replace("%2F", "/").replace("%25", "%")


def rank_clients(groups: Iterable[Group], limit: int) -> list[Ranked]:
    """Return the most active clients, by events, then name, then realm. A client is (realm, client_id).

    The events of a realm that name no client are a row, too: where they are many, nobody must take the others for all.
    """
    clients: dict[tuple[str, str], list[int]] = {}
    for group in groups:
        counts = clients.setdefault((group.client_id, group.tags.realm), [0, 0, 0, 0])
        counts[0] += group.events
        counts[1] += group.events * is_issued(group.tags.action)
        counts[2] += group.events * (group.tags.action == REFRESHED)
        counts[3] += group.events * (group.tags.outcome == FAILURE)
    best = sorted(clients.items(), key=lambda item: (-item[1][0], item[0]))[:limit]
    return [Ranked(name or None, realm or None, *counts) for (name, realm), counts in best]


def written_time(time: int, fraction: str | None) -> str:
    """Return the time as the log wrote it, in UTC (RFC 3339): seconds from the point, digits from ``fraction``.

    ``time``: the point's nanoseconds since the Unix epoch. ``fraction`` None means three digits, ``""`` none.
    """
    seconds, below = divmod(time, 1_000_000_000)
    second = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    if fraction is None:
        return f"{second}.{below // 1_000_000:03d}Z"
    return f"{second}.{fraction}Z" if fraction else f"{second}Z"


def _grants(action: str) -> bool:
    return action == REFRESHED or is_issued(action)


def _events(groups: Iterable[Group]) -> int:
    return sum(group.events for group in groups)


def _count(pairs: Iterable[tuple[_Key, int]]) -> Counter[_Key]:
    counts: Counter[_Key] = Counter()
    for key, events in pairs:
        counts[key] += events
    return counts


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace("/", "%2F")


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
