"""Backfill, replay of rejected lines, and verification."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingestor.errors import TokentailError
from ingestor.settings import ErrorRule, LogSettings, Settings
from ingestor.shell.backfill import backfill
from ingestor.shell.daemon import Daemon
from ingestor.shell.replay import replay
from ingestor.shell.state import State
from ingestor.shell.verify import verify
from parsers.event import Reason
from tests.world import World, gz, zst

NOW_MS = 1_800_000_000_000


@contextmanager
def daemon_of(world: World, settings: Settings | None = None) -> Iterator[Daemon]:
    world.stop()
    state = State.open(world.state_directory, "host-1")
    daemon = Daemon(settings or world.settings, state)
    try:
        yield daemon
    finally:
        daemon.close()
        state.close()


def test_old_generations_inherit_the_source_of_their_log(world: World) -> None:
    paths = []
    for packer in (gz, zst, None):
        world.log.write(5)
        rotated = world.log.rename()
        if packer:
            packer(rotated)
    world.log.write(5)
    paths = sorted(str(path) for path in world.logs_directory.glob("audit.log.*"))
    world.once()
    assert len(world.stored()) == 5, "what was rotated before the first look is left to a backfill"
    with daemon_of(world) as daemon:
        done = backfill(daemon.ingest, paths)
    assert {file.source for file in done} == {str(world.log.path)}
    assert [Path(file.path).name for file in done] == ["audit.log.3.gz", "audit.log.2.zst", "audit.log.1"], (
        "in time order"
    )
    world.check()
    world.once()
    world.check()


def test_a_backfill_of_what_was_read_changes_nothing_and_of_the_live_file_reads_on(world: World) -> None:
    world.log.write(5)
    world.once()
    world.log.write(5)
    world.log.write(b'{"half')
    with daemon_of(world) as daemon:
        (done,) = backfill(daemon.ingest, [str(world.log.path)])
        assert (done.lines, done.new, done.problem) == (10, 5, "")
        daemon.step()
    world.check()
    assert world.rejected() == [], "the live file's half line waits"


def test_a_copy_elsewhere_is_recognised_by_content(world: World) -> None:
    world.log.write(50)
    world.once()
    copy = world.directory / "evidence.jsonl"
    shutil.copyfile(world.log.path, copy)
    with daemon_of(world) as daemon:
        (done,) = backfill(daemon.ingest, [str(copy)])
        assert (done.source, done.new) == (str(world.log.path), 0)
        (other,) = backfill(daemon.ingest, [str(copy)], source="archive")
        assert (other.source, other.new) == ("archive", 50)
    assert len(world.stored()) == 100, "another source is another log, when a person says so"


def test_a_file_that_cannot_be_read_is_said_before_anything_is_read(world: World) -> None:
    world.log.write(5)
    with daemon_of(world) as daemon:
        with pytest.raises(TokentailError, match="cannot be read"):
            backfill(daemon.ingest, [str(world.log.path), str(world.directory / "missing")])
        assert not daemon.ingest.has_pending


def test_an_interrupted_backfill_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.log.write(2000)
    with daemon_of(world) as daemon:
        original = daemon.ingest.take

        def interrupt(block: object) -> None:
            original(block)  # type: ignore[arg-type]
            daemon.ingest.commit()
            raise KeyboardInterrupt

        monkeypatch.setattr(daemon.ingest, "take", interrupt)
        with pytest.raises(KeyboardInterrupt):
            backfill(daemon.ingest, [str(world.log.path)])
    assert 0 < len(world.stored()) < 2000
    with daemon_of(world) as daemon:
        backfill(daemon.ingest, [str(world.log.path)])
    world.check()


def test_rejected_lines_become_stored_after_a_fix(world: World) -> None:
    good = [json.loads(world.log.line()) for _ in range(3)]
    fixable = dict(good[1], details={"client_id": "web"}, action="token.issued.password")
    world.log.write(b"".join(json.dumps(line).encode() + b"\n" for line in (good[0], fixable, good[2])))
    world.log.write(b"{broken\n")
    with daemon_of(world) as daemon:
        parser = daemon.ingest.parser("auto")
        original = parser.parse

        def reject_password(data: bytes, now_ms: int) -> object:
            from parsers.event import Rejection  # noqa: PLC0415

            outcomes = original(data, now_ms)
            return [
                Rejection(Reason.UNKNOWN_ACTION, "action") if b"issued.password" in line else outcome
                for line, outcome in zip(data.splitlines(), outcomes, strict=True)
            ]

        parser.parse = reject_password  # type: ignore[method-assign,assignment]
        daemon.step()
    assert sorted(world.rejected()) == [Reason.INVALID_JSON, Reason.UNKNOWN_ACTION]
    assert len(world.stored()) == 2
    gz(world.log.rename())
    with daemon_of(world) as daemon:
        outcome = replay(daemon.ingest, NOW_MS)
    assert outcome._asdict() == {"stored": 1, "ignored": 0, "rejected": 1, "not_found": 0}
    world.check()
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert (account.read, account.total_rejected, account.pending) == (4, 1, 0)
    with daemon_of(world) as daemon:
        assert replay(daemon.ingest, NOW_MS).stored == 0, "once"
        (found,) = backfill(daemon.ingest, [str(world.log.sibling(".1.gz"))])
        assert found.new == 0
    world.check()


def test_replay_says_when_the_line_is_nowhere(world: World) -> None:
    world.log.write(b"{broken\n")
    world.log.write(1)
    world.once()
    world.log.path.unlink()
    with daemon_of(world) as daemon:
        assert replay(daemon.ingest, NOW_MS).not_found == 1


def test_verify_finds_what_is_missing_different_and_unread(world: World) -> None:
    world.log.write(20)
    world.once()
    world.log.write(b"{broken\n\n")
    world.log.write(2)
    state = State.open(world.state_directory)
    state.connection.execute("DELETE FROM token_events WHERE event_id = 'audit-3'")
    state.connection.execute("UPDATE token_events SET ip = '192.0.2.1' WHERE event_id = 'audit-5'")
    state.close()
    (found,) = world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))
    assert (found.events, found.stored, found.missing, found.different, found.unread) == (22, 18, 1, 1, 2)
    assert [(fault.line, fault.what) for fault in found.faults] == [
        (4, "missing"),
        (6, "different"),
        (23, "not read"),
        (24, "not read"),
    ]
    assert not found.good


def test_verify_agrees_with_rules_that_the_settings_hold(world: World) -> None:
    rules = {"Bad secret": ErrorRule("invalid_client", "token.validation_failed")}
    settings = Settings(logs=(LogSettings(str(world.log.path)),), read=world.read, errors=rules)
    details = {"client_id": "web", "error": "Bad secret"}
    world.log.write(world.log.line(action="token.validation_failed", details=details))
    with daemon_of(world, settings) as daemon:
        daemon.step()
    assert world.ask(lambda state: verify(settings, state, [str(world.log.path)]))[0].good
    assert not world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))[0].good
