"""The tables ``[detectors.NAME]``: each detector states its options as fields with defaults, and this reads them. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from ingestor.config.tables import client
from ingestor.config.values import NotAcceptedError, boolean, list_of, network, text, whole_number
from ingestor.detectors.contract import Options
from ingestor.detectors.registry import detectors
from ingestor.model.statistics import client_of
from parsers.near_miss import did_you_mean

Report = Callable[[str, str], None]
"""Takes a key, with dots, and what is wrong with it."""

_MOST: Final = 1_000_000
_ACCEPT: Final[dict[str, Callable[[Any], Any]]] = {
    "enabled": boolean,
    "networks": list_of(network),
    "user_agents": list_of(text),
}


def read_detectors(table: Mapping[str, Any], report: Report) -> dict[str, Options]:
    """Return the options of the detectors that a file names; what is wrong goes to ``report``."""
    known = detectors()
    read = {}
    for name, value in table.items():
        where = f"detectors.{name}"
        if name not in known:
            report(
                where,
                f"no detector has this name{did_you_mean(name, list(known)) or ': `tokentail findings --help` names them'}",
            )
        elif not isinstance(value, Mapping):
            report(where, f"must be a table: [{where}]")
        else:
            read[name] = _options(known[name].options, value, where, report)
    return read


def _options(kind: type[Options], table: Mapping[str, Any], where: str, report: Report) -> Options:
    values = _values(kind, {key: value for key, value in table.items() if key != "clients"}, where, report)
    clients = table.get("clients", {})
    if not isinstance(clients, Mapping) or not all(isinstance(value, Mapping) for value in clients.values()):
        report(f"{where}.clients", f'must hold a table for each client: [{where}.clients."realm/id"]')
        clients = {}
    of_clients = {}
    for key, value in clients.items():
        place = f"{where}.clients.{key!r}"
        try:
            client(key)
            of_clients[client_of(key)] = kind(**(values | _values(kind, value, place, report)))
        except NotAcceptedError as error:
            report(place, str(error))
    return kind(**values, clients=of_clients)


def _values(kind: type[Options], table: Mapping[str, Any], where: str, report: Report) -> dict[str, Any]:
    known = [field.name for field in fields(kind) if field.name != "clients"]
    values = {}
    for key, value in table.items():
        if key not in known:
            report(f"{where}.{key}", f"unknown option{did_you_mean(key, known) or ': there are ' + ', '.join(known)}")
            continue
        try:
            accept: Callable[[Any], Any] = _ACCEPT.get(key, whole_number(1, _MOST))
            values[key] = accept(value)
        except NotAcceptedError as error:
            report(f"{where}.{key}", f"{error} (found {value!r})")
    return values
