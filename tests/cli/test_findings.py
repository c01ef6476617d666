"""``findings``, and their events: what people and programs are shown of what the detectors found."""

import itertools
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.cells import cell_len

from tests.cli.conftest import line

Tokentail = Callable[..., Result]
Findings = list[dict[str, Any]]

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOSTILE = "[bold red]x[/]\x1b[31m :boom: " + "c" * 60


def at(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def guesses(client: str, start: float, count: int, addresses: int, realm: str | None = "acme") -> Iterator[str]:
    """Wrong secrets, ten seconds apart, from addresses that take turns."""
    for number in range(count):
        known = {"error": "invalid_client", "ip_address": f"203.0.113.{number % addresses}", "realm": realm}
        yield line(at(start + 10 * number), "token.validation_failed", client, id=f"{client}-{number}", **known)


def quiet(start: float, count: int) -> Iterator[str]:
    for number in range(count):
        yield line(
            at(start + 10 * number),
            "token.refreshed",
            "app",
            "ada",
            ip_address="198.51.100.1",
            realm="acme",
            id="quiet",
        )


@pytest.fixture
def found(tokentail: Tokentail, state: tuple[str, str], tmp_path: Path) -> tuple[str, ...]:
    """Two incidents: ``app`` from few addresses, later ``billing`` from many; return the options that ask for their day."""
    log = tmp_path / "audit.log"
    lines = itertools.chain(guesses("app", 0, 40, 2), quiet(5, 40), guesses("billing", 5000, 12, 6))
    log.write_text("".join(f"{text}\n" for text in sorted(lines, key=lambda text: json.loads(text)["created_at"])))
    assert tokentail("run", "--once", log, *state).exit_code == 0
    return ("--since", "2026-11-02", "--until", "2026-11-03", *state)


def as_json(tokentail: Tokentail, *arguments: str) -> Findings:
    result = tokentail("findings", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(text) for text in result.stdout.splitlines()]


def clients(tokentail: Tokentail, *arguments: str) -> list[str]:
    return [finding["client_id"] for finding in as_json(tokentail, *arguments)]


def test_a_finding_is_one_object_with_the_designed_keys(tokentail: Tokentail, found: tuple[str, ...]) -> None:
    billing, app = as_json(tokentail, *found)
    assert billing == {
        "id": billing["id"],
        "pattern": "secret_guessing",
        "title": "Secrets of a client are tried",
        "severity": "high",
        "realm": "acme",
        "client_id": "billing",
        "user_id": None,
        "ips": [f"203.0.113.{number}" for number in range(6)],
        "clients": ["billing"],
        "user_agents": [],
        "first_seen": at(5000),
        "last_seen": at(5110),
        "raised": billing["raised"],
        "count": 12,
        "event_ids": [f"billing-{number}" for number in range(12)],
        "runbook": "docs/detectors.md#secret_guessing",
    }
    assert (app["client_id"], app["severity"], app["count"]) == ("app", "medium", 40)


def test_only_those_that_are_asked_for(tokentail: Tokentail, found: tuple[str, ...]) -> None:
    state = found[4:]
    assert clients(tokentail, "--severity", "high", *found) == ["billing"]
    assert clients(tokentail, "--severity", "critical", *found) == []
    assert clients(tokentail, "--client", "app", *found) == ["app"]
    assert clients(tokentail, "--client", "", *found) == []
    assert clients(tokentail, "--realm", "other", *found) == []
    assert clients(tokentail, "--user", "ada", *found) == []
    assert clients(tokentail, "--pattern", "secret_guessing", "--limit", "1", *found) == ["billing"]
    # An incident is of every period in which it has events, the end not included.
    assert clients(tokentail, "--since", at(390), "--until", at(5000), *state) == ["app"]
    assert clients(tokentail, "--since", at(391), "--until", at(5001), *state) == ["billing"]
    assert clients(tokentail, "--since", "3d", *state) == []


def test_words_that_nobody_knows_are_wrong_usage(tokentail: Tokentail, found: tuple[str, ...]) -> None:
    for options, said in (
        (("--pattern", "secret_gessing"), 'did you mean "secret_guessing"?'),
        (("--severity", "hgih"), "low"),
        (("--follow",), "--until"),
    ):
        result = tokentail("findings", *options, *found)
        assert result.exit_code == 2
        assert said in result.stderr
    for command in ("events", "activity"):
        assert "no finding" in tokentail(command, "--finding", "secret_guessing-00000000", *found[4:]).stderr
        result = tokentail(command, "--finding", "secret_guessing-00000000", *found)
        assert (result.exit_code, "its own period" in result.stderr) == (2, True)


def test_people_are_shown_what_whom_and_where(tokentail: Tokentail, found: tuple[str, ...]) -> None:
    for width in (80, 120):
        shown = tokentail("findings", *found, env={"COLUMNS": str(width)}).stdout
        for text in ("high", "medium", "Secrets of a client are tried", "acme/billing", "acme/app", "203.0.113.0"):
            assert text in shown
        assert shown.index("acme/billing") < shown.index("acme/app"), "the newest first"
        assert "11-02 10:25:10" in shown
        assert all(cell_len(text) <= width for text in shown.splitlines())
    assert "only severity high and worse" in tokentail("findings", "--severity", "high", *found).stdout
    assert "The newest 1;" in tokentail("findings", "--limit", "1", *found).stdout


def test_nothing_found_says_who_looked(tokentail: Tokentail, found: tuple[str, ...], tmp_path: Path) -> None:
    empty = ("--since", "2026-10-01", "--until", "2026-10-02", *found[4:])
    shown = tokentail("findings", *empty)
    assert shown.exit_code == 0
    assert "Nothing was found in this period" in shown.stdout
    assert re.search(r"\n +secret_guessing +Secrets of a client are tried\n", shown.stdout)
    assert all(cell_len(text) <= 80 for text in shown.stdout.splitlines())
    config = tmp_path / "tokentail.toml"
    config.write_text("[detectors.secret_guessing]\nenabled = false\n")
    shown = tokentail("findings", "--config", config, *empty)
    assert re.search(r"\n +secret_guessing +Secrets of a client are tried \(switched off", shown.stdout)
    assert "these filters" in tokentail("findings", "--severity", "high", *empty).stdout
    assert tokentail("findings", "--json", *empty).stdout == ""


def test_a_state_that_is_not_there_is_not_available(tokentail: Tokentail, state: tuple[str, str]) -> None:
    assert tokentail("findings", *state).exit_code == 69


def test_a_hostile_name_stays_text(tokentail: Tokentail, state: tuple[str, str], tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text("".join(f"{text}\n" for text in guesses(HOSTILE, 0, 40, 2)))
    assert tokentail("run", "--once", log, *state).exit_code == 0
    (finding,) = as_json(tokentail, "--since", "all", *state)
    for width in (60, 80, 250):
        shown = tokentail("findings", "--since", "all", *state, env={"COLUMNS": str(width)}).stdout
        assert "\x1b" not in shown
        assert "[bold red]x[/]" in shown
        assert ":boom:" in shown
        assert "c" * 60 in shown
        assert finding["id"] in shown
    explained = tokentail("explain", log, env={"COLUMNS": "80"}).stdout
    assert "\x1b" not in explained
    assert "[bold red]x[/]" in explained


def test_explain_shows_what_a_line_amounts_to(tokentail: Tokentail, tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text("".join(f"{text}\n" for text in guesses("billing", 0, 11, 6)))
    shown = tokentail("explain", log, env={"COLUMNS": "80"}).stdout.splitlines()
    found = [(shown[row], shown[row + 1]) for row in range(len(shown)) if shown[row].startswith("finding")]
    assert all(text.endswith("high  Secrets of a client are tried (secret_guessing)") for text, _ in found)
    assert [text.strip() for _, text in found] == [
        f"acme/billing: {count} events from 203.0.113.0, 203.0.113.1 and 4 more" for count in (10, 11)
    ]


def test_the_events_of_a_finding_are_its_evidence(tokentail: Tokentail, found: tuple[str, ...]) -> None:
    _, app = as_json(tokentail, *found)
    result = tokentail("events", "--finding", app["id"], *found[4:])
    events = [json.loads(text) for text in result.stdout.splitlines()]
    assert [event["event_id"] for event in events] == [f"app-{number}" for number in range(40)]
    assert [event["event_id"] for event in events if event["example"]] == app["event_ids"]
    assert f"40 events of {app['id']}" in result.stderr
    narrowed = tokentail("events", "--finding", app["id"], "--ip", "203.0.113.1", *found[4:]).stdout.splitlines()
    assert len(narrowed) == 20
    csv = tokentail("events", "--csv", "--finding", app["id"], "--limit", "30", *found[4:]).stdout.splitlines()
    assert csv[0].endswith('"host","example"')
    assert [row[-2:] for row in csv[1:]] == [",1"] * 20 + [",0"] * 10


def test_activity_shows_the_newest_events_of_a_finding(tokentail: Tokentail, found: tuple[str, ...]) -> None:
    _, app = as_json(tokentail, *found)
    newest = json.loads(tokentail("activity", "--finding", app["id"], "--limit", "3", "--json", *found[4:]).stdout)
    assert [event["event_id"] for event in newest] == ["app-39", "app-38", "app-37"]
    shown = tokentail("activity", "--finding", app["id"], *found[4:]).stdout
    assert f"Events of {app['id']}" in shown
    assert shown.count("invalid_client") == 40


def test_status_counts_those_of_the_last_day(
    tokentail: Tokentail, state: tuple[str, str], found: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    del found

    def counts() -> dict[str, int]:
        return json.loads(tokentail("status", "--json", *state).stdout)["findings_of_the_last_day"]  # type: ignore[no-any-return]

    assert "findings    none in the last day" in tokentail("status", *state).stdout
    for at_second, high, medium in ((6_000, 1, 1), (86_400 + 1_000, 1, 0), (86_400 + 6_000, 0, 0)):
        monkeypatch.setattr(time, "time", lambda at_second=at_second: START.timestamp() + at_second)
        assert counts() == {"critical": 0, "high": high, "medium": medium, "low": 0}
        assert ("1 high" in tokentail("status", *state).stdout) == bool(high)


@pytest.mark.slow
def test_following_prints_what_is_new_and_what_has_grown(
    tokentail: Tokentail, state: tuple[str, str], environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "audit.log"
    log.write_text("".join(f"{text}\n" for text in guesses("app", 0, 30, 2)))
    assert tokentail("run", "--once", log, *state).exit_code == 0
    words = [sys.executable, "-m", "ingestor", "findings", "--follow", "--json", "--since", "all", *state]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["count"] == 30
            with log.open("a") as file:
                file.write("".join(f"{text}\n" for text in [*guesses("app", 300, 5, 2), *guesses("shop", 400, 12, 6)]))
            assert tokentail("run", "--once", log, *state).exit_code == 0
            told = [json.loads(process.stdout.readline()) for _ in range(2)]
            assert [(finding["client_id"], finding["count"]) for finding in told] == [("app", 35), ("shop", 12)]
        finally:
            process.terminate()  # SIGINT is ignored in what a shell runs in the background
        assert process.wait(30) == -signal.SIGTERM
