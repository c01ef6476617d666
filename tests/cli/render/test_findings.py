"""Findings for people: what their numbers count."""

import io

import pytest
from rich.console import Console

from ingestor.cli.render import findings
from ingestor.model.finding import Finding, Severity, StoredFinding, stored_finding

TAGS = {"client_id": "billing", "realm": ""}


def finding(pattern: str) -> StoredFinding:
    found = Finding(Severity.LOW, "billing", "", 1_793_600_000_000, 1_793_640_000_000, 12)
    return stored_finding(pattern, found, host="here", tags=TAGS)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_of_a_silent_client_the_hours_are_counted_and_of_all_else_events(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    findings.findings(console, [finding("client_silence"), finding("secret_guessing")], "UTC")
    assert isinstance(console.file, io.StringIO)
    silence, guessing = console.file.getvalue().split("client_silence-")
    assert "silent hours" in silence
    assert "12" in silence
    assert "silent" not in guessing
