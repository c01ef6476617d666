"""Secrets of the daemon itself: from the environment, a file, or a systemd credential; never from a flag or the config.

They are read anew each time they are used, so that a rotated one works without a restart, and are held nowhere.
"""

import os
import stat
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ingestor.config.settings import ContactSettings, GrafanaSettings, StoreSettings
from ingestor.errors import ConfigError, PermissionDeniedError
from parsers.redaction.redact import redact_identifier

TOKEN_VARIABLE: Final = "TOKENTAIL_STORE_TOKEN"  # noqa: S105 - its name, not its value
PASSWORD_VARIABLE: Final = "TOKENTAIL_STORE_PASSWORD"  # noqa: S105 - as above
GRAFANA_TOKEN_VARIABLE: Final = "TOKENTAIL_GRAFANA_TOKEN"  # noqa: S105 - as above
GRAFANA_INFLUXDB_TOKEN_VARIABLE: Final = "TOKENTAIL_GRAFANA_INFLUXDB_TOKEN"  # noqa: S105 - as above
GRAFANA_INFLUXDB_PASSWORD_VARIABLE: Final = "TOKENTAIL_GRAFANA_INFLUXDB_PASSWORD"  # noqa: S105 - as above
PAGE_SECRET_VARIABLE: Final = "TOKENTAIL_GRAFANA_PAGE_SECRET"  # noqa: S105 - as above
TICKET_SECRET_VARIABLE: Final = "TOKENTAIL_GRAFANA_TICKET_SECRET"  # noqa: S105 - as above
SECRET_VARIABLES: Final = (
    TOKEN_VARIABLE,
    PASSWORD_VARIABLE,
    GRAFANA_TOKEN_VARIABLE,
    GRAFANA_INFLUXDB_TOKEN_VARIABLE,
    GRAFANA_INFLUXDB_PASSWORD_VARIABLE,
    PAGE_SECRET_VARIABLE,
    TICKET_SECRET_VARIABLE,
)
"""Every variable that holds a secret."""
DIRECTORY_VARIABLE: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what `LoadCredential=` names (systemd.exec(5))."""
_MOST_BYTES: Final = 4096


class Credential(NamedTuple):
    """Where a secret is."""

    variable: str
    file: Path | None
    name: str
    """Of the systemd credential."""

    def read(self, environment: Mapping[str, str] | None = None) -> str:
        """Return the secret; an empty text when there is none anywhere.

        Raises ConfigError for a file that is absent, others may read, or that holds no secret; PermissionDeniedError.
        """
        environment = os.environ if environment is None else environment
        place = self.place(environment)
        if isinstance(place, Path):
            return _read(
                place, private=place == self.file
            )  # systemd sees to its own's mode, which is 0440 for a reason
        return environment.get(self.variable, "").strip() if place else ""

    def place(self, environment: Mapping[str, str] | None = None) -> Path | str | None:
        """Return the file or the variable in which the secret is sought; None when it is nowhere."""
        environment = os.environ if environment is None else environment
        if environment.get(self.variable, "").strip():
            return self.variable
        if self.file is not None:
            return self.file
        directory = environment.get(DIRECTORY_VARIABLE)
        return path if directory and (path := Path(directory) / self.name).exists() else None


def reference(credential: Credential) -> str:
    """Return a reference to the environment variable that holds the secret elsewhere; an empty text when there is none."""
    return f"${credential.variable}" if credential.place() else ""


Secret = Callable[[Credential], str]
"""What stands for a secret: ``Credential.read``, itself, or ``reference``."""


def token_of(store: StoreSettings) -> Credential:
    """Return where the API token of InfluxDB 2.x is."""
    return Credential(TOKEN_VARIABLE, store.token_file, "store-token")


def password_of(store: StoreSettings) -> Credential:
    """Return where the password of InfluxDB 1.x is."""
    return Credential(PASSWORD_VARIABLE, store.password_file, "store-password")


def grafana_token_of(grafana: GrafanaSettings) -> Credential:
    """Return where the service-account token of Grafana is."""
    return Credential(GRAFANA_TOKEN_VARIABLE, grafana.token_file, "grafana-token")


def influxdb_token_of(grafana: GrafanaSettings) -> Credential:
    """Return where the token is with which Grafana reads InfluxDB 2.x, should it have one of its own."""
    return Credential(GRAFANA_INFLUXDB_TOKEN_VARIABLE, grafana.influxdb_token_file, "grafana-influxdb-token")


def influxdb_password_of(grafana: GrafanaSettings) -> Credential:
    """Return where the password is with which Grafana reads InfluxDB 1.x, should it have one of its own."""
    return Credential(GRAFANA_INFLUXDB_PASSWORD_VARIABLE, grafana.influxdb_password_file, "grafana-influxdb-password")


def contact_secret_of(severity: str, contact: ContactSettings) -> Credential:
    """Return where the secret of a contact point is; ``severity``: ``page`` or ``ticket``."""
    variable = {"page": PAGE_SECRET_VARIABLE, "ticket": TICKET_SECRET_VARIABLE}[severity]
    return Credential(variable, contact.secret_file, f"grafana-{severity}-secret")


def _read(path: Path, *, private: bool) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_MOST_BYTES + 1)
    except PermissionError as error:
        raise PermissionDeniedError(
            "The secret cannot be read by this user", where=_shown(path), advice="Make the daemon's user its owner."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"The secret cannot be read: {error.strerror}", where=_shown(path), advice="Check the path in the config."
        ) from error
    if private and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            "Others may read the secret", where=str(path), advice=f"`chmod 600 {path}`, and let its user own it."
        )
    try:
        secret = data.removeprefix(BOM_UTF8).decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    if not secret or len(data) > _MOST_BYTES or any(map(str.isspace, secret)):
        raise ConfigError(
            "The file holds no secret", where=str(path), advice="It must hold the secret alone, on one line."
        )
    return secret


def _shown(path: Path) -> str:
    """Return the path of a file that is not there, or not ours: it may be the secret itself, pasted in the wrong place."""
    return "/".join("[masked]" if _looks_random(part) else part for part in str(path).split("/"))


def _looks_random(part: str) -> bool:
    kinds = any(map(str.isdigit, part)), any(map(str.islower, part)), any(map(str.isupper, part))
    return len(part) >= 16 and (all(kinds) or redact_identifier(part) != part)
