"""Set real servers up."""

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingestor.config.settings import RetentionSettings, StoreSettings
from ingestor.errors import ConfigError, ExitCode, PermissionDeniedError, TokentailError
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.setup.setup import administration, init
from ingestor.stores.setup_step import DAY_SECONDS, BucketStatus, SetupStep
from tests.support.servers import (
    ORGANIZATION,
    InfluxServer,
    another_organization,
    new_influxdb1,
    new_token,
    new_user,
    private_file,
    query,
)
from tests.support.webserver import web_server

LIFETIMES = {
    "raw": 90 * DAY_SECONDS,
    "rollup": 730 * DAY_SECONDS,
    "findings": 365 * DAY_SECONDS,
    "own": 14 * DAY_SECONDS,
}


def initialize(store: StoreSettings, retention: RetentionSettings | None = None, **how: bool) -> dict[str, SetupStep]:
    with administration(store) as admin:
        steps = init(admin, retention or RetentionSettings(), **how)
    return {step.place.policy: step for step in steps if not step.place.is_database}


def statuses(steps: dict[str, SetupStep]) -> set[BucketStatus]:
    return {step.status for step in steps.values()}


def found(store: StoreSettings) -> dict[str, tuple[int, int]]:
    """Return retention and shard duration of what is there, asked of the server without the code under test."""
    with contextlib.closing(InfluxHttp(store)) as http:
        if store.organization:
            rules = {}
            for policy in LIFETIMES:  # by name: a listing shows only the first of many
                params = {"org": store.organization, "name": f"{store.database}/{policy}"}
                for bucket in orjson.loads(http.request("GET", "/api/v2/buckets", params=params).body).get(
                    "buckets", []
                ):
                    rules[policy] = bucket["retentionRules"][0]
            return {name: (rule["everySeconds"], rule["shardGroupDurationSeconds"]) for name, rule in rules.items()}
    rows = query(store, f'SHOW RETENTION POLICIES ON "{store.database}"')[0]["values"]
    return {row[0]: (_hours(row[1]), _hours(row[2])) for row in rows}


def _hours(text: str) -> int:
    return int(text.removesuffix("m0s").removesuffix("0").removesuffix("h") or 0) * 3600 if "h" in text else 0


def test_everything_is_made_from_nothing_and_a_second_time_nothing(influxdb: InfluxServer) -> None:
    store = influxdb.fresh()
    assert statuses(initialize(store, dry_run=True)) == {BucketStatus.MISSING}
    assert statuses(initialize(store)) == {BucketStatus.MADE}
    assert statuses(initialize(store)) == {BucketStatus.THERE}
    there = found(store)
    assert {policy: there[policy][0] for policy in LIFETIMES} == LIFETIMES
    assert {policy: there[policy][1] // DAY_SECONDS for policy in LIFETIMES} == {
        "raw": 7,
        "rollup": 7,
        "findings": 7,
        "own": 1,
    }


def test_the_default_policy_of_1_x_stays(influxdb1_or_why: InfluxServer | str) -> None:
    if isinstance(influxdb1_or_why, str):
        pytest.skip(influxdb1_or_why)
    store = influxdb1_or_why.fresh()
    initialize(store)
    rows = query(store, f'SHOW RETENTION POLICIES ON "{store.database}"')[0]["values"]
    assert [row[0] for row in rows if row[4]] == ["autogen"]


def test_a_dry_run_makes_nothing(influxdb: InfluxServer) -> None:
    store = influxdb.fresh()
    initialize(store, dry_run=True)
    assert statuses(initialize(store, dry_run=True)) == {BucketStatus.MISSING}


def test_what_is_missing_is_made_and_nothing_else(influxdb: InfluxServer) -> None:
    store = influxdb.fresh()
    initialize(store)
    with contextlib.closing(InfluxHttp(store)) as http:
        if influxdb.version == 1:
            query(store, f'DROP RETENTION POLICY "findings" ON "{store.database}"')
        else:
            params = {"name": f"{store.database}/findings"}
            (bucket,) = orjson.loads(http.request("GET", "/api/v2/buckets", params=params).body)["buckets"]
            assert http.request("DELETE", f"/api/v2/buckets/{bucket['id']}").status == 204
    steps = initialize(store)
    assert [policy for policy, step in steps.items() if step.status is BucketStatus.MADE] == ["findings"]
    assert statuses(initialize(store)) == {BucketStatus.THERE}


