"""A real Keycloak under attack: each attack is found, from its own log, and quiet traffic is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings
from ingestor.model.finding import StoredFinding
from ingestor.model.questions import Period
from ingestor.state.findings import read_findings
from tests.providers.keycloak_attacks import ATTACKS, alarms_of_nobody
from tests.providers.keycloak_realm import Realm, realm_of
from tests.providers.real_keycloak import Keycloak
from tests.support.world import World

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PEOPLE = 20
PLAYED = {"secrets_from_many_addresses", "code_guessing", "refresh_token_reuse", "attacked_user"}


@pytest.fixture
def realm(tmp_path: Path, world: World) -> Iterator[Realm]:
    if not Keycloak.is_here():
        pytest.skip("no Keycloak here: see tests/providers/real_keycloak.py")
    server = Keycloak(tmp_path, world.log.path, "--proxy-headers=xforwarded", realm=realm_of(PEOPLE))
    try:
        server.wait()
        yield Realm(server.realm_url, PEOPLE)
    finally:
        server.stop()


def test_four_attacks_are_found_and_nobody_else_is_told_of(realm: Realm, world: World) -> None:
    world.log_settings = (LogSettings(str(world.log.path), source="keycloak"),)
    realm.be_quiet()
    world.turn()
    quiet = findings(world)
    played = [attack for attack in ATTACKS if attack.name in PLAYED]
    assert len(played) == len(PLAYED)
    for attack in played:
        attack.begin(realm)
        world.turn()
    world.stop()
    world.once()

    found = findings(world)
    assert [attack.name for attack in played if not attack.found(found)] == []
    assert alarms_of_nobody([*quiet, *found]) == []
    assert [attack.name for attack in ATTACKS if attack.found(quiet)] == []
    world.check_agreement()


def findings(world: World) -> list[StoredFinding]:
    return world.ask(lambda state: list(read_findings(state.connection, Period(0, 2**63 - 1))))
