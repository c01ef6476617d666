"""Every alert rule, evaluated by a real Grafana on a real InfluxDB: it fires on its fire cases and is quiet on its quiet ones."""

from urllib.parse import parse_qs, urlsplit

import pytest

from ingestor.config.settings import AlertSettings
from ingestor.model.statistics import client_key
from ingestor.provision.rule_files import Case, Rule, rule_files
from ingestor.provision.rules import override_uid, rule_groups
from tests.grafana.cases import evaluate, firing, told, write_case
from tests.support.grafana_servers import GrafanaServer
from tests.support.servers import InfluxServer

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


HOSTILE = [
    '<a href="http://evil.example/">x</a>',
    "{{ .Labels }}{{ externalURL }}",
    "<!channel> <http://evil.example|click> *bold* `code` ~gone~ _italic_",
    "[click](javascript:alert(1)) www.evil.example mailto:a@evil.example",
    "@{safe} @{and_clients} ${HOME} $timeFilter",
    "a' OR 1=1; DROP DATABASE x; -- \\ \" \\n",
    "a&b=c#d?e%41/f+g h",
    "Ünïcödé",
]


def test_a_hostile_name_stays_text(grafana: GrafanaServer, influxdb: InfluxServer, folder: str) -> None:
    store = influxdb.make()
    points = [
        {"event": "token.pkce_failed", "client_id": name, "realm": name, "ago": "1m", "count": index + 10}
        for index, name in enumerate(HOSTILE)
    ]
    write_case(store, Case("hostile names", tuple(points)))
    rule = rendered("tokentail-pkce-failed", grafana.new_data_source(store), folder)
    alerts = firing(evaluate(grafana, rule))
    assert len(alerts) == len(HOSTILE)
    links = set()
    for alert in alerts:
        annotations = alert["annotations"]
        texts = [annotations["summary"], annotations["description"], *alert["labels"].values()]
        for forbidden in ("<", ">", "://", "&", "*", "`x", "@", "~", "](", "www.", "mailto:", "javascript:"):
            assert all(forbidden not in text.replace("`tokentail events", "") for text in texts), (forbidden, texts)
        url = urlsplit(annotations["client_url"])
        assert annotations["client_url"].startswith(grafana.url + "/d/tokentail-client/")
        assert url.fragment == ""
        query = parse_qs(url.query, strict_parsing=True)
        assert query["var-client"] == query["var-realm"]
        links.add(query["var-client"][0])
        assert annotations["runbook_url"] == f"{grafana.url}/d/tokentail-runbooks/token-runbooks?viewPanel=9"
    assert links == set(HOSTILE)


def test_a_plain_name_is_written_as_it_is(grafana: GrafanaServer, influxdb: InfluxServer, folder: str) -> None:
    store = influxdb.make()
    name = "com.example.billing_service-2:eu/west"
    write_case(
        store,
        Case("plain", ({"event": "token.pkce_failed", "client_id": name, "realm": "acme", "ago": "1m", "count": 10},)),
    )
    rule = rendered("tokentail-pkce-failed", grafana.new_data_source(store), folder)
    (alert,) = firing(evaluate(grafana, rule))
    assert f"client {name} (realm acme)" in alert["annotations"]["summary"]
    assert told(alert) == {"client_id": name, "realm": "acme"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
def test_an_empty_database_is_quiet_but_for_the_heartbeat(
    grafana: GrafanaServer, influxdb: InfluxServer, folder: str, rule: Rule
) -> None:
    found = firing(evaluate(grafana, rendered(rule.uid, grafana.new_data_source(influxdb.make()), folder)))
    if rule.uid != "tokentail-heartbeat":
        assert found == []
        return
    (alert,) = found
    assert alert["labels"]["alertname"] == rule.title
    assert alert["annotations"]["summary"] == "No heartbeat of tokentail on any host for a day"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
def test_a_query_that_fails_is_an_error(
    grafana: GrafanaServer, influxdb: InfluxServer, folder: str, rule: Rule
) -> None:
    source = grafana.new_data_source(influxdb.fresh())  # nobody made this database
    (alert,) = firing(evaluate(grafana, rendered(rule.uid, source, folder)))
    assert alert["labels"]["alertname"] == "DatasourceError"
    assert alert["labels"]["severity"] == rule.severity
    assert not any("{{" in text for text in (*alert["labels"].values(), *alert["annotations"].values()))
    assert alert["annotations"]["summary"].startswith("This rule could not be evaluated")


def test_clients_with_thresholds_of_their_own_are_told_apart(
    grafana: GrafanaServer, influxdb: InfluxServer, folder: str
) -> None:
    store = influxdb.make()
    points = [{"event": "token.pkce_failed", "client_id": name, "ago": "1m", "count": 5} for name in HOSTILE]
    points += [
        {"event": "token.pkce_failed", "client_id": name, "realm": "r", "ago": "1m", "count": 10} for name in HOSTILE
    ]
    write_case(store, Case("", tuple(points)))
    source = grafana.new_data_source(store)
    keys = [client_key("", name) for name in HOSTILE]

    def clients_of(uid: str, alerts: AlertSettings) -> list[tuple[str, str]]:
        found = firing(evaluate(grafana, rendered(uid, source, folder, alerts)))
        queries = [parse_qs(urlsplit(alert["annotations"]["client_url"]).query) for alert in found]
        return sorted((query.get("var-realm", [""])[0], query["var-client"][0]) for query in queries)

    alerts = AlertSettings(clients={key: {"pkce_failed_count": 5} for key in keys})
    assert clients_of("tokentail-pkce-failed", alerts) == sorted(("r", name) for name in HOSTILE)
    for key, name in zip(keys, HOSTILE, strict=True):
        uid = override_uid("tokentail-pkce-failed", key)
        assert clients_of(uid, alerts) == [("", name)]
        assert clients_of(uid, AlertSettings(clients={key: {"pkce_failed_count": 6}})) == []


def test_what_the_log_names_no_client_of_reads_well(
    grafana: GrafanaServer, influxdb: InfluxServer, folder: str
) -> None:
    store = influxdb.make()
    write_case(store, Case("no client", ({"event": "token.pkce_failed", "realm": "acme", "ago": "1m", "count": 10},)))
    (alert,) = firing(evaluate(grafana, rendered("tokentail-pkce-failed", grafana.new_data_source(store), folder)))
    summary = "10 PKCE failures of clients that the log does not name (realm acme) in 15 minutes"
    assert alert["annotations"]["summary"] == summary
    assert told(alert) == {"realm": "acme"}
    assert "var-client" not in alert["annotations"]["client_url"]
