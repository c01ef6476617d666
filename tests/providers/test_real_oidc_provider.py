"""A real oidc-provider, driven with token traffic and attacks, against what was done."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings
from tests.providers.driven import counted, drive, stored
from tests.providers.real_oidc_provider import OidcProvider
from tests.support.world import World

pytestmark = pytest.mark.long


@pytest.fixture
def provider(tmp_path: Path, world: World) -> Iterator[OidcProvider]:
    if not OidcProvider.is_here():
        pytest.skip("no oidc-provider here: see tests/providers/real_oidc_provider.py")
    server = OidcProvider(tmp_path, world.log.path)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def test_the_store_holds_what_was_done_through_kills_of_the_daemon(provider: OidcProvider, world: World) -> None:
    world.log_settings = (LogSettings(str(world.log.path), source="idp"),)  # detected line by line
    endpoint = provider.endpoint(random.Random())

    def rotate() -> None:
        world.log.rename()
        provider.reopen()
        while not world.log.path.stat().st_size:  # the signal comes when it comes
            endpoint.anonymous()

    drive(world, {**endpoint.steps, rotate: 2}, random.Random())
    events = stored(world)
    assert counted(events, OidcProvider.CLIENTS) == Counter(endpoint.done)
    users = {event.user_id for event in events if event.action in {"token.refreshed", "token.userinfo_accessed"}}
    assert users == {"alice"}
    assert {event.ip for event in events} == {"127.0.0.1"}
