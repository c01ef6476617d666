import pytest

from ingestor.config.settings import RetentionSettings
from ingestor.stores.influxdb.setup.plan import places, plan, shard_seconds
from ingestor.stores.influxdb.setup.policies import duration_seconds
from ingestor.stores.setup_step import DAY_SECONDS, FOR_EVER, HOUR_SECONDS, Bucket, BucketStatus, SetupStep, written

WANTED = places("bucket", "tokentail", RetentionSettings())


def test_the_designed_lifetimes_are_wanted() -> None:
    assert [(place.name, place.seconds // DAY_SECONDS) for place in WANTED] == [
        ("tokentail/raw", 90),
        ("tokentail/rollup", 730),
        ("tokentail/findings", 365),
        ("tokentail/own", 14),
    ]
    assert [place.policy for place in WANTED] == ["raw", "rollup", "findings", "own"]


def test_a_plan_has_a_step_for_all_that_is_wanted_and_nothing_else() -> None:
    actual = {"tokentail/raw": 90 * DAY_SECONDS, "tokentail/own": 7 * DAY_SECONDS, "tokentail/autogen": 0, "other": 0}
    steps = plan(WANTED, actual)
    assert [step.status for step in steps] == [
        BucketStatus.THERE,
        BucketStatus.MISSING,
        BucketStatus.MISSING,
        BucketStatus.DIFFERS,
    ]
    assert [step.good for step in steps] == [True, False, False, False]
    assert steps[-1].found == 7 * DAY_SECONDS
    assert all(step.good for step in plan(WANTED, {place.name: place.seconds for place in WANTED}))


@pytest.mark.parametrize(
    ("found", "wanted", "shortens"),
    [
        (None, DAY_SECONDS, False),
        (2 * DAY_SECONDS, DAY_SECONDS, True),
        (FOR_EVER, DAY_SECONDS, True),
        (DAY_SECONDS, 2 * DAY_SECONDS, False),
        (DAY_SECONDS, DAY_SECONDS, False),
        (DAY_SECONDS, FOR_EVER, False),
    ],
)
def test_a_shorter_retention_is_known_to_delete(found: int | None, wanted: int, shortens: bool) -> None:
    assert SetupStep(Bucket("bucket", "d/raw", wanted), BucketStatus.DIFFERS, found).shortens is shortens


@pytest.mark.parametrize("days", [1, 2, 14, 27, 28, 90, 180, 181, 365, 36_500])
def test_a_shard_spans_less_than_the_retention(days: int) -> None:
    assert shard_seconds(days * DAY_SECONDS) < days * DAY_SECONDS
    assert (
        shard_seconds(days * DAY_SECONDS) <= DAY_SECONDS or shard_seconds(days * DAY_SECONDS) <= days * DAY_SECONDS / 4
    )
    assert days * DAY_SECONDS / shard_seconds(days * DAY_SECONDS) <= 36_500 / 7 + 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "for ever"),
        (DAY_SECONDS, "1 day"),
        (90 * DAY_SECONDS, "90 days"),
        (36 * HOUR_SECONDS, "36 hours"),
        (90, "90 seconds"),
        (60, "1 minute"),
    ],
)
def test_retentions_are_written_for_people(seconds: int, text: str) -> None:
    assert written(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2160h0m0s", 90 * DAY_SECONDS), ("0s", 0), ("1h30m0s", 5400), ("90m0s", 5400), ("1m30.5s", 90)],
)
def test_influxdbs_durations_are_read(text: str, seconds: int) -> None:
    assert duration_seconds(text) == seconds
