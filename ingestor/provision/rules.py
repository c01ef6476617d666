"""Alert rules: from the files and the thresholds to what Grafana's provisioning API takes (design section 10). Pure.

A client with thresholds of its own is left out of the general rule, and has one more rule for itself alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Any, Final

from ingestor.config.settings import AlertSettings
from ingestor.provision.resources import DATA_SOURCE_UID, FOLDER_UID, MANAGED_BY, TAG
from ingestor.provision.rule_files import Query, Rule, RuleFile, pieces, rule_files
from ingestor.provision.templates import all_but, only, render_template

RUNBOOKS: Final = "tokentail-runbooks"
MOST_TITLE: Final = 190
"""As long as Grafana lets a title be."""
_LOOK_ALIKES: Final = str.maketrans("<>&@*`~|", "‹›＆＠∗ˋ∼¦")  # noqa: RUF001 - that they look alike is the point
_LINKS: Final = {"client_url": "client_id", "finding_url": "finding"}
"""Annotations with a link, by the label without which there is none."""
_EXPRESSION: Final = {"type": "__expr__", "uid": "__expr__"}


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """What Grafana writes and evaluates as a whole."""

    name: str
    interval: int
    """Seconds between two evaluations."""
    rules: tuple[dict[str, Any], ...]
    """As the API takes them; who is told (``notification_settings``) is not in here."""


def rule_groups(
    alerts: AlertSettings, *, datasource: str = DATA_SOURCE_UID, folder: str = FOLDER_UID
) -> tuple[RuleGroup, ...]:
    """Return every rule group, for a data source and a folder with these uids."""
    return tuple(
        RuleGroup(file.name, file.interval, tuple(_rules(file, alerts, datasource, folder))) for file in rule_files()
    )


def thresholds(alerts: AlertSettings) -> dict[str, int]:
    """Return the general thresholds by the names of their placeholders."""
    return {field.name: getattr(alerts, field.name) for field in fields(alerts) if field.name != "clients"}


def override_uid(uid: str, key: str) -> str:
    """Return the uid of the rule for one client alone."""
    return f"{uid}-{blake2b(key.encode(), digest_size=4).hexdigest()}"


def _rules(file: RuleFile, alerts: AlertSettings, datasource: str, folder: str) -> Iterator[dict[str, Any]]:
    general = thresholds(alerts)
    place = {"ruleGroup": file.name, "folderUID": folder}
    for rule in file.rules:
        own = {key: values for key, values in alerts.clients.items() if _is_about(rule, values)}
        yield place | _rendered(rule, general, datasource, clients=all_but(own))
        for key, values in own.items():
            named = {"uid": override_uid(rule.uid, key), "title": _title(rule, key)}
            yield place | _rendered(rule, general | dict(values), datasource, clients=only(key)) | named


def _is_about(rule: Rule, values: Mapping[str, int]) -> bool:
    """Whether a rule on single clients compares with one of these thresholds."""
    return rule.per_client and any(f"@{{{name}}}" in rule.condition for name in values)


def _title(rule: Rule, key: str) -> str:
    # It becomes the label `alertname`, which contact points print: see `safe` in the pieces.
    title = f"{rule.title}: {key.translate(_LOOK_ALIKES).replace('://', '[:]//').replace('www.', 'www[.]')}"
    if len(title) <= MOST_TITLE:
        return title
    mark = f"... ({override_uid('', key)[1:]})"
    return title[: MOST_TITLE - len(mark)] + mark


def _rendered(rule: Rule, numbers: Mapping[str, int], datasource: str, *, clients: str) -> dict[str, Any]:
    values = {**pieces(), **{name: str(number) for name, number in numbers.items()}}
    labels = {"severity": rule.severity, MANAGED_BY: TAG, "rule": rule.uid}
    asked = " ".join(render_template(query.query, values) for query in rule.queries.values())
    for label in ("client_id", "realm", "addresses"):
        if f'"{label}"' in asked:  # a label of the rule stands for the query's own, whose text is anybody's
            labels[label] = render_template(f"@{{{label}_label}}", values)
    links = [link for link, label in _LINKS.items() if f'"{label}"' in asked]
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "condition",
        "data": list(_data(rule, values, datasource, clients, only_firing="client_id" in labels)),
        "noDataState": rule.no_data,
        "execErrState": "Error",  # a query that fails is no silence
        "for": rule.pending,
        "annotations": _annotations(rule, values, links),
        "labels": labels,
        "isPaused": False,
    }


def _annotations(rule: Rule, values: Mapping[str, str], links: Iterable[str]) -> dict[str, str]:
    dashboard, panel = rule.panel.split("/")
    return {
        "summary": _words(rule.summary, values),
        "description": _words(rule.description, values),
        "runbook_url": f"{{{{ externalURL }}}}d/{RUNBOOKS}/token-runbooks?viewPanel={rule.runbook}",
        "__dashboardUid__": dashboard,
        "__panelId__": panel,
        **{link: render_template(f"@{{{link}}}", values) for link in links},
    }


def _words(text: str, values: Mapping[str, str]) -> str:
    """Return a text that says something else when a query failed: then Grafana has no values, and not even the labels of no data."""
    filled = f"{{{{ if or $values $labels.datasource_uid }}}}{text.strip()}{{{{ else }}}}@{{cannot_ask}}{{{{ end }}}}"
    return render_template(filled, values)


def _data(
    rule: Rule, values: Mapping[str, str], datasource: str, clients: str, *, only_firing: bool
) -> Iterator[dict[str, Any]]:
    """Yield the queries, each with its reduction under its own name, then the math, the condition last.

    ``only_firing``: rows for which the condition does not hold are left out. Grafana keeps a state for each row that it gets,
    and writes a warning for each whose label is replaced: of a thousand clients, at every evaluation.
    """
    for name, query in rule.queries.items():
        yield _query(f"{name}_query", query, render_template(query.query, values, clients), datasource)
        yield _reduce(name, f"{name}_query", {"mode": "replaceNN", "replaceWithValue": 0})
    for name, formula in rule.math.items():
        yield _math(name, render_template(formula, values))
    condition = render_template(rule.condition, values)
    if only_firing:
        yield _math("holds", f"1 / ({condition})")  # 1, or infinite, which is no number and is dropped
        yield _reduce("condition", "holds", {"mode": "dropNN"})
    else:
        yield _math("condition", condition)


def _query(name: str, query: Query, text: str, datasource: str) -> dict[str, Any]:
    return {
        "refId": name,
        "queryType": "",
        "relativeTimeRange": {"from": query.range, "to": 0},
        "datasourceUid": datasource,
        "model": {
            "refId": name,
            "datasource": {"type": "influxdb", "uid": datasource},
            "rawQuery": True,
            "query": text,
            "resultFormat": "time_series",
        },
    }


def _reduce(name: str, what: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return _expression(name, {"type": "reduce", "expression": what, "reducer": "last", "settings": settings})


def _math(name: str, formula: str) -> dict[str, Any]:
    return _expression(name, {"type": "math", "expression": formula})


def _expression(name: str, model: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "refId": name,
        "queryType": "",
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {"refId": name, "datasource": _EXPRESSION, **model},
    }
