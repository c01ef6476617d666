"""A mapping as it was read: which lines of a log are token events, and where their values stand. ``reading`` makes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from parsers.mapping.conditions import Matches, Test
from parsers.mapping.expressions import group_names
from parsers.mapping.paths import Path

FIELDS: Final = (
    *("time", "client_id", "user_id", "ip", "user_agent", "scopes", "grant_type"),
    *("error", "error_detail", "expires_in", "event_id", "realm"),
)
"""What a mapping takes out of a line, in the words of what is stored of an event."""
IGNORE: Final = "ignore"
REJECT: Final = "reject"
GRANT: Final = "{grant}"
"""Stands in an action for the grant of the line."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a value stands, and how it is written there."""

    path: Path
    format: str = ""
    """Of the time."""
    zone: str = ""
    """Of a time without an offset."""
    separator: str = ""
    """Of scopes in a text, besides blanks."""


class Condition(NamedTuple):
    """What a rule asks of the value at a path."""

    path: Path
    test: Test


class ErrorMeaning(NamedTuple):
    """What a provider's own error text means; a ``parsers.vocabulary.ErrorRule``."""

    error: str
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What a line is that meets all conditions."""

    number: int
    """Counted from 1."""
    line: int
    """Where it begins in its file, counted from 1."""
    action: str
    """Of ``parsers.contract.OUTCOMES``, perhaps with ``GRANT``; or ``IGNORE`` or ``REJECT``."""
    when: tuple[Condition, ...] = ()
    error: str = ""
    endpoint: str = ""
    grant_type: str = ""
    fields: Mapping[str, Field] = field(default_factory=dict)
    """Those that stand elsewhere than in other lines."""
    drop: frozenset[str] = frozenset()

    @property
    def expressions(self) -> list[tuple[Path, str]]:
        """The expressions that have named groups, each with the path of its text."""
        found = [(path, test.expression) for path, test in self.when if isinstance(test, Matches)]
        return [(path, expression) for path, expression in found if group_names(expression)]

    @property
    def groups(self) -> set[str]:
        """The names of the groups of its expressions."""
        return {name for _, expression in self.expressions for name in group_names(expression)}


@dataclass(frozen=True, slots=True)
class Definition:
    """All of a mapping."""

    fields: Mapping[str, Field]
    rules: tuple[Rule, ...]
    title: str = ""
    unwrap: Path | None = None
    """Where an object stands whose keys are read as if they stood at the top of the line."""
    require: tuple[Path, ...] = ()
    """What each line of the log has: one that lacks any of these is rejected."""
    signs: tuple[str, ...] = ()
    """Texts of which one stands in each line of the log, and in none of another provider's."""
    not_json: str = REJECT
    otherwise: str = IGNORE
    """What becomes of a line that no rule is about."""
    empty: frozenset[str] = frozenset()
    clients_unknown: bool = False
    groups: tuple[tuple[Path, str], ...] = ()
    """Expressions whose named groups any rule may use, each with the path of its text."""
    grants: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, ErrorMeaning] = field(default_factory=dict)
    realms: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    """Another one whenever the content is, but for comments and blanks."""
