"""What any parser must pass, ours and other people's: call ``check_parser`` from the tests of yours.

It needs nothing but tokentail itself. A fault is an AssertionError that says which rule of ``parsers.contract`` is broken, and by
which line; the lines come from the caller and from here, so none is a secret.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from parsers.builder import DAY_MS
from parsers.contract import BLANK, NoEvent, Outcome, Parser, Reason, Rejection, events_of
from parsers.damage import CANARY, canaries, damaged
from parsers.form import fault_of_events
from parsers.redaction.lines import SHOWN_BYTES
from parsers.text import clean

NOW_MS: Final = 1_793_600_000_000
"""The clock that the lines are read by, where the caller names no other: 2 November 2026."""
OPTIONS: Final[dict[str, Any]] = {
    "errors": {},
    "trusted_proxies": (),
    "public_identifiers": (),
    "realms": {},
    "log_time_zone": "UTC",
}
"""What tokentail calls a parser with, when the configuration sets none of it."""
_SHOWN_BYTES: Final = 400

Make = Callable[..., Parser]
"""A parser's class, or whatever makes a new one with its options."""


def check_parser(
    make: Make, events: Sequence[bytes], others: Sequence[bytes] = (), *, now_ms: int = NOW_MS, secrets: bool = True
) -> None:
    """Check everything. Raises AssertionError.

    ``events``: lines that become events, one at least of each kind that the provider writes; ``others``: lines that are ignored
    or rejected. None has a line break. ``secrets=False`` leaves out ``check_no_secret_comes_out``, which takes longest.
    """
    lines = [*events, *others]
    check_interface(make)
    check_events(make, events, now_ms)
    check_lines_do_not_depend_on_each_other(make, lines, now_ms)
    check_hostile_lines(make, lines, now_ms)
    if secrets:
        check_no_secret_comes_out(make, lines, now_ms)


def check_interface(make: Make) -> None:
    """Check that the parser can be made, with and without options, and states its name, version and options."""
    parser = make()
    _require(_is_text(parser.name) and parser.name, "`name` is not a text")
    _require(_is_text(parser.version) and parser.version, "`version` is not a text")
    options = {name: value for name, value in OPTIONS.items() if name in parser.options}
    _require(set(options) == set(parser.options), f"`options` names others than {', '.join(OPTIONS)}")
    _require(make(**options).version == parser.version, "`version` depends on options")
    _check_counts(parser)


def check_events(make: Make, events: Sequence[bytes], now_ms: int = NOW_MS) -> None:
    """Check that these lines become events in normal form, and that a line of the future does not."""
    _require(events, "no line that becomes an event is given")
    for line in events:
        _require(b"\n" not in line, "an example has a line break in it", line)
        outcome = _outcome(make(), line, now_ms)
        found = events_of(outcome)
        _require(found, f"no event, but {outcome!r} of", line)
        early = _parse(make(), line + b"\n", max(row[0] for row in found) - DAY_MS - 1)[0]
        _require(_is_out_of_range(early), "more than a day ahead, but not rejected as `out_of_range`:", line)


def check_lines_do_not_depend_on_each_other(make: Make, lines: Sequence[bytes], now_ms: int = NOW_MS) -> None:
    """Check that a line becomes the same alone, in a block of any cut, in another order, and once more."""
    _require(make().parse(b"", now_ms) == [], "an empty block has outcomes")
    _require(make().parse(b"\n \n", now_ms) == [BLANK, BLANK], "an empty line is not BLANK")
    lines = [*lines, b"", *reversed(lines), b"no line of this provider", *lines]
    alone = [_outcome(make(), line, now_ms) for line in lines]
    parser = make()
    for size in (1, 2, 3, len(lines), len(lines)):
        outcomes: list[Outcome] = []
        for start in range(0, len(lines), size):
            block = lines[start : start + size]
            answers = _parse(parser, b"\n".join(block) + b"\n", now_ms)
            _require(len(answers) == len(block), f"{len(answers)} outcomes of {len(block)} lines:", b"\n".join(block))
            outcomes += answers
        for line, outcome, expected in zip(lines, outcomes, alone, strict=True):
            _require(outcome == expected, f"{outcome!r} among others, but {expected!r} alone:", line)
    half = b"\n".join(lines[:1] * 2)
    _require(_parse(make(), half, now_ms) == alone[:1] * 2, "a last line without its line break is another one:", half)
    _check_counts(parser)


