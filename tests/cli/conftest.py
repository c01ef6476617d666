"""A command line in a world of its own: no config of this machine, a state directory in tmp_path, 80 columns."""

import contextlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingestor.cli import cli

Tokentail = Callable[..., Result]
SINCE = ("--since", "2026-11-01T00:00:00Z", "--until", "2026-11-08T00:00:00Z")


def line(time: str, action: str, client: str = "web-app", user: str | None = None, **details: Any) -> str:
    """Return a native line."""
    return json.dumps(
        {
            "id": details.pop("id", None),
            "created_at": time,
            "action": action,
            "user_id": user,
            "resource_id": client,
            "details": {"client_id": client, **details},
        }
    )


LINES = (
    line(
        "2026-11-02T09:00:00.100Z",
        "token.issued.authorization_code",
        user="ada",
        ip_address="203.0.113.9",
        scopes=["openid", "profile"],
        user_agent="Mozilla/5.0",
        expires_in=3600,
        id="e-1",
    ),
    line("2026-11-02T09:10:00.200Z", "token.userinfo_accessed", user="ada", ip_address="203.0.113.9"),
    line("2026-11-02T10:00:00Z", "token.refreshed", user="ada", expires_in=1800),
    line("2026-11-03T10:00:00.123456Z", "token.issued.client_credentials", "billing", expires_in=600),
    line(
        "2026-11-03T23:30:00.000Z",
        "token.validation_failed",
        "billing",
        error="invalid_client",
        ip_address="198.51.100.7",
    ),
    line("2026-11-03T23:31:00.000Z", "token.rate_limited", "billing", ip_address="198.51.100.7"),
    line("2026-11-04T08:00:00.000Z", "token.authorization_pending", "tv", error="slow_down"),
    line("2026-11-04T08:00:05.000Z", "token.issued.device_code", "tv", user="bob", expires_in=3600),
    '{"created_at":"2026-11-04T08:01:00Z","action":"user.login"}',
    '{"created_at":"2026-11-04T08:02:00Z","action":"token.',
)
"""8 events, 1 ignored line, 1 rejected one."""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Clear what would reach the commands from outside; return the environment that a child process needs."""
    for name in [
        name for name in os.environ if name.startswith("TOKENTAIL_") and not name.startswith("TOKENTAIL_TEST_")
    ]:
        monkeypatch.delenv(name)
    for name in ("STATE_DIRECTORY", "JOURNAL_STREAM", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    return dict(os.environ)


@pytest.fixture
def tokentail(environment: dict[str, str]) -> Tokentail:
    """Run a command in this process."""
    del environment  # wanted for what it does

    def run(*arguments: str | Path, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None) -> Result:
        return CliRunner().invoke(
            cli, [str(argument) for argument in arguments], input=stdin, env=env, prog_name="tokentail"
        )

    return run


@pytest.fixture
def state(tmp_path: Path) -> tuple[str, str]:
    """Return the option for a state directory."""
    return "--state-dir", str(tmp_path / "state")


@pytest.fixture
def audit_log(tmp_path: Path) -> Path:
    """Return a log with LINES."""
    path = tmp_path / "audit.log"
    path.write_text("".join(f"{text}\n" for text in LINES), encoding="utf-8")
    return path


@pytest.fixture
def stored(tokentail: Tokentail, state: tuple[str, str], audit_log: Path) -> tuple[str, ...]:
    """Read LINES into the store; return the options that ask for their week."""
    result = tokentail("run", "--once", "--log", audit_log, *state)
    assert result.exit_code == 0, result.stderr
    return (*SINCE, *state)


@contextlib.contextmanager
def nobody(directory: Path) -> Iterator[None]:
    """Be a user whom permissions stop, when the tests run as root; what leads to ``directory`` can be searched.

    The real user id too: access(2) asks for that one. Whatever is imported late must have been imported before.
    """
    if os.geteuid() != 0:
        yield
        return
    for parent in directory.parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if parent.stat().st_uid == 0 and len(parent.parts) > 2 and not mode & 0o001:
            parent.chmod(mode | 0o011)
    directory.chmod(0o777)
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
