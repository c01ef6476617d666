"""The cases of alert rules as lines for InfluxDB, and a rule evaluated at once by a real Grafana."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ingestor.config.settings import StoreSettings
from ingestor.provision.rule_files import Case, seconds
from parsers.contract import OUTCOMES
from tests.support.grafana_servers import GrafanaServer
from tests.support.influx import write_lines

SECOND: Final = 1_000_000_000
_KINDS: Final = {"own": ("own", "tokentail"), "raised": ("findings", "token_findings_raised")}
"""Policy and measurement of a point, by the key that its fields stand under."""


def lines_of(case: Case, now: float) -> Iterator[tuple[str, str]]:
    """Yield (policy, line) for each point."""
    for point in case.points:
        tags = {key: str(value) for key, value in point.items() if key not in {"count", "ago", "event", *_KINDS}}
        if "event" in point:
            policy, measurement, fields = "raw", "token_events", {"events": 1}
            tags |= {"action": point["event"], "outcome": OUTCOMES[point["event"]]}
            tags = {"host": "h", "source": "s"} | tags
        else:
            kind = next(kind for kind in _KINDS if kind in point)
            (policy, measurement), fields = _KINDS[kind], point[kind]
        series = measurement + "".join(f",{key}={escaped(value)}" for key, value in sorted(tags.items()) if value)
        written = ",".join(f"{key}={_field(value)}" for key, value in fields.items())
        for moment in _moments(point, now):
            yield policy, f"{series} {written} {moment}"


def escaped(tag: str) -> str:
    return re.sub("([,= ])", r"\\\1", tag)


def _field(value: Any) -> str:
    if isinstance(value, int):
        return f"{value}i"
    return str(value) if isinstance(value, float) else f'"{value}"'


def _moments(point: Mapping[str, Any], now: float) -> list[int]:
    """Return the times of a point, evenly between the ends of ``ago``."""
    count = point.get("count", 1)
    latest, _, earliest = point["ago"].partition("..")
    last, first = seconds(latest), seconds(earliest or latest)
    base = int((now - last) * SECOND)
    step = (first - last) * SECOND // max(count - 1, 1)
    return [base - index * step - index for index in range(count)]


def write_case(store: StoreSettings, case: Case) -> None:
    written: dict[str, list[str]] = {}
    for policy, line in lines_of(case, time.time()):
        written.setdefault(policy, []).append(line)
    for policy, lines in written.items():
        write_lines(store, policy, "\n".join(lines).encode())


def evaluate(grafana: GrafanaServer, rule: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Let Grafana evaluate a rule now, without waiting (``for`` is no time); return what it makes of it."""
    body = {
        "folderUid": rule["folderUID"],
        "folderTitle": rule["folderUID"],
        "ruleGroup": rule["ruleGroup"],
        "rule": {
            "for": "0s",
            "annotations": rule["annotations"],
            "labels": rule["labels"],
            "grafana_alert": {
                "title": rule["title"],
                "condition": rule["condition"],
                "data": rule["data"],
                "uid": rule["uid"],
                "no_data_state": rule["noDataState"],
                "exec_err_state": rule["execErrState"],
                "is_paused": False,
            },
        },
    }
    answer: list[dict[str, Any]] = grafana.ask("POST", "/api/v1/rule/test/grafana", body)
    return answer


def firing(alerts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Keep what is not normal: Grafana gives an alert that fires an end later than its start."""
    return [alert for alert in alerts if alert["endsAt"] > alert["startsAt"]]


def told(alert: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels that say whom an alert is about."""
    about = ("client_id", "realm", "host", "source", "pattern", "finding")
    return {key: value for key, value in alert["labels"].items() if key in about and value}
