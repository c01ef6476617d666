"""The mappings that ship: what their README says is what they do, and none makes an event of another one's lines."""

import re
from pathlib import Path

import pytest

import parsers
from parsers import mapping
from parsers.contract import rule_of
from parsers.formats.lookalike import lookalike
from parsers.mapping import expressions
from parsers.mapping.conditions import OneOf
from parsers.mapping.definition import Definition
from tests.docs.markdown import ROOT, names, part, prose, rows, slug
from tests.support.engine import no_engine

README = (Path(parsers.__file__).parent / "mapping/README.md").read_text("utf-8")


def definition(name: str) -> Definition:
    return mapping.read_mapping(mapping.shipped_text(name))


def said(name: str) -> list[tuple[list[str], str]]:
    """Return the rows of a mapping's table: names of the log, and the action."""
    table = rows(part(README, slug(definition(name).title)))
    return [(names(row[0]), action) for row in table for action in names(row[1])]


@pytest.mark.parametrize("name", mapping.shipped())
def test_each_event_of_the_readme_is_made_by_a_rule(name: str) -> None:
    rules = definition(name).rules
    for written, action in said(name):
        for word in written:
            fitting = [rule for rule in rules if rule.action == action and _asks_for(word, rule.when)]
            assert fitting, f"no rule makes {action} of {word}"


def _asks_for(word: str, when: object) -> bool:
    return bool(re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", str(when).replace("\\\\", "")))


@pytest.mark.parametrize("name", mapping.shipped())
def test_each_word_that_a_rule_asks_for_stands_in_the_readme(name: str) -> None:
    section = part(README, slug(definition(name).title))
    for rule in definition(name).rules:
        path, test = rule.when[-1] if name == "pingam" else rule.when[0]
        for value in test.values if isinstance(test, OneOf) else ():
            if isinstance(value, str) and path.written not in {"eventSource", "originalTransferMethod"}:
                assert f"`{value}" in section or value.lower() in section.lower(), (rule.number, value)


@pytest.mark.parametrize("name", mapping.shipped())
def test_a_log_without_the_mapping_is_said_to_have_one(name: str) -> None:
    (case,) = (Path(parsers.__file__).parent / "mapping/testcases").glob(f"{name}-*")
    found = lookalike((case / "input.jsonl").read_bytes().splitlines())
    assert found is not None
    assert f'`parser = "mapping:{name}"`' in found.advice


@pytest.mark.parametrize("name", mapping.shipped())
@pytest.mark.parametrize("other", mapping.shipped())
def test_no_mapping_makes_an_event_of_another_ones_lines(name: str, other: str) -> None:
    parser = parsers.find(f"mapping:{name}")
    (case,) = (Path(parsers.__file__).parent / "mapping/testcases").glob(f"{other}-*")
    outcomes = parser.parse((case / "input.jsonl").read_bytes(), 1_798_761_600_000)
    assert any(outcome.__class__ is tuple for outcome in outcomes) == (name == other)


@pytest.mark.parametrize("name", mapping.shipped())
def test_auto_names_the_same_rule(name: str) -> None:
    (case,) = (Path(parsers.__file__).parent / "mapping/testcases").glob(f"{name}-*")
    auto, own = parsers.find(), parsers.find(f"mapping:{name}")
    lines = (case / "input.jsonl").read_bytes().splitlines()
    ruled = [line for line in lines if rule_of(own, line)]
    assert ruled
    assert [rule_of(auto, line) for line in ruled] == [rule_of(own, line) for line in ruled]


def test_auto_goes_without_the_mappings_that_this_machine_cannot_compile() -> None:
    told: list[str] = []
    with no_engine():
        auto = parsers.find(report=told.append)
    (left_out,) = told
    assert left_out.startswith("Left out: mapping:auth0, mapping:")
    assert left_out.count("pip install google-re2") == 1
    without = re.findall(r"mapping:(\w+)", left_out)
    page = (ROOT / "docs/getting-started.md").read_text("utf-8")
    assert names(part(prose(page), "systems-with-musl").partition("Without it")[2].partition(".")[0]) == without
    for name in mapping.shipped():
        assert (f"mapping:{name} " in auto.version) == (name not in without)


def test_a_mapping_that_needs_what_is_not_there_has_one_problem() -> None:
    for name in ("okta", "pingam"):
        with no_engine(), pytest.raises(mapping.MappingError) as raised:
            mapping.read_mapping(mapping.shipped_text(name))
        (problem,) = raised.value.problems
        assert problem.what == expressions.NO_ENGINE
        assert problem.line > 1
