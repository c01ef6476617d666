"""Which detectors there are. Each is a module here with ``DETECTOR`` in it, so none has to be listed."""

import functools
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Final, NamedTuple

import ingestor.detectors
from ingestor.detectors.contract import Detector, Options

PAGE: Final = "docs/detectors.md"
"""It has a section for each."""
EVENT: Final = "event"
_NO_DETECTORS: Final = {"contract", "registry"}
"""The modules here that are something else; so is every folder."""


class DetectorKind(NamedTuple):
    """A detector that can be made."""

    title: str
    unit: str
    """What the count of its findings counts."""
    options: type[Options]
    new: Callable[[Options], Detector]
    runbook: str
    """What to do first about its findings: a place in the documentation."""


@functools.cache
def detectors() -> Mapping[str, DetectorKind]:
    """Return all there are, by name and in the order of their names."""
    package = ingestor.detectors
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if not module.ispkg)
    classes = [import_module(f"{package.__name__}.{name}").DETECTOR for name in names if name not in _NO_DETECTORS]
    return {
        each.name: DetectorKind(each.title, getattr(each, "unit", EVENT), each.options, each, runbook_of(each.name))
        for each in classes
    }


def new_detectors(options: Mapping[str, Options]) -> Iterator[Detector]:
    """Yield a new one of each that is enabled. ``options`` by name; what is not in it has its defaults."""
    for name, kind in detectors().items():
        chosen = options.get(name) or kind.options()
        if chosen.enabled:
            yield kind.new(chosen)


def title_of(pattern: str) -> str:
    """Say in a few words what was found; of a detector that is there no more, its name."""
    kind = detectors().get(pattern)
    return kind.title if kind else pattern.replace("_", " ")


def unit_of(pattern: str) -> str:
    """Say what the count of such a finding counts; of a detector that is there no more, events."""
    kind = detectors().get(pattern)
    return kind.unit if kind else EVENT


def runbook_of(pattern: str) -> str:
    """Return what to do first about its findings: a place in the documentation."""
    return f"{PAGE}#{pattern}"
