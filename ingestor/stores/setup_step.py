"""What setting a store up is made of: a place that keeps points, as it should be and as it was found. Pure."""

from enum import StrEnum
from typing import Final, NamedTuple

HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 24 * HOUR_SECONDS
FOR_EVER: Final = 0
"""A retention that ends nothing, as both major versions of InfluxDB write it."""


class Bucket(NamedTuple):
    """A database, or what in it keeps points for a time: a retention policy (1.x) or a bucket (2.x)."""

    kind: str
    """As the store calls it."""
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


def written(seconds: int) -> str:
    """Write a retention for people."""
    if seconds == FOR_EVER:
        return "for ever"
    for unit, size in (("day", DAY_SECONDS), ("hour", HOUR_SECONDS), ("minute", 60), ("second", 1)):
        if seconds % size == 0:
            return f"{seconds // size:,} {unit}{'' if seconds == size else 's'}"
    raise AssertionError("every number is divisible by 1")
