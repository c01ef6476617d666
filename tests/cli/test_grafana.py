"""`tokentail grafana` as a person types it."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from ingestor.config.settings import Settings
from tests.cli.conftest import Tokentail
from tests.provision.conftest import settings as settings  # noqa: PLC0414 - a fixture
from tests.support.grafana_servers import GrafanaServer
from tests.support.servers import free_port


@pytest.fixture
def config(settings: Settings, tmp_path: Path) -> Path:
    """A configuration file that says what ``settings`` are."""
    store, grafana = settings.store, settings.grafana
    text = f"""
        [store]
        type = "influxdb"
        url = "{store.url}"
        database = "{store.database}"
        token_file = "{store.token_file or ""}"
        [grafana]
        url = "{grafana.url}"
        token_file = "{grafana.token_file}"
    """
    path = tmp_path / "tokentail.toml"
    path.write_text(text)
    return path


def grafana_json(tokentail: Tokentail, command: str, config: Path, *more: str, code: int = 0) -> Any:
    result = tokentail("grafana", command, *more, "--json", "--config", config)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_plan_apply_plan_destroy(tokentail: Tokentail, config: Path, grafana: GrafanaServer) -> None:
    plan = tokentail("grafana", "plan", "--config", config)
    assert plan.exit_code == 1
    assert "create  dashboard      Token overview" in plan.stdout
    assert "`tokentail grafana apply` does it." in plan.stdout
    assert "No contact point is configured for alerts of severity page and ticket" in plan.stderr

    apply = tokentail("grafana", "apply", "--config", config)
    assert apply.exit_code == 0, apply.output
    assert "Grafana is as configured." in apply.stdout
    assert f"{grafana.url}/d/tokentail-overview  Token overview" in apply.stdout

    again = tokentail("grafana", "plan", "--config", config)
    assert again.exit_code == 0, again.output
    assert "Nothing to do: Grafana is as configured." in again.stdout
    assert grafana_json(tokentail, "apply", config)["steps"][0]["action"] == "keep"

    assert tokentail("grafana", "destroy", "--config", config).exit_code == 2, "nobody was asked"
    destroy = tokentail("grafana", "destroy", "--yes", "--config", config)
    assert destroy.exit_code == 0, destroy.output
    assert "delete  folder         tokentail" in destroy.stdout
    assert "Nothing of ours is left." in destroy.stdout
    assert grafana_json(tokentail, "destroy", config, "--yes") == {
        **grafana_json(tokentail, "destroy", config, "--yes"),
        "steps": [],
        "left": [],
    }


def test_what_differs_is_told_as_json(tokentail: Tokentail, config: Path, grafana: GrafanaServer) -> None:
    assert tokentail("grafana", "apply", "--config", config).exit_code == 0
    body = grafana.ask("GET", "/api/dashboards/uid/tokentail-overview")["dashboard"]
    body["description"] = "\x1b[31mby hand\x1b[0m"
    grafana.ask("POST", "/api/dashboards/db", {"dashboard": body, "folderUid": "tokentail", "overwrite": True})
    answer = grafana_json(tokentail, "plan", config, code=1)
    (step,) = [step for step in answer["steps"] if step["action"] != "keep"]
    assert (step["action"], step["kind"], step["uid"]) == ("update", "dashboard", "tokentail-overview")
    assert [difference["place"] for difference in step["differences"]] == ["description"]
    assert answer["conflicts"] == []
    assert answer["without_contact_point"] == ["page", "ticket"]
    assert "\x1b[31m" not in tokentail("grafana", "plan", "--config", config).output


def test_validate_looks_at_grafana(tokentail: Tokentail, config: Path) -> None:
    def told() -> dict[str, str]:
        found = json.loads(tokentail("validate", "--json", "--config", config).stdout)
        return {finding["what"]: finding["level"] for finding in found}

    before = told()
    assert [level for what, level in before.items() if re.fullmatch(r"Grafana \d+\.\d+\.\d+ answers", what)] == ["ok"]
    assert next(level for what, level in before.items() if "in Grafana differ from" in what) == "warning"
    assert tokentail("grafana", "apply", "--config", config).exit_code == 0
    after = told()
    assert after["Grafana is as configured"] == "ok"
    assert after["Grafana can ask InfluxDB"] == "ok"
    assert after["No contact point is configured for alerts of severity page"] == "warning"
    time.sleep(1.1)  # Grafana tells an old data source from a new one by the second of its change
    text = config.read_text()
    config.write_text(text.replace("[grafana]", f'[grafana]\ninfluxdb_url = "http://127.0.0.1:{free_port()}"'))
    assert tokentail("grafana", "apply", "--config", config).exit_code == 69
    assert next(level for what, level in told().items() if what.startswith("Grafana cannot ask InfluxDB")) == "error"


def test_validate_warns_of_rules_that_are_blind(tokentail: Tokentail, config: Path) -> None:
    config.write_text(config.read_text() + "[retention]\nraw_days = 3\n[telemetry]\ninterval_seconds = 900\n")
    found = json.loads(tokentail("validate", "--json", "--config", config).stdout)
    warned = {finding["where"] for finding in found if finding["level"] == "warning"}
    assert {"retention.raw_days", "telemetry.interval_seconds"} <= warned


def test_export_writes_files_and_says_where_they_go(tokentail: Tokentail, config: Path, tmp_path: Path) -> None:
    result = tokentail("grafana", "export", tmp_path / "out", "--config", config)
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "out/dashboards/tokentail/tokentail-overview.json") in result.stdout
    assert "/etc/grafana/provisioning" in result.stdout
    assert "/etc/grafana/provisioning/dashboards/tokentail" in (tmp_path / "out/dashboards/tokentail.yaml").read_text()


@pytest.mark.parametrize("command", [("plan",), ("apply",), ("export", "out"), ("destroy", "--yes")])
def test_no_grafana_is_configured(tokentail: Tokentail, tmp_path: Path, command: tuple[str, ...]) -> None:
    config = tmp_path / "tokentail.toml"
    config.write_text("")
    result = tokentail("grafana", *command, "--config", config)
    assert result.exit_code == 78
    expected = "Grafana needs InfluxDB" if command[0] == "export" else "No Grafana is configured (grafana.url)"
    assert expected in result.stderr


def test_the_embedded_store_is_refused_before_anything_is_changed(
    tokentail: Tokentail, config: Path, grafana: GrafanaServer
) -> None:
    config.write_text(config.read_text().replace('"influxdb"', '"sqlite"'))
    for command in ("plan", "apply"):
        result = tokentail("grafana", command, "--config", config)
        assert result.exit_code == 78
        assert "Grafana needs InfluxDB: it cannot read the embedded store (store.type)" in result.stderr
    assert grafana.request("GET", "/api/folders/tokentail").status == 404


def test_a_directory_that_cannot_be_written(tokentail: Tokentail, config: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = tokentail("grafana", "export", tmp_path / "file", "--config", config)
    assert result.exit_code == 1
    assert "The file cannot be written" in result.stderr
