import dataclasses
import functools
import json
import operator
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ingestor.assets import asset
from ingestor.config import options
from ingestor.config.decode import _KUBERNETES, BadConfigError
from ingestor.config.load import load
from ingestor.config.settings import (
    AlertSettings,
    BudgetSettings,
    ContactSettings,
    ErrorRule,
    GrafanaSettings,
    LogSettings,
    ReadSettings,
    RetentionSettings,
    Settings,
    StoreSettings,
    TelemetrySettings,
)
from ingestor.config.tables import error_rule
from ingestor.errors import ConfigError, PermissionDeniedError

SAMPLE = asset("config/tokentail.toml")
NOWHERE = Path("/nonexistent/tokentail.toml")


def settings_of(tmp_path: Path, text: str, environment: dict[str, str] | None = None, **flags: Any) -> Settings:
    file = tmp_path / "tokentail.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environment=environment or {"HOME": "/home/x"}, **flags).settings


def problems_of(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> dict[str, str]:
    with pytest.raises(BadConfigError) as caught:
        settings_of(tmp_path, text, environment)
    for problem in caught.value.problems:
        assert str(problem) in str(caught.value)
    return {problem.key: problem.what for problem in caught.value.problems}


# The sample


def test_the_sample_says_the_defaults() -> None:
    settings = load(SAMPLE, environment={"STATE_DIRECTORY": "/s"}).settings
    only_path = LogSettings("/var/log/token-endpoint/audit.jsonl")
    assert dataclasses.replace(settings, config_file=None, state_directory=None) == Settings(logs=(only_path,))


@pytest.mark.parametrize(
    ("section", "kind"),
    [
        ("", Settings),
        ("logs", LogSettings),
        ("read", ReadSettings),
        ("budgets", BudgetSettings),
        ("store", StoreSettings),
        ("retention", RetentionSettings),
        ("telemetry", TelemetrySettings),
        ("grafana", GrafanaSettings),
        ("grafana.page", ContactSettings),
        ("grafana.ticket", ContactSettings),
        ("alerts", AlertSettings),
    ],
)
def test_the_sample_shows_and_explains_every_option(section: str, kind: Any) -> None:
    table = tomllib.loads(SAMPLE.read_text("utf-8"))
    written: Any = functools.reduce(operator.getitem, section.split("."), table) if section else table
    keys = set(written[0] if isinstance(written, list) else written)
    assert keys == {field.name for field in dataclasses.fields(kind)} - {"config_file", "mapping"}
    text = SAMPLE.read_text("utf-8")
    for key in keys:
        line = rf"(\[\[?([a-z]+\.)?{key}\]\]?|{key} = .*)"
        assert re.search(rf"^#.*\n{line}$", text, re.MULTILINE), f"{key} has no comment above it"


def test_the_samples_error_rules_are_valid() -> None:
    text = SAMPLE.read_text("utf-8").partition("\n[errors]\n")[2].partition("\n[")[0]
    rules = re.findall(r'^# ("[^"]+" = .*)$', text, re.MULTILINE)
    decoded = {key: error_rule(value) for key, value in tomllib.loads("\n".join(rules)).items()}
    assert decoded == {
        "Invalid authorization code": ErrorRule("invalid_code"),
        "Code has expired": ErrorRule("expired_code", "token.expired"),
    }


def test_every_field_of_the_settings_is_an_option_or_a_table() -> None:
    for section, kind in [("", Settings), ("logs", LogSettings), *options.tables_of(Settings)]:
        tables = {name.rpartition(".")[2] for name in options.SECTIONS if name.rpartition(".")[0] == section}
        others = {
            "": {"logs", "errors", "realms", "detectors", "config_file"},
            "logs": {"mapping"},
            "alerts": {"clients"},
        }.get(section, set())
        assert {field.name for field in dataclasses.fields(kind)} == {*options.options_of(kind), *tables, *others}


# Decoding


def test_everything_can_be_set(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        """
        state_directory = "/srv/state"
        host = "auth-1"
        time_zone = "Europe/Berlin"
        log_time_zone = "Asia/Tokyo"
        trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]
        public_identifiers = ["sk-web", "acme-*-live"]
        [[logs]]
        path = "/var/log/a.jsonl"
        source = "a"
        parser = "native"
        start = "end"
        archive_directories = ["/archive"]
        [[logs]]
        path = "/var/log/b-*.jsonl"
        [read]
        poll_interval_seconds = 2
        rotated_quiet_seconds = 3.5
        missing_grace_seconds = 0
        max_line_bytes = 2048
        [budgets]
        clients = 5
        failing_clients = 0
        realms = 1
        failing_realms = 2
        [errors]
        "Bad code" = "invalid_code"
        "Old code" = { error = "expired_code", action = "token.expired" }
        [realms]
        "d0e0339d" = "acme"
        [store]
        type = "sqlite"
        """,
    )
    assert settings == Settings(
        logs=(
            LogSettings("/var/log/a.jsonl", "a", "native", "end", ("/archive",)),
            LogSettings("/var/log/b-*.jsonl"),
        ),
        state_directory=Path("/srv/state"),
        host="auth-1",
        time_zone="Europe/Berlin",
        log_time_zone="Asia/Tokyo",
        trusted_proxies=("10.0.0.0/8", "2001:db8::1/128"),
        public_identifiers=("sk-web", "acme-*-live"),
        read=ReadSettings(2.0, 3.5, 0.0, 2048),
        budgets=BudgetSettings(5, 0, 1, 2),
        errors={"Bad code": ErrorRule("invalid_code"), "Old code": ErrorRule("expired_code", "token.expired")},
        realms={"d0e0339d": "acme"},
        config_file=tmp_path / "tokentail.toml",
    )


def test_all_mistakes_are_told_at_once_with_what_is_accepted(tmp_path: Path) -> None:
    problems = problems_of(
        tmp_path,
        """
        hots = "x"
        time_zone = "Mars/Olympus"
        trusted_proxies = ["10.0.0.1/8"]
        [[logs]]
        path = "relative.log"
        [[logs]]
        parser = "nativ"
        [read]
        poll_intervall_seconds = 1
        max_line_bytes = true
        [budgets]
        clients = -1
        [errors]
        "x" = "invalid_cod"
        [store]
        type = "influx"
        """,
        {"TOKENTAIL_READ_ROTATED_QUIET_SECONDS": "soon"},
    )
    assert set(problems) == {
        *("hots", "time_zone", "trusted_proxies", "logs[0].path", "logs[1]", "logs[1].parser"),
        *("read.poll_intervall_seconds", "read.max_line_bytes", "budgets.clients", "errors.'x'", "store.type"),
        "TOKENTAIL_READ_ROTATED_QUIET_SECONDS",
    }
    assert 'did you mean "host"' in problems["hots"]
    assert 'did you mean "poll_interval_seconds"' in problems["read.poll_intervall_seconds"]
    assert "Europe/Berlin" in problems["time_zone"]
    assert 'did you mean "invalid_code"' in problems["errors.'x'"]
    assert "from 1,024" in problems["read.max_line_bytes"]
    assert '"native"' in problems["logs[1].parser"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("logs = 3", "logs"),
        ("read = 3", "read"),
        ('[[logs]]\npath = "/var/log/"', "logs[0].path"),
        ('[[logs]]\npath = "/a\\u0000"', "logs[0].path"),
        ('[[logs]]\npath = "/a"\nunknown = 1', "logs[0].unknown"),
        ('[[logs]]\npath = "/a"\narchive_directories = ["rel"]', "logs[0].archive_directories"),
        ('[[logs]]\npath = "/a"\n[[logs]]\npath = "/b"\nsource = "/a"', "logs[1]"),
        ('[[logs]]\npath = "/a"\n[[logs]]\npath = "/a"', "logs[1]"),
        ('[[logs]]\npath = "/a"\n[[logs]]\npath = "/a"\nsource = "other"', "logs[1].path"),
        ('state_directory = "rel"', "state_directory"),
        ("host = 3", "host"),
        ('public_identifiers = "web"', "public_identifiers"),
        ('public_identifiers = ["*"]', "public_identifiers"),
        ('public_identifiers = ["a*b*c", ""]', "public_identifiers"),
        ('host = "a\\u001b[31m"', "host"),
        ('time_zone = "../etc/passwd"', "time_zone"),
        ('time_zone = "America"', "time_zone"),
        ("[read]\npoll_interval_seconds = nan", "read.poll_interval_seconds"),
        ('[errors]\nx = { error = "invalid_code", action = "token.refreshed" }', "errors.'x'"),
        ('[errors]\nx = { action = "token.expired" }', "errors.'x'"),
        ('[errors]\n" " = "invalid_code"', "errors.' '"),
        ('[realms]\n"d0e0" = ""', "realms.'d0e0'"),
        ('[realms]\n"d0e0" = "a/b"', "realms.'d0e0'"),
        ("realms = 3", "realms"),
        ('log_time_zone = "Mars/Olympus"', "log_time_zone"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, text: str, key: str) -> None:
    assert list(problems_of(tmp_path, text)) == [key]


# The file


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"line 2.*tokentail\.toml"):
        settings_of(tmp_path, 'host = "a"\nhost == 3\n')


def test_a_byte_order_mark_in_front_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "windows.toml"
    file.write_bytes(b'\xef\xbb\xbfhost = "from windows"\r\n')
    assert load(file, environment={}).settings.host == "from windows"


def test_a_file_that_is_not_utf8_says_so(tmp_path: Path) -> None:
    file = tmp_path / "latin1.toml"
    file.write_bytes(b'host = "caf\xe9"')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(file, environment={})


def test_a_missing_named_file_is_an_error_and_a_missing_system_file_is_not(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path / "none.toml", environment={})
    with pytest.raises(ConfigError, match="does not exist"):
        load(environment={"TOKENTAIL_CONFIG": str(tmp_path / "none.toml")})
    assert load(environment={"STATE_DIRECTORY": "/s"}, system_config=tmp_path / "none.toml").settings.logs == ()


def test_the_system_file_is_read_when_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "tokentail.toml"
    file.write_text('host = "from-system"', encoding="utf-8")
    assert load(environment={}, system_config=file).settings.host == "from-system"


def test_a_file_that_may_not_be_read_is_a_question_of_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom no mode stops
    with pytest.raises(PermissionDeniedError, match="--config"):
        load(tmp_path / "tokentail.toml", environment={})


# Precedence


def test_file_then_environment_then_flags(tmp_path: Path) -> None:
    text = 'state_directory = "/from/file"\nhost = "file"\n[read]\npoll_interval_seconds = 5\n[[logs]]\npath = "/a"'
    environment = {
        "TOKENTAIL_STATE_DIRECTORY": "/from/environment",
        "TOKENTAIL_READ_POLL_INTERVAL_SECONDS": "0.5",
        "TOKENTAIL_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1",
        "TOKENTAIL_HOST": "",
    }
    settings = settings_of(tmp_path, text, environment)
    assert settings.host == "file"  # a variable that is set to nothing is not set
    assert settings.read.poll_interval_seconds == 0.5
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.1/32")
    assert settings.state_directory == Path("/from/environment")
    flagged = settings_of(tmp_path, text, environment, state_directory=Path("/from/flag"), logs=("/b", "/b"))
    assert flagged.state_directory == Path("/from/flag")
    assert flagged.logs == (LogSettings("/b"),)


def test_the_state_directory_is_found_in_the_documented_order(tmp_path: Path) -> None:
    def found(environment: dict[str, str]) -> Path | None:
        return load(environment=environment, system_config=NOWHERE).settings.state_directory

    assert found({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/x"}) == Path("/var/lib/a")
    assert found({"XDG_STATE_HOME": "/x"}) == Path("/x/tokentail")
    assert found({"XDG_STATE_HOME": "relative"}) == Path.home() / ".local/state/tokentail"
    assert settings_of(tmp_path, "", {"TOKENTAIL_STATE_DIRECTORY": "/t", "STATE_DIRECTORY": "/s"}).state_directory == (
        Path("/t")
    )


def test_a_log_named_by_a_flag_keeps_what_the_file_says_of_it(tmp_path: Path) -> None:
    text = '[[logs]]\npath = "/a"\nsource = "named"\n[[logs]]\npath = "/b"'
    assert settings_of(tmp_path, text, logs=("/a",)).logs == (LogSettings("/a", "named"),)


def test_an_unknown_variable_is_a_mistake_like_an_unknown_key(tmp_path: Path) -> None:
    environment = {"TOKENTAIL_READ_POLL_INTERVAL_SECOND": "1", "TOKENTAIL_LOGS": "/a", "HOME": "/"}
    problems = problems_of(tmp_path, "hots = 1", environment)
    assert set(problems) == {"hots", *environment} - {"HOME"}
    assert 'did you mean "TOKENTAIL_READ_POLL_INTERVAL_SECONDS"?' in problems["TOKENTAIL_READ_POLL_INTERVAL_SECOND"]


@pytest.mark.parametrize(
    "name",
    [
        *("TOKENTAIL_CONFIG", "TOKENTAIL_DEBUG", "TOKENTAIL_TEST_STORE", "MY_TOKENTAIL_HOTS"),
        *("TOKENTAIL_SERVICE_HOST", "TOKENTAIL_SERVICE_PORT", "TOKENTAIL_SERVICE_PORT_HTTP", "TOKENTAIL_PORT"),
        *("TOKENTAIL_PORT_8086_TCP", "TOKENTAIL_PORT_8086_TCP_PROTO", "TOKENTAIL_METRICS_PORT_53_UDP_ADDR"),
    ],
)
def test_what_is_ours_elsewhere_or_kubernetes_own_is_no_mistake(tmp_path: Path, name: str) -> None:
    value = "" if name == "TOKENTAIL_CONFIG" else "tcp://10.0.0.1:8086"
    assert settings_of(tmp_path, "", {name: value, "TOKENTAIL_UNSET": "", "HOME": "/home/x"}) is not None


def test_no_option_is_taken_for_one_of_kubernetes() -> None:
    assert not any(_KUBERNETES.fullmatch(name) for name in options.VARIABLES)


def test_every_scalar_option_has_a_variable() -> None:
    assert "TOKENTAIL_STORE_TYPE" in options.VARIABLES
    assert len(options.VARIABLES) == sum(len(table) for table in (options.TOP, *options.SECTIONS.values()))


def test_assets_are_found_in_a_wheel_and_in_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "ingestor"
    for place in ("config", "ingestor/_assets/config"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "config/tokentail.toml").touch()
    assert asset("config/tokentail.toml", package) == tmp_path / "config/tokentail.toml"
    (package / "_assets/config/tokentail.toml").touch()
    assert asset("config/tokentail.toml", package) == package / "_assets/config/tokentail.toml"
    with pytest.raises(FileNotFoundError, match="install it again"):
        asset("config/none.toml", package)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("url", url) for url in ("influx:8086", "ftp://influx", "http://", "http://u:p@influx", "http://influx?u=1")),
        *(("url", "http://influx:port"), ("database", "_internal"), ("database", "a/b"), ("database", "")),
        *(("token_file", "token"), ("timeout_seconds", 0), ("username", "a\nb")),
    ],
)
def test_what_cannot_reach_a_store_is_refused(tmp_path: Path, key: str, value: object) -> None:
    assert list(problems_of(tmp_path, f"[store]\n{key} = {json.dumps(value)}")) == [f"store.{key}"]


