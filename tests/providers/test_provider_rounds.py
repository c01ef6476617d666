"""A short run of what `make test-providers` does a hundred thousand times, with the server that starts in a second."""

from pathlib import Path

import pytest

from tests.providers.provider_rounds import HERE, provider_rounds

pytestmark = pytest.mark.long


def test_three_kills_and_four_rotations(tmp_path: Path) -> None:
    if not HERE["oidc-provider"]():
        pytest.skip("no oidc-provider here: see tests/providers/real_oidc_provider.py")
    assert provider_rounds(tmp_path, 200, 3, 20261130, servers=["oidc-provider"], rotations=4) == []
