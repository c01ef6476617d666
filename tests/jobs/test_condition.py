"""``status --check``: what is a warning, what is critical, and the line that a plugin prints."""

import re
from typing import Any

import pytest

from ingestor.format_check.misfit import Misfit
from ingestor.format_check.understanding import Understanding
from ingestor.jobs.condition import Condition, Seen, judge, plugin_line
from ingestor.model.accounting import Account

WELL: dict[str, Any] = {
    "running": True,
    "checkpoint_age": 1.0,
    "lag": 0.0,
    "unread_bytes": 0,
    "problems": (),
    "gap_ages": (),
    "set_aside": "",
    "misfits": (),
    "store_lacks": "",
    "store_exceeds": "",
    "total": Account(10, 10),
}
MISFIT = Misfit("/a.log", Understanding(0, 9, 0), "x|y")
LIMIT = 300.0


@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        ({}, Condition.OK),
        ({"running": False, "checkpoint_age": 200.0}, Condition.OK),  # `run --once`, every now and then
        ({"running": False, "checkpoint_age": 301.0}, Condition.CRITICAL),
        ({"running": False, "checkpoint_age": None}, Condition.CRITICAL),
        ({"checkpoint_age": 900.0}, Condition.OK),  # it runs; what it says of itself counts
        ({"lag": 300.0}, Condition.OK),
        ({"lag": 301.0}, Condition.WARNING),
        ({"lag": 1201.0}, Condition.CRITICAL),
        ({"problems": ("the store is away",)}, Condition.CRITICAL),
        ({"store_lacks": "The store lacks 1 event"}, Condition.CRITICAL),
        ({"store_exceeds": "The store holds 1 event that nobody has counted"}, Condition.WARNING),
        ({"gap_ages": (86_399.0, 1e9)}, Condition.CRITICAL),
        ({"gap_ages": (86_400.0,)}, Condition.OK),
        ({"set_aside": "/s/db.damaged-1"}, Condition.WARNING),
        ({"misfits": (MISFIT,)}, Condition.CRITICAL),
        ({"misfits": (Misfit("/a.log", Understanding(5, 0, 995)),)}, Condition.OK),
        ({"misfits": (Misfit("/a.log", Understanding(10, 90, 0)),)}, Condition.WARNING),
        ({"misfits": (Misfit("/a.log", Understanding(5, 10, 985)),)}, Condition.WARNING),
        ({"set_aside": "/s/db.damaged-1", "misfits": (MISFIT,)}, Condition.CRITICAL),
    ],
)
def test_conditions(changes: dict[str, Any], condition: Condition) -> None:
    judgement = judge(Seen(**WELL | changes), lag_limit=LIMIT)
    assert judgement.condition is condition
    assert bool(judgement.reasons) == bool(condition)


def test_one_line_is_no_plural() -> None:
    seen = Seen(**WELL | {"total": Account(1, 1)})
    assert "OK - 1 line read, 1 stored |" in plugin_line(judge(seen, lag_limit=LIMIT), seen, lag_limit=LIMIT)


def test_the_line_is_one_of_a_plugin() -> None:
    seen = Seen(**WELL | {"problems": ("store | away",), "lag": 400.0, "total": Account(10, 3)})
    line = plugin_line(judge(seen, lag_limit=LIMIT), seen, lag_limit=LIMIT)
    assert line.startswith("TOKENTAIL CRITICAL - store / away; it lags 400 s behind | ")
    assert line.count("|") == 1
    for figure in line.partition("| ")[2].split():
        assert re.fullmatch(r"[a-z]+=\d+[a-zB]?(;\d+;\d+)?", figure), figure
    assert "read=10c stored=3c" in line
    assert "lag=400s;300;1200" in line
