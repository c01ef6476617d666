import gzip
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result

from ingestor.cli.support import logs
from ingestor.errors import TokentailError

Tokentail = Callable[..., Result]
State = tuple[str, str]


def figures(tokentail: Tokentail, state: State) -> dict[str, int]:
    result = tokentail("status", "--json", *state)
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["read"] == sum(answer[key] for key in ("stored", "rejected", "ignored", "expired", "pending"))
    return {key: answer[key] for key in ("read", "stored", "rejected", "ignored")}


@contextmanager
def daemon(log: Path, state: State, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "ingestor", "run", "--log", str(log), *state]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def has_stored(tokentail: Tokentail, state: State, count: int) -> bool:
    result = tokentail("status", "--json", *state)
    return result.exit_code == 0 and json.loads(result.stdout)["stored"] == count


def has_read(tokentail: Tokentail, state: State) -> bool:
    result = tokentail("status", "--json", *state)
    return result.exit_code == 0 and json.loads(result.stdout)["read"] > 0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)  # between two looks; nothing depends on its length


def test_a_log_may_be_named_as_people_type_it(tokentail: Tokentail, audit_log: Path, state: State) -> None:
    other = audit_log.with_name("other.log")
    other.write_bytes(audit_log.read_bytes().replace(b"web-app", b"web-ppa"))
    result = tokentail("run", audit_log, "--once", "--log", other, *state)
    assert result.exit_code == 0, result.stderr
    assert figures(tokentail, state)["stored"] == 16
    one = audit_log.with_name("one.log")
    one.write_bytes(audit_log.read_bytes().splitlines(keepends=True)[2])
    result = tokentail("run", "--once", one, "--state-dir", audit_log.with_name("state-of-one"))
    assert "1 line read in all: 1 stored" in result.stderr


def test_once_reads_everything_once(tokentail: Tokentail, audit_log: Path, state: State) -> None:
    expected = {"read": 10, "stored": 8, "rejected": 1, "ignored": 1}
    for _ in range(2):
        result = tokentail("run", "--once", "--log", audit_log, *state)
        assert result.exit_code == 0
        assert not result.stdout
        assert figures(tokentail, state) == expected


def test_strict_judges_this_run(tokentail: Tokentail, audit_log: Path, state: State) -> None:
    first = tokentail("run", "--once", "--strict", "--log", audit_log, *state)
    assert first.exit_code == 1
    assert "rejected lines: 1" in first.stderr
    assert "tokentail rejected list" in first.stderr
    assert tokentail("run", "--once", "--strict", "--log", audit_log, *state).exit_code == 0
    assert tokentail("run", "--strict", "--log", audit_log, *state).exit_code == 2


