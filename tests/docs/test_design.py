"""docs/design.md tells the truth: about the sections that the code cites, what is stored, figures and exit codes.

Each check is a function of a text that returns what is wrong, so that a test can also show that it finds a fault.
"""

import dataclasses
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import pytest

from ingestor.cli.findings import as_told
from ingestor.config.settings import BudgetSettings, ReadSettings, RetentionSettings
from ingestor.daemon import patience
from ingestor.errors import ExitCode
from ingestor.format_check import log_sample, understanding
from ingestor.jobs.condition import Condition
from ingestor.jobs.explain import Explanation
from ingestor.jobs.store_status import StoreStatus
from ingestor.model import identity, schema, trail
from ingestor.model.finding import Finding, Severity, stored_finding
from ingestor.model.generation import TAIL_BYTES
from ingestor.model.questions import Record, Stats
from ingestor.sources.file import reader, rotated, spool, turns
from ingestor.state import trails, upgrades
from ingestor.state.rejected_file import RejectedLine
from ingestor.stores import backoff
from ingestor.stores.influxdb.ownership import claiming, claims
from ingestor.stores.influxdb.recovery import recent, restarts
from ingestor.stores.influxdb.write import counters, partial_write, response, sender
from parsers import contract
from parsers import text as texts
from parsers.redaction import lines
from tests.docs.markdown import ROOT, anchors, flat, names, part, rows

DESIGN: Final = ROOT / "docs/design.md"
TEXT: Final = DESIGN.read_text("utf-8")
CITING: Final = ("ingestor", "parsers", "tests", "bench", "grafana")

_CITATIONS: Final = re.compile(
    r"design(?:'s)?,?\s+sections?\s+(\d+(?:(?:,|,? and|,? to)\s+\d+)*)|section\s+(\d+)\s+of\s+the\s+design",
    re.IGNORECASE,
)
_ANCHOR: Final = re.compile(r'<a id="([^"]*)"></a>')


# What may be wrong


def cited(document: str) -> set[int]:
    """Return the numbers of the sections of the design that a text cites."""
    return {int(number) for found in _CITATIONS.findall(document) for number in re.findall(r"\d+", "".join(found))}


def sections(document: str) -> list[int]:
    """Return the numbers of the sections that are there, in their order."""
    return [int(number) for number in re.findall(r"^## (\d+)\. ", document, re.MULTILINE)]


def dangling(document: str, sources: Mapping[str, str]) -> list[str]:
    """Return the citations of sections that are not there."""
    there = set(sections(document))
    return [f"{name}: section {number}" for name, source in sources.items() for number in cited(source) - there]


def wrong_exit_codes(document: str) -> set[int]:
    """Return the exit codes that the table lacks, or that do not exist."""
    listed = {int(code) for code, _ in rows(part(document, "exit-codes"))}
    return listed ^ {code.value for code in ExitCode}


def wrong_names(document: str, measurement: schema.Measurement) -> set[str]:
    """Return the tags and fields of a measurement that the design lacks, or has and should not."""
    tags, fields = [tag.name for tag in measurement.tags], [field.name for field in measurement.fields]
    stored = part(document, "stored-data")
    for row in rows(part(stored, "counters")):
        if names(row[0]) == [measurement.name]:
            return set(names(row[1])) ^ set(tags) | set(names(row[2])) ^ set(fields)
    own = part(stored, measurement.name)
    listed = {name for row in rows(own) for name in names(row[0])}
    if measurement.name in {schema.EVENTS.name, schema.FINDINGS.name}:
        kinds = {name: row[1] for row in rows(own) if len(row) == 3 for name in names(row[0])}
        other = {field.name for field in measurement.fields if kinds.get(field.name) != field.kind}
        return listed ^ {*tags, *fields} | other
    told = set(names(own.partition("\n|")[0]))
    return listed ^ set(fields) | (set(tags) - told)


# The sections that the code cites


def sources() -> dict[str, str]:
    files = (file for folder in CITING for kind in ("*.py", "*.yaml") for file in (ROOT / folder).rglob(kind))
    return {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in files if file != Path(__file__)}


def test_every_section_that_is_cited_is_there() -> None:
    assert dangling(TEXT, sources()) == []


def test_sections_are_cited_by_the_code() -> None:
    for folder in ("ingestor", "parsers"):
        assert any(cited(source) for name, source in sources().items() if name.startswith(folder))


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("The line (design section 2): one", {2}),
        ("as the store (design sections 3, 4 and 6), over", {3, 4, 6}),
        ("the questions of\n    design section 7 and", {7}),
        ("Conditions of section 7 of the design.", {7}),
        ("RFC 6749 section 5.2", set()),
    ],
)
def test_citations_are_found(written: str, numbers: set[int]) -> None:
    assert cited(written) == numbers


