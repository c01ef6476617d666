"""Write the references from what they are about: ``python -m tests.docs.reference`` refreshes them.

The commands come from click's own data and not from its help pages, whose layout changes from release to release. The options
come from the sample of the configuration, which has them all.
"""

import ast
import dataclasses
import functools
import inspect
import itertools
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import orjson

from ingestor.cli import cli
from ingestor.config.options import PREFIX
from ingestor.detectors.contract import Options
from ingestor.detectors.registry import detectors
from tests.docs.markdown import ROOT, headings, part

DASHBOARDS: Final = tuple(ROOT / f"grafana/dashboards/{name}.json" for name in ("runbooks", "security"))
PATTERNS: Final = "What each pattern means"
"""The panel that lists the patterns of findings."""
SAMPLE: Final = ROOT / "config/tokentail.toml"
VARIABLELESS: Final = ("logs", "errors", "realms", "alerts.clients")
"""Sections that no environment variable sets."""
_TABLE: Final = re.compile(r"\[+([\w.]+)\]+")
_OPTION: Final = re.compile(r"(\w+) = (.+)")


class Reference(NamedTuple):
    """A part of a page that is made, and what makes it."""

    page: Path
    mark: str
    make: Callable[[], Iterator[str]]

    @property
    def begin(self) -> str:
        """The line before it."""
        return f"<!-- {self.mark}: begin (made by `python -m tests.docs.reference`) -->"

    @property
    def end(self) -> str:
        """The line behind it."""
        return f"<!-- {self.mark}: end -->"

    def replace_in(self, text: str) -> str:
        """Return the page's text with a fresh part."""
        before, _, rest = text.partition(self.begin)
        _, _, after = rest.partition(self.end)
        return before + "\n".join([self.begin, "", *self.make(), self.end]) + after


