import pytest

from ingestor.config.settings import RetentionSettings
from ingestor.stores.influxdb.setup.plan import (
    DAY,
    FOR_EVER,
    HOUR,
    Place,
    Status,
    Step,
    places,
    plan,
    shard_seconds,
    written,
)
from ingestor.stores.influxdb.setup.policies import duration_seconds

WANTED = places("bucket", "tokentail", RetentionSettings())


def test_the_designed_lifetimes_are_wanted() -> None:
    assert [(place.name, place.seconds // DAY) for place in WANTED] == [
        ("tokentail/raw", 90),
        ("tokentail/rollup", 730),
        ("tokentail/findings", 365),
        ("tokentail/own", 14),
    ]
    assert [place.policy for place in WANTED] == ["raw", "rollup", "findings", "own"]


def test_a_plan_has_a_step_for_all_that_is_wanted_and_nothing_else() -> None:
    actual = {"tokentail/raw": 90 * DAY, "tokentail/own": 7 * DAY, "tokentail/autogen": 0, "other": 0}
    steps = plan(WANTED, actual)
    assert [step.status for step in steps] == [Status.THERE, Status.MISSING, Status.MISSING, Status.DIFFERS]
    assert [step.good for step in steps] == [True, False, False, False]
    assert steps[-1].found == 7 * DAY
    assert all(step.good for step in plan(WANTED, {place.name: place.seconds for place in WANTED}))


@pytest.mark.parametrize(
    ("found", "wanted", "shortens"),
    [
        (None, DAY, False),
        (2 * DAY, DAY, True),
        (FOR_EVER, DAY, True),
        (DAY, 2 * DAY, False),
        (DAY, DAY, False),
        (DAY, FOR_EVER, False),
    ],
)
def test_a_shorter_retention_is_known_to_delete(found: int | None, wanted: int, shortens: bool) -> None:
    assert Step(Place("bucket", "d/raw", wanted), Status.DIFFERS, found).shortens is shortens


@pytest.mark.parametrize("days", [1, 2, 14, 27, 28, 90, 180, 181, 365, 36_500])
def test_a_shard_spans_less_than_the_retention(days: int) -> None:
    assert shard_seconds(days * DAY) < days * DAY
    assert shard_seconds(days * DAY) <= DAY or shard_seconds(days * DAY) <= days * DAY / 4
    assert days * DAY / shard_seconds(days * DAY) <= 36_500 / 7 + 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "for ever"),
        (DAY, "1 day"),
        (90 * DAY, "90 days"),
        (36 * HOUR, "36 hours"),
        (90, "90 seconds"),
        (60, "1 minute"),
    ],
)
def test_retentions_are_written_for_people(seconds: int, text: str) -> None:
    assert written(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("2160h0m0s", 90 * DAY), ("0s", 0), ("1h30m0s", 5400), ("90m0s", 5400), ("1m30.5s", 90)]
)
def test_influxdbs_durations_are_read(text: str, seconds: int) -> None:
    assert duration_seconds(text) == seconds
