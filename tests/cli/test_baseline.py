"""``baseline``: over a real store, what people and programs are shown, and that what is proposed can be pasted."""

import itertools
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ingestor.jobs.baseline import halves
from tests.cli.conftest import line
from tests.cli.test_findings import HOSTILE, START, at, guesses

Tokentail = Callable[..., Result]
DAY = 86_400
PERIOD = ("--since", "2026-11-02", "--until", "2026-11-30")


def lines() -> Iterator[str]:
    """A client with a hostile name that has 40 wrong secrets each day; an attack on another one, once."""
    for day in range(20):
        yield from guesses(f'{HOSTILE}"/%\\', day * DAY, 40, 1)
        yield line(at(day * DAY + 5000), "token.refreshed", "app", "ada", realm="acme")
    yield from guesses("billing", 5 * DAY + 9000, 12, 6)


@pytest.fixture
def stored(tokentail: Tokentail, state: tuple[str, str], tmp_path: Path) -> tuple[str, ...]:
    log = tmp_path / "audit.log"
    log.write_text("".join(f"{text}\n" for text in sorted(lines(), key=lambda text: json.loads(text)["created_at"])))
    assert tokentail("run", "--once", log, *state).exit_code == 0
    return (*PERIOD, *state)


def of(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in answer["detectors"] if each["detector"] == name)


def test_what_is_proposed_can_be_pasted_and_is_quiet(
    tokentail: Tokentail, stored: tuple[str, ...], tmp_path: Path
) -> None:
    before = json.loads(tokentail("baseline", "--json", *stored).stdout)
    assert of(before, "secret_guessing")["findings"] == {"low": 0, "medium": 20, "high": 1, "critical": 0}
    assert START.isoformat()[:10] == before["first"][:10]
    (figure,) = [
        each
        for each in of(before, "secret_guessing")["figures"]
        if each["threshold"] == "many_failures" and each["client_id"] is None
    ]
    assert {key: figure[key] for key in ("count", "p50", "max", "today")} == {
        "count": 21,
        "p50": 40,
        "max": 40,
        "today": 30,
    }
    told = tokentail("baseline", "--toml", *stored)
    assert told.stdout == before["toml"]
    (table,) = tomllib.loads(told.stdout)["detectors"]["secret_guessing"]["clients"].values()
    assert table == {"many_failures": 60}
    config = tmp_path / "pasted.toml"
    config.write_text(told.stdout)
    after = json.loads(tokentail("baseline", "--json", "--config", config, *stored).stdout)
    assert of(after, "secret_guessing")["findings"] == {"low": 0, "medium": 0, "high": 1, "critical": 0}
    assert after["toml"] == ""
    assert after["remaining"] == before["remaining"]


def test_its_ids_are_those_of_findings(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    found = [json.loads(text)["id"] for text in tokentail("findings", "--json", *stored).stdout.splitlines()]
    answer = json.loads(tokentail("baseline", "--json", *stored).stdout)
    assert sorted(itertools.chain.from_iterable(each["ids"] for each in answer["detectors"])) == sorted(found)


def test_what_a_person_sees(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    shown = tokentail("baseline", *stored).stdout
    assert "\x1b" not in shown
    assert "many_failures of acme/[bold red]x[/]" in " ".join(shown.split())
    assert "30 → 60: what is normal reaches 40." in " ".join(shown.split())
    assert "1 finding above low would still be made" in " ".join(shown.split())


def test_a_pattern_is_asked_for_alone(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    answer = json.loads(tokentail("baseline", "--json", "--pattern", "spray", *stored).stdout)
    assert [each["detector"] for each in answer["detectors"]] == ["spray"]
    refused = tokentail("baseline", "--pattern", "sprey", *stored)
    assert refused.exit_code == 2
    assert "spray" in refused.stderr


def test_two_processes_say_what_one_says(
    tokentail: Tokentail, stored: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tokentail("baseline", "--json", *stored).stdout
    monkeypatch.setattr(halves, "MANY", 1)
    assert tokentail("baseline", "--json", *stored).stdout == alone


def test_little_to_go_by_is_said(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    shown = tokentail("baseline", *stored[:2], "--until", "2026-11-05", *stored[4:]).stdout
    assert "That is little to go by: 2." in shown


def test_a_period_without_events(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    nothing = tokentail("baseline", "--since", "2025-01-01", "--until", "2025-01-02", *stored[4:])
    assert nothing.exit_code == 0
    assert "No events in this period. The newest event stored is of 2026-11-21" in " ".join(nothing.stdout.split())
    told = tokentail("baseline", "--toml", "--since", "2025-01-01", "--until", "2025-01-02", *stored[4:])
    assert (told.exit_code, told.stdout) == (0, "")
    assert "nothing is proposed" in told.stderr


def test_a_store_without_events_and_one_that_is_not_there(tokentail: Tokentail, tmp_path: Path) -> None:
    empty = tokentail("baseline", "--state-dir", tmp_path / "nowhere")
    assert empty.exit_code == tokentail("stats", "--state-dir", tmp_path / "nowhere").exit_code != 0
    config = tmp_path / "config.toml"
    config.write_text('[store]\ntype = "influxdb"\nurl = "http://127.0.0.1:9"\n')
    assert tokentail("baseline", "--config", config).exit_code == 69


def test_a_finding_nobody_knows_cannot_be_harmless(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    refused = tokentail("baseline", "--harmless", "spray-00000000", *stored)
    assert refused.exit_code == 2
    assert "neither a severity nor a finding" in refused.stderr
