"""The page on providers: whose parsers ignore prose, and that it is rejected where no parser is named."""

import parsers
from parsers.contract import IGNORED, Rejection
from tests.docs.markdown import PAGES, names

PAGE = PAGES["docs/providers.md"].read_text("utf-8")
NOW_MS = 1_800_000_000_000
PROSE = b"Listening on port 8080 of all interfaces, as configured\n"


def test_prose_is_ignored_by_the_parsers_that_are_named_and_rejected_without_one() -> None:
    (paragraph,) = [text for text in PAGE.split("\n\n") if 'id="prose"' in text]
    outcomes = {name: parsers.find(name).parse(PROSE, NOW_MS)[0] for name in [parsers.AUTO, *parsers.names()]}
    ignoring = {name for name, outcome in outcomes.items() if outcome is IGNORED}
    assert ignoring == set(names(paragraph)) - {"parser"}
    assert isinstance(outcomes[parsers.AUTO], Rejection)
