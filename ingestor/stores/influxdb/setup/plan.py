"""What should be on an InfluxDB server, and how that differs from what is there (design section 3). Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from ingestor.config.settings import RetentionSettings
from ingestor.stores.setup_step import DAY_SECONDS, FOR_EVER, HOUR_SECONDS, Bucket, BucketStatus, SetupStep

RAW: Final = "raw"
ROLLUP: Final = "rollup"
FINDINGS: Final = "findings"
OWN: Final = "own"
POLICIES: Final = (RAW, ROLLUP, FINDINGS, OWN)


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
