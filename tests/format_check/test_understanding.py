"""One judgement of a log for all commands: is it understood?"""

from collections import Counter

import pytest

from ingestor.format_check.understanding import NOTHING_KNOWN, Grasp, Understanding, judged, of_account
from ingestor.model.accounting import Account
from parsers.contract import Reason


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
        (0, 0, 1, Grasp.NOTHING, True),
        # almost nothing, among lines that nobody understands
        (1, 200, 0, Grasp.ALMOST_NOTHING, True),
        (9, 191, 0, Grasp.ALMOST_NOTHING, True),
        # more than a mishap
        (1, 19, 0, Grasp.PARTLY, False),
        (1, 5, 0, Grasp.PARTLY, False),
        (1, 4, 0, Grasp.UNDERSTOOD, False),
        (10, 190, 0, Grasp.PARTLY, False),
        (95, 5, 0, Grasp.PARTLY, False),
        (96, 5, 0, Grasp.UNDERSTOOD, False),
        (95, 5, 500, Grasp.PARTLY, False),
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
    assert understanding.doubtful or not (understanding.wrong or understanding.spoilt)


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
    assert Understanding(10, 90, 5).told() == "90 of its 105 lines are rejected (90% of what should be events)"
    assert Understanding(0, 60, 0, "last").told("newest") == "None of its 60 last lines is an event (60 rejected)"


FINE, DOCKER = Understanding(300, 0, 0), Understanding(0, 300, 0)
GENERAL = Understanding(100, 0, 5000)


@pytest.mark.parametrize(
    ("newest", "last", "whole", "found"),
    [
        (FINE, NOTHING_KNOWN, NOTHING_KNOWN, FINE),
        # what was understood, and is not any more
        (Understanding(300, 300, 0), DOCKER, NOTHING_KNOWN, DOCKER._replace(kind="last")),
        (Understanding(1940, 60, 0), Understanding(0, 60, 0), FINE, Understanding(0, 60, 0, "last")),
        (Understanding(1981, 19, 0), Understanding(0, 19, 0), FINE, Understanding(1981, 19, 0)),
        (Understanding(30, 5, 965), Understanding(0, 5, 95), GENERAL, Understanding(0, 5, 95, "last")),
        # ignored lines are no fault, nor are few rejected ones among them
        (Understanding(30, 4, 966), Understanding(0, 4, 96), GENERAL, Understanding(30, 4, 966)),
        (Understanding(30, 0, 970), Understanding(0, 0, 500), GENERAL, Understanding(30, 0, 970)),
        (Understanding(0, 0, 300), Understanding(0, 0, 300), GENERAL, GENERAL),
        (Understanding(1, 0, 299), Understanding(0, 0, 99), GENERAL, GENERAL),
        # a file that was just begun
        (Understanding(0, 2, 0), Understanding(0, 2, 0), FINE, FINE),
        (Understanding(0, 5, 0), Understanding(0, 5, 0), FINE, Understanding(0, 5, 0)),
        # what was not understood, and is again
        (FINE, NOTHING_KNOWN, Understanding(300, 9000, 0), FINE),
        (Understanding(90, 10, 0), NOTHING_KNOWN, Understanding(9, 891, 0), Understanding(90, 10, 0)),
        # nothing else is known, or it is the same
        (NOTHING_KNOWN, NOTHING_KNOWN, DOCKER, DOCKER),
        (DOCKER, DOCKER, Understanding(0, 9000, 0), Understanding(0, 9000, 0)),
        (Understanding(0, 0, 3), Understanding(0, 0, 3), NOTHING_KNOWN, Understanding(0, 0, 3)),
    ],
)
def test_a_log_is_judged_as_it_is_now(
    newest: Understanding, last: Understanding, whole: Understanding, found: Understanding
) -> None:
    assert judged(newest, last, whole) == found


def test_what_expired_or_waits_for_the_store_is_an_event() -> None:
    account = Account(100, 10, Counter({Reason.INVALID_JSON: 2}), 3, 60)
    assert of_account(account) == Understanding(95, 2, 3)
