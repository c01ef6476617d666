"""Detectors conclude the same from every store's events as from the oracle's."""

from collections.abc import Callable
from pathlib import Path

from ingestor.config.settings import StoreSettings
from ingestor.jobs.baseline.measuring import measure
from tests.support.generated import random_samples
from tests.support.oracle import Oracle
from tests.support.questions import ALWAYS
from tests.support.store_under_test import StoreUnderTest


def test_a_baseline_is_the_same_from_every_store(new_store: Callable[[], StoreSettings], tmp_path: Path) -> None:
    samples = random_samples(seed=5, count=900)
    store = StoreUnderTest(tmp_path / "state", new_store())
    store.write(samples)
    with store.answers() as answers:
        measured = measure(answers.rows(ALWAYS), {})
    store.close()
    expected = measure(Oracle(sample.event() for sample in samples).rows(ALWAYS), {})
    assert measured.events == expected.events > 500
    assert measured.found == expected.found
    assert measured.found
    assert [meter.beyond for meter in measured.meters.values()] == [meter.beyond for meter in expected.meters.values()]
