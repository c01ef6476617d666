"""What `tokentail validate` finds on real servers, and on what is none."""

import dataclasses
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from ingestor.checks.checks import check_all
from ingestor.config.settings import RetentionSettings, Settings, StoreSettings
from ingestor.errors import ExitCode
from ingestor.model.check_result import CheckResult, Level, worst
from ingestor.state.state import State
from ingestor.stores.influxdb.setup.checks import check_influxdb, clock
from ingestor.stores.influxdb.setup.plan import POLICIES
from ingestor.stores.influxdb.setup.setup import administration, init
from tests.support.servers import (
    InfluxServer,
    another_organization,
    free_port,
    new_token,
    new_user,
    private_file,
    query,
)
from tests.support.webserver import web_server


def check(store: StoreSettings, retention: RetentionSettings | None = None) -> list[CheckResult]:
    return list(check_influxdb(store, retention or RetentionSettings()))


def initialize(store: StoreSettings) -> StoreSettings:
    with administration(store) as admin:
        init(admin, RetentionSettings())
    return store


def told(findings: Sequence[CheckResult], level: Level) -> str:
    return "\n".join(f"{finding.what} | {finding.advice}" for finding in findings if finding.level is level)


def errors(findings: Sequence[CheckResult]) -> list[CheckResult]:
    return [finding for finding in findings if finding.level is Level.ERROR]


def test_a_good_server_has_only_good_findings(influxdb: InfluxServer) -> None:
    store = initialize(influxdb.fresh())
    findings = check(store)
    assert {finding.level for finding in findings} == {Level.OK}, told(findings, Level.ERROR)
    said = told(findings, Level.OK)
    everywhere = ", ".join(f"{store.database}/{policy}" for policy in ("raw", "rollup", "findings", "own"))
    assert f"Points can be written: {everywhere}" in said
    assert f"Points can be read: {everywhere}" in said
    assert f"InfluxDB {influxdb.version}." in said


def test_what_was_written_to_find_out_is_one_harmless_point(influxdb: InfluxServer) -> None:
    store = initialize(influxdb.fresh())
    check(store)
    (series,) = query(store, f'SELECT * FROM "{store.database}"."own"."tokentail"')
    assert series["columns"] == ["time", "validated"]
    assert [row[1] for row in series["values"]] == [1]
    for policy in ("raw", "rollup", "findings"):
        assert query(store, f'SELECT * FROM "{store.database}"."{policy}"./.*/') == []


def test_what_is_missing_is_an_error_that_names_the_command(influxdb: InfluxServer) -> None:
    store = influxdb.fresh()
    (error,) = errors(check(store))
    assert (error.exit_code, error.advice) == (ExitCode.BAD_ANSWER, "`tokentail store init` makes what is missing.")
    assert f"{store.database}/findings" in error.what


def test_a_missing_policy_does_not_hide_whether_the_others_work(influxdb1_or_why: InfluxServer | str) -> None:
    if isinstance(influxdb1_or_why, str):
        pytest.skip(influxdb1_or_why)
    store = initialize(influxdb1_or_why.fresh())
    query(store, f'DROP RETENTION POLICY "raw" ON "{store.database}"')
    findings = check(store)
    assert len(errors(findings)) == 1
    assert f"Points can be written: {store.database}/rollup" in told(findings, Level.OK)


def test_another_retention_is_a_warning(influxdb: InfluxServer) -> None:
    store = initialize(influxdb.fresh())
    findings = check(store, RetentionSettings(raw_days=30, own_days=90))
    warnings = told(findings, Level.WARNING).splitlines()
    assert len(warnings) == 2
    assert f"{store.database}/raw keeps points for another time (90 days) than configured (30 days)" in warnings[0]
    assert "--change-retention`, which deletes the points that are older" in warnings[0]
    assert "deletes" not in warnings[1]
    assert worst(findings) is ExitCode.DONE


def test_a_server_out_of_reach_is_69() -> None:
    findings = check(StoreSettings(type="influxdb", url=f"http://127.0.0.1:{free_port()}"))
    assert worst(findings) is ExitCode.UNAVAILABLE
    assert "Connection refused" in told(findings, Level.ERROR)


