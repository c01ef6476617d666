"""Every page tells the truth: its links lead somewhere, and what it names exists. Each check is made of each page.

A check returns what is wrong, so that the last tests can also show that it finds a fault.
"""

import dataclasses
import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

import parsers
from ingestor.cli import cli
from ingestor.config.credentials import SECRET_VARIABLES
from ingestor.config.load import load
from ingestor.config.options import VARIABLES
from ingestor.detectors.registry import detectors
from ingestor.errors import ConfigError
from ingestor.provision.rule_files import rule_files
from parsers import mapping
from parsers.contract import Rejection
from tests.docs import reference
from tests.docs.markdown import PAGES, ROOT, Block, anchors, blocks, links, names, prose, tables

FOLDERS: Final = ("ingestor", "parsers", "tests", "bench", "config", "grafana", "systemd", "docs", ".ci")
ROOT_FILES: Final = re.compile(r"[A-Z]+\.md|Makefile|LICENSE|pyproject\.toml")
OUTSIDE: Final = frozenset({"TOKENTAIL_CONFIG", "TOKENTAIL_DEBUG"})
"""Variables that set no option."""
FOR_TESTS: Final = ("TOKENTAIL_TEST_", "TOKENTAIL_BENCH_")
SETTINGS: Final = {entry.section: set[str]() for entry in reference.entries()}
for name, kind in detectors().items():
    SETTINGS[f"detectors.{name}"] = {field.name for field in dataclasses.fields(kind.options)}
SECTIONS: Final = frozenset({*SETTINGS, "errors", "realms", "detectors", "alerts.clients"})
OPTIONS: Final = {name for _, command in reference.commands() for p in command.params for name in p.opts} | {
    "--help",
    "--version",
}
FOREIGN: Final = frozenset({"--idle", "--only"})
"""Options of other programs that stand alone in a page: of the benches."""
NOT_SETTINGS: Final = frozenset(
    {"[masked]", "[tool.importlinter]", "[detectors.NAME]", "[fields]", "[groups]", "[grants]", "[realms]", "[[rules]]"}
)
"""In brackets like a section of the configuration: masks, and tables of other files."""
TARGETS: Final = frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
RUNNABLE: Final = frozenset({"docs/getting-started.md", "docs/mapping.md"})
"""Pages whose `sh` blocks a newcomer runs one after the other, and then sees what stands in the `text` blocks."""

for option in reference.entries():
    SETTINGS[option.section].add(option.key)


# Links, anchors, tables


def broken_links(document: str, page: Path) -> list[str]:
    """Return the relative links that lead nowhere, or to an anchor that is not there."""
    broken = []
    for link in links(document):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve()
        there = not path or (target.exists() and target.is_relative_to(ROOT))
        if not there or (anchor and anchor not in anchors(target.read_text("utf-8") if path else document)):
            broken.append(link)
    return broken


def repeated_anchors(document: str, _: Path) -> list[str]:
    """Return the anchors that stand for two places."""
    found = anchors(document)
    return sorted({anchor for anchor in found if found.count(anchor) > 1})


def ragged_tables(document: str, _: Path) -> list[str]:
    """Return the rows that have more or fewer cells than their heading."""
    return [" | ".join(row) for table in tables(document) for row in table if len(row) != len(table[0])]


# Files, modules, targets


def absent_files(document: str, _: Path) -> list[str]:
    """Return the paths in the repository that do not exist.

    A part in capitals (``ingestor/stores/NAME``) stands for any name. What a page has its reader make is named in a comment.
    """
    paths = [path for path in names(prose(document)) if _is_path(path)]
    made = tuple(re.findall(r"<!-- made by the reader: (\S+) -->", document))
    return [path for path in paths if not path.startswith(made) and not any(ROOT.glob(path.rstrip("/")))]


def _is_path(name: str) -> bool:
    first, slash, _ = name.partition("/")
    inside = (
        bool(slash)
        and first in FOLDERS
        and re.fullmatch(r"[\w./*-]+", name)
        and not re.search(r"/[A-Z]+\b(?!\.md)", name)
    )
    return bool(inside or ROOT_FILES.fullmatch(name))


def absent_modules(document: str, _: Path) -> list[str]:
    """Return what `python -m` is to run and is not there."""
    modules = re.findall(r"python3? -m ((?:ingestor|parsers|tests|bench)[\w.]*)", document)
    return [module for module in modules if not any(ROOT.glob(module.replace(".", "/") + "*"))]


def absent_targets(document: str, _: Path) -> list[str]:
    """Return the targets that the Makefile does not have."""
    called = [line for line in [*names(prose(document)), *shell(document)] if line.startswith("make ")]
    words = [word for line in called for word in shlex.split(line, comments=True)[1:] if "=" not in word]
    return [word for word in words if word not in TARGETS]


# Commands


