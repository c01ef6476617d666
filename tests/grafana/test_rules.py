"""The rule files are whole and name only what exists; rendering fills every placeholder and quotes what is quoted nowhere else."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingestor.assets import asset
from ingestor.config.settings import CLIENT_ALERTS, AlertSettings
from ingestor.model.finding import NEWS_MS, Severity
from ingestor.model.schema import EVENTS, MEASUREMENTS, OWN, RAISED
from ingestor.model.statistics import client_key, client_of
from ingestor.provision.rule_files import Rule, pieces, rule_files, seconds
from ingestor.provision.rules import MOST_TITLE, RUNBOOKS, rule_groups, thresholds
from ingestor.provision.templates import all_but, only, render_template
from tests.grafana.cases import lines_of

RULES = [rule for file in rule_files() for rule in file.rules]
DASHBOARDS = asset("grafana/dashboards")
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
HOSTILE = AlertSettings(
    clients={
        client_key(realm, client): {"pkce_failed_count": 7, "failure_rate_percent": 77}
        for realm, client in [
            ("", "billing-service"),
            ("acme", "billing-service"),
            ("a/b", "x' OR '1'='1"),
            ("", '"; DROP DATABASE tokentail; --\\'),
            ("", "$timeFilter $__interval"),
            ("", "@{safe}{{ externalURL }}"),
            ("", "l" * 256),
            ("", "l" * 255 + "m"),
        ]
    }
)


def panels_of(dashboard: str) -> set[int]:
    path = DASHBOARDS / f"{dashboard.removeprefix('tokentail-')}.json"
    if not path.exists():
        pytest.skip(f"no dashboard {dashboard} yet")
    return {panel["id"] for panel in all_panels(orjson.loads(path.read_bytes())["panels"])}


def all_panels(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [inner for panel in panels for inner in (panel, *all_panels(panel.get("panels", [])))]


# The files


@every_rule
def test_a_rule_has_what_a_rule_needs(rule: Rule) -> None:
    assert re.fullmatch(r"tokentail-[a-z-]+", rule.uid)
    assert len(rule.uid) <= 30
    assert rule.severity in {"page", "ticket"}
    assert rule.no_data in {"OK", "Alerting"}
    assert seconds(rule.pending) <= 60, "a page comes within two minutes"
    assert rule.title
    assert rule.summary
    assert "First, " in rule.description, "what to do first"
    assert "`tokentail " in rule.description
    assert rule.fire
    assert rule.quiet
    assert all(case.alerts for case in rule.fire) or "GROUP BY" not in str(rule.queries)


def test_no_two_rules_share_a_name_or_a_runbook() -> None:
    for names in ([r.uid for r in RULES], [r.title for r in RULES], [r.runbook for r in RULES]):
        assert len(set(names)) == len(RULES)


@every_rule
def test_its_panel_exists(rule: Rule) -> None:
    dashboard, panel = rule.panel.split("/")
    assert int(panel) in panels_of(dashboard)


@every_rule
def test_its_runbook_exists_and_is_about_it(rule: Rule) -> None:
    runbooks = orjson.loads((DASHBOARDS / "runbooks.json").read_bytes())
    assert runbooks["uid"] == RUNBOOKS
    (panel,) = [panel for panel in all_panels(runbooks["panels"]) if panel["id"] == rule.runbook]
    assert panel["type"] == "text"
    assert panel["title"] == rule.title
    text = panel["options"]["content"]
    for name in thresholds(AlertSettings()):
        if f"@{{{name}}}" in rule.condition + rule.summary:
            assert f"`alerts.{name}`" in text, "how to change the threshold"
    for part in (
        "**What it means.**",
        "**How it is computed.**",
        "**Blind spots.**",
        "**First.**",
        "**False alarms.**",
    ):
        assert part in text


def fill_queries(rule: Rule) -> str:
    text = " ".join(query.query for query in rule.queries.values())
    for name, piece in pieces().items():
        text = text.replace(f"@{{{name}}}", piece)
    return text


def test_every_runbook_is_of_a_rule() -> None:
    runbooks = orjson.loads((DASHBOARDS / "runbooks.json").read_bytes())
    overview, patterns = 1, 22
    assert {panel["id"] for panel in runbooks["panels"]} == {overview, patterns, *(rule.runbook for rule in RULES)}


def stored() -> dict[str, set[str]]:
    return {m.name: {tag.name for tag in m.tags} | {field.name for field in m.fields} for m in MEASUREMENTS}


@every_rule
def test_its_queries_name_what_is_stored(rule: Rule) -> None:
    known = stored()
    (rendered,) = [each for group in rule_groups(AlertSettings()) for each in group.rules if each["uid"] == rule.uid]
    texts = [step["model"]["query"] for step in rendered["data"] if "query" in step["model"]]
    assert texts
    for text in texts:
        sources = re.findall(r'FROM "(\w+)"\."(\w+)"', text)
        assert sources
        aliases = set(re.findall(r'AS "(\w+)"', text))
        names = set(re.findall(r'"(\w+)"', re.sub(r'FROM "\w+"\."\w+"', "", text))) - aliases
        for policy, measurement in sources:
            assert policy == {EVENTS.name: "raw", OWN.name: "own", RAISED.name: "findings"}[measurement]
            assert names <= known[measurement]


@every_rule
def test_its_cases_write_what_is_stored(rule: Rule) -> None:
    known = stored()
    for case in (*rule.fire, *rule.quiet):
        for _, line in lines_of(case, 1_700_000_000):
            series, fields, _ = re.split(r"(?<!\\) ", line)
            measurement, *tags = re.split(r"(?<!\\),", series)
            assert {pair.split("=")[0] for pair in (*tags, *fields.split(","))} <= known[measurement]


@every_rule
def test_a_rule_on_clients_can_leave_each_out(rule: Rule) -> None:
    for query in rule.queries.values():
        of_events = query.query.count("@{events}")
        assert query.query.count("@{and_clients}") == (of_events if rule.per_client else 0)


def test_thresholds_of_single_clients_are_of_rules_on_single_clients() -> None:
    used = {name for rule in RULES if rule.per_client for name in re.findall(r"@\{(\w+)\}", rule.condition)}
    assert used == set(CLIENT_ALERTS)


def test_a_finding_is_told_for_as_long_as_the_daemon_says_that_it_is_news() -> None:
    rules = {rule.uid: rule for rule in RULES if "@{raised " in str(rule.queries)}
    assert {uid.removeprefix("tokentail-finding-") for uid in rules} == set(Severity) - {Severity.LOW}
    assert {query.range * 1000 for rule in rules.values() for query in rule.queries.values()} == {NEWS_MS}


def test_every_threshold_is_of_a_rule() -> None:
    text = " ".join(rule.condition + fill_queries(rule) for rule in RULES)
    assert all(f"@{{{name}}}" in text for name in thresholds(AlertSettings()))


# Rendering


def rendered(alerts: AlertSettings) -> list[dict[str, Any]]:
    return [rule for group in rule_groups(alerts, datasource="source", folder="place") for rule in group.rules]


@pytest.mark.parametrize("alerts", [AlertSettings(), HOSTILE], ids=["default", "overrides"])
def test_rendering_leaves_nothing_open(alerts: AlertSettings) -> None:
    rules = rendered(alerts)
    assert len({rule["uid"] for rule in rules}) == len({rule["title"] for rule in rules}) == len(rules)
    for rule in rules:
        assert len(rule["uid"]) <= 40
        assert len(rule["title"]) <= MOST_TITLE
        assert rule["folderUID"] == "place"
        assert rule["execErrState"] == "Error"
        assert "notification_settings" not in rule
        assert rule["data"][-1]["refId"] == rule["condition"]
        for step in rule["data"]:
            assert step["datasourceUid"] in {"source", "__expr__"}
            if step["datasourceUid"] == "source":
                assert step["relativeTimeRange"]["from"] > 0
        if rule["uid"] in {r.uid for r in RULES} and alerts == AlertSettings():
            assert "@{" not in orjson.dumps(rule).decode()
        assert not any("@{" in text for text in rule["annotations"].values())


def test_an_override_is_one_more_rule_and_out_of_the_general_one() -> None:
    alerts = AlertSettings(clients={"acme/billing": {"pkce_failed_count": 7}, "cron": {"pkce_failed_count": 9}})
    general, billing, cron = [rule for rule in rendered(alerts) if rule["labels"]["rule"] == "tokentail-pkce-failed"]
    assert len(rendered(alerts)) == len(RULES) + 2
    assert general["uid"] == "tokentail-pkce-failed"
    assert billing["title"] == "PKCE failures: acme/billing"
    assert "$failures >= 7" in str(billing["data"])
    assert "$failures >= 9" in str(cron["data"])
    query = general["data"][0]["model"]["query"]
    assert (
        """AND ("client_id" != 'billing' OR "realm" != 'acme') AND ("client_id" != 'cron' OR "realm" != '')""" in query
    )
    query = billing["data"][0]["model"]["query"]
    assert """AND "client_id" = 'billing' AND "realm" = 'acme'""" in query
    assert billing["labels"]["client_id"] == general["labels"]["client_id"]


def test_a_client_is_found_again_in_its_key() -> None:
    for client in [("", "a"), ("r", "a"), ("r/s", "a/b%"), ("%2F", "%")]:
        assert client_of(client_key(*client)) == client
    for wrong in ("", "/", "a/", "/a", "a/b/c", "100%", "%2f"):
        with pytest.raises(ValueError, match="realm/id"):
            client_of(wrong)


def test_a_dollar_is_kept_from_grafana() -> None:
    for condition in (only("$timeFilter"), all_but(["$timeFilter"])):
        assert "$timeFilter" not in condition
        assert r"/^\x{24}timeFilter$/" in condition


def test_a_placeholder_that_nothing_fills_is_a_fault() -> None:
    with pytest.raises(ValueError, match="nothing fills"):
        render_template("@{nothing}", {})
    with pytest.raises(ValueError, match="no end"):
        render_template("@{a}", {"a": "@{a}"})


@pytest.mark.parametrize(
    ("written", "value"), [("90s", 90), ("1h", 3600), ("168h10m", 605_400), ("-20s", -20), ("1d", 86_400)]
)
def test_durations(written: str, value: int) -> None:
    assert seconds(written) == value


@pytest.mark.parametrize("written", ["", "5", "m", "5 m", "5m x"])
def test_no_durations(written: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        seconds(written)


@pytest.mark.parametrize(
    "text",
    [
        "rules: []",
        "- a",
        "interval: 1m\nrules: [{uid: x}]",
        "interval: soon\nrules: []",
    ],
)
def test_a_broken_file_says_which(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"bad\.yaml"):
        rule_files(tmp_path)