def test_a_secret_that_cannot_be_used_does_not_hide_the_server(influxdb: InfluxServer, tmp_path: Path) -> None:
    token = private_file(tmp_path / "token", "s3cret")
    token.chmod(0o644)
    findings = check(influxdb.fresh(token_file=token))
    (error,) = errors(findings)
    assert (error.exit_code, error.where) == (ExitCode.BAD_CONFIG, str(token))
    assert f"InfluxDB {influxdb.version}." in told(findings, Level.OK)
    absent = check(influxdb.fresh(token_file=tmp_path / "absent"))
    assert "No such file" in told(absent, Level.ERROR)
    assert "s3cret" not in str([findings, absent])


def test_a_wrong_token_is_told_once(influxdb2: InfluxServer, tmp_path: Path) -> None:
    findings = check(influxdb2.fresh(token_file=private_file(tmp_path / "token", "wrong")))
    (error,) = errors(findings)
    assert error.exit_code is ExitCode.NO_PERMISSION
    assert "does not know the token" in error.what


def test_no_token_is_told(influxdb2: InfluxServer) -> None:
    (error,) = errors(check(influxdb2.fresh(token_file=None)))
    assert "wants a token" in error.what
    assert error.exit_code is ExitCode.NO_PERMISSION


def test_a_token_that_may_only_read_is_found_out_by_writing(influxdb2: InfluxServer, tmp_path: Path) -> None:
    store = initialize(influxdb2.fresh())
    findings = check(dataclasses.replace(store, token_file=new_token(influxdb2, tmp_path, ("read", "")).token_file))
    (error,) = errors(findings)
    assert error.exit_code is ExitCode.NO_PERMISSION
    assert error.what.startswith("InfluxDB does not let the token write (insufficient permissions for write): ")
    assert f"{store.database}/raw, {store.database}/rollup" in error.what
    assert "may read and write the buckets" in error.advice
    assert "Points can be read" in told(findings, Level.OK)


def test_a_token_for_one_bucket_is_found_out(influxdb2: InfluxServer, tmp_path: Path) -> None:
    store = initialize(influxdb2.fresh())
    token = new_token(
        influxdb2, tmp_path, *((action, f"{store.database}/raw") for action in ("read", "write"))
    ).token_file
    findings = check(dataclasses.replace(store, token_file=token))
    (error,) = errors(findings)
    missing = ", ".join(f"{store.database}/{policy}" for policy in ("rollup", "findings", "own"))
    assert error.what == f"Missing, or not to be seen with these rights: {missing}"
    assert f"Points can be written: {store.database}/raw" in told(findings, Level.OK)


@pytest.mark.parametrize("named", [True, False])
def test_a_token_for_the_four_buckets_is_enough(influxdb2: InfluxServer, tmp_path: Path, named: bool) -> None:
    store = initialize(influxdb2.fresh())
    buckets = [f"{store.database}/{policy}" for policy in POLICIES]
    token = new_token(influxdb2, tmp_path, *((action, bucket) for action in ("read", "write") for bucket in buckets))
    organization = store.organization if named else ""
    findings = check(dataclasses.replace(store, token_file=token.token_file, organization=organization))
    assert {finding.level for finding in findings} == {Level.OK}, told(findings, Level.ERROR)


def test_a_token_of_another_organization_is_found_out(influxdb2: InfluxServer) -> None:
    """The operator's token sees every organization's buckets, and writes into its own alone."""
    with another_organization(influxdb2, "elsewhere") as name:
        findings = check(initialize(influxdb2.fresh(organization=name)))
    assert "take a token of the organization 'elsewhere'" in told(findings, Level.ERROR)
    assert worst(findings) is ExitCode.BAD_CONFIG
    assert "has all it needs" in told(findings, Level.OK)


def test_a_token_that_may_only_write_is_not_told_that_buckets_are_missing(
    influxdb2: InfluxServer, tmp_path: Path
) -> None:
    store = initialize(influxdb2.fresh(organization=""))
    grants = [
        ("write", f"{store.database}/own"),
        ("read", f"{store.database}/raw"),
    ]  # a bucket that tells the organization
    findings = check(dataclasses.replace(store, token_file=new_token(influxdb2, tmp_path, *grants).token_file))
    assert f"InfluxDB does not let this be read: {store.database}/own" in told(findings, Level.ERROR)
    assert f"Points can be written: {store.database}/own" in told(findings, Level.OK)


def test_a_user_without_rights_is_not_told_that_the_database_is_missing(
    influxdb1_with_users: InfluxServer, tmp_path: Path
) -> None:
    store = initialize(influxdb1_with_users.fresh())
    user = new_user(influxdb1_with_users, f"plain-{store.database}", tmp_path)
    findings = check(dataclasses.replace(user, database=store.database))
    assert "Missing" not in told(findings, Level.ERROR)
    writing, reading = errors(findings)
    assert "not authorized to write" in writing.what
    assert f"requires READ on {store.database}" in reading.what
    assert "has all it needs" not in told(findings, Level.OK)


