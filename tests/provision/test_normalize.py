"""What Grafana fills in is no difference; what somebody changed is one."""

from typing import Any

import pytest

from ingestor.provision.diff import differences
from ingestor.provision.normalize import as_set
from ingestor.provision.plan import plan
from ingestor.provision.resources import Existing, Kind, Resource

QUERY: dict[str, Any] = {
    "refId": "A",
    "queryType": "",
    "relativeTimeRange": {"from": 600, "to": 0},
    "datasourceUid": "tokentail",
    "model": {"refId": "A", "query": "SELECT 1", "rawQuery": True},
}
RULE: dict[str, Any] = {
    "uid": "tokentail-r",
    "title": "T",
    "for": "5m",
    "isPaused": False,
    "labels": {"severity": "page"},
    "annotations": {"summary": "300s", "description": ""},
    "data": [QUERY],
    "notification_settings": {"receiver": "tokentail page"},
}
GROUP = Resource(Kind.RULE_GROUP, "g", "g", {"interval": 60, "rules": [RULE]})


def places(found: dict[str, Any]) -> list[str]:
    body = {"interval": 60, "rules": [found]}
    steps = plan([GROUP], [Existing(GROUP._replace(body=body))]).steps
    return [difference.place for step in steps for difference in step.differences]


def changed(path: str, value: Any, rule: dict[str, Any] = RULE) -> dict[str, Any]:
    """Return the rule with something set, or without it when the value is None."""
    name, _, rest = path.partition("/")
    if name == "data":
        return rule | {"data": [changed(rest, value, QUERY)]}
    if rest:
        return rule | {name: changed(rest, value, rule[name])}
    return {key: old for key, old in rule.items() if key != name} | ({} if value is None else {name: value})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("keep_firing_for", "0s"),  # Grafana 12.4
        ("keep_firing_for", ""),
        ("missing_series_evals_to_resolve", 2),
        ("fieldOfTheNextRelease", {"on": True}),
        ("for", "5m0s"),
        ("for", "300s"),
        ("for", "0h5m"),
        ("isPaused", None),
        ("record", {"metric": "", "from": ""}),
        ("annotations/description", ""),
        ("data/queryType", None),
        ("data/relativeTimeRange", {"from": 600}),
        ("data/model/intervalMs", 1000),
        ("data/model/maxDataPoints", 43200),
        ("data/model/hide", False),
        ("data/hidden", "x"),
        ("notification_settings/group_by", ["grafana_folder", "alertname"]),
        ("notification_settings/mute_time_intervals", []),
    ],
)
def test_what_grafana_fills_in_is_no_difference(path: str, value: Any) -> None:
    assert places(changed(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("for", "6m", "for"),
        ("for", None, "for"),
        ("for", "0s", "for"),
        ("keep_firing_for", "10m", "keep_firing_for"),
        ("isPaused", True, "isPaused"),
        ("record", {"metric": "m", "from": "A"}, "record"),
        ("labels/severity", "ticket", "labels/severity"),
        ("labels/mine", "", "labels/mine"),
        ("labels", {}, "labels/severity"),
        ("annotations/summary", "5m", "annotations/summary"),
        ("annotations/mine", "x", "annotations/mine"),
        ("data/model/query", "SELECT 2", "data/A/model/query"),
        ("data/model/rawQuery", None, "data/A/model/rawQuery"),
        ("data/relativeTimeRange", {"from": 601, "to": 0}, "data/A/relativeTimeRange/from"),
        ("notification_settings", None, "notification_settings"),
        ("notification_settings/receiver", "mine", "notification_settings/receiver"),
        ("notification_settings/mute_time_intervals", ["weekends"], "notification_settings/mute_time_intervals"),
    ],
)
def test_what_somebody_changed_is_one(path: str, value: Any, place: str) -> None:
    assert places(changed(path, value)) == [f'rules/"T"/{place}']


def test_another_query_or_rule_is_a_difference() -> None:
    more = RULE | {"data": [QUERY, QUERY | {"refId": "B"}]}
    assert places(more) == ['rules/"T"/data/B']
    assert places(RULE | {"data": []}) == ['rules/"T"/data/A']
    stray = Existing(
        GROUP._replace(body={"interval": 60, "rules": [RULE, RULE | {"uid": "tokentail-s", "title": "S"}]})
    )
    (step,) = plan([GROUP], [stray]).steps
    assert [difference.place for difference in step.differences] == ['rules/"S"']


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.DATA_SOURCE, Kind.CONTACT_POINT])
def test_other_things_of_the_api_are_compared_alike(kind: Kind) -> None:
    wanted = Resource(
        kind, "u", "t", {"settings": {"url": "http://a", "timeout": "30s"}, "disableResolveMessage": False}
    )
    found = {"settings": {"url": "http://a", "timeout": "30s", "new": 1}, "disableResolveMessage": None, "more": "x"}
    assert plan([wanted], [Existing(wanted._replace(body=found))]).is_empty
    found["settings"] = {"url": "http://b"}
    (step,) = plan([wanted], [Existing(wanted._replace(body=found))]).steps
    assert [difference.place for difference in step.differences] == ["settings/url", "settings/timeout"]


def test_a_dashboard_is_compared_to_the_letter() -> None:
    wanted = Resource(Kind.DASHBOARD, "u", "t", {"panels": [{"id": 1, "title": "a"}], "refresh": "60s"})
    for found in (
        {"panels": [{"id": 1, "title": "a", "transparent": True}], "refresh": "60s"},
        wanted.body | {"refresh": "1m"},
    ):
        assert not plan([wanted], [Existing(wanted._replace(body=found))]).is_empty


def test_true_is_not_one_and_nothing_is_nothing() -> None:
    assert list(differences(as_set({"a": 1}, {"a": True}), {"a": True}))
    assert as_set({}, {"a": 0, "b": "", "c": [], "d": {"e": False}}) == {"a": 0, "b": "", "c": [], "d": {"e": False}}
    assert as_set([1, 2], [1]) == [1, 2]
    assert as_set(1000.0, 1000) == 1000
