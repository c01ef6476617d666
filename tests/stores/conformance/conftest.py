"""Which stores the suite runs over. A store is added by its type and what makes settings for an empty one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from ingestor.config.settings import StoreSettings

pytest.register_assert_rewrite("tests.support.store_under_test")

from tests.support.servers import InfluxServer  # noqa: E402 - the suite's asserts are to tell what they compared
from tests.support.store_under_test import StoreUnderTest  # noqa: E402

New = Callable[[], StoreSettings]


def _embedded(_: pytest.FixtureRequest) -> New:
    return StoreSettings


def _influxdb(major: int) -> Callable[[pytest.FixtureRequest], New]:
    def found(request: pytest.FixtureRequest) -> New:
        server: InfluxServer | str = request.getfixturevalue(f"influxdb{major}_or_why")
        if isinstance(server, str):
            pytest.skip(server)
        return server.fresh

    return found


STORES: Final = {"sqlite": _embedded, "influxdb1": _influxdb(1), "influxdb2": _influxdb(2)}
"""By name: returns what makes settings for a store that nobody has set up yet, or skips the test."""


@pytest.fixture(scope="module", params=STORES)
def new_store(request: pytest.FixtureRequest) -> New:
    """What makes settings for a store that nobody has set up yet."""
    return STORES[request.param](request)


@pytest.fixture
def subject(new_store: New, tmp_path: Path) -> Iterator[StoreUnderTest]:
    """An empty store."""
    found = StoreUnderTest(tmp_path / "state", new_store())
    yield found
    found.close()