@pytest.mark.parametrize(
    ("grant", "problem"),
    [("READ", "not authorized to write to database"), ("WRITE", "requires READ on")],
)
def test_a_user_with_half_the_rights_is_found_out(
    influxdb1_with_users: InfluxServer, tmp_path: Path, grant: str, problem: str
) -> None:
    store = initialize(influxdb1_with_users.fresh())
    user = new_user(
        influxdb1_with_users, f"{grant}-{store.database}", tmp_path, grants=f'{grant} ON "{store.database}"'
    )
    findings = check(dataclasses.replace(user, database=store.database))
    assert problem in told(findings, Level.ERROR)
    assert f'GRANT ALL ON "{store.database}" TO "{user.username}"' in told(findings, Level.ERROR)
    assert ("Points can be read" if grant == "READ" else "Points can be written") in told(findings, Level.OK)
    assert worst(findings) is ExitCode.NO_PERMISSION
    query(store, f'GRANT ALL ON "{store.database}" TO "{user.username}"')
    assert not errors(check(dataclasses.replace(user, database=store.database)))


def test_a_user_is_asked_for_and_a_user_without_a_password_is_told(
    influxdb1_with_users: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = check(influxdb1_with_users.fresh(username="", password_file=None))
    (error,) = errors(findings)
    assert "wants a user" in error.what
    findings = check(influxdb1_with_users.fresh(password_file=None))
    assert "has no password" in told(findings, Level.ERROR)
    assert worst(findings) is ExitCode.BAD_CONFIG
    monkeypatch.setenv("TOKENTAIL_STORE_TOKEN", "x")
    findings = check(influxdb1_with_users.fresh())
    assert "the token is used" in told(findings, Level.WARNING)
    assert "knows no tokens" in told(findings, Level.ERROR)


def test_a_web_page_is_no_influxdb() -> None:
    with web_server() as (url, _):
        findings = check(StoreSettings(type="influxdb", url=url))
    assert worst(findings) is ExitCode.BAD_CONFIG
    assert "a web page" in told(findings, Level.ERROR)


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, Level.OK), (4, Level.OK), (-60, Level.WARNING), (7200, Level.WARNING), (-90_000, Level.ERROR)],
)
def test_the_clock_is_compared(seconds: int, level: Level) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    headers = {"X-Influxdb-Version": "1.8.10", "Date": format_datetime(moment, usegmt=True)}
    with web_server(204, headers, b"") as (url, _):
        findings = check(StoreSettings(type="influxdb", url=url))
    (finding,) = [finding for finding in findings if "clock" in finding.what]
    assert finding.level is level
    if level is not Level.OK:
        assert ("behind" if seconds < 0 else "ahead of") in finding.what
        assert "time server" in finding.advice


def test_a_server_without_a_clock_is_a_warning() -> None:
    (finding,) = clock(None, "")
    assert finding.level is Level.WARNING


def test_a_secret_in_the_clear_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)  # nothing leaves this machine
    token = private_file(tmp_path / "token", "x")
    store = StoreSettings(type="influxdb", url="http://192.0.2.1:8086", token_file=token)
    assert "unencrypted" in told(check(store), Level.WARNING)
    assert "unencrypted" not in told(check(dataclasses.replace(store, token_file=None)), Level.WARNING)
    for url in ("http://127.0.0.1:1", "https://192.0.2.1:8086"):
        assert "unencrypted" not in told(check(dataclasses.replace(store, url=url)), Level.WARNING)


def test_certificates_that_cannot_be_loaded_are_told(tmp_path: Path) -> None:
    findings = check(StoreSettings(type="influxdb", ca_file=tmp_path / "none.pem"))
    assert worst(findings) is ExitCode.BAD_CONFIG


def test_validate_looks_at_the_server_whatever_is_wrong_with_the_state(influxdb: InfluxServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = Settings(store=influxdb.fresh())
    findings = list(check_all(settings, tmp_path / "file"))
    assert "no directory" in told(findings, Level.ERROR)
    assert f"InfluxDB {influxdb.version}." in told(findings, Level.OK)
    State.open(tmp_path / "state", socket.gethostname()).close()
    assert "State can be read" in told(list(check_all(settings, tmp_path / "state")), Level.OK)
