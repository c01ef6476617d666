"""What Grafana answers, as far as it means something else than what was set (pure).

Each release of Grafana fills more fields with defaults of its own. Those are no difference: compared is what we set, by what
it means. A document of ours that Grafana only keeps, a dashboard, is compared to the letter instead.
"""

import re
from typing import Any, Final

_OPEN: Final = frozenset({"labels", "annotations"})
"""Objects whose keys are ours to choose, so that one more is somebody's doing."""
_OFF: Final = frozenset(
    {"keep_firing_for", "mute_time_intervals", "active_time_intervals", "record", "notification_settings"}
)
"""What a rule does not do unless it is set: a value other than zero changes when it alerts, or whom, whoever wrote it."""
_IDENTITIES: Final = ("uid", "refId")
_UNITS: Final = {
    "ns": 1,
    "us": 10**3,
    "\u00b5s": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86_400 * 10**9,
    "w": 604_800 * 10**9,
    "y": 31_536_000 * 10**9,
}
"""Nanoseconds of what Go's and Prometheus' durations are written in."""
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|\u00b5s|ms|s|m|h|d|w|y)")
_DURATION: Final = re.compile(rf"(?:{_PART.pattern})+")


def as_set(found: Any, wanted: Any, *, is_open: bool = False) -> Any:
    """Return what is found in the words of what is wanted, wherever both mean the same, without what Grafana filled in."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return _object(found, wanted, is_open=is_open)
    if isinstance(found, list) and isinstance(wanted, list):
        return _members(found, wanted)
    return wanted if _means(found) == _means(wanted) else found


def _object(found: dict[str, Any], wanted: dict[str, Any], *, is_open: bool) -> dict[str, Any]:
    said = {
        key: found[key] if is_open else as_set(found[key], value, is_open=key in _OPEN) if key in found else value
        for key, value in wanted.items()
        if key in found or (_is_zero(value) and not is_open)
    }
    more = {key: value for key, value in found.items() if key not in wanted and (is_open or key in _OFF)}
    return said | {key: value for key, value in more.items() if is_open or not _is_zero(value)}


def _members(found: list[Any], wanted: list[Any]) -> list[Any]:
    """Return the members of a list, each as the one of its name says it; those without a name by their place."""
    for name in _IDENTITIES:
        if all(isinstance(member, dict) and name in member for member in (*found, *wanted)):
            should = {member[name]: member for member in wanted}
            return [as_set(member, should[member[name]]) if member[name] in should else member for member in found]
    if len(found) != len(wanted):
        return found
    return [as_set(one, other) for one, other in zip(found, wanted, strict=True)]


def _means(value: Any) -> Any:
    """Return what a value means: nothing, a length of time, or itself."""
    if _is_zero(value):
        return None
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return ("nanoseconds", _nanoseconds(value))
    return (type(value) is bool, value)


def _is_zero(value: Any) -> bool:
    """Whether a value says no more than an absent one."""
    if isinstance(value, dict):
        return all(map(_is_zero, value.values()))
    if isinstance(value, str):
        return not value or (_DURATION.fullmatch(value) is not None and not _nanoseconds(value))
    return not value


def _nanoseconds(duration: str) -> float:
    return sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(duration))
