"""docs/detectors.md says of each detector what it finds, what harmless thing looks like it, and what to do first."""

import dataclasses

import pytest

from ingestor.detectors.contract import Options
from ingestor.detectors.registry import PAGE, DetectorKind, detectors
from ingestor.model.finding import Severity
from tests.docs import reference
from tests.docs.markdown import PAGES, anchors, headings, names, part, rows

TEXT = PAGES[PAGE].read_text("utf-8")
PARTS = ("**Severity.**", "**Looks like it.**", "**First step.**")


def wrong_section(document: str, name: str, kind: DetectorKind) -> str:
    """Return what is wrong with the section of a detector; empty when nothing is."""
    if name not in anchors(document):
        return "there is none"
    text = part(document, name)
    if f"**{kind.title}.**" not in text:
        return "title"
    places = [text.find(each) for each in PARTS]
    if -1 in places or sorted(places) != places:
        return "parts"
    severity, harmless, first = (text[place:].partition("\n\n")[0] for place in places)
    if not {*names(severity)} & {*Severity} and "#" not in severity:
        return "severity"
    if len(harmless.split()) < 6 or len(first.split()) < 6:
        return "too short"
    told = {names(row[0])[0]: names(row[1])[0] for row in rows(text)}
    options = {field.name: field.default for field in dataclasses.fields(kind.options)}
    own = {option: str(value) for option, value in options.items() if option not in reference.COMMON}
    return "" if told == own else f"options: {told} {own}"


@pytest.mark.parametrize("name", detectors())
def test_every_detector_has_a_section(name: str) -> None:
    assert wrong_section(TEXT, name, detectors()[name]) == ""


@pytest.mark.parametrize("name", detectors())
def test_a_runbook_leads_to_the_section(name: str) -> None:
    page, _, anchor = detectors()[name].runbook.partition("#")
    assert (page, anchor) == (PAGE, name)


def test_no_detector_has_a_section_that_is_not_there() -> None:
    assert sorted(headings(TEXT)) == sorted(["Detectors", "Options", *detectors()])


def test_the_options_of_all_are_told_once() -> None:
    told = [names(row[0])[0] for row in rows(part(TEXT, "options"))]
    assert told == [field.name for field in dataclasses.fields(Options)]


def test_what_stands_below_an_option_is_its_meaning() -> None:
    kind = detectors()["code_reuse"].options
    told = reference.option_meanings(kind)
    assert {"grace_seconds", "many_unknown", "networks"} <= told.keys()
    assert "phone" in told["grace_seconds"]


def test_a_wrong_section_is_noticed() -> None:
    kind = detectors()["spray"]
    assert wrong_section(TEXT.replace("## spray", "## spry"), "spray", kind)
    assert wrong_section(TEXT.replace(kind.title, "Nothing"), "spray", kind)
    assert wrong_section(TEXT.replace("| `patience_minutes` | `3` |", "| `patience_minutes` | `4` |"), "spray", kind)
    assert wrong_section(TEXT.replace("**First step.**", "First step."), "spray", kind)
