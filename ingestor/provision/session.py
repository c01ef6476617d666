"""A Grafana that was found fit, what a configuration wants there, and what is there."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from ingestor.config.settings import Settings
from ingestor.errors import ConfigError, TokentailError, UnavailableError
from ingestor.provision.actual import read_actual
from ingestor.provision.client import Grafana
from ingestor.provision.contact_points import OWN, contacts
from ingestor.provision.desired import desired
from ingestor.provision.plan import Plan, plan, removal
from ingestor.provision.resources import DATA_SOURCE_UID
from parsers.text import clean


class Session(NamedTuple):
    """A Grafana and its version."""

    grafana: Grafana
    version: str
    settings: Settings

    def plan(self) -> Plan:
        """Return what is to be done there. Raises TokentailError."""
        wanted = desired(self.settings)
        self._check_contact_points()
        return plan(wanted, read_actual(self.grafana, wanted))

    def _check_contact_points(self) -> None:
        """Raise ConfigError when an existing contact point does not exist: Grafana would refuse the rules, half-way."""
        named = {
            f"grafana.{severity}.name": contact.name
            for severity, contact in contacts(self.settings.grafana).items()
            if contact.type == "existing"
        }
        own = [key for key, name in named.items() if name in OWN.values()]
        if own:
            raise ConfigError(
                "That contact point is one that `apply` makes",
                where=own[0],
                advice="Name one of Grafana's own, or set a type.",
            )
        there = {entry["name"] for entry in self.grafana.contact_points()} if named else set()
        for key, name in named.items():
            if name not in there:
                known = ", ".join(sorted(map(clean, there)))
                raise ConfigError(f"Grafana has no contact point {name!r}", where=key, advice=f"It has: {known}.")

    def removal(self) -> Plan:
        """Return what is to be done for nothing of ours to be there. Raises TokentailError."""
        return removal(read_actual(self.grafana, []))

    def check_data_source(self) -> None:
        """Raise UnavailableError when Grafana cannot ask InfluxDB."""
        if problem := unreachable_influxdb(self.grafana, self.settings):
            raise problem


@contextlib.contextmanager
def open_grafana(settings: Settings) -> Iterator[Session]:
    """Yield the configured Grafana. Raises TokentailError: none is configured, out of reach, too old."""
    with contextlib.closing(Grafana(settings.grafana)) as grafana:
        yield Session(grafana, grafana.version(), settings)


def unreachable_influxdb(grafana: Grafana, settings: Settings) -> TokentailError | None:
    """Return what is wrong with our data source."""
    said = grafana.data_source_health(DATA_SOURCE_UID)
    if not said:
        return None
    return UnavailableError(
        f"Grafana cannot ask InfluxDB: {clean(said)[:300]}",
        where=settings.grafana.influxdb_url or settings.store.url,
        advice="Set grafana.influxdb_url to the address by which Grafana reaches InfluxDB, and give it a token or user that may "
        "read (grafana.influxdb_token_file, grafana.influxdb_username); then apply again.",
    )
