"""What becomes of an answer that cannot be written: processes of their own, since it is their stdout that fails."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ingestor.cli.support.errors import CommandGroup
from ingestor.state.opening import explained_faults
from tests.cli.conftest import line

ANSWERS = (
    "events",
    "events --csv",
    "events --limit 2000",
    "activity --limit 2000",
    "activity --json --limit 2000",
    "stats --json",
    "top users --limit 2000",
    "rejected list --limit 2000",
    "status",
    "config sample",
    "config show --json",
    "explain {log}",
    "explain --json {log}",
    "--help",
    "events --help",
)
BUFFERED = ("events", "events --csv", "activity --limit 2000", "explain {log}")
"""Answers that are more than pipes and buffers hold, each printed in another way."""
Much = tuple[dict[str, str], Path]


@pytest.fixture(scope="module")
def much(tmp_path_factory: pytest.TempPathFactory) -> Much:
    """Store a lot; return the environment that finds it, and the log."""
    directory = tmp_path_factory.mktemp("much")
    log = directory / "much.log"
    texts = [
        line(f"2026-11-02T09:{n // 60 % 60:02}:{n % 60:02}Z", "token.refreshed", user=f"u-{n:050}") for n in range(2000)
    ]
    log.write_text("".join(f"{text}\nno line {text[:40]}\n" for text in texts), encoding="utf-8")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TOKENTAIL_")}
    environment = inherited | {"TOKENTAIL_STATE_DIRECTORY": str(directory / "state"), "COLUMNS": "200"}
    subprocess.run(command(f"backfill {log}", log), capture_output=True, check=True, env=environment)
    return environment, log


def command(words: str, log: Path) -> list[str]:
    question = words.split(maxsplit=1)[0] in {"events", "activity", "stats", "top"} and "--help" not in words
    period = ["--since", "2026-11-01T00:00:00Z", "--until", "2026-11-08T00:00:00Z"] if question else []
    return [sys.executable, "-m", "ingestor", *words.format(log=log).split(), *period]


@pytest.mark.long
@pytest.mark.parametrize(("words", "wanted"), [(words, 0) for words in ANSWERS] + [(words, 1) for words in BUFFERED])
def test_a_reader_that_goes_away_is_no_fault(much: Much, words: str, wanted: int) -> None:
    environment, log = much
    reader, writer = os.pipe()
    with subprocess.Popen(command(words, log), stdout=writer, stderr=subprocess.PIPE, env=environment) as process:
        os.close(writer)
        assert len(os.read(reader, wanted)) == wanted
        os.close(reader)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.long
@pytest.mark.parametrize("words", [*BUFFERED, "config sample", "--help"])
def test_a_full_disk_is_said_and_is_1(much: Much, words: str) -> None:
    environment, log = much
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            command(words, log), stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment
        )
    assert ran.returncode == 1
    assert ran.stderr == (
        "tokentail: The answer cannot be written: No space left on device (standard output)\n"
        "  What was written so far is not all of it.\n"
    )


@pytest.mark.long
def test_a_closed_stdout_gets_no_file_of_ours(much: Much) -> None:
    environment, log = much
    shell = 'exec "$@" <&- >&- 2>&-'
    for words in ("stats", "rejected replay", "status", "explain"):
        ran = subprocess.run(["sh", "-c", shell, "sh", *command(words, log)], check=False, env=environment)
        assert ran.returncode == 0
    assert subprocess.run(command("rejected list --json", log), check=False, env=environment).returncode == 0


def test_a_pipe_that_somebody_made_non_blocking_gets_the_whole_answer(much: Much) -> None:
    environment, log = much
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with subprocess.Popen(command("events", log), stdout=writer, env=environment) as process:
        os.close(writer)
        with os.fdopen(reader, "rb") as answer:
            assert len(answer.readlines()) == 2000
    assert process.returncode == 0


def test_only_the_broken_pipe_of_stdout_is_quiet(tmp_path: Path) -> None:
    @click.group(cls=CommandGroup)
    def group() -> None:
        pass

    @group.command()
    def away() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    @group.command()
    def state_away() -> None:
        with explained_faults(tmp_path):
            raise BrokenPipeError(32, "Broken pipe")

    unexpected = CliRunner().invoke(group, ["away"])
    assert unexpected.exit_code == 1
    assert "Unexpected BrokenPipeError" in unexpected.stderr
    of_the_state = CliRunner().invoke(group, ["state-away"])
    assert of_the_state.exit_code == 69
    assert "The state cannot be used: Broken pipe" in of_the_state.stderr
