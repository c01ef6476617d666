"""``explain``, ``validate``, ``verify``, ``status``, ``rejected``: what they print and how they exit."""

import contextlib
import gzip
import json
import os
import re
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingestor.cli import cli
from ingestor.state.database import DATABASE
from ingestor.state.lock import StateLock

HOSTILE = "evil\x1b[31m[bold red]client[/]\r\nstored 999\u202e"
CANARY = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2VjcmV0LWNhbmFyeS1zaWduYXR1cmU"


def line(second: int, action: str = "token.refreshed", client: str = "web-app", **details: Any) -> str:
    return json.dumps(
        {
            "id": f"e-{second}",
            "created_at": f"2026-11-01T09:30:{second:02d}Z",
            "action": action,
            "user_id": "u-1",
            "details": {"client_id": client, **details},
        }
    )


LINES = [
    line(1),
    line(2, "token.validation_failed", client=HOSTILE, error="invalid_grant"),
    line(3, "login"),
    '{"created_at":"2026-11-01T09:30:04Z"}',
    f'nonsense {CANARY} \x1b[2J"',
]


class World:
    """A log, a state directory and a way to run commands on them."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "audit.log"
        self.log.write_text("\n".join(LINES) + "\n", encoding="utf-8")
        self.state = directory / "state"
        self.environment = {"TOKENTAIL_STATE_DIRECTORY": str(self.state), "TOKENTAIL_CONFIG": None, "COLUMNS": "80"}

    def run(self, *arguments: object, stdin: str | None = None, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, [str(part) for part in arguments], input=stdin, env=self.environment)
        assert result.exit_code == code, result.output
        for stream in (result.stdout, result.stderr):
            assert not set("\x1b\r\u202e") & set(stream)
            assert CANARY not in stream
        return result

    def json(self, *arguments: object, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def ingest(self) -> None:
        self.run("run", "--once", "--log", self.log)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# explain


def test_explain_prints_one_object_a_line_with_the_designed_keys(world: World) -> None:
    printed = [json.loads(text) for text in world.run("explain", world.log, "--json").stdout.splitlines()]
    assert [entry["result"] for entry in printed] == ["event", "event", "ignored", "rejected", "rejected"]
    assert [entry["reason"] for entry in printed] == [None, None, "not_a_token_action", "missing_key", "invalid_json"]
    for entry in printed:
        assert list(entry) == ["result", "parser", "rule", "reason", "event", "point", "findings"]
    assert printed[0]["event"]["source"] == str(world.log)
    assert f"source={world.log}" in printed[0]["point"]


def test_explain_reads_stdin_and_compressed_files_alike(world: World, tmp_path: Path) -> None:
    text = world.log.read_text("utf-8")
    packed = tmp_path / "audit.log.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    from_file, from_stdin, from_packed = (
        world.run("explain", *arguments, "--source", "s", "--json", stdin=text).stdout
        for arguments in ((world.log,), (), (packed,))
    )
    assert from_file == from_stdin == from_packed


def test_explain_reads_a_pipe_that_has_a_name(world: World, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cp", world.log, pipe]):
        assert world.run("explain", pipe).stdout.rstrip().endswith("2 events, 1 ignored, 2 rejected")


def test_explain_says_that_an_event_names_no_client(world: World) -> None:
    failed = '{"created_at":"2026-11-01T09:30:00Z","action":"token.validation_failed"}\n'
    assert re.search(r"client id +no client\n", world.run("explain", "--source", "s", stdin=failed).stdout)
    (printed,) = [json.loads(text) for text in world.run("explain", "--json", stdin=failed).stdout.splitlines()]
    assert printed["event"]["client_id"] is None
    assert "client_id" not in printed["point"]


def test_explained_points_are_the_stored_ones(world: World) -> None:
    world.ingest()
    first = json.loads(world.run("explain", world.log, "--json").stdout.splitlines()[0])
    stored = json.loads(world.run("events", "--since", "2026-11-01T00:00:00Z").stdout.splitlines()[0])
    assert first["event"] == stored


def test_explain_for_people_names_reason_and_point(world: World) -> None:
    text = world.run("explain", world.log).stdout
    assert "rejected  missing_key: " in text
    assert "ignored  not a token action" in text
    assert "token_events,action=token.refreshed" in text
    assert "[bold red]client[/]" in text.replace("\n", "")  # printed as it is, not as a style
    assert text.rstrip().endswith("2 events, 1 ignored, 2 rejected")


def test_explain_strict_exits_with_one_when_a_line_is_rejected(world: World) -> None:
    world.run("explain", "--strict", stdin="\n".join(LINES), code=1)
    world.run("explain", "--strict", stdin=LINES[0])


def test_explain_of_nothing_says_so(world: World) -> None:
    assert "no line to explain" in world.run("explain", stdin="\n\n").stdout


def test_explain_of_a_file_that_is_not_there(world: World) -> None:
    assert "cannot be read" in world.run("explain", "/nonexistent/audit.log", code=1).stderr


# validate


def test_validate_says_that_all_is_well(world: World, tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text(f'[[logs]]\npath = "{world.log}"\n', encoding="utf-8")
    text = world.run("validate", "--config", file).stdout
    assert "All is well." in text
    assert "Log can be read" in text
    assert {entry["level"] for entry in world.json("validate", "--config", file)} == {"ok"}


def test_validate_lists_every_mistake_and_never_says_that_all_is_well(world: World, tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text('hots = "x"\n[store]\ntype = "influx"\n', encoding="utf-8")
    text = world.run("validate", "--config", file, code=78).stdout
    assert "hots" in text
    assert "store.type" in text
    assert "2 errors" in text
    assert "well." not in text.replace("cannot run well", "")
    findings = world.json("validate", "--config", file, code=78)
    assert [entry["level"] for entry in findings] == ["error", "error"]
    assert all(list(entry) == ["level", "what", "where", "advice", "exit_code"] for entry in findings)


def test_validate_without_the_environment_looks_at_no_file(world: World, tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text(f'[[logs]]\npath = "{tmp_path}/none/audit.log"\n', encoding="utf-8")
    assert len(world.json("validate", "--no-environment", "--config", file)) == 1
    levels = [entry["level"] for entry in world.json("validate", "--config", file)]
    assert "warning" in levels


def test_a_misspelt_variable_is_refused_by_every_command_as_a_misspelt_key_is(world: World) -> None:
    world.ingest()
    world.environment["TOKENTAIL_HOTS"] = "x"
    (error,) = world.json("validate", "--no-environment", code=78)
    assert error["where"] == "environment: TOKENTAIL_HOTS"
    for command in (
        *(("stats",), ("events",), ("status",), ("rejected", "list"), ("verify", world.log), ("explain", world.log)),
        *(("backfill", world.log), ("run", "--once", "--log", world.log), ("config", "show")),
    ):
        message = world.run(*command, code=78).stderr
        assert 'TOKENTAIL_HOTS: unknown variable; did you mean "TOKENTAIL_HOST"?' in message


def test_validate_finds_a_damaged_state(world: World) -> None:
    world.state.mkdir()
    (world.state / DATABASE).write_bytes(b"no database" * 1000)
    assert "damaged" in world.run("validate", code=1).stdout


# status and verify


def test_status_prints_the_accounting_identity(world: World) -> None:
    world.ingest()
    assert "5 read = 2 stored + 2 rejected + 1 ignored + 0 expired + 0 pending" in world.run("status").stdout.replace(
        "\n            ", " "
    ).replace("  ", " ")
    answer = world.json("status")
    expected = {"read": 5, "stored": 2, "rejected": 2, "ignored": 1, "expired": 0, "pending": 0, "lag_seconds": 0}
    assert {key: answer[key] for key in expected} == expected
    assert answer["rejected_by_reason"] == {"invalid_json": 1, "missing_key": 1}
    assert answer["running"] is False


def test_status_says_whose_log_it_is(world: World) -> None:
    world.ingest()
    _, below = world.run("status").stdout.split(str(world.log)[-20:], 1)
    assert re.search(r"^  native$", below, re.MULTILINE)
    assert [entry["provider"] for entry in world.json("status")["logs"]] == ["native"]


def test_commands_that_need_a_state_say_what_to_do_without_one(world: World) -> None:
    for command in (("status",), ("stats",), ("rejected", "list"), ("rejected", "replay"), ("verify", world.log)):
        message = world.run(*command, code=69).stderr
        assert "no state here yet" in message
        assert "tokentail run" in message
        assert not world.state.exists()


@pytest.mark.parametrize("tables", ["", "CREATE TABLE other(x)"])
def test_an_empty_state_is_being_made_only_while_somebody_may_be_making_it(world: World, tables: str) -> None:
    world.state.mkdir()
    path = world.state / DATABASE
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(tables or "SELECT 1")
    path.touch()
    message = world.run("stats", code=69).stderr
    assert "being made" in message
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    message = world.run("stats", code=1).stderr
    assert "The state database is damaged" in message
    assert "tokentail run" in message
    lock = StateLock(world.state)
    try:
        assert "being made" in world.run("stats", code=69).stderr
    finally:
        lock.release()


def test_verify_agrees_with_what_was_stored(world: World) -> None:
    world.ingest()
    assert world.run("verify", world.log).stdout.startswith("good")
    (answer,) = world.json("verify", world.log)
    assert (answer["good"], answer["events"], answer["stored"], answer["faults"]) == (True, 2, 2, [])


def test_verify_names_the_lines_that_are_not_stored(world: World) -> None:
    world.ingest()
    with world.log.open("a", encoding="utf-8") as log:
        log.write(line(6) + "\n")
    text = world.run("verify", world.log, code=1).stdout
    assert text.startswith("bad")
    assert "line 6" in text
    assert "tokentail run" in text
    (answer,) = world.json("verify", world.log, code=1)
    assert (answer["good"], answer["unread"]) == (False, 1)
    assert [fault["line"] for fault in answer["faults"]] == [6]


def test_a_pattern_that_matches_nothing_was_not_done_well(world: World, tmp_path: Path) -> None:
    world.ingest()
    for command in ("verify", "backfill"):
        assert "No file matches" in world.run(command, tmp_path / "none-*.log", code=1).stderr
        assert world.run(command, tmp_path / "audit.*").stdout.strip()
    bracket = tmp_path / "audit[1].log"
    world.log.rename(bracket)
    assert world.run("verify", bracket).stdout.startswith("good")


# rejected


def test_rejected_lists_reason_place_and_redacted_text(world: World) -> None:
    world.ingest()
    text = world.run("rejected", "list").stdout
    assert "missing_key" in text
    assert "line 5" in text
    printed = [json.loads(entry) for entry in world.run("rejected", "list", "--json").stdout.splitlines()]
    assert [entry["reason"] for entry in printed] == ["missing_key", "invalid_json"]
    assert printed[1]["offset"] == len("\n".join(LINES[:4]).encode()) + 1
    only = world.run("rejected", "list", "--reason", "invalid_json", "--json").stdout.splitlines()
    assert len(only) == 1


def test_a_list_that_was_not_restored_is_not_an_empty_one(world: World) -> None:
    world.log.write_text("{broken\n[1]\n", encoding="utf-8")
    world.run("run", "--once", "--log", world.log)
    (world.state / "rejected.jsonl").unlink()
    shown = world.run("rejected", "list").stdout
    assert "2 rejected lines are counted and not in the list here" in shown
    assert "No line is rejected." not in shown
    as_json = world.run("rejected", "list", "--json")
    assert as_json.stdout == ""
    assert "2 rejected lines are counted" in as_json.stderr
    with world.log.open("a", encoding="utf-8") as file:
        file.write("{broken too\n")
    world.run("run", "--once", "--log", world.log)
    shown = world.run("rejected", "list").stdout
    assert "1 line shown" in shown
    assert "2 rejected lines are counted and not in the list here" in shown
    assert "No line is rejected." in world.run("rejected", "list", "--reason", "bad_timestamp").stdout


def test_rejected_replay_stores_what_a_fix_made_an_event(world: World, tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text("[read]\nmax_line_bytes = 1024\n", encoding="utf-8")
    world.log.write_text(line(1, user_agent="x" * 2000) + "\n", encoding="utf-8")
    world.run("run", "--once", "--log", world.log, "--config", file)
    assert world.json("status")["rejected_by_reason"] == {"line_too_long": 1}
    still = world.json("rejected", "replay", "--config", file)
    assert still == {"stored": 0, "ignored": 0, "rejected": 1, "not_found": 0}
    assert "1 stored" in world.run("rejected", "replay").stdout
    assert "No line is rejected." in world.run("rejected", "list").stdout
    assert world.json("status")["stored"] == 1
    assert world.json("verify", world.log)[0]["stored"] == 1