class Entry(NamedTuple):
    """An option of the sample. ``section`` is empty at the top level; ``about`` is said of the whole section."""

    section: str
    about: str
    key: str
    default: str
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it; empty where none does."""
        if self.section in VARIABLELESS:
            return ""
        return PREFIX + f"{self.section}_{self.key}".upper().replace(".", "_").removeprefix("_")


# The commands


def commands(command: click.Command = cli, path: str = "tokentail") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with the words that call it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, name
            yield from commands(child, f"{path} {name}")
    else:
        yield path, command


def _commands() -> Iterator[str]:
    for path, command in commands():
        yield from _command(path, command)


def _command(path: str, command: click.Command) -> Iterator[str]:
    arguments = [_argument(parameter) for parameter in command.params if isinstance(parameter, click.Argument)]
    yield f"### `{' '.join([path, *arguments])}`"
    yield ""
    yield _prose(command.help or "")
    yield ""
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        yield "| option | meaning |"
        yield "|---|---|"
        for option in options:
            yield f"| {_names(option)} | {_cell(option.help or '')}{_default(option)} |"
        yield ""


def _prose(text: str) -> str:
    paragraphs = text.replace("\b\n", "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _argument(parameter: click.Argument) -> str:
    name = (parameter.metavar or parameter.name or "").upper().strip("[].")
    name += "..." if parameter.nargs == -1 else ""
    return name if parameter.required else f"[{name}]"


def _names(option: click.Option) -> str:
    value = "" if option.is_flag or option.count else f" {option.metavar or _value(option.type)}"
    again = " (repeatable)" if option.multiple else ""
    return ", ".join(f"`{name}{value}`" for name in (*option.opts, *option.secondary_opts)) + again


def _value(kind: Any) -> str:
    if isinstance(kind, click.Choice):
        return "{" + ",".join(str(choice) for choice in kind.choices) + "}"
    if isinstance(kind, click.types.IntParamType):
        return "N"
    return "PATH" if isinstance(kind, click.Path) else str(kind.name).upper()


def _default(option: click.Option) -> str:
    shown = option.show_default and option.default is not None and not option.is_flag
    return f" Default: `{option.default}`." if shown else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# The configuration


def entries() -> Iterator[Entry]:
    """Yield the options of the sample, each with the comment above it."""
    section, about, comment = "", "", ""
    for line in SAMPLE.read_text("utf-8").splitlines():
        if line.startswith("#"):
            comment = f"{comment} {line.removeprefix('#').strip()}"
        elif found := _TABLE.fullmatch(line):
            section, about, comment = found[1], comment.strip(), ""
        elif found := _OPTION.fullmatch(line):
            yield Entry(section, about, found[1], found[2], comment.strip())
            comment = ""
        else:
            comment = ""


def _options() -> Iterator[str]:
    section = None
    for entry in entries():
        if entry.section != section:
            if section is not None:
                yield ""
            section = entry.section
            yield from [
                f"### {_title(section)}",
                "",
                *([entry.about, ""] if entry.about else []),
                "| option | default | meaning | variable |",
                "|---|---|---|---|",
            ]
        variable = f"`{entry.variable}`" if entry.variable else ""
        yield f"| `{entry.key}` | `{entry.default}` | {_cell(entry.meaning)} | {variable} |"
    yield ""


def _title(section: str) -> str:
    return f"`[[{section}]]`" if section == "logs" else f"`[{section}]`" if section else "Top level"


# The patterns, on dashboards


def with_patterns(dashboard: str) -> str:
    """Return a dashboard with a fresh list of the detectors, and fresh titles of their patterns, where it has any."""
    made = orjson.loads(dashboard)
    for panel in made["panels"]:
        if panel["title"] == PATTERNS:
            panel["options"]["content"] = "\n".join(_patterns())
        for override in panel.get("fieldConfig", {"overrides": []})["overrides"]:
            for entry in override["properties"]:
                if override["matcher"]["options"] == "Finding" and entry["id"] == "mappings":
                    entry["value"] = [{"type": "value", "options": dict(_titles())}]
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _titles() -> Iterator[tuple[str, dict[str, Any]]]:
    for index, (name, kind) in enumerate(detectors().items()):
        yield name, {"text": kind.title, "index": index}


def _patterns() -> Iterator[str]:
    yield "A finding names the detector that found it: its pattern. From `docs/detectors.md`, which is installed with tokentail and says more."
    page = DETECTORS_PAGE.read_text("utf-8")
    for name in (heading for heading in headings(page) if heading in detectors()):
        text = part(page, name).partition("<!--")[0].strip()
        yield f"\n#### {name}\n"
        yield re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)  # pages cannot be linked to from Grafana


# The detectors


def _detector(name: str) -> Iterator[str]:
    kind = detectors()[name].options
    told = option_meanings(kind)
    own = [field for field in dataclasses.fields(kind) if field.name not in COMMON]
    yield "| option | default | meaning |"
    yield "|---|---|---|"
    for field in own:
        yield f"| `{field.name}` | `{field.default}` | {_cell(told.get(field.name, '')).replace('``', '`')} |"
    yield ""


def option_meanings(kind: type[Options]) -> dict[str, str]:
    """Return what stands below each option in the class that a detector states, and in those that it is derived from."""
    told: dict[str, str] = {}
    for each in reversed(kind.__mro__[:-1]):
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(body, ast.ClassDef)
        for option, text in itertools.pairwise(body.body):
            if isinstance(option, ast.AnnAssign) and isinstance(text, ast.Expr):
                told[ast.unparse(option.target)] = str(ast.literal_eval(text.value))
    return told


DETECTORS_PAGE: Final = ROOT / "docs/detectors.md"
COMMON: Final = frozenset(field.name for field in dataclasses.fields(Options))
"""Options that all detectors have."""
REFERENCES: Final = (
    Reference(ROOT / "docs/commands.md", "reference", _commands),
    Reference(ROOT / "docs/configuration.md", "options", _options),
    *(Reference(DETECTORS_PAGE, f"options of {name}", functools.partial(_detector, name)) for name in detectors()),
)


if __name__ == "__main__":
    for reference in REFERENCES:
        reference.page.write_text(reference.replace_in(reference.page.read_text("utf-8")), encoding="utf-8")
    for dashboard in DASHBOARDS:
        dashboard.write_text(with_patterns(dashboard.read_text("utf-8")), encoding="utf-8")
