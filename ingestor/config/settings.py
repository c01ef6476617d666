"""Settings as the daemon uses them: frozen, validated, complete. ``ingestor.config.load`` makes them from TOML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

STDIN: Final = "/dev/stdin"
"""The path that stands for standard input; on the command line it is ``-``."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """One ``[[logs]]`` entry: a path or glob, and how to read what it matches."""

    path: str
    source: str = ""
    """The name stored with each point; empty means the path of the live file."""
    parser: str = "auto"
    start: str = "beginning"
    """``beginning`` or ``end``: where a log that the state does not know is taken up."""
    archive_directories: tuple[str, ...] = ()
    """Where rotated generations are moved to, beside the log's own directory."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """How files are followed (design section 5)."""

    poll_interval_seconds: float = 1.0
    rotated_quiet_seconds: float = 10.0
    """A rotated file that has not grown for so long is closed: its half line is final."""
    missing_grace_seconds: float = 5.0
    """How long the remainder of a rotated log may be nowhere (being compressed, being moved) before it is a gap."""
    max_line_bytes: int = 1_048_576


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """Cardinality budgets per source (design section 3)."""

    clients: int = 1000
    failing_clients: int = 200
    realms: int = 100
    failing_realms: int = 20


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """What an in-house endpoint's own error text means: an ``error`` of the closed set, and perhaps another action."""

    error: str
    action: str | None = None


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where events are kept. ``sqlite``, the embedded store, lives in the state directory; the other options are InfluxDB's."""

    type: str = "sqlite"
    url: str = "http://127.0.0.1:8086"
    database: str = "tokentail"
    """On InfluxDB 2 the buckets are ``<database>/raw`` and so on."""
    organization: str = ""
    """On InfluxDB 2 where ``store init`` makes buckets; empty: the only one that the token sees."""
    token_file: Path | None = None
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    """Certificates to trust, PEM; None: the system's."""
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long InfluxDB keeps what, days (design section 3)."""

    raw_days: int = 90
    rollup_days: int = 730
    findings_days: int = 365
    own_days: int = 14


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """How the daemon is watched."""

    interval_seconds: float = 10.0
    """How often its own figures are written to the measurement ``tokentail``."""
    listen: str = ""
    """``address:port`` of the Prometheus endpoint; empty: none."""


@dataclass(frozen=True, slots=True)
class ContactSettings:
    """Whom alerts of one severity go to: ``[grafana.page]`` and ``[grafana.ticket]``."""

    type: str = ""
    """``email``, ``slack``, ``pagerduty``, ``webhook``; ``existing``, one that Grafana has; empty: none of ours."""
    addresses: tuple[str, ...] = ()
    channel: str = ""
    url: str = ""
    name: str = ""
    """Of the existing contact point."""
    secret_file: Path | None = None


@dataclass(frozen=True, slots=True)
class GrafanaSettings:
    """Which Grafana gets dashboards and alert rules, and what they look like there (design section 10)."""

    url: str = ""
    """Empty: no Grafana is used."""
    token_file: Path | None = None
    ca_file: Path | None = None
    timeout_seconds: float = 30.0
    folder: str = "tokentail"
    """The title of our folder."""
    editable: bool = False
    """Whether people may change in Grafana's own pages what was provisioned."""
    influxdb_url: str = ""
    """How Grafana reaches InfluxDB; empty: as the daemon does."""
    influxdb_token_file: Path | None = None
    influxdb_username: str = ""
    influxdb_password_file: Path | None = None
    page: ContactSettings = field(default_factory=ContactSettings)
    ticket: ContactSettings = field(default_factory=ContactSettings)


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """When the alert rules in Grafana fire; ``grafana/alerts`` says of each what it is compared with."""

    failure_rate_percent: int = 25
    failure_rate_attempts: int = 50
    """Below so many attempts in the hour a rate says nothing."""
    issued_drop_percent: int = 50
    issued_spike_percent: int = 300
    issued_minimum: int = 50
    """Below so many in the same hour last week there is nothing to compare with."""
    invalid_client_count: int = 30
    pkce_failed_count: int = 10
    rate_limited_count: int = 50
    reuse_count: int = 1
    silent_minutes: int = 3
    no_events_minimum: int = 50
    lag_seconds: int = 300
    rejected_lines: int = 10
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
    "reuse_count",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything ``tokentail run`` needs to know."""

    logs: tuple[LogSettings, ...] = ()
    state_directory: Path | None = None
    host: str = ""
    time_zone: str = "UTC"
    read: ReadSettings = field(default_factory=ReadSettings)
    budgets: BudgetSettings = field(default_factory=BudgetSettings)
    trusted_proxies: tuple[str, ...] = ()
    public_identifiers: tuple[str, ...] = ()
    """Clients and users whose names look like secrets and are none; ``*`` stands for anything."""
    errors: dict[str, ErrorRule] = field(default_factory=dict)
    store: StoreSettings = field(default_factory=StoreSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    grafana: GrafanaSettings = field(default_factory=GrafanaSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    config_file: Path | None = None

    @property
    def parser_options(self) -> dict[str, Any]:
        """What parsers are made with: each takes of it what it knows. What is not set is empty."""
        return {
            "errors": self.errors,
            "trusted_proxies": self.trusted_proxies,
            "public_identifiers": self.public_identifiers,
        }
