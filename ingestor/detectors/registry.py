"""Which detectors there are. Each is a module here with ``DETECTOR`` in it, so none has to be listed."""

import functools
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

import ingestor.detectors
from ingestor.detectors.contract import Detector, Options

_NO_DETECTORS: Final = {"contract", "registry"}
"""The modules here that are something else; so is every folder."""


@functools.cache
def detectors() -> Mapping[str, type[Detector]]:
    """Return all there are, by name and in the order of their names."""
    package = ingestor.detectors
    found = (module.name for module in pkgutil.iter_modules(package.__path__) if not module.ispkg)
    kinds = [
        import_module(f"{package.__name__}.{name}").DETECTOR for name in sorted(found) if name not in _NO_DETECTORS
    ]
    return {kind.name: kind for kind in kinds}


def new_detectors(options: Mapping[str, Options]) -> Iterator[Detector]:
    """Yield a new one of each that is enabled. ``options`` by name; what is not in it has its defaults."""
    for name, kind in detectors().items():
        chosen = options.get(name) or kind.options()
        if chosen.enabled:
            yield kind(chosen)
