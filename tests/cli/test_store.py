"""``store init``, against real servers."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ingestor.config.settings import StoreSettings
from tests.support.servers import InfluxServer, free_port, new_token, private_file
from tests.support.webserver import web_server

Tokentail = Callable[..., Result]


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., tuple[str, Path]]:
    """Write a config for these settings; return the option that names it."""

    def write(store: StoreSettings, more: str = "") -> tuple[str, Path]:
        path = tmp_path / "tokentail.toml"
        lines = [f"{key} = {json.dumps(str(value))}" for key, value in _set(store).items()]
        path.write_text("\n".join(["[store]", *lines, more]), encoding="utf-8")
        return "--config", path

    return write


def _set(store: StoreSettings) -> dict[str, Any]:
    keys = ("type", "url", "database", "organization", "token_file", "username", "password_file")
    return {key: value for key in keys if (value := getattr(store, key))}


Configured = Callable[..., tuple[str, Path]]


def steps(result: Result) -> dict[str, str]:
    return {step["name"].partition("/")[2]: step["status"] for step in json.loads(result.stdout)["steps"]}


def test_the_embedded_store_needs_nothing(tokentail: Tokentail) -> None:
    result = tokentail("store", "init")
    assert (result.exit_code, result.stdout) == (0, "Nothing to do: the embedded store makes itself.\n")
    assert json.loads(tokentail("store", "init", "--json").stdout) == {"type": "sqlite", "steps": []}


def test_init_says_what_it_made_and_the_second_time_that_there_is_nothing_to_do(
    tokentail: Tokentail, influxdb: InfluxServer, configured: Configured
) -> None:
    store = influxdb.fresh()
    options = configured(store)
    dry = tokentail("store", "init", "--dry-run", *options)
    assert dry.exit_code == 1
    assert "`tokentail store init` makes what is missing." in dry.stdout
    first = tokentail("store", "init", *options)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith(f"InfluxDB {influxdb.version}.")
    assert [line.split()[0] for line in first.stdout.splitlines()[1:-1]] == ["made"] * (6 - influxdb.version)
    assert f"made  {store.database}/raw" in first.stdout
    assert "90 days" in first.stdout
    second = tokentail("store", "init", *options)
    assert second.exit_code == 0
    assert second.stdout.rstrip().endswith("Nothing to do.")


def test_init_tells_programs_the_same(tokentail: Tokentail, influxdb: InfluxServer, configured: Configured) -> None:
    store = influxdb.fresh()
    answer = json.loads(tokentail("store", "init", "--json", *configured(store)).stdout)
    assert {key: answer[key] for key in ("type", "url", "database", "dry_run")} == {
        "type": "influxdb",
        "url": store.url,
        "database": store.database,
        "dry_run": False,
    }
    assert answer["organization"] == store.organization
    assert answer["steps"][-1] == {
        "kind": "retention policy" if influxdb.version == 1 else "bucket",
        "name": f"{store.database}/own",
        "status": "made",
        "configured_seconds": 14 * 86_400,
        "found_seconds": None,
    }


def test_another_retention_is_a_bad_answer_until_it_is_changed(
    tokentail: Tokentail, influxdb: InfluxServer, configured: Configured
) -> None:
    store = influxdb.fresh()
    tokentail("store", "init", *configured(store))
    options = configured(store, "[retention]\nraw_days = 30\nown_days = 21")
    told = tokentail("store", "init", *options)
    assert told.exit_code == 1
    assert "90 days (configured: 30 days)" in told.stdout
    assert "--change-retention" in told.stdout
    assert f"That would delete the points in {store.database}/raw that are older than 30 days." in told.stdout
    assert f"points in {store.database}/own" not in told.stdout
    dry = tokentail("store", "init", "--change-retention", "--dry-run", "--json", *options)
    assert (dry.exit_code, steps(dry)["raw"]) == (1, "differs")
    changed = tokentail("store", "init", "--change-retention", *options)
    assert changed.exit_code == 0, changed.output
    assert "30 days (before: 90 days)" in changed.stdout
    assert f"The store deletes the points in {store.database}/raw" in changed.stdout
    assert set(steps(tokentail("store", "init", "--json", *options)).values()) == {"there"}


def test_what_cannot_be_reached_is_69(tokentail: Tokentail, configured: Configured) -> None:
    store = StoreSettings(type="influxdb", url=f"http://127.0.0.1:{free_port()}")
    result = tokentail("store", "init", *configured(store))
    assert result.exit_code == 69
    assert "Connection refused" in result.stderr


def test_what_is_no_influxdb_is_78(tokentail: Tokentail, configured: Configured) -> None:
    with web_server() as (url, _):
        result = tokentail("store", "init", *configured(StoreSettings(type="influxdb", url=url)))
    assert result.exit_code == 78
    assert "a web page" in result.stderr


def test_what_is_not_allowed_is_77(
    tokentail: Tokentail, influxdb2: InfluxServer, configured: Configured, tmp_path: Path
) -> None:
    wrong = influxdb2.fresh(token_file=private_file(tmp_path / "token", "s3cret"))
    result = tokentail("store", "init", *configured(wrong))
    assert result.exit_code == 77
    assert "store.token_file" in result.stderr
    assert "s3cret" not in result.output
    reader = influxdb2.fresh(token_file=new_token(influxdb2, tmp_path, ("read", "")).token_file)
    result = tokentail("store", "init", *configured(reader))
    assert result.exit_code == 77
    assert "does not let the token make the bucket" in result.stderr


def test_validate_says_that_all_is_well_after_init_and_not_before(
    tokentail: Tokentail, influxdb: InfluxServer, configured: Configured, audit_log: Path, state: tuple[str, str]
) -> None:
    options = (*configured(influxdb.fresh(), f'[[logs]]\npath = "{audit_log}"'), *state)
    before = tokentail("validate", *options)
    assert before.exit_code == 1
    assert "`tokentail store init` makes what is missing." in before.stdout
    assert "All is well" not in before.stdout
    assert tokentail("store", "init", *options).exit_code == 0
    after = tokentail("validate", *options)
    assert after.exit_code == 0, after.stdout
    assert "All is well." in after.stdout


@pytest.mark.parametrize(("kind", "code"), [("nobody", 69), ("page", 78), ("token", 77), ("mode", 78)])
def test_validate_ends_as_the_worst_finding_says(
    tokentail: Tokentail, influxdb2: InfluxServer, configured: Configured, tmp_path: Path, kind: str, code: int
) -> None:
    token = private_file(tmp_path / "token", "s3cret")
    store = influxdb2.fresh(token_file=token)
    if kind == "mode":
        token.chmod(0o640)
    with web_server() as (page, _):
        url = {"nobody": f"http://127.0.0.1:{free_port()}", "page": page}.get(kind, store.url)
        result = tokentail(
            "validate", "--json", *configured(dataclasses.replace(store, url=url)), "--state-dir", tmp_path / "state"
        )
    assert result.exit_code == code, result.output
    errors = [finding for finding in json.loads(result.stdout) if finding["level"] == "error"]
    assert [finding["exit_code"] for finding in errors] == [code]
    assert "s3cret" not in result.output
