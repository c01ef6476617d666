from typing import Any

from ingestor.provision.plan import Action, plan, removal
from ingestor.provision.resources import Existing, Kind, Resource


def thing(kind: Kind, uid: str, *, locked: bool = True, **body: Any) -> Resource:
    return Resource(kind, uid, uid, body, locked=locked)


FOLDER = thing(Kind.FOLDER, "tokentail")
SOURCE = thing(Kind.DATA_SOURCE, "tokentail", url="http://a")
CONTACT = thing(Kind.CONTACT_POINT, "tokentail-page")
BOARD = thing(Kind.DASHBOARD, "tokentail-overview", title="x")
GROUP = thing(Kind.RULE_GROUP, "failures", interval=60, rules=[])
ALL = [GROUP, BOARD, CONTACT, SOURCE, FOLDER]


def told(wanted: list[Resource], found: list[Existing]) -> list[tuple[Action, Kind]]:
    return [(step.action, step.thing.kind) for step in plan(wanted, found).changes]


def test_things_are_made_in_the_order_in_which_they_need_each_other() -> None:
    assert told(ALL, []) == [(Action.CREATE, thing.kind) for thing in reversed(ALL)]


def test_what_is_there_is_kept() -> None:
    made = plan(ALL, [Existing(entry) for entry in ALL])
    assert made.is_empty
    assert {step.action for step in made.steps} == {Action.KEEP}


def test_what_differs_is_updated() -> None:
    (step,) = plan([BOARD], [Existing(BOARD._replace(body={"title": "by hand"}))]).steps
    assert step.action is Action.UPDATE
    assert [difference.place for difference in step.differences] == ["title"]


def test_what_is_ours_and_not_wanted_any_more_goes_rules_first() -> None:
    assert told([], [Existing(entry) for entry in ALL]) == [(Action.DELETE, thing.kind) for thing in ALL]


def test_what_is_not_ours_is_in_the_way_or_left_alone() -> None:
    found = [Existing(BOARD, others="no tag"), Existing(thing(Kind.DASHBOARD, "tokentail-x"), others="no tag")]
    made = plan([FOLDER, BOARD], found)
    assert [(conflict.thing, conflict.why) for conflict in made.conflicts] == [(BOARD, "no tag")]
    assert [step.thing for step in made.steps] == [FOLDER]
    assert not made.is_empty
    assert removal(found).is_empty


def test_rules_that_become_editable_or_locked_are_updated() -> None:
    for wanted, found in ((GROUP._replace(locked=False), GROUP), (GROUP, GROUP._replace(locked=False))):
        (step,) = plan([wanted], [Existing(found)]).steps
        assert (step.action, [d.place for d in step.differences]) == (Action.UPDATE, ["editable in Grafana"])
    assert plan([CONTACT._replace(locked=False)], [Existing(CONTACT)]).is_empty, "it keeps the lock of its making"


def test_what_others_use_is_kept() -> None:
    made = plan([], [Existing(CONTACT, in_use="the notification policies send to it"), Existing(BOARD)])
    assert [(kept.thing, kept.why) for kept in made.kept] == [(CONTACT, "the notification policies send to it")]
    assert [(step.action, step.thing) for step in made.steps] == [(Action.DELETE, BOARD)]
    assert plan([CONTACT], [Existing(CONTACT, in_use="the notification policies send to it")]).is_empty


def test_ours_and_somebody_elses_of_one_name() -> None:
    found = [Existing(CONTACT), Existing(CONTACT, others="theirs")]
    made = plan([CONTACT], found)
    assert ([conflict.why for conflict in made.conflicts], made.steps) == (["theirs"], ())
    (step,) = removal(found).steps
    assert (step.action, step.thing) == (Action.DELETE, CONTACT)
