"""Settings as the daemon uses them: frozen, validated, complete. ``ingestor.config.load`` makes them from TOML.

This is THE list of options: each field of a table says its default and, by its ``Option``, what it accepts. The names in TOML
and in the environment follow from it; the sample and the documentation are compared with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from ingestor.config.store_types import store_types
from ingestor.config.values import (
    Option,
    absolute_path,
    boolean,
    comma_separated,
    database_name,
    list_of,
    listen_address,
    log_path,
    mail_address,
    network,
    number,
    one_of,
    or_empty,
    parser_name,
    path_or_none,
    public_identifier,
    seconds,
    server_url,
    text,
    time_zone_name,
    title,
    true_or_false,
    whole_number,
)
from ingestor.detectors.contract import Options

_COUNT: Final = Option(whole_number(1, 1_000_000_000), number)

STDIN: Final = "/dev/stdin"
"""The path that stands for standard input; on the command line it is ``-``."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """One ``[[logs]]`` entry: a path or glob, and how to read what it matches."""

    path: Annotated[str, Option(log_path)]
    source: Annotated[str, Option(text)] = ""
    """The name stored with each point; empty means the path of the live file."""
    parser: Annotated[str, Option(parser_name)] = "auto"
    start: Annotated[str, Option(one_of("beginning", "end"))] = "beginning"
    """``beginning`` or ``end``: where a log that the state does not know is taken up."""
    archive_directories: Annotated[tuple[str, ...], Option(list_of(absolute_path))] = ()
    """Where rotated generations are moved to, beside the log's own directory."""
    mapping: str | None = None
    """The text of the mapping file that ``parser`` names. No option: it is read with the configuration."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """How files are followed (design section 5)."""

    poll_interval_seconds: Annotated[float, Option(seconds(0.1, 3600), number)] = 1.0
    rotated_quiet_seconds: Annotated[float, Option(seconds(0, 86_400), number)] = 10.0
    """A rotated file that has not grown for so long is closed: its half line is final."""
    missing_grace_seconds: Annotated[float, Option(seconds(0, 3600), number)] = 5.0
    """How long the remainder of a rotated log may be nowhere (being compressed, being moved) before it is a gap."""
    max_line_bytes: Annotated[int, Option(whole_number(1024, 1 << 24), number)] = 1_048_576


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """Cardinality budgets per source (design section 3)."""

    clients: Annotated[int, Option(whole_number(1, 100_000), number)] = 1000
    failing_clients: Annotated[int, Option(whole_number(0, 100_000), number)] = 200
    realms: Annotated[int, Option(whole_number(1, 10_000), number)] = 100
    failing_realms: Annotated[int, Option(whole_number(0, 10_000), number)] = 20


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """What an in-house endpoint's own error text means: an ``error`` of the closed set, and perhaps another action."""

    error: str
    action: str | None = None


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where events are kept. The embedded store, ``sqlite``, takes no other option; a store on a server takes those that it needs."""

    type: Annotated[str, Option(one_of(*store_types()))] = "sqlite"
    url: Annotated[str, Option(server_url, private=True)] = "http://127.0.0.1:8086"
    database: Annotated[str, Option(database_name)] = "tokentail"
    """On InfluxDB 2 the buckets are ``<database>/raw`` and so on."""
    organization: Annotated[str, Option(text)] = ""
    """On InfluxDB 2 where ``store init`` makes buckets; empty: the only one that the token sees."""
    token_file: Annotated[Path | None, Option(path_or_none, private=True)] = None
    username: Annotated[str, Option(text, private=True)] = ""
    password_file: Annotated[Path | None, Option(path_or_none, private=True)] = None
    ca_file: Annotated[Path | None, Option(path_or_none)] = None
    """Certificates to trust, PEM; None: the system's."""
    timeout_seconds: Annotated[float, Option(seconds(1, 600), number)] = 30.0


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long a store that deletes keeps what, days (design section 3)."""

    raw_days: Annotated[int, Option(whole_number(1, 36_500), number)] = 90
    rollup_days: Annotated[int, Option(whole_number(1, 36_500), number)] = 730
    findings_days: Annotated[int, Option(whole_number(1, 36_500), number)] = 365
    own_days: Annotated[int, Option(whole_number(1, 36_500), number)] = 14


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """How the daemon is watched."""

    interval_seconds: Annotated[float, Option(seconds(1, 3600), number)] = 10.0
    """How often its own figures are written to the measurement ``tokentail``."""
    listen: Annotated[str, Option(listen_address)] = ""
    """``address:port`` of the Prometheus endpoint; empty: none."""


@dataclass(frozen=True, slots=True)
class ContactSettings:
    """Whom alerts of one severity go to: ``[grafana.page]`` and ``[grafana.ticket]``."""

    type: Annotated[str, Option(one_of("", "email", "slack", "pagerduty", "webhook", "existing"))] = ""
    """``email``, ``slack``, ``pagerduty``, ``webhook``; ``existing``, one that Grafana has; empty: none of ours."""
    addresses: Annotated[tuple[str, ...], Option(list_of(mail_address), comma_separated)] = ()
    channel: Annotated[str, Option(text)] = ""
    url: Annotated[str, Option(or_empty(server_url), private=True)] = ""
    name: Annotated[str, Option(text)] = ""
    """Of the existing contact point."""
    secret_file: Annotated[Path | None, Option(path_or_none, private=True)] = None


@dataclass(frozen=True, slots=True)
class GrafanaSettings:
    """Which Grafana gets dashboards and alert rules, and what they look like there (design section 10)."""

    url: Annotated[str, Option(or_empty(server_url), private=True)] = ""
    """Empty: no Grafana is used."""
    token_file: Annotated[Path | None, Option(path_or_none, private=True)] = None
    ca_file: Annotated[Path | None, Option(path_or_none)] = None
    timeout_seconds: Annotated[float, Option(seconds(1, 600), number)] = 30.0
    folder: Annotated[str, Option(title)] = "tokentail"
    """The title of our folder."""
    editable: Annotated[bool, Option(boolean, true_or_false)] = False
    """Whether people may change in Grafana's own pages what was provisioned."""
    influxdb_url: Annotated[str, Option(or_empty(server_url), private=True)] = ""
    """How Grafana reaches InfluxDB; empty: as the daemon does."""
    influxdb_token_file: Annotated[Path | None, Option(path_or_none, private=True)] = None
    influxdb_username: Annotated[str, Option(text, private=True)] = ""
    influxdb_password_file: Annotated[Path | None, Option(path_or_none, private=True)] = None
    page: ContactSettings = field(default_factory=ContactSettings)
    ticket: ContactSettings = field(default_factory=ContactSettings)


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """When the alert rules in Grafana fire; ``grafana/alerts`` says of each what it is compared with."""

    failure_rate_percent: Annotated[int, Option(whole_number(1, 100), number)] = 25
    failure_rate_attempts: Annotated[int, _COUNT] = 50
    """Below so many attempts in the hour a rate says nothing."""
    issued_drop_percent: Annotated[int, Option(whole_number(0, 100), number)] = 50
    issued_spike_percent: Annotated[int, Option(whole_number(101, 1_000_000), number)] = 300
    issued_minimum: Annotated[int, _COUNT] = 50
    """Below so many in the same hour last week there is nothing to compare with."""
    invalid_client_count: Annotated[int, _COUNT] = 30
    pkce_failed_count: Annotated[int, _COUNT] = 10
    rate_limited_count: Annotated[int, _COUNT] = 50
    silent_minutes: Annotated[int, Option(whole_number(1, 120), number)] = 3
    no_events_minimum: Annotated[int, _COUNT] = 50
    lag_seconds: Annotated[int, Option(whole_number(10, 86_400), number)] = 300
    rejected_lines: Annotated[int, _COUNT] = 10
    clients: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Thresholds of single clients by ``client_key``, those that differ; ``CLIENT_ALERTS`` names the ones that can."""


CLIENT_ALERTS: Final = (
    "failure_rate_percent",
    "failure_rate_attempts",
    "issued_drop_percent",
    "issued_spike_percent",
    "issued_minimum",
    "invalid_client_count",
    "pkce_failed_count",
    "rate_limited_count",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything ``tokentail run`` needs to know."""

    logs: tuple[LogSettings, ...] = ()
    state_directory: Annotated[Path | None, Option(path_or_none)] = None
    host: Annotated[str, Option(text)] = ""
    time_zone: Annotated[str, Option(time_zone_name)] = "UTC"
    log_time_zone: Annotated[str, Option(time_zone_name)] = "UTC"
    """Of times in logs that are written without a zone, as Keycloak does in plain text."""
    read: ReadSettings = field(default_factory=ReadSettings)
    budgets: BudgetSettings = field(default_factory=BudgetSettings)
    trusted_proxies: Annotated[tuple[str, ...], Option(list_of(network), comma_separated)] = ()
    public_identifiers: Annotated[tuple[str, ...], Option(list_of(public_identifier), comma_separated)] = ()
    """Clients and users whose names look like secrets and are none; ``*`` stands for anything."""
    errors: dict[str, ErrorRule] = field(default_factory=dict)
    realms: dict[str, str] = field(default_factory=dict)
    """Names of realms by their ids, for logs that write the id alone, as Keycloak does until version 25."""
    store: StoreSettings = field(default_factory=StoreSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    grafana: GrafanaSettings = field(default_factory=GrafanaSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    detectors: dict[str, Options] = field(default_factory=dict)
    """By name; a detector that is not here has its defaults."""
    config_file: Path | None = None

    def mapping_of(self, parser: str) -> str | None:
        """Return the text of the mapping file that the name of a log's parser names."""
        return next((entry.mapping for entry in self.logs if entry.parser == parser), None)

    @property
    def parser_options(self) -> dict[str, Any]:
        """What parsers are made with: each takes of it what it knows. What is not set is empty."""
        return {
            "errors": self.errors,
            "trusted_proxies": self.trusted_proxies,
            "public_identifiers": self.public_identifiers,
            "realms": self.realms,
            "log_time_zone": self.log_time_zone,
        }
