"""Our regular expressions hold nothing that some supported CPython gets wrong.

Before CPython 3.11.5 a possessive repeat of a group (`(?:...)*+`, `(?:...){1,5}+`) and an atomic group (`(?>...)`) lose
matches when what is inside can backtrack (gh-106052): `code(?:[\\s(:,]{1,4}(?:not|found)(?![a-z])){1,5}+: (\\w+)` does not
find the secret in `code not found: plain`. Debian 12 has 3.11.2, so an expression with one redacts everywhere but there, and
the tests see it only there. `parsers.redaction.key_names.atomic` is what to use. A possessive repeat of one character or set is right.
`python -m bench.engines` compares the answers of two interpreters.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ingestor
import parsers
from parsers.redaction.expression import Expression
from parsers.redaction.key_names import atomic

_PARSER: Any = importlib.import_module("re._parser")  # private, but what reads a pattern
SINGLE = {"LITERAL", "NOT_LITERAL", "ANY", "IN"}
KNOWN = {
    "parsers.redaction.patterns",
    "parsers.redaction.sentences",
    "parsers.redaction.lines",
    "parsers.redaction.deobfuscate",
    "ingestor.stores.influxdb.write.response",
}


def lossy(pattern: str, flags: int = 0) -> list[str]:
    """Return what a pattern holds of what is forbidden."""
    return list(walk(_PARSER.parse(pattern, flags)))


def walk(node: Any) -> Iterator[str]:
    if isinstance(node, _PARSER.SubPattern):
        for operator, argument in node:
            if str(operator) == "ATOMIC_GROUP":
                yield "an atomic group"
            elif str(operator) == "POSSESSIVE_REPEAT":
                inner = argument[2]
                if len(inner) != 1 or str(inner[0][0]) not in SINGLE:
                    yield "a possessive repeat of a group"
            yield from walk(argument)
    elif isinstance(node, tuple | list):
        for part in node:
            yield from walk(part)


def expressions() -> Iterator[tuple[str, str, int]]:
    """Yield (module, pattern, flags): what modules hold compiled, and what they give to functions of ``re`` literally."""
    for package in (parsers, ingestor):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("__main__"):
                continue
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                for held in value if isinstance(value, tuple | list) else (value,):
                    compiled = getattr(held, "__self__", held)  # of `re.compile(...).fullmatch`
                    if isinstance(compiled, re.Pattern | Expression) and isinstance(compiled.pattern, str):
                        yield found.name, compiled.pattern, compiled.flags
            for call in ast.walk(ast.parse(Path(str(module.__file__)).read_text("utf-8"))):
                match call:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="re"), attr=attribute),
                        args=[ast.Constant(value=str(pattern)), *_],
                    ) if attribute != "escape":
                        yield found.name, pattern, 0


@pytest.mark.slow
def test_no_expression_repeats_a_group_possessively() -> None:
    seen = list(expressions())
    assert {module for module, _, _ in seen} >= KNOWN
    assert [(module, pattern, fault) for module, pattern, flags in seen for fault in lossy(pattern, flags)] == []


@pytest.mark.parametrize(
    "pattern", ["(?:ab?)++", "(?:a|bc)*+", "x(?:[ab]c){1,5}+", "(a)?+", "(?=(?:(?>a*)b))", "(?:ab)?+"]
)
def test_what_is_forbidden_is_found(pattern: str) -> None:
    assert lossy(pattern)


@pytest.mark.parametrize(
    "pattern", [r"\s*+[a-z]{1,5}+[^\s]++.?+a*+", "(?:ab)+", "(?:[ab]*+c)*", r"a*\++", atomic("x", "(?:ab)*")]
)
def test_what_is_right_everywhere_is_not(pattern: str) -> None:
    assert not lossy(pattern)


def test_an_atomic_expression_gives_nothing_back() -> None:
    words = atomic("words", r"(?:[\s(:,]{1,4}(?:not|found)(?![a-z])){1,5}")
    assert re.search(rf"code{words}: (\w+)", "code not found: plain")
    assert re.search(rf"code{words}: (\w+)", "code not: found") is None