def check_hostile_lines(make: Make, lines: Sequence[bytes], now_ms: int = NOW_MS) -> None:
    """Check that no bytes whatever cost more than their own line: no exception, one outcome, in the contract's form."""
    parser = make()
    for line in damaged(lines):
        outcome = _outcome(parser, line, now_ms)
        _require(outcome == _outcome(parser, line, now_ms), "another outcome the second time:", line)
        _redacted(parser, line)
    _check_counts(parser)


def check_no_secret_comes_out(make: Make, lines: Iterable[bytes], now_ms: int = NOW_MS) -> None:
    """Check that secrets in the place of any value of a line are in no event, rejection, text to show or count."""
    parser = make()
    for line in canaries(lines):
        shown = (repr(_outcome(parser, line, now_ms)), _redacted(parser, line), repr(dict(parser.counts)))
        for text in shown:
            _require(CANARY not in text, f"the secret {CANARY} comes out, as {text[:_SHOWN_BYTES]}:", line)


def _parse(parser: Parser, data: bytes, now_ms: int) -> list[Outcome]:
    try:
        return list(parser.parse(data, now_ms))
    except Exception as error:
        raise AssertionError(f"`parse` raises {error!r}: {_shown(data)}") from error


def _outcome(parser: Parser, line: bytes, now_ms: int) -> Outcome:
    """Return what becomes of one line, if it is as the contract wants it."""
    outcomes = _parse(parser, line + b"\n", now_ms)
    _require(len(outcomes) == 1, f"{len(outcomes)} outcomes of one line:", line)
    (outcome,) = outcomes
    if isinstance(outcome, Rejection):
        _require(isinstance(outcome.reason, Reason), "the reason of a rejection is no Reason:", line)
        _require(_is_text(outcome.detail) and clean(outcome.detail) == outcome.detail, "its detail is unclean:", line)
    elif not isinstance(outcome, NoEvent):
        rows: Sequence[Any] = outcome if isinstance(outcome, list) else [outcome]
        plain = all(row.__class__ is tuple for row in rows)
        _require(plain, "an outcome that is none of the contract's (an event is a plain tuple):", line)
        fault = fault_of_events(outcome, now_ms + DAY_MS)
        _require(fault is None, f"an event that is not as the contract wants it, {fault}:", line)
    return outcome


def _redacted(parser: Parser, line: bytes) -> str:
    try:
        text = parser.redact(line)
    except Exception as error:
        raise AssertionError(f"`redact` raises {error!r}: {_shown(line)}") from error
    _require(_is_text(text) and clean(text) == text, "`redact` returns no clean text:", line)
    _require(len(text.encode()) <= SHOWN_BYTES, f"`redact` returns more than {SHOWN_BYTES} bytes:", line)
    return text


def _check_counts(parser: Parser) -> None:
    fit = all(_is_text(name) and count.__class__ is int and count >= 0 for name, count in parser.counts.items())
    _require(fit, "`counts` is no mapping of names to numbers")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_out_of_range(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejection) and outcome.reason is Reason.OUT_OF_RANGE


def _require(holds: Any, rule: str, line: bytes | None = None) -> None:
    if not holds:
        raise AssertionError(rule if line is None else f"{rule} {_shown(line)}")


def _shown(line: bytes) -> str:
    return repr(line[:_SHOWN_BYTES])
