"""Everything that a configuration wants in Grafana."""

from typing import Any, Final

from ingestor.config.credentials import Credential, Secret
from ingestor.config.settings import GrafanaSettings, Settings
from ingestor.errors import ConfigError
from ingestor.provision.contact_points import SEVERITIES, contact_points, receiver
from ingestor.provision.dashboards import dashboards
from ingestor.provision.data_source import data_source
from ingestor.provision.resources import FOLDER_UID, Kind, Resource, by_uid
from ingestor.provision.rules import rule_groups
from ingestor.stores.registry import store_of

_BY_INCIDENT: Final = ["alertname", "grafana_folder", "realm", "client_id", "pattern", "finding"]
"""What is told of by itself: else a second incident would only be one more line of the first, which somebody has seen."""
NOTIFICATIONS: Final = {
    "page": {"group_by": _BY_INCIDENT, "group_wait": "10s", "group_interval": "5m", "repeat_interval": "4h"},
    "ticket": {"group_by": _BY_INCIDENT, "group_wait": "1m", "group_interval": "5m", "repeat_interval": "1d"},
}
"""When it is told: a page at once, a ticket with what else comes in that minute; again while it lasts."""


def desired(settings: Settings, secret: Secret = Credential.read) -> list[Resource]:
    """Return all things; ``secret`` says what stands for secrets.

    Raises ConfigError (the embedded store, a secret that is missing), PermissionDeniedError.
    """
    store = store_of(settings)
    if not store.speaks_influxql:
        raise ConfigError(
            f"Grafana needs InfluxDB: it cannot read {store.title}",
            where="store.type",
            advice='Set store.type = "influxdb"; what the embedded store holds is copied there when the daemon starts.',
        )
    grafana = settings.grafana
    return [
        Resource(Kind.FOLDER, FOLDER_UID, grafana.folder, {"title": grafana.folder}),
        data_source(settings, secret),
        *contact_points(grafana, secret),
        *dashboards(settings),
        *_rule_groups(settings),
    ]


def _rule_groups(settings: Settings) -> list[Resource]:
    grafana = settings.grafana
    return [
        Resource(
            Kind.RULE_GROUP,
            group.name,
            group.name,
            {"interval": group.interval, "rules": by_uid(routed(rule, grafana) for rule in group.rules)},
            locked=not grafana.editable,
        )
        for group in rule_groups(settings.alerts)
    ]


def unrouted(grafana: GrafanaSettings) -> list[str]:
    """Return the severities whose alerts go where Grafana's own notification policies send them."""
    return [severity for severity in SEVERITIES if not receiver(grafana, severity)]


def routed(rule: dict[str, Any], grafana: GrafanaSettings) -> dict[str, Any]:
    """Return a rule that names the contact point of its severity."""
    severity = rule["labels"]["severity"]
    name = receiver(grafana, severity)
    return {**rule, "notification_settings": {"receiver": name, **NOTIFICATIONS[severity]}} if name else rule