def test_a_relative_path_is_the_same_source(
    tokentail: Tokentail, audit_log: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tokentail("run", "--once", "--log", audit_log, *state).exit_code == 0
    monkeypatch.chdir(audit_log.parent)
    assert tokentail("run", "--once", "--log", "./audit.log", "--log", audit_log, *state).exit_code == 0
    answer = json.loads(tokentail("status", "--json", *state).stdout)
    assert [(entry["source"], entry["read"]) for entry in answer["logs"]] == [(str(audit_log), 10)]


def test_the_config_says_what_to_follow(tokentail: Tokentail, audit_log: Path, state: State, tmp_path: Path) -> None:
    config = tmp_path / "tokentail.toml"
    config.write_text(f'host = "idp-1"\n[[logs]]\npath = "{audit_log}"\nsource = "idp"\n')
    assert tokentail("run", "--once", "--config", config, *state).exit_code == 0
    since = ("--since", "2026-11-01T00:00:00Z", "--until", "2026-11-08T00:00:00Z")
    events = [json.loads(text) for text in tokentail("events", *since, *state).stdout.splitlines()]
    assert {(event["source"], event["host"]) for event in events} == {("idp", "idp-1")}


def test_nothing_to_follow_is_78(tokentail: Tokentail, state: State) -> None:
    result = tokentail("run", *state)
    assert result.exit_code == 78
    assert "`tokentail run PATH`" in result.stderr


def test_a_broken_config_is_78_and_a_missing_one_too(tokentail: Tokentail, tmp_path: Path) -> None:
    config = tmp_path / "tokentail.toml"
    assert tokentail("run", "--config", config).exit_code == 78
    config.write_text("time_zone = 5\nlgos = 1\n")
    result = tokentail("run", "--config", config)
    assert result.exit_code == 78
    assert "2 problems" in result.stderr
    assert 'did you mean "logs"?' in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_well(
    tokentail: Tokentail, audit_log: Path, state: State, environment: dict[str, str], number: signal.Signals
) -> None:
    with daemon(audit_log, state, environment) as process:
        wait_until(lambda: has_stored(tokentail, state, 8))
        process.send_signal(number)
        _, spoken = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"{number.name}: storing what was read, then ending" in spoken
    assert figures(tokentail, state) == {"read": 10, "stored": 8, "rejected": 1, "ignored": 1}


@pytest.mark.slow
def test_beside_a_daemon_others_queue_and_a_second_daemon_is_told(
    tokentail: Tokentail, audit_log: Path, state: State, environment: dict[str, str], tmp_path: Path
) -> None:
    old = tmp_path / "old.jsonl.gz"
    old.write_bytes(gzip.compress(audit_log.read_bytes().replace(b"2026-11-0", b"2026-10-0")))
    with daemon(audit_log, state, environment):
        wait_until(lambda: has_stored(tokentail, state, 8))
        second = tokentail("run", "--once", "--log", audit_log, *state)
        assert second.exit_code == 1
        assert "holds this state" in second.stderr
        answer = tokentail("backfill", "--json", "--source", "past", old, *state)
        assert answer.exit_code == 0, answer.stderr
        assert [(file["source"], file["lines"], file["new"]) for file in json.loads(answer.stdout)] == [
            ("past", 10, 10)
        ]
        replayed = tokentail("rejected", "replay", "--json", *state)
        assert json.loads(replayed.stdout) == {"stored": 0, "ignored": 0, "rejected": 2, "not_found": 0}
    assert figures(tokentail, state)["stored"] == 16


def test_backfill_is_safe_to_repeat(tokentail: Tokentail, audit_log: Path, state: State) -> None:
    for new in (10, 0):
        answer = tokentail("backfill", "--json", audit_log, *state)
        assert answer.exit_code == 0, answer.stderr
        assert [file["new"] for file in json.loads(answer.stdout)] == [new]
    repeated = tokentail("backfill", audit_log, *state).stdout
    assert "audit.log" in "".join(repeated.split())
    assert "nothing has changed" in repeated


def test_backfill_says_that_other_rules_have_moved_lines(
    tokentail: Tokentail, audit_log: Path, state: State, tmp_path: Path
) -> None:
    tokentail("backfill", audit_log, *state)
    config = tmp_path / "rules.toml"
    config.write_text('[errors]\n"Too old" = "expired_code"\n')
    said = tokentail("backfill", "--config", config, audit_log, *state).stdout
    assert "10 lines read again under the present rules" in said
    assert "nothing has changed" not in said


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Have children heed SIGINT, also where the tests run in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("_interruptible")
def test_an_interrupted_backfill_goes_on_where_it_was(
    tokentail: Tokentail, audit_log: Path, state: State, environment: dict[str, str], tmp_path: Path
) -> None:
    log, lines = tmp_path / "long.log", audit_log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] * 200_000)
    command = [sys.executable, "-m", "ingestor", "backfill", str(log), *state]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        deadline = time.monotonic() + 60
        process.send_signal(signal.SIGSTOP)
        while not has_read(tokentail, state):  # it stands still meanwhile: looking may take longer than all the work
            assert time.monotonic() < deadline
            process.send_signal(signal.SIGCONT)
            time.sleep(0.05)
            process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        _, spoken = process.communicate(timeout=30)
    assert process.returncode == 130
    assert spoken.strip() == "Stopped. What was read so far is stored; the same command goes on from there."
    before = figures(tokentail, state)["read"]
    (file,) = json.loads(tokentail("backfill", "--json", log, *state).stdout)
    assert (file["lines"], file["new"]) == (200_000, 200_000 - before)
    assert figures(tokentail, state)["read"] == 200_000


