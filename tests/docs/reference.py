"""Write README's command reference from the commands themselves: ``python -m tests.docs.reference`` refreshes it.

Made from click's own data and not from its help pages, whose layout changes from release to release.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ingestor.cli import cli

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN = "<!-- reference: begin (made by `python -m tests.docs.reference`) -->"
END = "<!-- reference: end -->"


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


def reference() -> str:
    """Return the section, from ``BEGIN`` to ``END``."""
    return "\n".join([BEGIN, "", *(line for path, command in commands() for line in _command(path, command)), END])


def replace_in(text: str) -> str:
    """Return README's text with a fresh section."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + reference() + after


def _command(path: str, command: click.Command) -> Iterator[str]:
    arguments = [_argument(parameter) for parameter in command.params if isinstance(parameter, click.Argument)]
    yield f"#### `{' '.join([path, *arguments])}`"
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


if __name__ == "__main__":
    README.write_text(replace_in(README.read_text("utf-8")), encoding="utf-8")
