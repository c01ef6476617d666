from ingestor.provision.diff import Difference, differences


def told(found: object, wanted: object) -> list[tuple[str, str, str]]:
    return [(d.place, d.found, d.wanted) for d in differences(found, wanted)]


def test_equal_documents_do_not_differ() -> None:
    document = {"panels": [{"id": 1, "title": "a"}, {"id": 2}], "tags": ["x"], "n": None, "f": 1.0}
    assert told(document, {**document}) == []


def test_a_change_is_told_with_its_place() -> None:
    found = {"panels": [{"id": 1, "title": "Failures", "fieldConfig": {"defaults": {"unit": "short"}}}]}
    wanted = {"panels": [{"id": 1, "title": "Failures", "fieldConfig": {"defaults": {"unit": "percent"}}}]}
    assert told(found, wanted) == [('panels/"Failures"/fieldConfig/defaults/unit', '"short"', '"percent"')]


def test_what_only_one_has_is_told() -> None:
    assert told({"a": 1}, {"b": 2}) == [("b", "", "2"), ("a", "1", "")]


def test_members_are_told_apart_by_what_names_them() -> None:
    found = {"panels": [{"id": 9, "title": "mine"}, {"id": 1, "title": "a"}]}
    wanted = {"panels": [{"id": 1, "title": "a"}, {"id": 2, "title": "b"}]}
    assert [place for place, _, _ in told(found, wanted)] == ['panels/"b"', 'panels/"mine"']


def test_another_order_is_a_difference() -> None:
    found, wanted = [{"refId": "A"}, {"refId": "B"}], [{"refId": "B"}, {"refId": "A"}]
    assert told(found, wanted) == [("order", '["A","B"]', '["B","A"]')]


def test_lists_without_names_are_compared_whole() -> None:
    assert told({"tags": ["a"]}, {"tags": ["a", "b"]}) == [("tags", '["a"]', '["a","b"]')]
    assert told([{"id": 1}, {"id": 1}], [{"id": 1}]) == [("", '[{"id":1},{"id":1}]', '[{"id":1}]')]


def test_true_is_not_one() -> None:
    assert told({"a": 1}, {"a": True}) == [("a", "1", "true")]


def test_a_value_is_shortened_and_holds_no_terminal_escape() -> None:
    (difference,) = differences({"t": "x"}, {"t": "\x1b[2J" + "y" * 500})
    assert isinstance(difference, Difference)
    assert len(difference.wanted) == 60
    assert "\x1b" not in difference.wanted
