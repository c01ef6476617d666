"""What a configuration wants in Grafana: no Grafana is needed to know."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestor.config.credentials import reference
from ingestor.config.settings import ContactSettings, GrafanaSettings, RetentionSettings, Settings, StoreSettings
from ingestor.errors import ConfigError
from ingestor.provision.contact_points import receiver
from ingestor.provision.dashboards import fitted
from ingestor.provision.data_source import data_source
from ingestor.provision.desired import desired, routed, unrouted
from ingestor.provision.export import write
from ingestor.provision.resources import Kind, Resource
from tests.support.servers import private_file

SECRET = "canary-secret-of-grafana"
STORE = StoreSettings(type="influxdb", url="http://influxdb.example:8086", database="db")


def settings(**changes: Any) -> Settings:
    return dataclasses.replace(Settings(store=STORE), **changes)


def of(kind: Kind, things: list[Resource]) -> list[Resource]:
    return [thing for thing in things if thing.kind is kind]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return private_file(tmp_path / "secret", SECRET)


def test_the_embedded_store_is_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigError, match="Grafana needs InfluxDB") as caught:
        desired(Settings())
    assert "store.type" in str(caught.value)


# The data source


def test_a_token_becomes_a_header(secret: Path) -> None:
    thing = data_source(settings(store=dataclasses.replace(STORE, token_file=secret)))
    assert thing.secrets == {"httpHeaderValue1": f"Token {SECRET}"}
    assert thing.body["jsonData"]["httpHeaderName1"] == "Authorization"
    assert thing.body["jsonData"]["dbName"] == "db"
    assert thing.body["url"] == STORE.url
    assert SECRET not in json.dumps(thing.body)


def test_a_user_has_a_password(secret: Path) -> None:
    thing = data_source(settings(store=dataclasses.replace(STORE, username="ada", password_file=secret)))
    assert thing.body["user"] == "ada"
    assert thing.secrets == {"password": SECRET}
    assert "httpHeaderName1" not in thing.body["jsonData"]


def test_grafana_has_its_own_way_to_influxdb(secret: Path, tmp_path: Path) -> None:
    own = private_file(tmp_path / "own", "read-only")
    grafana = GrafanaSettings(influxdb_url="http://inside:8086", influxdb_token_file=own)
    thing = data_source(settings(store=dataclasses.replace(STORE, token_file=secret), grafana=grafana))
    assert thing.body["url"] == "http://inside:8086"
    assert thing.secrets == {"httpHeaderValue1": "Token read-only"}
    grafana = GrafanaSettings(influxdb_username="reader", influxdb_password_file=own)
    thing = data_source(settings(store=dataclasses.replace(STORE, token_file=secret), grafana=grafana))
    assert (thing.body["user"], thing.secrets) == ("reader", {"password": "read-only"})


# Dashboards


def test_a_dashboard_is_fitted_to_the_configuration() -> None:
    variables = [
        {"name": "zone", "type": "constant", "query": "UTC"},
        {"name": "raw_days", "type": "constant", "query": "90"},
        {"name": "client", "type": "query", "query": "x"},
    ]
    body = {"uid": "tokentail-x", "title": "X", "id": 5, "version": 3, "templating": {"list": variables}}
    retention = RetentionSettings(raw_days=30)
    fit = fitted(body, settings(time_zone="Europe/Berlin", retention=retention, grafana=GrafanaSettings(editable=True)))
    assert (fit["timezone"], fit["editable"]) == ("Europe/Berlin", True)
    assert [variable["query"] for variable in fit["templating"]["list"]] == ["Europe/Berlin", "30", "x"]
    assert not {"id", "version"} & fit.keys()
    assert fitted(body, settings())["timezone"] == "utc"


# Contact points


@pytest.mark.parametrize(
    ("contact", "key"),
    [
        (ContactSettings("slack"), "url"),
        (ContactSettings("slack", channel="#on-call"), "token"),
        (ContactSettings("pagerduty"), "integrationKey"),
        (ContactSettings("webhook", url="http://hook.example"), "authorization_credentials"),
    ],
)
def test_a_secret_goes_along_and_is_not_shown(contact: ContactSettings, key: str, secret: Path) -> None:
    grafana = GrafanaSettings(page=dataclasses.replace(contact, secret_file=secret))
    (thing,) = of(Kind.CONTACT_POINT, desired(settings(grafana=grafana)))
    assert thing.secrets == {key: SECRET}
    assert SECRET not in json.dumps(thing.body)
    assert (thing.uid, thing.title) == ("tokentail-page", "tokentail page")


@pytest.mark.parametrize("kind", ["slack", "pagerduty"])
def test_a_contact_point_without_its_secret_says_where_to_put_it(kind: str) -> None:
    with pytest.raises(ConfigError, match=r"severity ticket has no secret") as caught:
        desired(settings(grafana=GrafanaSettings(ticket=ContactSettings(kind))))
    assert "TOKENTAIL_GRAFANA_TICKET_SECRET" in str(caught.value)


def test_a_rule_names_the_contact_point_of_its_severity() -> None:
    page = ContactSettings("email", addresses=("on-call@example.org", "b@example.org"))
    grafana = GrafanaSettings(page=page, ticket=ContactSettings("existing", name="theirs"))
    assert receiver(grafana, "page") == "tokentail page"
    assert receiver(grafana, "ticket") == "theirs"
    (point,) = of(Kind.CONTACT_POINT, desired(settings(grafana=grafana)))
    assert point.body["settings"]["addresses"] == "on-call@example.org;b@example.org"
    assert routed({"labels": {"severity": "ticket"}}, grafana)["notification_settings"]["receiver"] == "theirs"
    assert unrouted(grafana) == []
    assert unrouted(GrafanaSettings()) == ["page", "ticket"]
    assert "notification_settings" not in routed({"labels": {"severity": "page"}}, GrafanaSettings())


# Files


def test_exported_files_hold_no_secret_and_name_the_variables(secret: Path, tmp_path: Path) -> None:
    grafana = GrafanaSettings(page=ContactSettings("pagerduty", secret_file=secret))
    store = dataclasses.replace(STORE, token_file=secret)
    written = write(desired(settings(store=store, grafana=grafana), reference), tmp_path / "out")
    assert written.variables == ("TOKENTAIL_GRAFANA_PAGE_SECRET", "TOKENTAIL_STORE_TOKEN")
    text = {path.name: path.read_text() for path in written.files}
    assert not any(SECRET in content for content in text.values())
    source = yaml.safe_load((tmp_path / "out/datasources/tokentail.yaml").read_text())["datasources"][0]
    assert source["secureJsonData"] == {"httpHeaderValue1": "Token $TOKENTAIL_STORE_TOKEN"}
    alerting = yaml.safe_load((tmp_path / "out/alerting/tokentail.yaml").read_text())
    (receiver_,) = alerting["contactPoints"][0]["receivers"]
    assert receiver_["settings"]["integrationKey"] == "$TOKENTAIL_GRAFANA_PAGE_SECRET"
    assert "$$a" in receiver_["settings"]["summary"], "Grafana would take $a for a variable of its environment"