def test_a_section_that_is_not_there_is_noticed() -> None:
    assert dangling(TEXT, {"a.py": "(design section 99)"}) == ["a.py: section 99"]
    assert dangling(TEXT.replace("## 4. ", "## Four. "), {"a.py": "design sections 3 and 4"}) == ["a.py: section 4"]


def test_the_sections_are_numbered_in_order_and_have_anchors_of_their_own() -> None:
    numbers = sections(TEXT)
    assert numbers == list(range(1, len(numbers) + 1))
    for heading in re.findall(r"^## .+$", TEXT, re.MULTILINE):
        assert len(_ANCHOR.findall(heading)) == 1, heading


def test_no_anchor_stands_for_two_places() -> None:
    # The slug of a numbered section is another one than its anchor: `4-point-identity` and `point-identity`.
    assert sorted(anchors(TEXT)) == sorted(set(anchors(TEXT)))


# What is stored


@pytest.mark.parametrize("measurement", schema.MEASUREMENTS, ids=lambda measurement: measurement.name)
def test_every_tag_and_field_is_named(measurement: schema.Measurement) -> None:
    assert wrong_names(TEXT, measurement) == set()


@pytest.mark.parametrize("measurement", schema.MEASUREMENTS, ids=lambda measurement: measurement.name)
def test_a_field_that_is_not_named_is_noticed(measurement: schema.Measurement) -> None:
    more = schema.Field("another", schema.Kind.INTEGER, "", "")
    assert wrong_names(TEXT, measurement._replace(fields=(*measurement.fields, more))) == {"another"}
    gone = measurement.fields[-1].name
    assert wrong_names(TEXT, measurement._replace(fields=measurement.fields[:-1])) == {gone}
    assert wrong_names(TEXT, measurement._replace(tags=(*measurement.tags, schema.Tag("another", "")))) == {"another"}


def test_the_vocabulary_is_named() -> None:
    table = {action: row[1] for row in rows(part(TEXT, "actions")) for action in names(row[0])}
    grants = next(names(row[2]) for row in rows(part(TEXT, "actions")) if "<grant>" in row[0])
    told = {action: outcome for action, outcome in table.items() if "<" not in action}
    told |= {contract.ISSUED_PREFIX + grant: table["token.issued.<grant>"] for grant in grants}
    assert told == {action: f"`{outcome}`" for action, outcome in contract.OUTCOMES.items()}
    (reasons,) = re.findall(r"\*\*Reasons of rejection\.\*\*(.*?)\n- ", TEXT, re.DOTALL)
    assert set(names(reasons)) == {reason.value for reason in contract.Reason}
    (errors,) = re.findall(r"registries, and(.*?)\. The set", TEXT, re.DOTALL)
    assert set(names(errors)) <= contract.ERRORS


def test_the_tables_of_the_state_are_named() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    upgrades.upgrade(connection)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    (told,) = re.findall(r"\*\*Tables\.\*\*(.*?)\n- ", TEXT, re.DOTALL)
    assert set(names(told)) - {"host"} == tables


def missing(wanted: Iterable[str], *places: str) -> set[str]:
    return set(wanted) - {name for place in places for name in names(part(TEXT, place))}


def test_the_keys_of_json_are_named() -> None:
    assert missing(RejectedLine._fields, "no-silent-drop") == set()
    assert missing((field.name for field in dataclasses.fields(Stats)), "definitions") == set()
    keys = {tuple(names(row[0])): set(names(row[1])) for row in rows(part(TEXT, "command-line")) if "`" in row[0]}
    assert keys["events", "activity"] == set(Record._fields)
    explained = Explanation(0, "ignored", "native", None, "", None, None, (), "", "")
    found = stored_finding(
        "replay", Finding(Severity.LOW, "", "", 0, 0, 0), host="", tags={"client_id": "", "realm": ""}
    )
    assert keys[("findings",)] == as_told(found).keys() == found.as_json().keys() | {"title", "runbook"}
    assert keys[("explain",)] - {"event", "ignored", "rejected"} == explained.as_json().keys() - {"event"}
    assert keys[("status",)] >= StoreStatus(None, "").as_json().keys()


# Exit codes, figures, links


def test_the_exit_codes_are_those_of_the_program() -> None:
    assert wrong_exit_codes(TEXT) == set()
    for condition in Condition:
        assert f"{condition.value} {condition.name.lower()}" in flat(part(TEXT, "exit-codes"))


