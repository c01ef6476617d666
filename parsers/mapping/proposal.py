"""A mapping to begin with, proposed from a sample of a log. It says what it guessed, and shows no secret."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from parsers.contract import OUTCOMES
from parsers.mapping import times
from parsers.mapping.guesses import (
    GuessedTime,
    Results,
    guess_action,
    guess_fields,
    guess_happened,
    guess_results,
    guess_time,
)
from parsers.mapping.survey import Found, Survey, survey
from parsers.redaction.showable import means_identifier

_MOST_SHOWN: Final = 8
"""Values of a path that are shown."""
_MOST_KINDS: Final = 30
"""A path with more values has no kinds, but names and numbers."""
_LINE_CHARS: Final = 140
_ERRORS: Final = {
    "authorization_pending": "token.authorization_pending",
    "slow_down": "token.authorization_pending",
    "expired_token": "token.expired",
    "expired_code": "token.expired",
}
"""Errors that say more than that a request failed."""
_HEAD: Final = """\
# A mapping, proposed from a sample of {lines:,} lines. It was guessed: read it, change it, and try it:
#
#   tokentail explain --parser mapping:THIS_FILE SAMPLE
#
# docs/mapping.md has what may stand here."""


def propose(lines: Iterable[bytes]) -> str:
    """Return the text of a mapping. It is one that can be read, unless nothing in the sample looks like an event or a time."""
    found = survey(lines)
    fields, time = guess_fields(found), guess_time(found)
    happened, results = guess_happened(found), guess_results(found)
    parts = [
        _HEAD.format(lines=found.lines),
        "\n".join(_paths(found)),
        "\n".join(_lines_of_json(found)),
        "\n".join(_fields(time, fields)),
        "\n".join(_errors(found, fields)),
        "\n\n".join(_rules(happened, results, fields)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _paths(found: Survey) -> Iterator[str]:
    """Yield what stands in the sample, as comments."""
    if not found.found:
        yield "# No line of the sample is a JSON object, so there is nothing to map."
        return
    yield "# What stands in the lines: path, in how many lines, and values with how often each was seen."
    width = min(48, max(len(path) for path in found.found))
    for path, its in found.found.items():
        yield f"#   {path:<{width}}  {its.lines:>6,}  {_values(its)}".rstrip()[:_LINE_CHARS]
    if found.is_cut:
        yield "#   ... and more paths. Keys that are names or numbers cannot be mapped."


def _values(found: Found) -> str:
    """Return some values of a path. Of names and numbers it is their count: nobody learns more from one of them."""
    hidden = f"{found.hidden:,} not shown, since it may be a secret" if found.hidden else ""
    different = f"{len(found.values):,}{' or more' if found.is_full else ''} different" if found.values else ""
    if found.is_full or len(found.values) > _MOST_KINDS or any(map(means_identifier, found.keys[-1:])):
        return ", ".join(filter(None, (different, hidden)))
    shown = [f"{_toml(value)} {count:,}" for value, count in found.values.most_common(_MOST_SHOWN)]
    more = len(found.values) - len(shown)
    return ", ".join(filter(None, (*shown, f"{more:,} more" if more else "", hidden)))


def _lines_of_json(found: Survey) -> Iterator[str]:
    if 0 < found.objects < found.lines:
        yield f"# Lines of the sample that are no JSON objects: {found.lines - found.objects:,}"
        yield 'not_json = "ignore"'


def _fields(time: GuessedTime | None, fields: dict[str, str]) -> Iterator[str]:
    yield "[fields]"
    if time is None:
        yield '# Name the path of the time, such as:  time = { path = "ts", format = "epoch_ms" }'
    elif time.format == times.RFC3339:
        yield f"time = {_toml(time.path)}"
    else:
        zone = f", zone = {_toml(time.zone)}" if time.zone else ""
        hint = "  # is it UTC?" if time.zone else ""
        yield f"time = {{ path = {_toml(time.path)}, format = {_toml(time.format)}{zone} }}{hint}"
    for name, path in fields.items():
        yield f"{name} = {_toml(path)}"


def _errors(found: Survey, fields: dict[str, str]) -> Iterator[str]:
    written = found.found[fields["error"]].values if "error" in fields else ()
    told = [error for error in _ERRORS if error in written]
    if told:
        yield "[errors]"
        yield from (f'{error} = {{ error = "{error}", action = "{_ERRORS[error]}" }}' for error in told)


def _rules(happened: Found | None, results: Results | None, fields: dict[str, str]) -> Iterator[str]:
    """Yield the rules: one for each word that means a token operation, with its failures before it."""
    if happened is None:
        yield (
            "# Nothing in the sample looks like the name of a token operation. Write a rule for each kind of line, such as:\n#\n"
            '#   [[rules]]\n#   when = { event = "token_issued" }\n#   action = "token.issued.{grant}"'
        )
        return
    ignored = []
    for value, count in happened.values.most_common():
        action = guess_action(value) if isinstance(value, str) else None
        if action is None:
            ignored.append(f"{_toml(value)} {count:,}")
            continue
        if "{grant}" in action and "grant_type" not in fields:
            action = action.replace("{grant}", "other")
        condition = {happened.path: value}
        if results and OUTCOMES.get(action, "success") == "success":
            if results.failed:
                yield _rule({**condition, results.path: _one_or_all(results.failed)}, "token.validation_failed")
            if results.succeeded:
                condition[results.path] = _one_or_all(results.succeeded)
        yield _rule(condition, action)
    if ignored:
        yield f"# Ignored, since no rule is about them: {', '.join(ignored)}"


def _rule(when: dict[str, Any], action: str) -> str:
    conditions = ", ".join(f"{_key(path)} = {_toml(value)}" for path, value in when.items())
    return f'[[rules]]\nwhen = {{ {conditions} }}\naction = "{action}"'


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _key(path: str) -> str:
    return path if path.replace("_", "").replace("-", "").isalnum() and path.isascii() else _toml(path)


def _toml(value: Any) -> str:
    """Write a value as TOML does. JSON's escapes are TOML's, but for DEL; a text with quotes in it is nicer without escapes."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str) and '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