def shell(document: str) -> Iterator[str]:
    """Yield the commands of transcripts and scripts, each as one text without its prompt."""
    for block in blocks(document, "console"):
        for found in re.finditer(r"^[$#] ((?:.*\\\n)*.*)$", block.text, re.MULTILINE):
            yield found[1]
    for block in blocks(document, "sh"):
        yield from re.sub(r"<<'(\w+)'\n.*?^\1$", "", block.text, flags=re.MULTILINE | re.DOTALL).strip().splitlines()


def unreadable_scripts(document: str, _: Path) -> list[str]:
    """Return what a shell cannot read."""
    scripts = [*(block.text for block in blocks(document, "sh")), *shell(document)]
    return [
        script for script in scripts if subprocess.run(["bash", "-n"], input=script.encode(), check=False).returncode
    ]


def wrong_commands(document: str, _: Path) -> list[str]:
    """Return the calls of tokentail that it would not understand, with the reason."""
    spans = [name.replace("\n", " ") for name in names(prose(document))]
    texts = [*shell(document), *(span for span in spans if re.match(r"(tokentail|[\w/.]+/tokentail) ", span))]
    return [f"{text}: {reason}" for text in texts for words in calls(text) if (reason := misunderstood(words))]


def calls(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of tokentail in a line of shell."""
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for token in [*lexer, ";"]:
        if not re.fullmatch(r"[|&;()<>]+", token):
            words.append(token)
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words and re.fullmatch(r"(.*/)?tokentail", words[0]):
            yield words[1:]
        words = ["redirected"] if token[0] in "<>" else []


def misunderstood(words: list[str]) -> str:
    """Return why the command line would refuse these arguments, as far as that can be told without a state."""
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        word, *words = words
        child = command.get_command(context, word)
        if child is None:
            return f"no command {word}"
        command = child
        context = click.Context(command, context)
    try:
        values, rest, _ = command.make_parser(context).parse_args(list(words))
        for parameter in command.params:
            if isinstance(parameter.type, click.Choice) and isinstance(values.get(parameter.name or ""), str):
                parameter.type.convert(values[parameter.name or ""], parameter, context)
    except click.UsageError as error:
        return error.message
    return f"too many arguments: {rest}" if rest and not isinstance(command, click.Group) else ""


def unknown_options(document: str, _: Path) -> list[str]:
    """Return the options that stand alone in the text and that no command has."""
    spans = [name.split()[0] for name in names(prose(document)) if name.startswith("--")]
    return [span for span in spans if span not in OPTIONS | FOREIGN]


# Configuration and data


def unknown_settings(document: str, _: Path) -> list[str]:
    """Return the sections, options and variables of the configuration that do not exist."""
    unknown = []
    for name in set(names(prose(document))) - NOT_SETTINGS:
        section, _dot, key = name.partition(" = ")[0].rpartition(".")
        if section and section in SETTINGS and re.fullmatch(r"(?!py$)[a-z_]+", key):
            unknown += [name] if key not in SETTINGS[section] and f"{section}.{key}" not in SECTIONS else []
        elif found := re.fullmatch(r'\[+([a-z_.]+)(?:\."[^"]*")?\]+', name):
            unknown += [name] if found[1] not in SECTIONS else []
    variables = re.findall(r"\bTOKENTAIL_[A-Z0-9_]+[A-Z0-9]", document)
    known = {*VARIABLES, *SECRET_VARIABLES, *OUTSIDE}
    return unknown + [name for name in variables if name not in known and not name.startswith(FOR_TESTS)]


def refused_toml(document: str, page: Path) -> list[str]:
    """Return the pieces of configuration that would be refused, with the reason. A file of a mapping need not be there."""
    refused = []
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "tokentail.toml")
        for block in blocks(document, "toml"):
            if _is_mapping(block, page):
                continue
            text = re.sub(r'"mapping:/[^"]*"', f'"mapping:{mapping.shipped()[0]}"', block.text)
            file.write_text(text, encoding="utf-8")
            try:
                load(file, environment={"HOME": directory})
            except ConfigError as error:
                refused.append(f"{block.text}: {error}")
    return refused


def _is_mapping(block: Block, page: Path) -> bool:
    return page.name == "mapping.md" and "[[logs]]" not in block.text


def refused_mappings(document: str, page: Path) -> list[str]:
    """Return the pieces of mappings that would be refused, with the reason; what a whole one has besides is added."""
    refused = []
    for block in blocks(document, "toml"):
        if not _is_mapping(block, page):
            continue
        text = block.text + ("" if "[fields]" in block.text else '[fields]\ntime = "at"\n')
        try:
            mapping.read_mapping(text + ("" if "[[rules]]" in text else '[[rules]]\naction = "ignore"\n'))
        except mapping.MappingError as error:
            refused.append(f"{block.text}: {error}")
    return refused


def bad_json(document: str, _: Path) -> list[str]:
    """Return the blocks that are not JSON, and the lines of a log that do not become events."""
    bad = []
    for block in blocks(document, "json"):
        try:
            value: Any = json.loads(block.text)
        except ValueError as error:
            bad.append(f"{block.text}: {error}")
            continue
        if "created_at" in value:
            (outcome,) = parsers.find("native").parse(block.text.strip().encode(), 1_800_000_000_000)
            event = isinstance(outcome, tuple) and not isinstance(outcome, Rejection)
            bad += [] if event else [f"{block.text}: {outcome}"]
    return bad


def bad_rules(document: str, _: Path) -> list[str]:
    """Return the alert rules that cannot be read. YAML that is no list is another program's."""
    bad = []
    for block in blocks(document, "yaml"):
        rules = yaml.safe_load(block.text)
        if not isinstance(rules, list):
            continue
        text = yaml.safe_dump({"interval": "30s", "rules": rules})
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "rule.yaml").write_text(text, encoding="utf-8")
            try:
                rule_files(Path(directory))
            except ValueError as error:
                bad.append(str(error))
    return bad


