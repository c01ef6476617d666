"""Random events for stores and their oracle, from small pools: equal times, edges and repeats must be frequent.

Every event is made twice, independently: as the point that a store is given, and as the plain mapping that the oracle
counts (``tests.support.oracle``).
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from ingestor.model.points import Point, Series, SeriesTable
from ingestor.model.questions import Filters
from parsers.contract import OUTCOMES
from parsers.text import normal_tag

START: Final = int(datetime(2026, 10, 23, 22, tzinfo=UTC).timestamp())
DAYS: Final = 4
"""The days from START hold the end of summer time of Berlin (25 October 2026, 01:00 UTC)."""
SECOND: Final = 1_000_000_000

# The hours and days of UTC and of zones with half hours begin here; so do the clocks' jumps of the zones under test.
_EDGES: Final = [START + n * 1800 for n in range(DAYS * 48)]
_ACTIONS: Final = sorted(OUTCOMES)
_CLIENTS: Final = ("web", "api", "jöb", "a/b", "", "_other", "_other")
_TRUE_CLIENTS: Final = ("web", "evil", "<b>", "_other")
_REALMS: Final = ("", "", "", "master", "a/b", "50%")
_ENDPOINTS: Final = ("", "token", "userinfo", "introspection", "device")
_ERRORS: Final = ("", "invalid_grant", "invalid_client", "other")
_GRANTS: Final = ("", "authorization_code", "refresh_token", "password")
_SOURCES: Final = ("/var/log/audit.jsonl", "backup")
_HOSTS: Final = ("idp-1", "idp-2")
_USERS: Final = (None, None, "u-1", "u-2", "ürsula", "😀", "Z")
_IPS: Final = (None, "203.0.113.9", "2001:db8::1")
_AGENTS: Final = (None, "Mozilla/5.0", 'quo"te, com=ma')
_SCOPES: Final = (None, "openid", "openid profile")
_LIFETIMES: Final = (None, None, 0, 1, 3600, 2**31 - 1)
_FRACTIONS: Final = ("", "5", "123", "000", "999", "123456", "999999999")

FILTERS: Final = [
    Filters(),
    Filters(client="web"),  # the tag, and the field of events from before its admission
    Filters(client="evil"),  # the field alone
    Filters(client="_other"),
    Filters(client="nobody"),
    Filters(realm="a/b"),
    Filters(user="ürsula"),
    Filters(user="u-1", client="web"),
    Filters(action="token.validation_failed"),
    Filters(outcome="success"),
    Filters(outcome="failure", error="invalid_grant"),
    Filters(ip="2001:db8::1"),
    Filters(ip="203.0.113.9", client="_other", realm="master"),
    Filters(client="<b>", outcome="failure"),
    Filters(client=""),  # the events without one
    Filters(client="", outcome="failure", realm="master"),
    Filters("web", "master", "u-2", "token.refreshed", "success", "other", "203.0.113.9"),
]
"""Combinations of which each meets some of the events, or none for a reason."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One event in parts, before it has a series number."""

    time: int
    series: Series
    fields: dict[str, Any]
    written: str

    @property
    def identity(self) -> tuple[int, Series]:
        return self.time, self.series

    def point(self, table: SeriesTable) -> Point:
        f = self.fields
        return (
            *(self.time, table.number(self.series), f["user_id"], f["ip"], f["user_agent"], f["scopes"], f["client"]),
            *(f["expires_in"], f["fraction"], f["event_id"], f["error_detail"]),
        )

    def event(self) -> dict[str, Any]:
        """The mapping that the oracle takes."""
        tags = {name: value or None for name, value in self.series._asdict().items()}
        true_client = self.fields["client"] or tags["client_id"]
        return {
            **self.fields,
            **tags,
            "time": self.written,
            "time_ns": self.time,
            "client_id": true_client,
            "client_tag": tags["client_id"],
        }


def points(samples: Iterable[Sample], table: SeriesTable) -> list[Point]:
    """Return the points of the samples, in their order."""
    return [sample.point(table) for sample in samples]


def survivors(samples: Iterable[Sample]) -> list[Sample]:
    """Return what a store must hold after these writes: of equal identities the last."""
    return list({sample.identity: sample for sample in samples}.values())


