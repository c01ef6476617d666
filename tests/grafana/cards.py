"""A panel whose figures are expressions over queries, evaluated as Grafana's server does (`__expr__`, reduce and math)."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from ingestor.config.settings import StoreSettings
from tests.grafana.panels import Choice, interpolated
from tests.support.servers import query

Series = dict[int, float | None]
Value = float | Series | None
"""A number, a series by time, or no data."""
NAME: Final = re.compile(r"\$(\w+)")


def evaluate(store: StoreSettings, panel: Mapping[str, Any], choice: Choice) -> dict[str, Value]:
    """Return what each query and expression gives, by its refId."""
    targets = {target["refId"]: target for target in panel["targets"]}
    values: dict[str, Value] = {}

    def value(ref: str) -> Value:
        if ref not in values:
            target = targets[ref]
            if "query" in target:
                values[ref] = _asked(store, target["query"], choice)
            elif target["type"] == "reduce":
                values[ref] = _summed(value(target["expression"]))
            else:
                names = NAME.findall(target["expression"])
                values[ref] = _computed(target["expression"], {name: value(name) for name in names})
        return values[ref]

    for ref in targets:
        value(ref)
    return values


def _asked(store: StoreSettings, text: str, choice: Choice) -> Series | None:
    series = query(store, interpolated(text, choice))
    assert len(series) <= 1, "Grafana could not tell these series apart"
    return dict(series[0]["values"]) if series else None


def _summed(series: Value) -> float | None:
    assert not isinstance(series, float)
    return None if series is None else float(sum(number for number in series.values() if number is not None))


def _computed(expression: str, operands: Mapping[str, Value]) -> Value:
    if any(operand is None for operand in operands.values()):
        return None
    if not any(isinstance(operand, dict) for operand in operands.values()):
        return _number(expression, operands)
    joined = set.intersection(*(set(operand) for operand in operands.values() if isinstance(operand, dict)))
    return {
        time: _number(expression, {name: operand[time] for name, operand in operands.items()})  # type: ignore[index]
        for time in sorted(joined)
    }


def _number(expression: str, operands: Mapping[str, Any]) -> float:
    named = {name: _Float(operand) for name, operand in operands.items()}
    return float(eval(NAME.sub(r"\1", expression), {"__builtins__": {}, "round": _rounded}, named))  # noqa: S307 - ours


class _Float(float):
    """Divides as Go does."""

    def __truediv__(self, other: float) -> "_Float":
        if other == 0:
            return _Float(math.nan if float(self) == 0 or math.isnan(self) else math.copysign(math.inf, self))
        return _Float(float(self) / other)

    def __mul__(self, other: float) -> "_Float":
        return _Float(float(self) * other)

    __rmul__ = __mul__

    def __sub__(self, other: float) -> "_Float":
        return _Float(float(self) - other)


def _rounded(number: float) -> _Float:
    return _Float(
        number if math.isinf(number) or math.isnan(number) else math.floor(abs(number) + 0.5) * math.copysign(1, number)
    )
