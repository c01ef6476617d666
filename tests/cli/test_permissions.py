"""What this user may not do is 77, with our words: never click's "wrong usage", and never a fault of ours."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from ingestor.state.database import DATABASE
from tests.cli.conftest import SINCE, nobody

Tokentail = Callable[..., Result]


@pytest.fixture
def forbidden(tokentail: Tokentail, stored: tuple[str, ...], audit_log: Path, tmp_path: Path) -> Iterator[Path]:
    """Yield a directory with a state, a config and a log that nobody else may read, and one that nobody may search."""
    del stored
    state = tmp_path / "state"
    warm_up = [("stats", *SINCE), ("events", *SINCE), ("status",), ("verify", audit_log), ("explain", audit_log)]
    for command in (*warm_up, ("rejected", "list"), ("config", "show"), ("validate",)):
        assert tokentail(*command, "--state-dir", state).exit_code == 0  # imports everything
    (tmp_path / "tokentail.toml").write_text("")
    closed = tmp_path / "closed"
    closed.mkdir()
    for path in (state, closed, tmp_path / "tokentail.toml", audit_log):
        path.chmod(0)
    yield tmp_path
    for path in (state, closed):  # so that it can be cleared away
        path.chmod(0o700)


@pytest.mark.parametrize(
    "words",
    [
        "stats --state-dir {0}/state",
        "events --state-dir {0}/state",
        "status --state-dir {0}/state",
        "rejected list --state-dir {0}/state",
        "rejected replay --state-dir {0}/state",
        "verify {0}/audit.log --state-dir {0}/state",
        "backfill {0}/audit.log --state-dir {0}/state",
        "run --once --log {0}/audit.log --state-dir {0}/state",
        "demo --keep {0}/kept --state-dir {0}/state",
        "validate --state-dir {0}/state",
        "stats --state-dir {0}/closed/state",
        "backfill {0}/audit.log --state-dir {0}/closed/state",
        "rejected replay --state-dir {0}/closed/state",
        "validate --state-dir {0}/closed/deep/state",
        "demo --keep {0}/closed/demo",
        "stats --config {0}/tokentail.toml",
        "stats --config {0}/closed/tokentail.toml",
        "config show --config {0}/tokentail.toml",
        "validate --config {0}/tokentail.toml",
        "explain {0}/audit.log --state-dir {0}/none",
        "explain {0}/closed/audit.log --state-dir {0}/none",
        "backfill {0}/audit.log --state-dir {0}/new",
    ],
)
def test_no_permission_is_77_with_words_of_ours(tokentail: Tokentail, forbidden: Path, words: str) -> None:
    with nobody(forbidden):
        result = tokentail(*words.format(forbidden).split())
    assert result.exit_code == 77, result.output
    assert "by this user" in result.output or "may not" in result.output or "cannot be written" in result.output
    assert "Usage:" not in result.output
    assert "Unexpected" not in result.output


def test_a_database_that_may_not_be_read_in_a_directory_that_may(tokentail: Tokentail, forbidden: Path) -> None:
    state = forbidden / "state"
    state.chmod(0o755)
    (state / DATABASE).chmod(0)
    with nobody(forbidden):
        result = tokentail("stats", *SINCE, "--state-dir", state)
    assert result.exit_code == 77
    assert "by this user" in result.stderr
