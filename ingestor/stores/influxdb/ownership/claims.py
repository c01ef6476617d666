"""Which state writes the counters of a source and host: said in InfluxDB itself, since no state knows of another.

A claim is a point of the measurement ``tokentail``, at the server's own time, so that no two clocks are compared.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from ingestor.model import schema
from ingestor.model.points import MEASUREMENT
from ingestor.stores.influxdb.read.influxql import equal, measurement
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.setup.plan import OWN, RAW
from ingestor.stores.influxdb.write.line_protocol import tag_set
from parsers.text import clean, normal_tag

LEASE_SECONDS: Final = 180
"""A claim that is older, and was not given up, is of a state that is gone or cut off."""


class Claim(NamedTuple):
    """Who writes, or wrote last."""

    state: str
    """The id of the state."""
    run: str
    """The id of the process that held it."""
    holder: str
    """``machine:directory``, for people."""
    writing: bool
    """False once it was given up."""

    def is_of_place(self, other: "Claim") -> bool:
        """Whether a state took the place of the other: it is in the same directory, which one process holds at a time."""
        return self.holder == other.holder


class Claims(NamedTuple):
    """By source, in the normal form of a tag."""

    last: Mapping[str, Claim]
    """The newest one, however old."""
    live: Mapping[str, Claim]
    """The newest one, where it still counts."""


def read_claims(queries: Queries, database: str, host: str) -> Claims:
    """Return the claims on the sources of a host. Raises TokentailError."""
    place = measurement(database, OWN, schema.OWN.name)
    select = f'SELECT last("state"), "run", "holder", "writing" FROM {place} WHERE {equal("host", normal_tag(host))}'
    by_source = ' GROUP BY "source"'
    asked = [select + by_source, f"{select} AND time >= now() - {LEASE_SECONDS}s{by_source}"]
    found: tuple[dict[str, Claim], dict[str, Claim]] = ({}, {})
    for table in queries.run(asked):
        for _, state, run, holder, writing in table.rows:
            found[table.statement][table.tags.get("source", "")] = Claim(state, run, holder, bool(writing))
    last, recent = found
    return Claims(last, {source: claim for source, claim in recent.items() if claim.writing})


def claim_lines(claim: Claim, sources: Iterable[str], host: str) -> bytes:
    """Return the lines that claim sources, or give them up. They have no time: the server gives its own."""
    fields = (
        f"state={_text(claim.state)},run={_text(claim.run)},holder={_text(claim.holder)},writing={int(claim.writing)}i"
    )
    lines = [f"{schema.OWN.name}{tag_set({'host': host, 'source': source})} {fields}\n" for source in sorted(sources)]
    return "".join(lines).encode()


def sources_of_host(queries: Queries, database: str, host: str) -> set[str]:
    """Return the sources, in the normal form of a tag, of which InfluxDB holds events of a host. Raises TokentailError."""
    place = measurement(database, RAW, MEASUREMENT)
    statement = f'SELECT first("events") FROM {place} WHERE {equal("host", normal_tag(host))} GROUP BY "source"'
    return {table.tags.get("source", "") for table in queries.run([statement]) if table.rows}


def _text(value: str) -> str:
    escaped = clean(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
