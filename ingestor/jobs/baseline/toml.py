"""What is proposed, as the tables of the configuration that it takes the place of. Pure.

A table is written whole, with the options of today that are no defaults: TOML allows none twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from ingestor.config.writing import key_text, value_text
from ingestor.detectors.contract import Options
from ingestor.jobs.baseline.meter import Client
from ingestor.jobs.baseline.proposal import Proposal
from ingestor.model.statistics import client_key


def toml_of(changed: Mapping[str, tuple[Options, Options, Iterable[Proposal]]]) -> str:
    """Return the tables of detectors, by name: the options of today, the defaults, what is to be another number."""
    tables = [table for name, of_it in sorted(changed.items()) for table in _tables(name, *of_it)]
    return "\n".join("".join(f"{line}\n" for line in table) for table in tables)


def _tables(name: str, today: Options, defaults: Options, proposals: Iterable[Proposal]) -> Iterator[Sequence[str]]:
    values = {each.threshold: each.value for each in proposals if each.client is None}
    of_clients: dict[Client, dict[str, int]] = {}
    for each in proposals:
        if each.client is not None:
            of_clients.setdefault(each.client, {})[each.threshold] = each.value
    of_all = _with(today, values)
    if own := list(_different(of_all, defaults)):
        yield f"[detectors.{name}]", *own
    for client in sorted({*today.clients, *of_clients}):
        before = today.of(*client)
        inherited = {each: value for each, value in values.items() if getattr(before, each) == getattr(today, each)}
        lines = list(_different(_with(before, {**inherited, **of_clients.get(client, {})}), of_all))
        if lines:
            realm, client_id = client
            yield f"[detectors.{name}.clients.{key_text(client_key(realm, client_id))}]", *lines


def _with(options: Options, values: Mapping[str, Any]) -> Options:
    return replace(options, **values)


def _different(options: Options, others: Options) -> Iterator[str]:
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name != "clients" and value != getattr(others, field.name):
            yield f"{key_text(field.name)} = {value_text(value)}"
