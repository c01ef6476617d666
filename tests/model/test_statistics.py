from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.points import Series
from ingestor.model.statistics import Group, client_key, client_name, stats

PART = st.text(st.sampled_from("/%2Fa5")) | st.text()


def group(client_id: str, realm: str = "") -> Group:
    empty = dict.fromkeys(Series._fields, "")
    tags = Series(**empty | {"action": "token.refreshed", "client_id": client_id, "realm": realm})
    return Group(tags, None, 1, 0, 0)


def test_a_client_is_named_by_its_realm_when_it_has_one() -> None:
    assert client_key("", "web-app") == "web-app"
    assert client_key("main", "web-app") == "main/web-app"
    assert client_key("", "https://app.example/") == "https:%2F%2Fapp.example%2F"
    assert client_key("a/b", "50%") == "a%2Fb/50%25"


@given(PART, PART.filter(bool))
def test_a_key_can_be_read_back_so_no_two_clients_share_one(realm: str, client_id: str) -> None:
    *first, last = client_key(realm, client_id).split("/")
    assert len(first) <= 1
    assert ("".join(map(unquote, first)), unquote(last)) == (realm, client_id)
    assert client_name(client_key(realm, client_id)) == (f"{realm}/{client_id}" if realm else client_id)


def test_a_key_does_not_depend_on_the_other_clients_of_the_answer() -> None:
    alone = stats([group("web-app"), group("main/web-app")], 0).by_client
    beside = stats([group("web-app"), group("main/web-app"), group("web-app", "main")], 0).by_client
    assert alone == {"main%2Fweb-app": 1, "web-app": 1}
    assert beside == {**alone, "main/web-app": 1}