CHECKS: Final[tuple[Callable[[str, Path], list[str]], ...]] = (
    broken_links,
    repeated_anchors,
    ragged_tables,
    absent_files,
    absent_modules,
    absent_targets,
    unreadable_scripts,
    wrong_commands,
    unknown_options,
    unknown_settings,
    refused_toml,
    refused_mappings,
    bad_json,
    bad_rules,
)
HISTORY: Final = "CHANGELOG.md"
"""What it names existed when it was written."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", [name for name in PAGES if name != HISTORY])
def test_what_a_page_says_is_so(name: str, check: Callable[[str, Path], list[str]]) -> None:
    assert check(PAGES[name].read_text("utf-8"), PAGES[name]) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_begins_with_its_title(name: str) -> None:
    assert re.match(r"# \S", PAGES[name].read_text("utf-8"))


def test_every_page_is_found_from_readme() -> None:
    seen, waiting = set[Path](), [PAGES["README.md"]]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        found = [(page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text("utf-8"))]
        waiting += [target for target in found if target.suffix == ".md" and target.is_relative_to(ROOT)]
    # The page of a provider is found in its folder.
    assert {name for name, path in PAGES.items() if path not in seen and not name.startswith("parsers/")} == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(RUNNABLE))
def test_its_commands_run_one_after_the_other(name: str, tmp_path: Path) -> None:
    document = PAGES[name].read_text("utf-8")
    script = "\n".join(block.text for block in blocks(document, "sh"))
    program = tmp_path / ".venv/bin/tokentail"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ingestor "$@"\n')
    program.chmod(0o755)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=script,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    shown = [line for block in blocks(document, "text") for line in block.text.splitlines()]
    assert shown
    assert [line for line in shown if line not in ran.stdout] == []


# Faults are found


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (broken_links, "See [this](nothing.md)."),
        (broken_links, "See [this](#nothing)."),
        (broken_links, "See [this](docs/design.md#nothing)."),
        (broken_links, "See [this](../outside.md)."),
        (repeated_anchors, "## One\n\n## One\n"),
        (ragged_tables, "| a | b |\n|---|---|\n| 1 |\n"),
        (absent_files, "It is in `ingestor/nothing.py`."),
        (absent_files, "It is in `NOTHING.md`."),
        (
            absent_files,
            "<!-- made by the reader: docs/mine -->\nIt is in `docs/mine/a.py`, `docs/NAME` and `docs/nothing`.",
        ),
        (absent_modules, "Run `python -m bench.nothing`."),
        (absent_targets, "Run `make nothing`."),
        (unreadable_scripts, "```console\n$ tokentail stats 'open\n```\n"),
        (wrong_commands, "Run `tokentail nothing`."),
        (wrong_commands, "Run `tokentail stats --nothing`."),
        (wrong_commands, "Run `tokentail events --outcome nothing`."),
        (wrong_commands, "Run `tokentail stats PATH`."),
        (wrong_commands, "```console\n# A=1 tokentail status > x && tokentail store nothing\n```\n"),
        (unknown_options, "It is `--nothing`."),
        (unknown_settings, "It is `read.nothing`."),
        (unknown_settings, "It is in `[nothing]`."),
        (unknown_settings, "It is TOKENTAIL_NOTHING."),
        (refused_toml, '```toml\n[store]\ntype = "nothing"\n```\n'),
        (bad_json, '```json\n{"created_at": "nothing"}\n```\n'),
        (bad_rules, "```yaml\n- uid: nothing\n```\n"),
    ],
)
def test_a_fault_is_found(check: Callable[[str, Path], list[str]], text: str) -> None:
    assert len(check(text, PAGES["README.md"])) == 1


def test_a_fault_of_a_mapping_is_found() -> None:
    text = '```toml\n[fields]\ntime = "a..b"\n```\n```toml\n[[logs]]\npath = "/a"\n```\n'
    assert len(refused_mappings(text, PAGES["docs/mapping.md"])) == 1
    assert refused_mappings(text, PAGES["README.md"]) == []
