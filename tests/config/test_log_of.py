"""Which ``[[logs]]`` entry a source belongs to."""

import pytest

from ingestor.config.log_of import log_of
from ingestor.config.settings import LogSettings

LOGS = (
    LogSettings("/var/log/a/*.log", parser="native"),
    LogSettings("/var/log/a/b.log", parser="words"),
    LogSettings("/var/log/named/*.log", source="named", parser="native"),
    LogSettings("/var/log/deep/**/x.log", parser="deep"),
    LogSettings("/var/log/odd[1].log", parser="odd"),
)


@pytest.mark.parametrize(
    ("source", "parser"),
    [
        ("/var/log/a/a.log", "native"),
        ("/var/log/a/b.log", "words"),  # a path says more than a glob
        ("/var/log/a/sub/a.log", "auto"),
        ("/var/log/a/.hidden.log", "auto"),
        ("named", "native"),
        ("/var/log/named/a.log", "auto"),  # its source is another
        ("/var/log/deep/a/b/x.log", "deep"),
        ("/var/log/odd[1].log", "odd"),
        ("stdin", "auto"),
    ],
)
def test_the_entry_that_names_it_else_the_first_glob(source: str, parser: str) -> None:
    assert log_of(source, LOGS).parser == parser


def test_a_source_of_nobody_is_one_with_defaults() -> None:
    assert log_of("/tmp/x.log", LOGS) == LogSettings("/tmp/x.log")  # noqa: S108 - no file is made
