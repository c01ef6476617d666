"""Every alert rule, evaluated by a real Grafana on a real InfluxDB: it fires on its fire cases and is quiet on its quiet ones."""

import pytest

from ingestor.provision.rulefiles import Case, Rule, rule_files
from ingestor.provision.rules import rule_groups
from ingestor.settings import AlertSettings
from tests.grafana.cases import evaluate, firing, told, write_case
from tests.grafana_servers import GrafanaServer
from tests.servers import InfluxServer

RULES = [rule for file in rule_files() for rule in file.rules]
FIRE = [pytest.param(rule, case, id=f"{rule.uid}: {case.it}") for rule in RULES for case in rule.fire]
QUIET = [pytest.param(rule, case, id=f"{rule.uid}: {case.it}") for rule in RULES for case in rule.quiet]


def rendered(uid: str, datasource: str, folder: str, alerts: AlertSettings | None = None) -> dict[str, object]:
    groups = rule_groups(alerts or AlertSettings(), datasource=datasource, folder=folder)
    return next(rule for group in groups for rule in group.rules if rule["uid"] == uid)


@pytest.fixture(scope="module")
def folder(grafana: GrafanaServer) -> str:
    return grafana.new_folder()


@pytest.mark.parametrize(("rule", "case"), FIRE)
def test_it_fires(grafana: GrafanaServer, influxdb: InfluxServer, folder: str, rule: Rule, case: Case) -> None:
    store = influxdb.make()
    write_case(store, case)
    alerts = firing(evaluate(grafana, rendered(rule.uid, grafana.new_data_source(store), folder)))
    assert all(alert["labels"]["alertname"] == rule.title for alert in alerts), alerts
    expected = list(map(dict, case.alerts)) or [{}]
    assert sorted(map(str, map(told, alerts))) == sorted(str(dict(sorted(each.items()))) for each in expected)
    for alert in alerts:
        words = alert["annotations"]["summary"] + alert["annotations"]["description"]
        assert "{{" not in words
        assert "?" not in alert["annotations"]["summary"]
        assert "no value" not in words


@pytest.mark.parametrize(("rule", "case"), QUIET)
def test_it_is_quiet(grafana: GrafanaServer, influxdb: InfluxServer, folder: str, rule: Rule, case: Case) -> None:
    store = influxdb.make()
    write_case(store, case)
    answer = evaluate(grafana, rendered(rule.uid, grafana.new_data_source(store), folder))
    assert firing(answer) == []
    assert all(alert["labels"]["alertname"] == rule.title for alert in answer)
