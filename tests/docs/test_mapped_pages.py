"""The pages of providers whose logs are mapped, and were tried on no server: what they say is what the mappings make of the testcases."""

import json
import re
from functools import cache
from typing import Any, Final

import pytest

from parsers import mapping
from parsers.contract import ISSUED_PREFIX, OUTCOMES
from tests.docs.markdown import ROOT, names, part, prose, rows

PROVIDERS: Final = ("auth0", "okta", "duende", "pingam", "entra", "cognito")
FIELDS: Final = {
    "clients": "client_id",
    "users": "user_id",
    "addresses": "ip",
    "user agents": "user_agent",
    "scopes": "scopes",
    "lifetimes": "expires_in",
    "realms": "realm",
}
"""What the page calls a field of an event."""

provider: Final = pytest.mark.parametrize("name", PROVIDERS)


@cache
def page(name: str) -> str:
    return (ROOT / f"docs/{name}.md").read_text("utf-8")


@cache
def events(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the lines of the testcases that are events, and what they are."""
    folder = ROOT / f"parsers/mapping/testcases/{name}-operations"
    lines = (folder / "input.jsonl").read_text("utf-8").splitlines()
    made = json.loads((folder / "expected.json").read_text("utf-8"))
    return [(line, event) for line, event in zip(lines, made, strict=True) if "action" in event]


def told(name: str) -> list[tuple[list[list[str]], str, str]]:
    """Return the rows of the events: alternatives of what stands in the line, the event, its error."""
    table = rows(part(page(name), "which-events-appear"))
    return [
        ([names(each) for each in re.split("(?<=`) or (?=`)", where)], event.strip("`"), error.strip("`"))
        for _, where, event, error in table
    ]


@provider
def test_each_event_of_the_page_is_made_of_such_a_line(name: str) -> None:
    assert len(told(name)) > 8
    for alternatives, action, error in told(name):
        made = [line for line, event in events(name) if (event["action"], event.get("error", "")) == (action, error)]
        for words in alternatives:
            assert words
            assert any(all(word in line for word in words) for line in made), (words, action, error)


@provider
def test_no_event_is_missing_on_the_page(name: str) -> None:
    made = {(event["action"], event.get("error", "")) for _, event in events(name)}
    assert {(action, error) for action, error in made if error != "other"} == {each[1:] for each in told(name)}


@provider
def test_what_never_appears_is_made_by_no_rule(name: str) -> None:
    never = set(names(part(page(name), "which-events-never-appear"))) & OUTCOMES.keys()
    appear = {action for _, action, _ in told(name)}
    definition = mapping.read_mapping(mapping.shipped_text(name))
    makes = {rule.action for rule in definition.rules} | {meaning.action for meaning in definition.errors.values()}
    assert never & makes == set()
    assert never | appear == {
        *(action for action in OUTCOMES if not action.startswith(ISSUED_PREFIX)),
        *(action for action in appear if action.startswith(ISSUED_PREFIX)),
    }


@provider
def test_what_the_dashboards_show(name: str) -> None:
    shown = dict(rows(part(page(name), "what-the-dashboards-show")))
    assert shown.keys() == FIELDS.keys()
    for label, said in shown.items():
        has = {bool(event.get(FIELDS[label])) for _, event in events(name)}
        expected = {True} if said.startswith("yes") else {False} if said == "no" else {True, False}
        assert has == expected, (label, said)


@provider
def test_it_says_that_nobody_has_tried_it(name: str) -> None:
    assert re.search(r"tried\s+on no live", prose(page(name)))
    assert f'parser = "mapping:{name}"' in page(name)


@provider
def test_it_is_found_from_the_list_of_providers(name: str) -> None:
    assert f"]({name}.md)" in (ROOT / "docs/providers.md").read_text("utf-8")
    assert f"](../../docs/{name}.md)" in (ROOT / "parsers/mapping/README.md").read_text("utf-8")
