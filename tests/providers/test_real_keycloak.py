"""A real Keycloak 26, driven with token traffic and attacks, against what was done and against its own counters."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings
from tests.providers.driven import counted, drive, stored
from tests.providers.real_keycloak import Keycloak
from tests.support.world import World

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def keycloak(tmp_path: Path, world: World) -> Iterator[Keycloak]:
    if not Keycloak.is_here():
        pytest.skip("no Keycloak here: see tests/providers/real_keycloak.py")
    server = Keycloak(tmp_path, world.log.path)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def test_the_store_holds_what_was_done_and_what_keycloak_counts(keycloak: Keycloak, world: World) -> None:
    world.log_settings = (LogSettings(str(world.log.path), source="keycloak"),)  # detected line by line
    endpoint = keycloak.endpoint(random.Random())
    drive(world, endpoint.steps, random.Random())
    events = stored(world)
    assert counted(events, Keycloak.CLIENTS) == Counter(endpoint.done)
    assert {event.realm for event in events} == {"acme"}
    assert {event.ip for event in events} == {"127.0.0.1"}
    assert {bool(event.user_id) for event in events if event.action == "token.refreshed"} == {True}
    assert {event.user_id for event in events if event.action == "token.issued.client_credentials"} == {None}

    assert keycloak.counts() == endpoint.counts
    assert endpoint.counts.total() - endpoint.browser_logins == len(events)