def _sample(choose: "_Choice") -> Sample:
    second = choose.second()
    digits = choose.of(_FRACTIONS)
    if digits:
        milliseconds = int(digits[:3].ljust(3, "0"))
        time = second * SECOND + milliseconds * 1_000_000 + choose.slot(1_000_000)
    else:
        time = second * SECOND + choose.slot(SECOND)
    stamp = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).isoformat().removesuffix("+00:00")
    action = choose.of(_ACTIONS)
    client_id = choose.of(_CLIENTS)
    series = Series(
        action=action,
        client_id=client_id,
        endpoint=choose.of(_ENDPOINTS),
        error=choose.of(_ERRORS),
        grant_type=choose.of(_GRANTS),
        host=choose.of(_HOSTS),
        outcome=OUTCOMES[action],
        realm=choose.of(_REALMS),
        source=choose.of(_SOURCES),
    )
    fields = {
        "user_id": choose.of(_USERS),
        "ip": choose.of(_IPS),
        "user_agent": choose.of(_AGENTS),
        "scopes": choose.of(_SCOPES),
        "client": choose.of(_TRUE_CLIENTS) if client_id == "_other" else None,
        "expires_in": choose.of(_LIFETIMES),
        "fraction": None if len(digits) == 3 else digits,
        "event_id": choose.of((None, "id-1", "id-2")),
        "error_detail": choose.of((None, "Client überlastet")),
    }
    return Sample(time, series, fields, f"{stamp}.{digits}Z" if digits else f"{stamp}Z")


class _Choice:
    """Where choices come from: a seeded random generator, or Hypothesis, which can then shrink."""

    def __init__(self, random_: random.Random) -> None:
        self._random = random_

    def of(self, pool: Any) -> Any:
        return self._random.choice(pool)

    def second(self) -> int:
        if self._random.random() < 0.3:
            return self._random.choice(_EDGES) + self._random.choice((-1, 0, 1))
        return START + self._random.randrange(DAYS * 86_400)

    def slot(self, slots: int) -> int:
        return self._random.choice((0, 1, slots - 1, self._random.randrange(slots)))


class _Drawn(_Choice):
    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def of(self, pool: Any) -> Any:
        return self._draw(st.sampled_from(pool))

    def second(self) -> int:
        return self._draw(st.sampled_from(_EDGES)) + self._draw(st.sampled_from((0, -1, 1, 600)))

    def slot(self, slots: int) -> int:
        return self._draw(st.sampled_from((0, 1, slots - 1)))


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Hypothesis strategy for one event."""
    return _sample(_Drawn(draw))


def random_samples(seed: int, count: int) -> list[Sample]:
    """Return ``count`` events of distinct identity, in time order, of 150 series: counters must have what to add up."""
    choose = _Choice(random.Random(seed))
    kinds = [_sample(choose) for _ in range(150)]
    made: dict[tuple[int, Series], Sample] = {}
    while len(made) < count:
        sample, kind = _sample(choose), choose.of(kinds)
        fields = {**sample.fields, "client": kind.fields["client"]}
        sample = Sample(sample.time, kind.series, fields, sample.written)
        made[sample.identity] = sample
    return sorted(made.values(), key=lambda sample: sample.time)


HOSTILE: Final = [
    "'",
    "\\",
    "\\'",
    "' OR 1=1 --",
    "' OR ''='",
    '"; DROP DATABASE x; --',
    '"; DROP TABLE token_events; --',
    "'; DROP MEASUREMENT token_events; SELECT '",
    "%27",
    "%",
    "*",
    "$x",
    "/.*/",
    "a,b=c d",
    'quo"te',
    "back\\slash\\",
    "😀 größe",
    "-- comment",
    "/* comment */",
    "\N{REPLACEMENT CHARACTER}n",
]
"""Values that somebody writes to be taken for a part of a question, or of a line."""


def hostile_samples() -> list[Sample]:
    """Return one event of each hostile user, one of each hostile client, and one of each that is ``_other``."""
    template = random_samples(seed=1, count=1)[0]
    written = []
    for number, value in enumerate(HOSTILE):
        tag, plain = template.series._replace(client_id=normal_tag(value)), template.series._replace(client_id="web")
        other = template.series._replace(client_id="_other")
        at = template.time + number
        written += [
            replace(template, time=at, series=tag, fields={**template.fields, "client": None}),
            replace(template, time=at, series=plain, fields={**template.fields, "user_id": value, "ip": value}),
            replace(template, time=at, series=other, fields={**template.fields, "client": f"{value}?"}),
        ]
    return written
