"""``--help`` and ``help`` say where the documentation is, and what messages name of it exists."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingestor.cli import FIRST_PAGES, cli
from ingestor.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]


def test_the_pages_that_the_program_names_exist() -> None:
    code = [file.read_text("utf-8") for folder in ("ingestor", "parsers") for file in (ROOT / folder).rglob("*.py")]
    named = {name for text in code for name in re.findall(r"\bdocs/[\w-]+\.md", text)}
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("words", [["--help"], ["help"]])
def test_help_says_where_the_documentation_is(words: list[str]) -> None:
    shown = CliRunner().invoke(cli, words, prog_name="tokentail")
    assert shown.exit_code == 0, shown.output
    where, _, pages = shown.stdout.partition("Documentation:\n")[2].strip().partition("\n")
    assert {name.strip() for name in pages.split(",")} == set(FIRST_PAGES)
    assert all(Path(where, name).exists() for name in FIRST_PAGES)


@pytest.mark.parametrize("words", [[], ["stats"], ["grafana"], ["grafana", "plan"]])
def test_help_is_a_word_too(words: list[str]) -> None:
    said = [
        CliRunner().invoke(cli, way, prog_name="tokentail").stdout for way in (["help", *words], [*words, "--help"])
    ]
    assert said[0] == said[1]
    assert "Usage: " + " ".join(["tokentail", *words]) in said[0]


@pytest.mark.parametrize("words", [["nothing"], ["stats", "nothing"]])
def test_help_for_what_is_not_there_is_wrong_usage(words: list[str]) -> None:
    assert CliRunner().invoke(cli, ["help", *words]).exit_code == ExitCode.USAGE