def test_another_retention_is_told_and_changed_only_when_asked(influxdb: InfluxServer) -> None:
    store = influxdb.fresh()
    initialize(store)
    # Shorter than a shard, so that the server would refuse it; and much longer.
    other = RetentionSettings(rollup_days=1, own_days=3650)
    steps = initialize(store, other)
    assert [policy for policy, step in steps.items() if step.status is BucketStatus.DIFFERS] == ["rollup", "own"]
    assert (steps["rollup"].found, steps["rollup"].shortens, steps["own"].shortens) == (730 * DAY_SECONDS, True, False)
    assert {policy: seconds for policy, (seconds, _) in found(store).items() if seconds} == LIFETIMES
    assert statuses(initialize(store, other, change_retention=True, dry_run=True)) == {
        BucketStatus.THERE,
        BucketStatus.DIFFERS,
    }
    changed = initialize(store, other, change_retention=True)
    assert [policy for policy, step in changed.items() if step.status is BucketStatus.CHANGED] == ["rollup", "own"]
    assert statuses(initialize(store, other)) == {BucketStatus.THERE}
    assert (found(store)["rollup"], found(store)["own"]) == ((DAY_SECONDS, 3600), (3650 * DAY_SECONDS, 7 * DAY_SECONDS))
    assert found(store)["raw"] == (90 * DAY_SECONDS, 7 * DAY_SECONDS)


def test_a_place_that_keeps_for_ever_differs(influxdb: InfluxServer) -> None:
    store = influxdb.fresh()
    with administration(store) as admin:
        for place in admin.desired(RetentionSettings()):
            admin.make(place._replace(seconds=0))
    steps = initialize(store)
    assert statuses(steps) == {BucketStatus.DIFFERS}
    assert all(step.found == 0 and step.shortens for step in steps.values())
    assert statuses(initialize(store, change_retention=True)) == {BucketStatus.CHANGED}
    assert statuses(initialize(store)) == {BucketStatus.THERE}


# 1.x with authentication


def refused(store: StoreSettings, **how: Any) -> TokentailError:
    with pytest.raises(TokentailError) as caught:
        initialize(store, **how)
    return caught.value


def test_a_server_that_wants_a_user_says_which_setting(influxdb1_with_users: InfluxServer, tmp_path: Path) -> None:
    store = influxdb1_with_users.fresh(username="", password_file=None)
    error = refused(store)
    assert error.exit_code is ExitCode.NO_PERMISSION
    assert "wants a user" in error.what
    assert "store.username" in error.advice
    wrong = private_file(tmp_path / "wrong", "wrong")
    error = refused(influxdb1_with_users.fresh(password_file=wrong))
    assert error.exit_code is ExitCode.NO_PERMISSION
    assert "does not accept the user 'root'" in error.what
    assert "store.password_file" in error.advice
    error = refused(dataclasses.replace(store, token_file=wrong))
    assert "knows no tokens" in error.what


def test_a_server_that_has_no_user_yet_is_told_from_one_that_refuses(tmp_path: Path) -> None:
    server = new_influxdb1(tmp_path, users=True)
    try:
        error = refused(server.store)
    finally:
        server.stop()
    assert error.exit_code is ExitCode.NO_PERMISSION
    assert "no user yet" in error.what
    assert "CREATE USER" in error.advice


def test_it_takes_an_administrator_once_and_then_no_more(influxdb1_with_users: InfluxServer, tmp_path: Path) -> None:
    database = influxdb1_with_users.fresh().database
    plain = dataclasses.replace(new_user(influxdb1_with_users, f"of-{database}", tmp_path), database=database)
    error = refused(plain)
    assert error.exit_code is ExitCode.NO_PERMISSION
    assert "requires admin privilege" in error.what
    assert "TOKENTAIL_STORE_USERNAME" in error.advice
    administrator = dataclasses.replace(influxdb1_with_users.store, database=database)
    assert statuses(initialize(administrator)) == {BucketStatus.MADE}
    query(administrator, f'GRANT ALL ON "{database}" TO "{plain.username}"')
    assert statuses(initialize(plain)) == {BucketStatus.THERE}
    error = refused(plain, retention=RetentionSettings(raw_days=30), change_retention=True)
    assert "change the retention policy" in error.what


# 2.x and its tokens


