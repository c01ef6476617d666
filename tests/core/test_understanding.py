"""One judgement of a log for all commands: is it understood?"""

from collections import Counter

import pytest

from ingestor.core.accounting import Account
from ingestor.core.understanding import Grasp, Understanding, of_account
from parsers.event import Reason


@pytest.mark.parametrize(
    ("events", "rejected", "ignored", "grasp", "wrong"),
    [
        (0, 0, 0, Grasp.UNDERSTOOD, False),
        (100, 0, 0, Grasp.UNDERSTOOD, False),
        (1, 0, 0, Grasp.UNDERSTOOD, False),
        # nothing at all
        (0, 1, 0, Grasp.NOTHING, True),
        (0, 200, 0, Grasp.NOTHING, True),
        (0, 1, 500, Grasp.NOTHING, True),
        (0, 0, 20, Grasp.NOTHING, True),
        (0, 0, 3, Grasp.NOTHING, False),  # a general audit log that has only begun
        # almost nothing, among lines that nobody understands
        (1, 200, 0, Grasp.ALMOST_NOTHING, True),
        (9, 191, 0, Grasp.ALMOST_NOTHING, True),
        (1, 19, 0, Grasp.UNDERSTOOD, False),
        (1, 5, 0, Grasp.UNDERSTOOD, False),
        (10, 190, 0, Grasp.UNDERSTOOD, False),
        # a general audit log has few token events
        (5, 0, 995, Grasp.ALMOST_NOTHING, False),
        (10, 0, 990, Grasp.UNDERSTOOD, False),
        (5, 1, 994, Grasp.ALMOST_NOTHING, False),
        (5, 500, 495, Grasp.ALMOST_NOTHING, True),
    ],
)
def test_judgement(events: int, rejected: int, ignored: int, grasp: Grasp, wrong: bool) -> None:
    understanding = Understanding(events, rejected, ignored)
    assert (understanding.grasp, understanding.wrong) == (grasp, wrong)
    assert understanding.doubtful == (grasp is not Grasp.UNDERSTOOD)
    assert understanding.doubtful or not understanding.wrong


@pytest.mark.parametrize("events", [0, 1, 7, 1000])
def test_more_events_never_make_it_worse(events: int) -> None:
    for rejected in (0, 1, 19, 20, 500):
        for ignored in (0, 1, 19, 20, 5000):
            before, after = Understanding(events, rejected, ignored), Understanding(events + 1, rejected, ignored)
            assert before.wrong or not after.wrong


def test_it_is_told_in_words() -> None:
    assert Understanding(0, 1, 0).told() == "Its only line is no event (1 rejected)"
    assert Understanding(0, 1200, 34).told() == "None of its 1,234 lines is an event (1,200 rejected, 34 ignored)"
    assert Understanding(1, 199, 0).told("newest") == "Only 1 of its 200 newest lines is an event (199 rejected)"
    assert Understanding(2, 0, 998).told() == "Only 2 of its 1,000 lines are events (998 ignored)"


def test_what_expired_or_waits_for_the_store_is_an_event() -> None:
    account = Account(100, 10, Counter({Reason.INVALID_JSON: 2}), 3, 60)
    assert of_account(account) == Understanding(95, 2, 3)
