"""What should be on an InfluxDB server, and how that differs from what is there (design section 3). Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from ingestor.config.settings import RetentionSettings

HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 24 * HOUR_SECONDS
FOR_EVER: Final = 0
"""A retention that ends nothing, as both major versions write it."""

RAW: Final = "raw"
ROLLUP: Final = "rollup"
FINDINGS: Final = "findings"
OWN: Final = "own"
POLICIES: Final = (RAW, ROLLUP, FINDINGS, OWN)


class Bucket(NamedTuple):
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


class BucketStatus(StrEnum):
    """What is to be said of a place."""

    THERE = "there"
    """As it should be."""
    MISSING = "missing"
    DIFFERS = "differs"
    """There, with another retention."""
    MADE = "made"
    CHANGED = "changed"


class SetupStep(NamedTuple):
    """A place as it should be, and what was found."""

    place: Bucket
    status: BucketStatus
    found: int | None = None
    """The retention that it has or had, seconds; None: it was not there."""

    @property
    def good(self) -> bool:
        """Whether nothing remains to be done."""
        return self.status not in {BucketStatus.MISSING, BucketStatus.DIFFERS}

    @property
    def shortens(self) -> bool:
        """Whether the wanted retention deletes what the present one keeps."""
        wanted = self.place.seconds
        return self.found is not None and wanted != FOR_EVER and (self.found == FOR_EVER or self.found > wanted)


def places(kind: str, database: str, retention: RetentionSettings) -> tuple[Bucket, ...]:
    """Return what should be in a database."""
    days = {
        RAW: retention.raw_days,
        ROLLUP: retention.rollup_days,
        FINDINGS: retention.findings_days,
        OWN: retention.own_days,
    }
    return tuple(Bucket(kind, f"{database}/{policy}", count * DAY_SECONDS) for policy, count in days.items())


def plan(desired: Iterable[Bucket], actual: Mapping[str, int]) -> tuple[SetupStep, ...]:
    """Compare what should be with what is: the retention of each place that is there, by name."""
    return tuple(_step(place, actual.get(place.name)) for place in desired)


def _step(place: Bucket, found: int | None) -> SetupStep:
    if found is None:
        return SetupStep(place, BucketStatus.MISSING)
    return SetupStep(place, BucketStatus.THERE if found == place.seconds else BucketStatus.DIFFERS, found)


def shard_seconds(seconds: int) -> int:
    """Return how much time one shard should span: a week wherever a week is short beside the retention.

    InfluxDB itself would choose a day for up to 180 days. A query opens every series in every shard that it meets, so that
    90 days of a few thousand users took six times as long. What is kept is deleted by whole shards, up to a week later.

    It must be said when a retention changes: the server keeps the old span then, and refuses a retention that is shorter.
    """
    if seconds == FOR_EVER or seconds >= 28 * DAY_SECONDS:
        return 7 * DAY_SECONDS
    return HOUR_SECONDS if seconds < 2 * DAY_SECONDS else DAY_SECONDS


def written(seconds: int) -> str:
    """Write a retention for people."""
    if seconds == FOR_EVER:
        return "for ever"
    for unit, size in (("day", DAY_SECONDS), ("hour", HOUR_SECONDS), ("minute", 60), ("second", 1)):
        if seconds % size == 0:
            return f"{seconds // size:,} {unit}{'' if seconds == size else 's'}"
    raise AssertionError("every number is divisible by 1")
