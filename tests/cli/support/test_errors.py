"""Every way to fail has its message on stderr, its exit code, and no text of an event."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ingestor.cli.support.errors import CommandGroup
from ingestor.config.options import DEBUG_VARIABLE
from ingestor.errors import ConfigError, PermissionDeniedError, TokentailError, UnavailableError

SECRET = "client_secret=hunter2"


def failing(error: BaseException) -> click.Command:
    @click.group(cls=CommandGroup)
    def group() -> None:
        pass

    @group.command()
    def fail() -> None:
        raise error

    return group


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TokentailError("It is bad"), 1),
        (UnavailableError("It is away"), 69),
        (PermissionDeniedError("It is forbidden"), 77),
        (ConfigError("It is wrong"), 78),
        (click.UsageError("It is unknown"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_error_has_its_exit_code_and_its_words(error: BaseException, code: int) -> None:
    result = CliRunner().invoke(failing(error), ["fail"])
    assert result.exit_code == code
    assert str(error) in result.stderr
    assert not result.stdout


def test_where_and_what_to_do_are_said() -> None:
    error = TokentailError("It is bad", where="/there", advice="Do this.")
    assert CliRunner().invoke(failing(error), ["fail"]).stderr == "tokentail: It is bad (/there)\n  Do this.\n"


def test_a_file_name_cannot_move_the_cursor() -> None:
    error = TokentailError("It is bad", where="/there/\x1b[2Jx", advice="Do this.")
    message = CliRunner().invoke(failing(error), ["fail"]).stderr
    assert message == "tokentail: It is bad (/there/\N{REPLACEMENT CHARACTER}[2Jx)\n  Do this.\n"


def test_an_unexpected_error_tells_its_kind_and_place_but_not_its_text() -> None:
    result = CliRunner().invoke(failing(ValueError(SECRET)), ["fail"])
    assert result.exit_code == 1
    assert "Unexpected ValueError at support/test_errors.py:" in result.stderr
    assert DEBUG_VARIABLE in result.stderr
    assert SECRET not in result.output
    assert "Traceback" not in result.output


def test_debugging_shows_the_traceback() -> None:
    result = CliRunner().invoke(failing(ValueError(SECRET)), ["fail"], env={DEBUG_VARIABLE: "1"})
    assert isinstance(result.exception, ValueError)  # it reaches the interpreter, which prints it


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "HOME": str(tmp_path), "TOKENTAIL_STATE_DIRECTORY": str(tmp_path / "state"), **more}


def test_an_ascii_terminal_gets_an_answer_too(tmp_path: Path) -> None:
    line = '{"created_at":"2026-11-01T09:30:00Z","action":"token.refreshed","details":{"client_id":"caf\\u00e9-\\ud83d\\ude00"}}'
    ran = subprocess.run(
        [sys.executable, "-m", "ingestor", "explain"],
        input=line.encode(),
        capture_output=True,
        check=False,
        env=environment(tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii"),
    )
    assert ran.returncode == 0, ran.stderr
    assert b"caf\\xe9-\\U0001f600" in ran.stdout
    assert ran.stdout.isascii()
