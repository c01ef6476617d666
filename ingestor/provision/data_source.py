"""Grafana's way to InfluxDB: a data source that asks InfluxQL, of InfluxDB 1.x and 2.x (pure but for reading secrets)."""

from pathlib import Path
from typing import Any, Final

from ingestor.config.credentials import (
    Credential,
    Secret,
    influxdb_password_of,
    influxdb_token_of,
    password_of,
    token_of,
)
from ingestor.config.settings import Settings
from ingestor.errors import ConfigError
from ingestor.provision.resources import DATA_SOURCE_UID, MANAGED_BY, TAG, Kind, Resource

PASSWORD: Final = "password"  # noqa: S105 - the name that Grafana gives it
TOKEN_HEADER: Final = "httpHeaderValue1"  # noqa: S105 - as above
AUTHORITY: Final = "tlsCACert"
SECRETS: Final = (PASSWORD, TOKEN_HEADER, AUTHORITY)


def data_source(settings: Settings, secret: Secret = Credential.read) -> Resource:
    """Return the data source; ``secret`` says what stands for its secrets. Raises ConfigError and PermissionDeniedError when a secret or certificate cannot be read."""
    store, grafana = settings.store, settings.grafana
    options: dict[str, Any] = {
        "dbName": store.database,
        "httpMode": "POST",  # the address of a long query is cut off by proxies, and logged
        MANAGED_BY: TAG,
        "version": "InfluxQL",
    }
    secrets: dict[str, str] = {}
    user = grafana.influxdb_username or store.username
    own_token = influxdb_token_of(grafana)
    if own_token.place() or (token_of(store).place() and not grafana.influxdb_username):
        # A token wins over a user, as for the daemon.
        token = own_token if own_token.place() else token_of(store)
        options["httpHeaderName1"] = "Authorization"
        secrets[TOKEN_HEADER] = f"Token {secret(token)}"
        user = ""
    elif user:
        password = influxdb_password_of(grafana) if grafana.influxdb_username else password_of(store)
        secrets[PASSWORD] = secret(password)
    if store.ca_file:
        options["tlsAuthWithCACert"] = True
        secrets[AUTHORITY] = _certificates(store.ca_file)
    body = {
        "name": TAG,
        "type": "influxdb",
        "access": "proxy",
        "url": grafana.influxdb_url or store.url,
        "user": user,
        "jsonData": options,
        "secrets": sorted(name for name, value in secrets.items() if value),
    }
    return Resource(Kind.DATA_SOURCE, DATA_SOURCE_UID, TAG, body, secrets)


def as_sent(thing: Resource) -> dict[str, Any]:
    """Return the data source as Grafana takes it, without its secrets."""
    plain = {key: value for key, value in thing.body.items() if key != "secrets"}
    # The database is named in both places: releases differ in which one they read.
    return {"uid": thing.uid, **plain, "database": plain["jsonData"]["dbName"]}


def _certificates(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("The certificates cannot be read", where=str(file), advice="Check store.ca_file.") from error
