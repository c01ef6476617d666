"""Which detectors there are. Each is a module here with ``DETECTOR`` in it, so none has to be listed."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Final

import ingestor.detectors
from ingestor.detectors.contract import Detector

_NO_DETECTORS: Final = {"contract", "registry"}
"""The modules here that are something else."""


def new_detectors() -> Iterator[Detector]:
    """Yield a new one of each, in the order of their names."""
    package = ingestor.detectors
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        if name not in _NO_DETECTORS:
            detector: Detector = import_module(f"{package.__name__}.{name}").DETECTOR()
            yield detector
