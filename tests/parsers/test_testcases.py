"""Golden cases: ``parsers/<provider>/testcases/<case>/{input.jsonl, expected.json}``, and ``options.json`` where it matters.

Those of mappings that ship have the mapping's name before a dash: ``parsers/mapping/testcases/okta-operations``.

``expected.json`` has one entry a line: the event without what is absent, or the rejection with the text that the
rejected file shows. To write the file of a new case: ``UPDATE_TESTCASES=1 pytest tests/parsers/test_testcases.py``, then
read what it says before committing it.
"""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import parsers
from parsers import mapping
from parsers.contract import Event, EventRow, NoEvent, Outcome, Parser, Rejection, events_of

ROOT = Path(parsers.__file__).parent
NOW_MS = 1_798_761_600_000  # 2027-01-01T00:00:00Z
CASES = sorted(path.parent for path in ROOT.glob("*/testcases/*/input.jsonl"))
PROVIDERS = sorted(
    {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"envelopes", "formats", "mapping", "redaction"}
)
MAPPINGS = mapping.shipped()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_is_found_and_has_cases_and_a_readme(provider: str) -> None:
    assert provider in parsers.names()
    assert any(case.parent.parent.name == provider for case in CASES)
    assert (ROOT / provider / "README.md").read_text().startswith("# ")


@pytest.mark.parametrize("name", MAPPINGS)
def test_every_mapping_that_ships_has_cases_and_stands_in_the_readme(name: str) -> None:
    assert any(parser_name(case) == f"mapping:{name}" for case in CASES)
    assert f"\n## {mapping.read_mapping(mapping.shipped_text(name)).title}" in (ROOT / "mapping/README.md").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.parent.name}-{case.name}")
def test_case(case: Path) -> None:
    data = (case / "input.jsonl").read_bytes()
    parser = parsers.find(parser_name(case), **options(case))
    lines = data.removesuffix(b"\n").split(b"\n")
    answers = [describe(*pair, parser) for pair in zip(parser.parse(data, NOW_MS), lines, strict=True)]
    expected = case / "expected.json"
    if "UPDATE_TESTCASES" in os.environ:
        expected.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
    assert answers == json.loads(expected.read_text())


def parser_name(case: Path) -> str:
    provider = case.parent.parent.name
    return f"mapping:{case.name.partition('-')[0]}" if provider == "mapping" else provider


def options(case: Path) -> dict[str, Any]:
    path = case / "options.json"
    written = json.loads(path.read_text()) if path.exists() else {}
    rules = {text: SimpleNamespace(**{"action": None, **rule}) for text, rule in written.pop("errors", {}).items()}
    return {**written, "errors": rules}


def describe(outcome: Outcome, line: bytes, parser: Parser) -> dict[str, Any] | list[dict[str, Any]]:
    if isinstance(outcome, Rejection):
        return {"rejected": outcome.reason, "detail": outcome.detail, "text": parser.redact(line)}
    if isinstance(outcome, NoEvent):
        return {outcome.value: True}
    described = [_event(row) for row in events_of(outcome)]
    return described if isinstance(outcome, list) else described[0]


def _event(row: EventRow) -> dict[str, Any]:
    event = Event(*row)
    tags = {key: value for key, value in event.tags._asdict().items() if value}
    fields = {key: value for key, value in event._asdict().items() if key != "tags" and value is not None}
    return {"time_ms": fields.pop("time_ms"), **tags, **fields}
