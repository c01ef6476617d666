from typing import Any

from ingestor.provision.plan import Action, plan, removal
from ingestor.provision.things import Found, Kind, Thing


def thing(kind: Kind, uid: str, *, locked: bool = True, **body: Any) -> Thing:
    return Thing(kind, uid, uid, body, locked=locked)


FOLDER = thing(Kind.FOLDER, "tokentail")
SOURCE = thing(Kind.DATA_SOURCE, "tokentail", url="http://a")
CONTACT = thing(Kind.CONTACT_POINT, "tokentail-page")
BOARD = thing(Kind.DASHBOARD, "tokentail-overview", title="x")
GROUP = thing(Kind.RULE_GROUP, "failures", interval=60, rules=[])
ALL = [GROUP, BOARD, CONTACT, SOURCE, FOLDER]


def told(wanted: list[Thing], found: list[Found]) -> list[tuple[Action, Kind]]:
    return [(step.action, step.thing.kind) for step in plan(wanted, found).changes]


def test_things_are_made_in_the_order_in_which_they_need_each_other() -> None:
    assert told(ALL, []) == [(Action.CREATE, kind) for kind in Kind]


def test_what_is_there_is_kept() -> None:
    made = plan(ALL, [Found(entry) for entry in ALL])
    assert made.is_empty
    assert {step.action for step in made.steps} == {Action.KEEP}


def test_what_differs_is_updated() -> None:
    (step,) = plan([BOARD], [Found(BOARD._replace(body={"title": "by hand"}))]).steps
    assert step.action is Action.UPDATE
    assert [difference.place for difference in step.differences] == ["title"]


def test_what_is_ours_and_not_wanted_any_more_goes_rules_first() -> None:
    assert told([], [Found(entry) for entry in ALL]) == [(Action.DELETE, kind) for kind in reversed(Kind)]


def test_what_is_not_ours_is_in_the_way_or_left_alone() -> None:
    found = [Found(BOARD, others="no tag"), Found(thing(Kind.DASHBOARD, "tokentail-x"), others="no tag")]
    made = plan([FOLDER, BOARD], found)
    assert [(conflict.thing, conflict.why) for conflict in made.conflicts] == [(BOARD, "no tag")]
    assert [step.thing for step in made.steps] == [FOLDER]
    assert not made.is_empty
    assert removal(found).is_empty


def test_a_thing_that_becomes_editable_is_made_anew_and_one_that_is_locked_is_not() -> None:
    (step,) = plan([GROUP._replace(locked=False)], [Found(GROUP)]).steps
    assert (step.action, step.remake) == (Action.UPDATE, True)
    (step,) = plan([GROUP], [Found(GROUP._replace(locked=False))]).steps
    assert (step.action, step.remake) == (Action.UPDATE, False)
