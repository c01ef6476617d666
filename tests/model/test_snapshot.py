"""What a snapshot says of the daemon, and that it says only what the schema knows."""

import re
from collections import Counter

from ingestor.model import schema
from ingestor.model.accounting import Account
from ingestor.model.snapshot import Snapshot, SourceSnapshot
from ingestor.stores.influxdb.write.own_lines import own_lines
from parsers.contract import Reason

ACCOUNT = Account(10, 5, Counter({Reason.INVALID_JSON: 2, Reason.MISSING_KEY: 1}), 2)
FIGURES = Snapshot(
    time=1_793_500_000.5,
    started_at=1_793_499_000.0,
    lag_since=1_793_499_990.5,
    pending_bytes=7,
    checkpoint_at=1_793_500_000.0,
    store_requests=110,
    store_seconds=6.0,
    counts={"redacted_jwt": 2, "redacted_code": 1, "addresses_invalid": 4},
    sources={"/logs/a b,c\nd": SourceSnapshot(ACCOUNT, clients=3, overflowing=True)},
)
BEFORE = Snapshot(time=1_793_499_990.5, started_at=1_793_499_000.0, store_requests=100, store_seconds=1.0)

OF_OTHERS = {"validated", "state", "run", "holder", "writing"}
"""Fields that `tokentail validate` and the claims on sources write."""


def decoded(line: str) -> tuple[str, set[str], dict[str, str]]:
    head, values, _ = re.fullmatch(r"((?:[^ \\]|\\.)+) (\S+) (\d+)", line).groups()  # type: ignore[union-attr]
    name, *tags = re.split(r"(?<!\\),", head)
    return name, {re.split(r"(?<!\\)=", tag)[0] for tag in tags}, dict(pair.split("=") for pair in values.split(","))


def test_every_line_is_of_the_schema_with_the_types_of_the_schema() -> None:
    kinds = {field.name: field.kind for field in schema.OWN.fields}
    seen: set[str] = set()
    for line in own_lines(FIGURES, BEFORE, "host-1"):
        assert "\n" not in line
        name, tags, values = decoded(line)
        assert name == schema.OWN.name
        assert tags <= {tag.name for tag in schema.OWN.tags}
        for field, value in values.items():
            assert value.endswith("i") == (kinds[field] is schema.Kind.INTEGER), field
        seen |= set(values)
    assert seen == set(kinds) - OF_OTHERS, "and every field of the schema is written"


def test_the_values_are_those_of_the_snapshot() -> None:
    daemon, source, *reasons = [decoded(line)[2] for line in own_lines(FIGURES, BEFORE, "host-1")]
    assert float(daemon["lag_seconds"]) == 10.0
    assert float(daemon["store_latency_seconds"]) == 0.5, "of the requests since the last point"
    assert (daemon["redactions"], daemon["addresses_invalid"]) == ("3i", "4i")
    assert (source["read"], source["rejected"], source["budget_exhausted"]) == ("10i", "3i", "1i")
    assert [reason["rejected_lines"] for reason in reasons] == ["2i", "1i"]


def test_the_summary_begins_with_what_is_wrong() -> None:
    assert FIGURES.summary() == "10 lines read: 5 stored, 3 rejected, 2 ignored; lag 10 s"
    broken = Snapshot(time=1.0, started_at=0.0, store_problem="The disk is full", log_problems=("/a cannot be read",))
    assert broken.summary().startswith("The disk is full; /a cannot be read; 0 lines")
