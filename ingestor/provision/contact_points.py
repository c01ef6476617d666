"""Contact points for `page` and `ticket`, and how a rule is routed to them (pure but for reading secrets).

Each rule names its contact point itself, so the notification policies, which are one resource that belongs to everybody,
are never written. Our contact points print what our rules say and no labels: a label holds the name of a client as it was
sent, which may be markup to whoever displays it, and the rules' own words have that taken out.
"""

from typing import Any, Final, NamedTuple

from ingestor.config.credentials import Credential, Secret, contact_secret_of
from ingestor.config.settings import ContactSettings, GrafanaSettings
from ingestor.errors import ConfigError
from ingestor.provision.resources import PREFIX, Kind, Resource

SEVERITIES: Final = ("page", "ticket")
OWN: Final = {f"{PREFIX}{severity}": f"tokentail {severity}" for severity in SEVERITIES}
"""The names of our contact points, by uid."""
REDACTED: Final = "[REDACTED]"
"""What Grafana answers in place of a secret."""

_TITLE: Final = (
    "{{ if .Alerts.Firing }}{{ range $i, $a := .Alerts.Firing }}{{ if eq $i 0 }}{{ .Annotations.summary }}{{ end }}{{ end }}"
    "{{ if gt (len .Alerts.Firing) 1 }} (and more: {{ len .Alerts.Firing }} in all){{ end }}"
    "{{ else }}Over: {{ range $i, $a := .Alerts.Resolved }}{{ if eq $i 0 }}{{ .Annotations.summary }}{{ end }}{{ end }}{{ end }}"
)
_MESSAGE: Final = """{{ range .Alerts.Firing }}{{ .Annotations.summary }}
{{ .Annotations.description }}
Since: {{ .StartsAt.UTC.Format "2006-01-02 15:04" }} UTC
{{ if .PanelURL }}Panel: {{ .PanelURL }}
{{ end }}{{ with .Annotations.finding_url }}Finding: {{ . }}
{{ end }}{{ with .Annotations.client_url }}Client: {{ . }}
{{ end }}{{ with .Annotations.runbook_url }}Runbook: {{ . }}
{{ end }}{{ if .SilenceURL }}Silence: {{ .SilenceURL }}
{{ end }}
{{ end }}{{ range .Alerts.Resolved }}Over since {{ .EndsAt.UTC.Format "2006-01-02 15:04" }} UTC: {{ .Annotations.summary }}
{{ end }}"""


class _Form(NamedTuple):
    """What Grafana calls the settings of one type."""

    settings: dict[str, Any]
    secret: str = ""
    """The setting that holds the secret."""


def contact_points(grafana: GrafanaSettings, secret: Secret = Credential.read) -> list[Resource]:
    """Return the contact points that are ours to make; ``secret`` says what stands for their secrets. Raises ConfigError, PermissionDeniedError."""
    ours = {severity: contact for severity, contact in contacts(grafana).items() if is_ours(contact)}
    return [_thing(severity, contact, secret, locked=not grafana.editable) for severity, contact in ours.items()]


def contacts(grafana: GrafanaSettings) -> dict[str, ContactSettings]:
    """Return what is configured for each severity."""
    return {"page": grafana.page, "ticket": grafana.ticket}


def is_ours(contact: ContactSettings) -> bool:
    """Whether it takes a contact point of our own."""
    return contact.type not in {"", "existing"}


def receiver(grafana: GrafanaSettings, severity: str) -> str:
    """Return the name of the contact point for a severity; an empty text leaves it to Grafana's notification policies."""
    contact = contacts(grafana)[severity]
    return contact.name if contact.type == "existing" else OWN[PREFIX + severity] if contact.type else ""


def _thing(severity: str, contact: ContactSettings, secret_of: Secret, *, locked: bool) -> Resource:
    secret = secret_of(contact_secret_of(severity, contact))
    if not secret and contact.type in {"slack", "pagerduty"}:
        variable = contact_secret_of(severity, contact).variable
        raise ConfigError(
            f"The contact point for severity {severity} has no secret, and {contact.type} needs one",
            where=f"grafana.{severity}",
            advice=f"Put it into the file of grafana.{severity}.secret_file (mode 0600), or into {variable}.",
        )
    form = _form(contact, secret)
    secrets = {form.secret: secret} if secret and form.secret else {}
    uid = PREFIX + severity
    body = {
        "name": OWN[uid],
        "type": contact.type,
        "settings": form.settings,
        "disableResolveMessage": False,
    }
    return Resource(Kind.CONTACT_POINT, uid, OWN[uid], body, secrets, locked=locked)


def _form(contact: ContactSettings, secret: str) -> _Form:
    if contact.type == "email":
        addresses = ";".join(contact.addresses)
        return _Form({"addresses": addresses, "singleEmail": False, "subject": _TITLE, "message": _MESSAGE})
    if contact.type == "slack":
        words = {"title": _TITLE, "text": _MESSAGE}
        # A channel goes with a bot token; an incoming webhook has a channel of its own.
        return _Form({**words, "recipient": contact.channel}, "token") if contact.channel else _Form(words, "url")
    if contact.type == "pagerduty":
        return _Form({"summary": _TITLE, "severity": "critical", "details": {"alerts": _MESSAGE}}, "integrationKey")
    scheme = {"authorization_scheme": "Bearer"} if secret else {}
    words = {"title": _TITLE, "message": _MESSAGE}
    return _Form({"url": contact.url, "httpMethod": "POST", **words, **scheme}, "authorization_credentials")
