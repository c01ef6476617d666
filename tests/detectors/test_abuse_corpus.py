"""The attacks of bench/abuse in Keycloak's log: it says what was done, or is known not to."""

from collections.abc import Iterator
from functools import cache
from typing import Final

import orjson

from bench.abuse.attacks import Attack, attacks
from bench.abuse.keycloak import KeycloakLog, Logged
from parsers.contract import Event

SEED: Final = 20261201
HIDDEN: Final = {"stolen_code"}


@cache
def made() -> list[tuple[Attack, Logged]]:
    log = KeycloakLog(SEED)
    return [(attack, log.logged(attack)) for attack in attacks(SEED)]


def usual(name: str) -> tuple[Attack, Logged]:
    (found,) = (pair for pair in made() if pair[0].name == name and pair[0].variant == "usual")
    return found


def told(attack: Attack) -> Iterator[tuple[int, str, str, str | None]]:
    for event in (Event(*row) for row in attack.rows):
        yield event.time_ms, event.tags.action, event.tags.client_id, event.ip


def test_those_that_it_does_not_show_are_known() -> None:
    assert {attack.name for attack, logged in made() if not logged.is_shown} == HIDDEN


def test_all_but_devices_that_wait_is_told_as_it_was_done() -> None:
    for attack, logged in made():
        if attack.name not in HIDDEN:
            done = [each for each in told(attack) if each[1] != "token.authorization_pending"]
            assert list(told(logged.attack)) == done


def test_nobody_is_told_by_user_agent_and_users_by_keycloaks_ids() -> None:
    attack, logged = usual("attacked_user")
    assert {row[5] for row in logged.attack.rows} == {None}
    assert len(logged.attack.users) == len(attack.users) == 1
    assert logged.attack.users != attack.users


def test_a_client_that_does_not_exist_is_not_found() -> None:
    for name, error in (("client_enumeration", "client_not_found"), ("secret_guessing", "invalid_client_credentials")):
        _, logged = usual(name)
        assert all(f'error="{error}"' in orjson.loads(line.data)["message"] for line in logged.lines)


def test_scopes_that_are_refused_are_told_apart() -> None:
    attack, logged = usual("scope_probing")
    assert len({row[9] for row in logged.attack.rows}) == len(attack.rows)


def test_a_label_names_the_lines_by_their_times() -> None:
    _, logged = usual("secret_guessing")
    label = logged.label()
    assert "event_ids" not in label
    assert label["timestamps"] == [orjson.loads(line.data)["timestamp"] for line in logged.lines]
    assert len(set(label["timestamps"])) == len(logged.lines)
