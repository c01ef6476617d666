import csv
import io
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.cells import cell_len
from rich.console import Console

from ingestor.cli.render import answers
from ingestor.cli.support.options import Question
from ingestor.config.settings import Settings, StoreSettings
from ingestor.model.questions import Filters, Period
from ingestor.stores.embedded.answers import SqliteAnswers
from tests.cli.conftest import line

SINCE = ("--since", "2026-11-01T00:00:00Z", "--until", "2026-11-08T00:00:00Z")
PEOPLE = ("stats", "activity", "top clients", "top users", "peak", "analytics")

Tokentail = Callable[..., Result]


def test_stats_has_the_designed_keys_and_the_right_figures(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    answer = json.loads(tokentail("stats", "--json", *stored).stdout)
    assert answer == {
        "total_issued": 3,
        "total_refreshed": 1,
        "total_failed": 1,
        "total_expired": 0,
        "total_rate_limited": 1,
        "total_reused": 0,
        "total_failures": 2,
        "userinfo_accesses": 1,
        "unique_users": 2,
        "unique_clients": 3,
        "without_client": 0,
        "failure_rate": 2 / 6,
        "refresh_usage_rate": 1 / 2,
        "average_token_lifetime_seconds": (3600 + 1800 + 600 + 3600) / 4,
        "token_lifetime_coverage": 1.0,
        "by_action": answer["by_action"],
        "by_grant_type": {
            "authorization_code": 1,
            "client_credentials": 1,
            "device_code": 1,
            "refresh_token": 1,
        },
        "by_client": {"billing": 3, "web-app": 3, "tv": 2},
        "by_error": {"invalid_client": 1, "slow_down": 1},
        "period": {"since": "2026-11-01T00:00:00Z", "until": "2026-11-08T00:00:00Z"},
    }
    assert list(answer)[:3] == ["total_issued", "total_refreshed", "total_failed"]
    assert sum(answer["by_action"].values()) == 8


def test_stats_shows_so_many_rows_as_are_asked_for(
    tokentail: Tokentail, state: tuple[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "audit.log"
    log.write_text(
        "".join(f"{line('2026-11-02T09:00:00Z', 'token.refreshed', f'c-{n:02}')}\n" * (30 - n) for n in range(20))
    )
    assert tokentail("run", "--once", log, *state).exit_code == 0

    def clients(*options: str) -> tuple[int, str]:
        shown = tokentail("stats", *options, *SINCE, *state).stdout
        return sum(text.startswith("c-") for text in shown.splitlines()), shown

    assert clients()[0] == 12
    assert "and 8 more" in clients()[1]
    assert clients("--limit", "3")[0] == 3
    assert "and 17 more" in clients("--limit", "3")[1]
    assert clients("--all")[0] == 20
    assert "more" not in clients("--all")[1]
    for options, count in (((), 20), (("--all",), 20), (("--limit", "2"), 2)):
        answer = json.loads(tokentail("stats", "--json", *options, *SINCE, *state).stdout)
        assert list(answer["by_client"]) == [f"c-{n:02}" for n in range(count)]
    assert tokentail("stats", "--all", "--limit", "2", *state).exit_code == 2


def test_events_without_a_client_say_so(tokentail: Tokentail, state: tuple[str, str], tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    failed = [line(f"2026-11-02T09:00:0{n}Z", "token.validation_failed", "", error="invalid_client") for n in range(3)]
    of_realm = line("2026-11-02T09:00:05Z", "token.rate_limited", "", realm="acme")
    log.write_text("\n".join([*failed, of_realm, line("2026-11-02T09:00:06Z", "token.refreshed", "web-app")]) + "\n")
    assert tokentail("run", "--once", log, *state).exit_code == 0

    def told(*command: str) -> tuple[str, Any]:
        form = () if command[0] == "events" else ("--json",)
        answer = tokentail(*command, *form, *SINCE, *state).stdout
        rows = [json.loads(row) for row in answer.splitlines()] if command[0] == "events" else json.loads(answer)
        return tokentail(*command, *SINCE, *state).stdout, rows

    shown, stats = told("stats")
    assert (stats["without_client"], stats["unique_clients"], stats["by_client"]) == (4, 1, {"web-app": 1})
    assert re.search(r"By client\s+no client +4 +80% .*\s+web-app +1 +20% ", shown)
    shown, ranked = told("top", "clients")
    assert [(row["client_id"], row["realm"], row["failures"]) for row in ranked] == [
        *((None, None, 3), (None, "acme", 1), ("web-app", None, 0))
    ]
    assert re.search(r"1 +no client +- +3 .*\n *2 +no client +acme +1 ", shown)
    shown, newest = told("activity")
    assert [row["client_id"] for row in newest] == ["web-app", None, None, None, None]
    assert "acme, no client" in shown
    assert told("events", "--client", "")[1] == newest[:0:-1]
    shown, daily = told("analytics")
    assert sorted(row["client_id"] or "" for row in daily) == ["", "", "web-app"]
    assert shown.count("no client") == 2
    assert "only client (none)" in told("stats", "--client", "")[0]
    assert tokentail("events", "--csv", *SINCE, *state).stdout.splitlines()[1].split(",")[3] == '""'


def test_a_period_is_of_the_time_zone_that_is_asked_for(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    state = stored[4:]

    def total(*options: str) -> int:
        answer = json.loads(tokentail("stats", "--json", *options, *state).stdout)
        return int(sum(answer["by_action"].values()))

    assert total("--since", "2026-11-04", "--until", "2026-11-05") == 2
    berlin = ("--time-zone", "Europe/Berlin")
    assert total("--since", "2026-11-04", "--until", "2026-11-05", *berlin) == 4  # from 23:00 of the day before
    assert total("--since", "2026-11-04T00:30", *berlin, "--until", "2026-11-04T09:00:02+01:00") == 3
    shown = tokentail("peak", "--since", "2026-11-01", *berlin, *state).stdout
    assert "2026-11-01 00:00 to " in shown
    assert "Europe/Berlin" in shown
    assert total("--since", "all") == 8
    assert (
        "everything up to 2026-11-08 00:00, UTC"
        in tokentail("stats", "--since", "all", "--until", "2026-11-08", *state).stdout
    )
    empty = tokentail("stats", "--since", "2026-11-08", "--until", "2026-11-07", *state)
    assert empty.exit_code == 2
    assert "--since 2026-11-08 is not before --until 2026-11-07" in empty.stderr
    assert tokentail("stats", "--time-zone", "Berlin", *state).exit_code == 2


@pytest.mark.parametrize("form", [(), ("--csv",)])
def test_events_say_which_period_they_are_of(
    tokentail: Tokentail, stored: tuple[str, ...], form: tuple[str, ...]
) -> None:
    result = tokentail("events", *form, *stored)
    assert result.stderr == "8 events of 2026-11-01 00:00 to 2026-11-08 00:00, UTC\n"
    assert len(result.stdout.splitlines()) == 8 + len(form)
    assert tokentail("events", *form, *stored, "--limit", "1").stderr.startswith("The first 1 event of 2026-11-01")
    everything = tokentail("events", *form, "--since", "all", *stored[4:])
    assert everything.stderr.startswith("8 events of everything up to ")
    assert everything.stdout == result.stdout
    none = tokentail("events", *form, "--since", "2020-01-01", "--until", "2020-02-01", *stored[4:])
    assert none.stderr.startswith("0 events of 2020-01-01 00:00 to 2020-02-01")


def test_events_are_json_lines_oldest_first_with_the_designed_keys(
    tokentail: Tokentail, stored: tuple[str, ...]
) -> None:
    events = [json.loads(text) for text in tokentail("events", *stored).stdout.splitlines()]
    assert [event["time"] for event in events] == [
        "2026-11-02T09:00:00.100Z",
        "2026-11-02T09:10:00.200Z",
        "2026-11-02T10:00:00Z",
        "2026-11-03T10:00:00.123456Z",
        "2026-11-03T23:30:00.000Z",
        "2026-11-03T23:31:00.000Z",
        "2026-11-04T08:00:00.000Z",
        "2026-11-04T08:00:05.000Z",
    ]
    host, source = events[0].pop("host"), events[0].pop("source")
    assert host
    assert source.endswith("/audit.log")
    assert events[0] == {
        "time": "2026-11-02T09:00:00.100Z",
        "action": "token.issued.authorization_code",
        "outcome": "success",
        "client_id": "web-app",
        "user_id": "ada",
        "grant_type": "authorization_code",
        "scopes": "openid profile",
        "ip": "203.0.113.9",
        "user_agent": "Mozilla/5.0",
        "error": None,
        "error_detail": None,
        "expires_in": 3600,
        "event_id": "e-1",
        "realm": None,
        "endpoint": "token",
    }
    assert tokentail("events", "--json", *stored).stdout == tokentail("events", *stored).stdout
    assert len(tokentail("events", "--limit", "3", *stored).stdout.splitlines()) == 3


def test_csv_has_a_heading_and_runs_no_formula(tokentail: Tokentail, state: tuple[str, str], tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    hostile = {"client_id": "web", "user_agent": '=HYPERLINK("x";"y")', "error": '@SUM(1), "two"'}
    log.write_text(
        json.dumps({"created_at": "2026-11-02T09:00:00Z", "action": "token.validation_failed", "details": hostile})
        + "\n"
    )
    assert tokentail("run", "--once", "--log", log, *state).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(tokentail("events", "--csv", *SINCE, *state).stdout)))
    assert [(row["time"], row["user_agent"], row["error_detail"]) for row in rows] == [
        ("2026-11-02T09:00:00Z", '\'=HYPERLINK("x";"y")', '\'@SUM(1), "two"')
    ]
    assert tokentail("events", "--csv", "--json", *SINCE, *state).exit_code == 2


def test_csv_runs_no_formula_where_rows_are_divided_at_semicolons(
    tokentail: Tokentail, state: tuple[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "audit\x1b[2J\u202e.log"  # the name of a file is in every row, as the source
    agent = 'a;=1+2; @SUM(1);b;"=1+3; "" +4;"b"'
    log.write_text(line("2026-11-02T09:00:00Z", "token.refreshed", user_agent=agent) + "\n")
    assert tokentail("run", "--once", "--log", log, *state).exit_code == 0
    text = tokentail("events", "--csv", *SINCE, *state).stdout
    assert not {"\x1b", "\u202e"} & set(text)
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["user_agent"] == 'a;\'=1+2; \'@SUM(1);b;"\'=1+3; "" \'+4;"b"'
    cells = [cell.strip(' "') for cell in next(csv.reader([text.splitlines()[1]], delimiter=";"))]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "-"))]
    (event,) = map(json.loads, tokentail("events", *SINCE, *state).stdout.splitlines())
    assert event["user_agent"] == agent
    assert not {"\x1b", "\u202e"} & set(event["source"])


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (("--client", "billing"), 3),
        (("--user", "ada"), 3),
        (("--realm", "none"), 0),
        (("--action", "token.refreshed"), 1),
        (("--action", "issued.device_code"), 1),
        (("--outcome", "failure"), 2),
        (("--outcome", "pending"), 1),
        (("--error", "invalid_client"), 1),
        (("--ip", "203.0.113.9"), 2),
        (("--client", "billing", "--ip", "198.51.100.7", "--outcome", "failure"), 2),
        (("--client", "  web-app "), 3),
        (("--limit", "2"), 2),
    ],
)
def test_filters_of_activity(
    tokentail: Tokentail, stored: tuple[str, ...], filters: tuple[str, ...], count: int
) -> None:
    answer = json.loads(tokentail("activity", "--json", *filters, *stored).stdout)
    assert len(answer) == count
    assert [event["time"] for event in answer] == sorted((event["time"] for event in answer), reverse=True)


def test_since_is_in_and_until_is_out(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    state = stored[4:]
    period = ("--since", "2026-11-03T23:30:00Z", "--until", "2026-11-04T08:00:00Z")
    events = [json.loads(text)["action"] for text in tokentail("events", *period, *state).stdout.splitlines()]
    assert events == ["token.validation_failed", "token.rate_limited"]


@pytest.mark.parametrize("command", [*PEOPLE, "events"])
@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", True),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999999-12:00", True),
        ("99999999d", "now", True),
        ("999999999999999999w", "0s", True),
        ("0001-01-01T00:00:00Z", "0002-01-01T00:00:00Z", False),
        ("9998-01-01T00:00:00Z", "9999-01-01T00:00:00Z", False),
    ],
)
def test_the_ends_of_the_calendar_mean_everything(
    tokentail: Tokentail, stored: tuple[str, ...], command: str, since: str, until: str, found: bool
) -> None:
    json_too = [] if command == "events" else [["--json"]]
    for option in ([], *json_too):
        result = tokentail(*command.split(), *option, "--since", since, "--until", until, *stored[4:])
        assert result.exit_code == 0, result.output
    counted = tokentail("stats", "--json", "--since", since, "--until", until, *stored[4:])
    assert sum(json.loads(counted.stdout)["by_action"].values()) == (8 if found else 0)