def test_a_store_is_reached_as_configured(tmp_path: Path) -> None:
    text = '[store]\ntype = "influxdb"\nurl = "https://influx.example/db/"\ntoken_file = "/etc/token"'
    store = settings_of(tmp_path, text, {"TOKENTAIL_STORE_TOKEN": "s3cret", "TOKENTAIL_STORE_DATABASE": "t2"}).store
    assert (store.url, store.token_file, store.database) == ("https://influx.example/db", Path("/etc/token"), "t2")
    assert "s3cret" not in repr(store), "settings hold no secret"


@pytest.mark.parametrize("value", ["localhost:9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", ":9464"])
def test_the_endpoint_for_prometheus_listens_at_an_address(tmp_path: Path, value: str) -> None:
    assert list(problems_of(tmp_path, f'[telemetry]\nlisten = "{value}"')) == ["telemetry.listen"]
    assert settings_of(tmp_path, '[telemetry]\nlisten = "[::1]:9464"').telemetry.listen == "[::1]:9464"


def test_a_client_has_thresholds_of_its_own(tmp_path: Path) -> None:
    text = """
        [alerts]
        failure_rate_percent = 30
        [alerts.clients."acme/billing-service"]
        failure_rate_percent = 60
        pkce_failed_count = 5
        [alerts.clients."https:%2F%2Fid"]
        issued_minimum = 1000
        """
    alerts = settings_of(tmp_path, text, {"HOME": "/x", "TOKENTAIL_ALERTS_LAG_SECONDS": "60"}).alerts
    assert (alerts.failure_rate_percent, alerts.lag_seconds, alerts.pkce_failed_count) == (30, 60, 10)
    assert alerts.clients == {
        "acme/billing-service": {"failure_rate_percent": 60, "pkce_failed_count": 5},
        "https:%2F%2Fid": {"issued_minimum": 1000},
    }