def test_an_exit_code_that_is_not_named_is_noticed() -> None:
    assert wrong_exit_codes(TEXT.replace("| 69 |", "| 70 |")) == {69, 70}


_READ: Final = ReadSettings()
_KEPT: Final = RetentionSettings()
_BUDGETS: Final = BudgetSettings()
FIGURES: Final[dict[str, Callable[[], tuple[str, ...]]]] = {
    "no-silent-drop": lambda: (f"at most {lines.SHOWN_BYTES >> 10} KiB",),
    "the-native-line": lambda: (
        f"at most {texts.TAG_BYTES} bytes, a field {texts.FIELD_BYTES >> 10} KiB",
        f"A log with at least {understanding.FEWEST} rejected lines",
        f"A log whose last {understanding.FEWEST} lines or more hold no event and at least {understanding.HANDFUL} rejected",
        f"Its newest lines count, at most {log_sample.NEWEST_LINES:,}.",
    ),
    "stored-data": lambda: (
        f"{_BUDGETS.clients:,} and {_BUDGETS.failing_clients} clients",
        f"{_BUDGETS.realms} and {_BUDGETS.failing_realms} realms",
        f"{counters.USERS_PER_SOURCE:,} users of a source",
        f"`token_users_1d` ({_KEPT.raw_days} days)",
        f"the other counters ({_KEPT.rollup_days} days)",
        f"`token_findings_raised` ({_KEPT.findings_days} days)",
        f"keeps `tokentail` ({_KEPT.own_days} days)",
    ),
    "point-identity": lambda: (
        f"event * {identity.EVENT_STRIDE:,}) mod slots",
        f"`slots` is 10^{len(str(identity.SECOND_SLOTS)) - 1} if",
        f"else 10^{len(str(identity.MILLISECOND_SLOTS)) - 1}:",
        f"at most the first {identity.HEAD_BYTES >> 10} KiB",
        f"the {TAIL_BYTES >> 10} KiB before the position",
        f"keeps {trail.DIGEST_BYTES} bytes of each line",
        f"Trails have {trails.MOST_BYTES >> 20} MiB at most",
    ),
    "following-files": lambda: (
        f"`rotated_quiet_seconds` ({_READ.rotated_quiet_seconds:g})",
        f"`missing_grace_seconds` ({_READ.missing_grace_seconds:g})",
        f"`poll_interval_seconds` ({_READ.poll_interval_seconds:g})",
        f"`max_line_bytes` ({_READ.max_line_bytes >> 20} MiB)",
        f"at most {rotated.MOST_OPEN} rotated ones",
        f"more than 1/{1 / turns.FULL_LOOK_SHARE:g} of the time",
        f"at most {reader.BUSY_BYTES >> 20} MiB of holes",
        f"While {spool.MOST_UNREAD_BYTES >> 20} MiB wait",
        f"Segments of {spool.SEGMENT_BYTES >> 20} MiB",
        f"number of the schema; it is {upgrades.SCHEMA_VERSION}.",
    ),
    "delivery": lambda: (
        f"wait {backoff.FIRST_BACKOFF_SECONDS:g} s, then",
        f"up to {backoff.LONGEST_BACKOFF_SECONDS:g} s",
        f"up to {response.MOST_RETRY_AFTER_SECONDS:g} s",
        f"down to {partial_write.FEWEST_POINTS},",
        f"at most {sender.MOST_POINTS:,} points and {sender.MOST_BYTES >> 20} MiB",
        f"after {patience.ONCE_PATIENCE_SECONDS:g} s without progress",
        f"at most {patience.DRAIN_SECONDS:g} s, and waits {patience.REFUSED_SECONDS:g} s for a store that refuses",
        f"waits {patience.SILENT_SECONDS:g} s for a store that refuses, or that takes nothing and says nothing",
        f"the last {recent.MOST_SECONDS / 86_400:g} days, packed, {recent.MOST_BYTES >> 20} MiB at most",
        f"asks every {restarts.WATCH_SECONDS:g} s",
        f"renews a claim every {claiming.RENEW_SECONDS:g} s",
        f"A claim counts for {claims.LEASE_SECONDS} s",
        f"asks again every {claiming.CONTESTED_SECONDS:g} s",
    ),
}


@pytest.mark.parametrize("section", FIGURES)
def test_the_figures_are_those_of_the_code(section: str) -> None:
    told = flat(part(TEXT, section))
    assert [figure for figure in FIGURES[section]() if figure not in told] == []
