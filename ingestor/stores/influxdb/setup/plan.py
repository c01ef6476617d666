"""What should be on an InfluxDB server, and how that differs from what is there (design section 3). Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from ingestor.config.settings import RetentionSettings

HOUR: Final = 3600
DAY: Final = 24 * HOUR
FOR_EVER: Final = 0
"""A retention that ends nothing, as both major versions write it."""

RAW: Final = "raw"
ROLLUP: Final = "rollup"
FINDINGS: Final = "findings"
OWN: Final = "own"
POLICIES: Final = (RAW, ROLLUP, FINDINGS, OWN)


class Place(NamedTuple):
    """A database, or what in it keeps points for a time: a retention policy (1.x) or a bucket (2.x)."""

    kind: str
    """As InfluxDB calls it."""
    name: str
    """``<database>``, or ``<database>/<policy>`` on both major versions."""
    seconds: int
    """How long points are kept; a database has no say in it."""

    @property
    def is_database(self) -> bool:
        """Whether it only holds others."""
        return not self.policy

    @property
    def policy(self) -> str:
        """The part of the name that is the policy's."""
        return self.name.partition("/")[2]


class Status(StrEnum):
    """What is to be said of a place."""

    THERE = "there"
    """As it should be."""
    MISSING = "missing"
    DIFFERS = "differs"
    """There, with another retention."""
    MADE = "made"
    CHANGED = "changed"


class Step(NamedTuple):
    """A place as it should be, and what was found."""

    place: Place
    status: Status
    found: int | None = None
    """The retention that it has or had, seconds; None: it was not there."""

    @property
    def good(self) -> bool:
        """Whether nothing remains to be done."""
        return self.status not in {Status.MISSING, Status.DIFFERS}

    @property
    def shortens(self) -> bool:
        """Whether the wanted retention deletes what the present one keeps."""
        wanted = self.place.seconds
        return self.found is not None and wanted != FOR_EVER and (self.found == FOR_EVER or self.found > wanted)


def places(kind: str, database: str, retention: RetentionSettings) -> tuple[Place, ...]:
    """Return what should be in a database."""
    days = {
        RAW: retention.raw_days,
        ROLLUP: retention.rollup_days,
        FINDINGS: retention.findings_days,
        OWN: retention.own_days,
    }
    return tuple(Place(kind, f"{database}/{policy}", count * DAY) for policy, count in days.items())


def plan(desired: Iterable[Place], actual: Mapping[str, int]) -> tuple[Step, ...]:
    """Compare what should be with what is: the retention of each place that is there, by name."""
    return tuple(_step(place, actual.get(place.name)) for place in desired)


def _step(place: Place, found: int | None) -> Step:
    if found is None:
        return Step(place, Status.MISSING)
    return Step(place, Status.THERE if found == place.seconds else Status.DIFFERS, found)


def shard_seconds(seconds: int) -> int:
    """Return how much time one shard should span: a week wherever a week is short beside the retention.

    InfluxDB itself would choose a day for up to 180 days. A query opens every series in every shard that it meets, so that
    90 days of a few thousand users took six times as long. What is kept is deleted by whole shards, up to a week later.

    It must be said when a retention changes: the server keeps the old span then, and refuses a retention that is shorter.
    """
    if seconds == FOR_EVER or seconds >= 28 * DAY:
        return 7 * DAY
    return HOUR if seconds < 2 * DAY else DAY


def written(seconds: int) -> str:
    """Write a retention for people."""
    if seconds == FOR_EVER:
        return "for ever"
    for unit, size in (("day", DAY), ("hour", HOUR), ("minute", 60), ("second", 1)):
        if seconds % size == 0:
            return f"{seconds // size:,} {unit}{'' if seconds == size else 's'}"
    raise AssertionError("every number is divisible by 1")
