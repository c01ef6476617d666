import dataclasses
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from ingestor.config import load

Tokentail = Callable[..., Result]

FILE = r"""
state_directory = "/var/lib/tokentail"
host = "idp-1 \"quoted\" \\ ü"
trusted_proxies = ["10.0.0.0/8", "2001:db8::1/128"]

[[logs]]
path = "/var/log/a/*.log"

[[logs]]
path = "/var/log/b.log"
source = "b"
parser = "native"
start = "end"
archive_directories = ["/var/log/old"]

[read]
max_line_bytes = 4096

[grafana]
editable = true
token_file = "/run/token"

[grafana.page]
type = "email"
addresses = ["on-call@example.org"]

[alerts.clients."acme/billing \"x\""]
failure_rate_percent = 60

[realms]
"d0e0339d-052a" = "acme"

[errors]
"Invalid \"code\" \u007f" = "invalid_code"
"PKCE*" = { error = "invalid_grant", action = "token.pkce_failed" }
"""


def test_the_sample_is_the_file_in_the_repository(tokentail: Tokentail) -> None:
    sample = Path(__file__).parents[2] / "config/tokentail.toml"
    assert tokentail("config", "sample").stdout == sample.read_text("utf-8")


def test_what_is_shown_can_be_used_and_is_the_same(tokentail: Tokentail, tmp_path: Path) -> None:
    file, again = tmp_path / "tokentail.toml", tmp_path / "again.toml"
    file.write_text(FILE, encoding="utf-8")
    result = tokentail("config", "show", "--config", file)
    assert result.exit_code == 0, result.stderr
    again.write_text(result.stdout, encoding="utf-8")
    expected = load.load(file, environment={}).settings
    assert load.load(again, environment={}).settings == dataclasses.replace(expected, config_file=again)
    table = tomllib.loads(result.stdout)
    shown = json.loads(tokentail("config", "show", "--json", "--config", file).stdout)
    assert {key: shown[key] for key in ("host", "read", "budgets", "store", "grafana", "alerts")} == {
        key: table[key] for key in ("host", "read", "budgets", "store", "grafana", "alerts")
    }


def test_each_value_says_where_it_came_from(tokentail: Tokentail, tmp_path: Path) -> None:
    file = tmp_path / "tokentail.toml"
    file.write_text("[budgets]\nclients = 5\n")
    variables = {"TOKENTAIL_READ_MAX_LINE_BYTES": "2048", "TOKENTAIL_CONFIG": str(file)}
    lines = tokentail("config", "show", "--state-dir", tmp_path / "state", env=variables).stdout.splitlines()
    assert f"clients = 5  # {file}" in lines
    assert "max_line_bytes = 2048  # TOKENTAIL_READ_MAX_LINE_BYTES" in lines
    assert f'state_directory = "{tmp_path}/state"  # --state-dir' in lines
    assert 'time_zone = "UTC"  # default' in lines
    assert f"# config file: {file}" in lines
