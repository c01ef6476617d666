"""Regular expressions that take time in proportion to the text, whatever is written in either.

They are RE2's (github.com/google/re2/wiki/Syntax), as Go, Prometheus and Loki have them: without back-references and looking
around, which cannot be matched so. An expression is about the whole text, as Prometheus has it.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from parsers.memory import remember

MOST_CHARS: Final = 2000
"""Of an expression."""
_MOST_BYTES: Final = 1 << 20
"""Of memory for a compiled one: more is refused, and what states do not fit are made anew."""


NO_ENGINE: Final = "regular expressions need the package google-re2, which is not installed: pip install google-re2"
"""Why no expression can be used on this machine."""


class BadExpressionError(ValueError):
    """Says why an expression cannot be used."""


class NoEngineError(BadExpressionError):
    """Says that none can be used here."""

    def __init__(self) -> None:
        super().__init__(NO_ENGINE)


def check(expression: str) -> None:
    """Raise BadExpressionError for an expression that cannot be used."""
    _compiled(expression, capture=True)
    _compiled(expression, capture=False)


def group_names(expression: str) -> frozenset[str]:
    """Return the names of the groups. Raises BadExpressionError."""
    return frozenset(_compiled(expression, capture=True).groupindex)


def matcher(expression: str) -> Callable[[str], bool]:
    """Return whether a whole text matches. Raises BadExpressionError."""
    compiled = _compiled(expression, capture=False)

    def matches(text: str) -> bool:
        return compiled.fullmatch(_encoded(text)) is not None

    return matches


def capturer(expression: str) -> Callable[[str], dict[str, str]]:
    """Return the named groups of a whole text that matches; those that took no part are left out. Raises BadExpressionError."""
    compiled = _compiled(expression, capture=True)
    indexes = dict(compiled.groupindex)
    known: dict[str, dict[str, str]] = {}

    def groups(text: str) -> dict[str, str]:
        match = compiled.fullmatch(_encoded(text))
        if match is None:
            return {}
        found = {name: match.group(index) for name, index in indexes.items()}
        return {name: value.decode(errors="replace") for name, value in found.items() if value}

    def capture(text: str) -> dict[str, str]:
        try:
            return known[text]
        except KeyError:
            found = groups(text)
            remember(known, text, found)
            return found

    return capture


def _encoded(text: str) -> bytes:
    # RE2 looks at bytes, and is an eighth as fast where it has to find out which characters they are. JSON may have lone surrogates.
    return text.encode(errors="replace")


@cache
def _compiled(expression: str, *, capture: bool) -> Any:
    if len(expression) > MOST_CHARS:
        raise BadExpressionError(f"an expression has at most {MOST_CHARS} characters")
    try:
        import re2  # noqa: PLC0415 - only mappings with expressions need it
    except ImportError:
        raise NoEngineError from None
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.never_capture = not capture
    options.max_mem = _MOST_BYTES
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        raise BadExpressionError(_why(error)) from None


def _why(error: Exception) -> str:
    """Return RE2's own words, and what people expect of other engines."""
    told = error.args[0] if error.args else ""
    told = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
    hint = ""
    if "perl operator" in told or "invalid escape sequence" in told:
        hint = "; expressions are RE2's, which has no back-references and no looking around"
    elif "too large" in told or "repetition size" in told:
        hint = "; a repetition is at most 1000 times, and several within each other are multiplied"
    return f"{told}{hint}"
