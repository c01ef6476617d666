"""Where clients are at home."""

from ingestor.detectors.parts.homes import MOST_NETWORKS, Homes
from parsers.contract import EventRow
from tests.detectors.cases.made import event

DAY = 86_400


def token(second: float, ip: str | None, client: str = "app") -> EventRow:
    return event("token.issued.client_credentials", second, client, ip=ip)


def homes(*rows: EventRow) -> Homes:
    made = Homes()
    made.learn(rows)
    return made


def is_home(made: Homes, ip: str | None, client: str = "app") -> bool:
    home = made.get(("", client))
    return home is not None and home.has(ip)


def test_a_client_is_at_home_in_the_networks_where_it_gets_tokens() -> None:
    made = homes(token(0, "10.0.0.1"), token(0, "2001:db8:1:2::1"), token(0, None))
    assert is_home(made, "10.0.0.200")
    assert is_home(made, "2001:db8:1:9::9")
    assert not is_home(made, "10.0.1.1")
    assert not is_home(made, None)
    assert not is_home(made, "10.0.0.1", "other")


def test_one_that_is_everywhere_is_at_home_nowhere_for_a_day() -> None:
    rows = [token(n, f"10.0.{n}.1") for n in range(MOST_NETWORKS + 1)]
    assert is_home(homes(*rows[:-1]), "10.0.0.1")
    made = homes(*rows)
    assert not is_home(made, "10.0.0.1")
    made.learn([token(DAY, "10.0.0.1")])
    assert not is_home(made, "10.0.0.1")
    made.learn([token(DAY + MOST_NETWORKS, "10.0.0.1")])
    assert is_home(made, "10.0.0.1")


def test_a_piece_changes_with_a_new_network_alone() -> None:
    made = homes(token(0, "10.0.0.1"))
    assert len(made.dump()) == 1
    made.learn([token(1, "10.0.0.2")])
    assert not made.dump()
    made.learn([token(2, "10.0.1.2")])
    again = Homes()
    again.restore({name: piece for name, piece in made.dump().items() if piece is not None})
    assert is_home(again, "10.0.0.1")
    assert is_home(again, "10.0.1.1")