def test_rankings(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    clients = json.loads(tokentail("top", "clients", "--json", *stored).stdout)
    assert [(entry["client_id"], entry["events"], entry["failures"]) for entry in clients] == [
        ("billing", 3, 2),
        ("web-app", 3, 0),
        ("tv", 2, 0),
    ]
    assert list(clients[0]) == ["client_id", "realm", "events", "issued", "refreshed", "failures"]
    users = json.loads(tokentail("top", "users", "--json", "--limit", "1", *stored).stdout)
    assert users == [{"user_id": "ada", "events": 3, "issued": 1, "refreshed": 1, "failures": 0}]


def test_hours_and_dates_are_those_of_the_configured_zone(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    berlin = {"TOKENTAIL_TIME_ZONE": "Europe/Berlin"}
    cells = json.loads(tokentail("peak", "--json", *stored, env=berlin).stdout)
    assert {(cell["weekday"], cell["hour"]): cell["events"] for cell in cells if cell["events"]} == {
        (0, 10): 2,
        (0, 11): 1,
        (1, 11): 1,
        (2, 0): 2,
        (2, 9): 2,
    }
    rows = json.loads(tokentail("analytics", "--json", "--client", "billing", *stored, env=berlin).stdout)
    assert {(row["date"], row["action"], row["count"]) for row in rows} == {
        ("2026-11-03", "token.issued.client_credentials", 1),
        ("2026-11-04", "token.rate_limited", 1),
        ("2026-11-04", "token.validation_failed", 1),
    }
    assert "Europe/Berlin" in tokentail("peak", *stored, env=berlin).stdout


@pytest.mark.parametrize(
    ("since", "until", "shown"),
    [
        ("2026-11-29T00:00:30", "2026-11-29T12:00", "2026-11-29 00:00:30 to 2026-11-29 12:00:00, UTC"),
        ("2026-11-29", "2026-11-30T00:00:01", "2026-11-29 00:00:00 to 2026-11-30 00:00:01, UTC"),
        ("2026-11-29", "2026-11-30T00:01", "2026-11-29 00:00 to 2026-11-30 00:01, UTC"),
    ],
)
def test_a_second_that_was_asked_for_is_in_the_heading(
    tokentail: Tokentail, stored: tuple[str, ...], since: str, until: str, shown: str
) -> None:
    assert shown in tokentail("stats", *stored, "--since", since, "--until", until).stdout


def test_one_is_no_plural(tokentail: Tokentail, tmp_path: Path) -> None:
    log, state = tmp_path / "audit.log", ("--state-dir", tmp_path / "state")
    log.write_text("{broken\n")
    assert tokentail("run", "--once", "--log", log, *state).exit_code == 0
    assert "Of 1 line read 1 was rejected and 0 ignored." in tokentail("stats", *state).stdout
    log.write_text("{broken\n" + line("2026-11-02T09:30:00Z", "token.refreshed") + "\n")
    assert tokentail("run", "--once", "--log", log, *state).exit_code == 0
    assert "Busiest: Mon 09:00 to 10:00 UTC, 1 event\n" in tokentail("peak", "--since", "all", *state).stdout


def test_the_peak_names_the_busiest_hour(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    assert "Busiest: Mon 09:00 to 10:00 UTC, 2 events" in tokentail("peak", *stored).stdout


def test_activity_words_the_outcome(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    shown = tokentail("activity", *stored).stdout
    assert all(word in shown for word in ("success", "failure", "pending", "11-03 23:30:00", "invalid_client"))


def fits_but_for_its_last_word(text: str, width: int) -> bool:
    """Whether only a word that is too long for what is left of a line runs over its end."""
    return cell_len(text) <= width or cell_len(text.rpartition(" ")[0]) < width


@pytest.mark.parametrize("command", PEOPLE)
def test_nothing_is_cut_and_nothing_is_executed_at_80_columns(
    tokentail: Tokentail, state: tuple[str, str], tmp_path: Path, command: str
) -> None:
    client, user = "[bold red]client[/]-" + "c" * 60, ":boom:[link=x]" + "u" * 60
    hostile = {"client_id": client + "\x1b[31m", "ip_address": "2001:db8:1111:2222:3333:4444:5555:6666"}
    log = tmp_path / "audit.log"
    log.write_text(
        json.dumps(
            {
                "created_at": "2026-11-02T09:00:00Z",
                "action": "token.issued.authorization_code",
                "user_id": user,
                "details": hostile,
            }
        )
        + "\n"
    )
    assert tokentail("run", "--once", "--log", log, *state).exit_code == 0
    (event,) = [json.loads(text) for text in tokentail("events", *SINCE, *state).stdout.splitlines()]
    result = tokentail(*command.split(), *SINCE, *state)
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.stdout
    assert all(fits_but_for_its_last_word(text, 80) for text in result.stdout.splitlines())
    values = {"activity": ("client_id", "user_id", "ip"), "top users": ("user_id",), "peak": ()}.get(
        command, ("client_id",)
    )
    for key in values:
        assert event[key] in result.stdout, key


LONG = {
    "user": "055455e8-f9bd-dea5-d129-82e46e80fa48",
    "client": "account-console",
    "ip_address": "2001:db8:1111:2222:3333:4444:5555:6666",
    "error": "invalid_grant",
}


@pytest.fixture
def long_ids(tokentail: Tokentail, state: tuple[str, str], tmp_path: Path) -> tuple[str, ...]:
    log = tmp_path / "a-directory/with-a-log/whose-name-is-long.log"
    log.parent.mkdir(parents=True)
    actions = ("token.issued.authorization_code", "token.validation_failed")
    texts = [line(f"2026-11-02T09:0{n}:00.000Z", action, **LONG) for n, action in enumerate(actions)]
    log.write_text("".join(f"{text}\n" for text in texts))
    assert tokentail("run", "--once", "--log", log, *state).exit_code == 0
    return (*SINCE, *state)


@pytest.mark.parametrize("command", ["activity", "top users", "top clients", "analytics", "stats"])
def test_usual_ids_are_whole_at_80_columns(tokentail: Tokentail, long_ids: tuple[str, ...], command: str) -> None:
    shown = tokentail(*command.split(), *long_ids).stdout
    values = {"activity": ("user", "client"), "top users": ("user",)}.get(command, ("client",))
    assert all(LONG[key] in shown for key in values), shown
    assert all(cell_len(text) <= 80 for text in shown.splitlines())
    assert "authorization_code" in shown or command.startswith("top")


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_a_small_screen_breaks_no_name_and_cuts_no_number(
    tokentail: Tokentail, long_ids: tuple[str, ...], width: int
) -> None:
    path = str(Path(long_ids[-1]).parent / "a-directory/with-a-log/whose-name-is-long.log")
    for command in ("activity", "top users", "top clients", "analytics", "stats", "status"):
        options = long_ids[4:] if command == "status" else long_ids
        shown = tokentail(*command.split(), *options, env={"COLUMNS": str(width)}).stdout
        assert "\N{HORIZONTAL ELLIPSIS}" not in shown
        assert "count" in shown or command != "analytics"
        assert all(fits_but_for_its_last_word(text, width) for text in shown.splitlines())
        whole = {"activity": ("client", "user", "ip_address"), "top users": ("user",)}.get(command, ("client",))
        assert path in shown if command == "status" else all(LONG[name] in shown for name in whole)


@pytest.mark.long
def test_a_pipe_is_as_wide_as_what_is_written(long_ids: tuple[str, ...], environment: dict[str, str]) -> None:
    del environment["COLUMNS"]
    for command in ("activity", "top users", "analytics", "status"):
        options = long_ids[4:] if command == "status" else long_ids
        words = [sys.executable, "-m", "ingestor", *command.split(), *options]
        shown = subprocess.run(words, capture_output=True, check=True, env=environment, text=True).stdout
        first = {"activity": "2026-11-02 09:01:00", "analytics": "2026-11-02", "status": "/"}.get(command, "1")
        (row,) = [text for text in shown.splitlines() if text.startswith(first)]
        if command == "activity":
            assert row.split()[2:] == [
                *("failure", "validation_failed", LONG["error"], LONG["client"], LONG["user"], LONG["ip_address"])
            ]
        assert max(map(len, shown.splitlines())) < 200
    for other in (f"stats --client none {' '.join(long_ids)}", "explain tests/conftest.py", "validate", "status -h"):
        ran = subprocess.run(
            [sys.executable, "-m", "ingestor", *other.split()],
            capture_output=True,
            check=False,
            env=environment,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert max(map(len, ran.stdout.splitlines())) < 200


def test_who_did_it_cannot_be_forged_by_folding(tokentail: Tokentail, state: tuple[str, str], tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    hostile = "x" * 19 + " user root"
    log.write_text(line("2026-11-02T09:00:00.000Z", "token.refreshed", hostile, "u" * 36) + "\n")
    assert tokentail("run", "--once", "--log", log, *state).exit_code == 0
    shown = tokentail("activity", *SINCE, *state, env={"COLUMNS": "60"}).stdout
    assert "user root" in shown
    assert not [text for text in shown.splitlines() if re.match(r"( {2}|.{40,44})user root", text)], shown


def test_colour_only_on_a_terminal(stored: tuple[str, ...], environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "ingestor", "stats", *stored]
    piped = subprocess.run(command, capture_output=True, check=True, env=environment).stdout
    assert b"\x1b" not in piped
    assert "issued" in piped.decode()
    coloured = _on_a_terminal(command, environment | {"TERM": "xterm-256color"})
    assert b"\x1b[" in coloured
    assert b"\x1b[3" not in _on_a_terminal(command, environment | {"TERM": "xterm-256color", "NO_COLOR": "1"})


def _on_a_terminal(command: list[str], environment: dict[str, str]) -> bytes:
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave, env=environment) as process:
        os.close(slave)
        shown = bytearray()
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:  # Linux says so when the last writer has closed
                break
            if not data:
                break
            shown += data
    os.close(master)
    assert process.returncode == 0
    return bytes(shown)


def test_an_ascii_terminal_gets_ascii(stored: tuple[str, ...], environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "ingestor", "stats", *stored]
    shown = subprocess.run(
        command, capture_output=True, check=True, env=environment | {"PYTHONIOENCODING": "ascii"}
    ).stdout
    assert shown.isascii()
    assert b"####" in shown


def test_an_empty_answer_says_why(tokentail: Tokentail, stored: tuple[str, ...]) -> None:
    state = stored[4:]
    for command in PEOPLE:
        long_ago = ("--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z")
        shown = tokentail(*command.split(), *long_ago, *state)
        assert shown.exit_code == 0
        assert "The newest event stored is of 2026-11-04T08:00:05.000Z" in " ".join(shown.stdout.split())
        shown = tokentail(*command.split(), "--client", "nobody", *stored)
        assert "No event of this period has client nobody." in shown.stdout
    assert "names a user" in tokentail("top", "users", "--client", "billing", *stored).stdout


def test_an_empty_store_says_what_to_run(tokentail: Tokentail, state: tuple[str, str], tmp_path: Path) -> None:
    result = tokentail("run", "--once", "--log", tmp_path / "none.log", *state)
    assert result.exit_code == 1
    assert "none.log does not exist" in result.stderr
    assert "tokentail run PATH" in tokentail("stats", *state).stdout


def test_no_state_is_69_with_advice_on_stderr(tokentail: Tokentail, tmp_path: Path) -> None:
    result = tokentail("stats", "--state-dir", tmp_path / "none")
    assert result.exit_code == 69
    assert not result.stdout
    assert "There is no state here yet" in result.stderr
    assert "tokentail run" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("stats", "--since", "lately"), "is no time; it is written"),
        (("stats", "--since", "2026-13-01"), "is no time; it is written"),
        (("stats", "--since", "1h", "--until", "2h"), "not before"),
        (("activity", "--action", "token.refrehsed"), 'did you mean "token.refreshed"?'),
        (("activity", "--error", "invalid_grand"), 'did you mean "invalid_grant"?'),
        (("activity", "--ip", "300.1.1.1"), "no IP address"),
        (("activity", "--limit", "0"), "--limit"),
        (("stats", "--action", "token.refreshed"), "No such option"),
    ],
)
def test_wrong_usage_is_2(tokentail: Tokentail, arguments: tuple[str, ...], hint: str) -> None:
    result = tokentail(*arguments)
    assert result.exit_code == 2
    assert hint in result.stderr


def test_a_locked_or_broken_database_is_no_traceback(
    tokentail: Tokentail, stored: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(SqliteAnswers, "stats", refuse)
    result = tokentail("stats", *stored)
    assert result.exit_code == 69
    assert "disk I/O error" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_id_that_looks_like_a_token_is_found_by_what_the_user_pastes(tokentail: Tokentail, tmp_path: Path) -> None:
    pairwise = "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ"  # as one provider makes subjects
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    log = tmp_path / "ids.jsonl"
    written = [line("2026-11-05T08:00:00.000Z", "token.refreshed", user=user) for user in (pairwise, token)]
    log.write_text("\n".join(written) + "\n", encoding="utf-8")
    assert tokentail("run", "--once", "--log", str(log)).exit_code == 0
    for user in (pairwise, token):
        found = tokentail("stats", *SINCE, "--user", user, "--json")
        assert json.loads(found.stdout)["total_refreshed"] == 1
    exported = tokentail("events", *SINCE).stdout
    assert pairwise in exported, "identifiers are drawn by lot: that alone makes no secret of one"
    assert token not in exported, "it is a token: it is stored masked"


@pytest.mark.parametrize(
    ("kind", "days", "told"), [("influxdb", 91, True), ("influxdb", 89, False), ("sqlite", 91, False)]
)
def test_a_period_that_begins_before_what_influxdb_keeps_is_told(kind: str, days: int, told: bool) -> None:
    now = time.time_ns()
    settings = Settings(store=StoreSettings(type=kind))
    period = Period(now - days * 86_400 * 10**9, now)
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as capture:
        answers.heading(console, "Token operations", Question(settings, period, Filters()))
    assert ("are gone: users" in capture.get()) is told
