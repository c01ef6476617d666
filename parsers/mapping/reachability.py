"""Rules that no line can reach, because earlier ones take all their lines."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final, NamedTuple, TypeAlias

from parsers.mapping.conditions import OneOf, Test
from parsers.mapping.definition import Rule
from parsers.mapping.paths import Step

_MOST_CASES: Final = 200
"""A rule with more combinations of values is taken for reachable."""
_Case: TypeAlias = dict[tuple[tuple[Step, ...], ...], Test]
"""What a line is like: a test of the value at each path."""


class Shadowed(NamedTuple):
    """A rule that never matches, and the first rules that take its lines."""

    rule: Rule
    by: tuple[Rule, ...]


def shadowed(rules: Sequence[Rule]) -> Iterator[Shadowed]:
    """Yield the rules that can never match. Where that is not certain, a rule can."""
    for index, rule in enumerate(rules):
        takers = [_taker(case, rules[:index]) for case in _cases(rule)]
        found = [taker for taker in takers if taker is not None]
        if takers and len(found) == len(takers):
            by_number = {taker.number: taker for taker in found}
            yield Shadowed(rule, tuple(by_number[number] for number in sorted(by_number)))


def _cases(rule: Rule) -> list[_Case]:
    """Return what a rule is about, one by one: each combination of the values that it lists."""
    cases = 1
    for _, test in rule.when:
        cases *= len(test.values) if isinstance(test, OneOf) else 1
    if cases > _MOST_CASES:
        return []
    choices = [
        [(path.ways, each) for each in ([OneOf((v,)) for v in test.values] if isinstance(test, OneOf) else [test])]
        for path, test in rule.when
    ]
    return [dict(case) for case in product(*choices)]


def _taker(case: _Case, rules: Sequence[Rule]) -> Rule | None:
    """Return the first rule whose conditions are all met whenever those of the case are."""
    return next(
        (
            rule
            for rule in rules
            if all(path.ways in case and test.includes(case[path.ways]) for path, test in rule.when)
        ),
        None,
    )
