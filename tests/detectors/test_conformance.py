"""Every detector does what the contract says: the conformance suite over each of them, and over the one of the tests."""

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module

import pytest

from ingestor.detectors.registry import detectors
from parsers.contract import EventRow
from tests.support.detector_conformance import CHECKS, New
from tests.support.detectors.repeated_reuse import RepeatedReuse, RepeatedReuseOptions
from tests.support.repeated_reuse_events import events

CASES: dict[str, tuple[New, Sequence[EventRow]]] = {
    "repeated_reuse": (lambda: RepeatedReuse(RepeatedReuseOptions()), events())
}
for name, kind in detectors().items():
    CASES[name] = partial(kind.new, kind.options()), import_module(f"tests.detectors.cases.{name}").events()
"""By name: the detector, and events of which some are findings. Those of tokentail's own stand in ``cases/NAME.py``."""


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", CASES)
def test_it_does_what_the_contract_says(name: str, check: Callable[[New, Sequence[EventRow]], None]) -> None:
    check(*CASES[name])