def test_thresholds_of_clients_that_cannot_be(tmp_path: Path) -> None:
    problems = problems_of(
        tmp_path,
        """
        [alerts.clients]
        "a/b/c" = { pkce_failed_count = 2 }
        "100%" = { pkce_failed_count = 2 }
        "" = { pkce_failed_count = 2 }
        shop = 3
        "acme/shop" = { lag_seconds = 60, pkce_failed_count = 0, pkce_failed_coumt = 1 }
        """,
    )
    assert problems.keys() == {
        "alerts.clients.'a/b/c'",
        "alerts.clients.'100%'",
        "alerts.clients.''",
        "alerts.clients.'shop'",
        "alerts.clients.'acme/shop'.lag_seconds",
        "alerts.clients.'acme/shop'.pkce_failed_count",
        "alerts.clients.'acme/shop'.pkce_failed_coumt",
    }
    assert "realm/id" in problems["alerts.clients.'a/b/c'"]
    assert "must be a table" in problems["alerts.clients.'shop'"]
    assert "pkce_failed_count" in problems["alerts.clients.'acme/shop'.pkce_failed_coumt"]


def test_the_samples_thresholds_of_a_client_are_valid(tmp_path: Path) -> None:
    text = SAMPLE.read_text("utf-8")
    shown = re.search(r"^\[alerts\.clients\]\n((?:# .*\n)+)", text, re.MULTILINE)
    assert shown is not None
    written = re.sub("^# ", "", shown[1], flags=re.MULTILINE)
    assert settings_of(tmp_path, written).alerts.clients == {
        "acme/billing-service": {"failure_rate_percent": 60, "invalid_client_count": 500}
    }


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("store", "url", "http://admin:hunter2@db:8086"),
        ("store", "url", "db.example:hunter2"),
        ("store", "token_file", "hunter2"),
        ("store", "password_file", "hunter2"),
        ("store", "username", "hunter2\\u0007"),
        ("grafana", "url", "http://a:hunter2@grafana"),
        ("grafana", "token_file", "glsa_hunter2"),
        ("grafana", "influxdb_url", "https://db/?token=hunter2"),
        ("grafana", "influxdb_token_file", "hunter2"),
        ("grafana", "influxdb_password_file", "hunter2"),
        ("grafana.page", "secret_file", "hunter2"),
        ("grafana.page", "url", "https://hooks.example/?key=hunter2"),
    ],
)
def test_a_secret_in_the_wrong_place_is_in_no_message(tmp_path: Path, section: str, key: str, value: str) -> None:
    problems = problems_of(tmp_path, f'[{section}]\n{key} = "{value}"\n')
    assert "hunter2" not in str(problems)
    assert "which is not shown" in problems[f"{section}.{key}"]
    variable = f"TOKENTAIL_{section}_{key}".upper().replace(".", "_")
    of_environment = problems_of(tmp_path, "", {"HOME": "/h", variable: value.replace("\\u0007", "\a")})
    assert "hunter2" not in str(of_environment)


def test_a_token_where_another_value_belongs_is_redacted(tmp_path: Path) -> None:
    token = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    problems = problems_of(tmp_path, f'[store]\ntype = "{token}"\ndatabase = "{token}!"\n')
    assert len(problems) == 2
    assert token[:12] not in str(problems)


def test_whatever_names_a_secrets_file_or_a_server_is_private() -> None:
    for table in options.SECTIONS.values():
        for key, option in table.items():
            secret = key.endswith("url") or re.fullmatch(r"(influxdb_)?(token|password|secret)_file|.*username", key)
            assert option.private == bool(secret), key