def test_backfill_of_what_cannot_be_read_is_1(
    tokentail: Tokentail, audit_log: Path, state: State, tmp_path: Path
) -> None:
    missing = tokentail("backfill", tmp_path / "none.log", *state)
    assert missing.exit_code == 1
    assert "none.log" in missing.stderr
    damaged = tmp_path / "damaged.log.gz"
    # Random bytes do not compress: the half that is left is more than one step of decompression.
    filler = b"".join(
        b'{"created_at":"2026-11-02T09:00:00Z","action":"x","n":"%s"}\n' % os.urandom(90).hex().encode()
        for _ in range(4000)
    )
    whole = gzip.compress(audit_log.read_bytes() + filler)
    damaged.write_bytes(whole[: len(whole) // 2])
    result = tokentail("backfill", "--json", damaged, *state)
    assert result.exit_code == 1
    (file,) = json.loads(result.stdout)
    assert "truncated or damaged" in file["problem"]
    damaged.write_bytes(whole[:5])
    result = tokentail("backfill", damaged, *state)
    assert result.output.count("truncated or damaged") == 1
    assert "nothing has changed" not in result.output
    assert tokentail("verify", damaged, *state).output.count("truncated or damaged") == 1
    assert figures(tokentail, state)["stored"] == 8


def test_a_message_is_one_line_and_moves_no_cursor(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("tokentail")
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    logs.configure_logging()
    logger.warning("cannot read %s", "/var/log/a\nINFO all is well\x1b[2J")
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "\x1b" not in shown
    logger.warning("%s", TokentailError("It is away", where="/x", advice="Look there."))
    assert capsys.readouterr().err.endswith("It is away (/x) Look there.\n")
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.configure_logging()
    logger.error("lost")
    assert capsys.readouterr().err == "<3>lost\n"
    logger.handlers.clear()


@pytest.mark.long
def test_the_demo_proves_itself_and_its_store_answers(tokentail: Tokentail, tmp_path: Path) -> None:
    result = tokentail("demo", "--seconds", "1", "--seed", "7", "--keep", tmp_path / "demo", "--json")
    assert result.exit_code == 0, result.stderr
    written = json.loads(result.stdout)
    assert (tmp_path / "demo/token-audit.log").exists()
    stats = json.loads(tokentail("stats", "--json", "--since", "30h", "--state-dir", tmp_path / "demo/state").stdout)
    assert (
        sum(stats["by_action"].values()) == figures(tokentail, ("--state-dir", str(tmp_path / "demo/state")))["stored"]
    )
    assert written
    again = tokentail("demo", "--keep", tmp_path / "demo")
    assert again.exit_code == 1
    assert "A demo was here before" in again.stderr


@pytest.mark.long
def test_the_demo_writes_keycloaks_log_whose_lines_can_be_verified(tokentail: Tokentail, tmp_path: Path) -> None:
    result = tokentail("demo", "--provider", "keycloak", "--seconds", "1", "--keep", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert "Exactly once, from Keycloak's JSON log" in result.stdout
    files = sorted(tmp_path.glob("keycloak.log*"))
    verified = tokentail("verify", "--json", "--state-dir", tmp_path / "state", *files)
    assert [file["good"] for file in json.loads(verified.stdout)] == [True] * 3


def test_explain_answers_each_line_as_it_comes(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "ingestor", "explain", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(b'{"action":"user.login"}\n')
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["result"] == "ignored"
        process.stdin.close()
        assert process.wait(timeout=30) == 0


@pytest.mark.slow
def test_once_ends_at_sigterm_at_once_while_the_store_is_away(tmp_path: Path, environment: dict[str, str]) -> None:
    """As the first process of a container, too, to which SIGTERM does nothing by itself."""
    log, config = tmp_path / "audit.log", tmp_path / "tokentail.toml"
    log.write_text('{"created_at":"2026-11-01T00:00:00.001Z","action":"token.refreshed","resource_id":"web"}\n')
    config.write_text(f'[[logs]]\npath = "{log}"\n[store]\ntype = "influxdb"\nurl = "http://127.0.0.1:1"\n')
    command = [sys.executable, "-m", "ingestor", "run", "--once", "--config", str(config)]
    with subprocess.Popen(
        [*command, "--state-dir", str(tmp_path / "state")], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        while "cannot be written" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(20) == 143
        assert time.monotonic() - began < 5