def test_a_wrong_or_missing_token_is_said(influxdb2: InfluxServer, tmp_path: Path) -> None:
    error = refused(influxdb2.fresh(token_file=private_file(tmp_path / "token", "wrong")))
    assert error.exit_code is ExitCode.NO_PERMISSION
    assert "does not know the token" in error.what
    assert "store.token_file" in error.advice
    error = refused(influxdb2.fresh(token_file=None))
    assert error.exit_code is ExitCode.NO_PERMISSION
    assert "wants a token" in error.what


def test_a_token_that_may_not_make_buckets_is_told_from_a_wrong_one(influxdb2: InfluxServer, tmp_path: Path) -> None:
    store = influxdb2.fresh()
    reader = dataclasses.replace(new_token(influxdb2, tmp_path, ("read", "")), database=store.database)
    error = refused(reader)
    assert isinstance(error, PermissionDeniedError)
    assert f"does not let the token make the bucket {store.database}/raw" in error.what
    assert "write:orgs/" in error.what
    assert "read and write all buckets" in error.advice
    initialize(store)
    assert statuses(initialize(reader)) == {BucketStatus.THERE}  # looking takes no more


@pytest.mark.parametrize("organization", ["", ORGANIZATION])
def test_a_token_for_buckets_alone_is_enough(influxdb2: InfluxServer, tmp_path: Path, organization: str) -> None:
    token = new_token(influxdb2, tmp_path, ("read", ""), ("write", "")).token_file
    store = influxdb2.fresh(token_file=token, organization=organization)
    assert statuses(initialize(store)) == {BucketStatus.MADE}


def test_a_token_that_sees_nothing_is_said(influxdb2: InfluxServer, tmp_path: Path) -> None:
    store = influxdb2.fresh(token_file=new_token(influxdb2, tmp_path, ("write", "first")).token_file)
    assert "sees no organization named 'tests'" in refused(store).what
    error = refused(dataclasses.replace(store, organization=""))
    assert error.exit_code is ExitCode.NO_PERMISSION
    assert "sees no organization" in error.what


def test_of_several_organizations_one_must_be_named(influxdb2: InfluxServer) -> None:
    with another_organization(influxdb2, "second"):
        error = refused(influxdb2.fresh(organization=""))
        assert isinstance(error, ConfigError)
        assert f"second, {ORGANIZATION}" in error.what
        assert "store.organization" in error.advice
        assert "'third'" in refused(influxdb2.fresh(organization="third")).what
        store = influxdb2.fresh(organization="second")
        assert statuses(initialize(store)) == {BucketStatus.MADE}
        with administration(store) as admin:
            assert admin.organization == "second"


def test_the_only_organization_need_not_be_named(influxdb2: InfluxServer) -> None:
    with administration(influxdb2.fresh(organization="")) as admin:
        assert admin.organization == ORGANIZATION


@pytest.mark.parametrize("version", ["1.8.10", "2.7.12"])
def test_an_answer_that_makes_no_sense_is_no_success(version: str, tmp_path: Path) -> None:
    settings = StoreSettings(type="influxdb", token_file=private_file(tmp_path / "token", "x"))
    for status, body, code in [
        (200, b"<html>", ExitCode.BAD_ANSWER),
        (200, b"[]", ExitCode.BAD_ANSWER),
        (404, b"<html>", ExitCode.BAD_ANSWER),
        (403, b"<html>", ExitCode.NO_PERMISSION),
        (500, b'{"message":"\\u001b[31m"}', ExitCode.UNAVAILABLE),
    ]:
        headers = {"X-Influxdb-Version": version, "Content-Type": "application/json"}
        with web_server(status, headers, body, ping=204) as (url, _):
            error = refused(dataclasses.replace(settings, url=url))
        assert error.exit_code is code, (status, body)
        assert "\x1b" not in str(error)


def test_no_redirect_is_followed_with_a_secret(tmp_path: Path) -> None:
    store = StoreSettings(type="influxdb", token_file=private_file(tmp_path / "token", "s3cret"))
    with web_server() as (elsewhere, seen):
        for version in ("1.8.10", "2.7.12"):
            headers = {"X-Influxdb-Version": version, "Location": f"{elsewhere}/sign-in"}
            with web_server(302, headers, b"", ping=204) as (url, _):
                assert "status 302" in refused(dataclasses.replace(store, url=url)).what
        assert not seen
