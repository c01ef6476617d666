"""Backfill, replay of rejected lines, and verification."""

import dataclasses
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingestor.config.settings import BudgetSettings, ErrorRule, LogSettings, ReadSettings, Settings
from ingestor.daemon.daemon import Daemon
from ingestor.errors import TokentailError
from ingestor.jobs.backfill import backfill
from ingestor.jobs.replay import replay
from ingestor.jobs.verify import verify
from ingestor.sources.block import Block
from ingestor.state.rejected_file import RejectedLine
from ingestor.state.state import State
from parsers.contract import Reason
from tests.support.world import World, gz, zst

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
        done = backfill(daemon.pipeline, paths)
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
        (done,) = backfill(daemon.pipeline, [str(world.log.path)])
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
        (done,) = backfill(daemon.pipeline, [str(copy)])
        assert (done.source, done.new) == (str(world.log.path), 0)
        (other,) = backfill(daemon.pipeline, [str(copy)], source="archive")
        assert (other.source, other.new) == ("archive", 50)
    assert len(world.stored()) == 100, "another source is another log, when a person says so"


def test_a_file_that_cannot_be_read_is_said_before_anything_is_read(world: World) -> None:
    world.log.write(5)
    with daemon_of(world) as daemon:
        with pytest.raises(TokentailError, match="cannot be read"):
            backfill(daemon.pipeline, [str(world.log.path), str(world.directory / "missing")])
        assert not daemon.pipeline.has_pending


def test_an_interrupted_backfill_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.log.write(2000)
    with daemon_of(world) as daemon:
        original = daemon.pipeline.process

        def interrupt(block: object) -> None:
            original(block)  # type: ignore[arg-type]
            daemon.pipeline.commit()
            raise KeyboardInterrupt

        monkeypatch.setattr(daemon.pipeline, "process", interrupt)
        with pytest.raises(KeyboardInterrupt):
            backfill(daemon.pipeline, [str(world.log.path)])
    assert 0 < len(world.stored()) < 2000
    with daemon_of(world) as daemon:
        backfill(daemon.pipeline, [str(world.log.path)])
    world.check()


def test_rejected_lines_become_stored_after_a_fix(world: World) -> None:
    good = [json.loads(world.log.line()) for _ in range(3)]
    fixable = dict(good[1], details={"client_id": "web"}, action="token.issued.password")
    world.log.write(b"".join(json.dumps(line).encode() + b"\n" for line in (good[0], fixable, good[2])))
    world.log.write(b"{broken\n")
    with daemon_of(world) as daemon:
        parser = daemon.pipeline._parsers.named("auto")
        original = parser.parse

        def reject_password(data: bytes, now_ms: int) -> object:
            from parsers.contract import Rejection  # noqa: PLC0415

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
        outcome = replay(daemon.pipeline, NOW_MS)
    assert outcome._asdict() == {"stored": 1, "ignored": 0, "rejected": 1, "not_found": 0}
    world.check()
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert (account.read, account.total_rejected, account.pending) == (4, 1, 0)
    with daemon_of(world) as daemon:
        assert replay(daemon.pipeline, NOW_MS).stored == 0, "once"
        (found,) = backfill(daemon.pipeline, [str(world.log.sibling(".1.gz"))])
        assert found.new == 0
    world.check()


@pytest.mark.parametrize("place", ["beside", "archive"])
def test_replay_finds_the_file_whatever_its_source_is_called(world: World, tmp_path: Path, place: str) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    entry = LogSettings(str(world.log.path), source="idp", archive_directories=(str(archive),))
    settings = dataclasses.replace(world.settings, logs=(entry,))
    world.log.write(b"{broken\n")
    world.log.write(1)
    with daemon_of(world, settings) as daemon:
        daemon.step()
        daemon.drain()
    rotated = world.log.rename()
    if place == "archive":
        rotated.rename(archive / "audit.log.1")
    with daemon_of(world, settings) as daemon:
        outcome = replay(daemon.pipeline, NOW_MS)
    assert outcome._asdict() == {"stored": 0, "ignored": 0, "rejected": 1, "not_found": 0}


def test_replay_says_when_the_line_is_nowhere(world: World) -> None:
    world.log.write(b"{broken\n")
    world.log.write(1)
    world.once()
    world.log.path.unlink()
    with daemon_of(world) as daemon:
        assert replay(daemon.pipeline, NOW_MS).not_found == 1


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


def figures(world: World) -> tuple[int, int, int, int, list[tuple[str, str, int]]]:
    """Return read, stored, rejected, ignored, and the hourly counters by action and error."""

    def look(state: State) -> tuple[int, int, int, int, list[tuple[str, str, int]]]:
        (account,) = state.accounts().values()
        assert account.pending == 0
        rows = state.connection.execute(
            "SELECT action, error, sum(events) FROM token_events_1h JOIN series ON series = number"
            " GROUP BY action, error HAVING sum(events) > 0 ORDER BY action, error"
        ).fetchall()
        assert sum(row[2] for row in rows) == account.stored == len(world.stored())
        return account.read, account.stored, account.total_rejected, account.ignored, rows

    return world.ask(look)


def test_lines_classified_otherwise_move_to_their_new_tags(world: World) -> None:
    rules = {"Code too old": ErrorRule("expired_code", "token.expired")}
    settings = Settings(logs=(LogSettings(str(world.log.path)),), read=world.read, errors=rules)
    failure = {"client_id": "web", "error": "Code too old"}
    for _ in range(100):
        world.log.write(2)
        world.log.write(world.log.line(action="token.validation_failed", details=failure))
    world.once()
    assert figures(world)[4] == [("token.refreshed", "", 200), ("token.validation_failed", "other", 100)]
    (found,) = world.ask(lambda state: verify(settings, state, [str(world.log.path)]))
    assert (found.stored, found.other_tags, found.missing, found.good) == (200, 100, 0, False)
    assert (found.faults[0].line, found.faults[0].what) == (3, "other tags")
    for again in (300, 0):
        with daemon_of(world, settings) as daemon:
            (done,) = backfill(daemon.pipeline, [str(world.log.path)])
        assert (done.lines, done.new, done.again) == (300, 0, again)
        assert figures(world) == (
            300,
            300,
            0,
            0,
            [("token.expired", "expired_code", 100), ("token.refreshed", "", 200)],
        )
        assert world.ask(lambda state: verify(settings, state, [str(world.log.path)]))[0].good
    world.check()
    (found,) = world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))
    assert found.other_tags == 100, "under the old settings it is the other way round"


def test_a_move_that_is_given_up_is_taken_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules change back when some lines have moved: these lines are not what the former rules made of them."""
    rules = {"Code too old": ErrorRule("expired_code", "token.expired")}
    settings = Settings(logs=(LogSettings(str(world.log.path)),), read=world.read, errors=rules)
    failure = {"client_id": "web", "error": "Code too old"}
    for _ in range(20):
        world.log.write(2)
        world.log.write(world.log.line(action="token.validation_failed", details=failure))
    world.once()
    before = figures(world)
    with daemon_of(world, settings) as daemon:
        original = daemon.pipeline.reprocess

        def interrupt(block: Block, listed: Mapping[tuple[int, int], Sequence[RejectedLine]]) -> None:
            original(block, listed)
            daemon.pipeline.commit()
            raise KeyboardInterrupt

        monkeypatch.setattr(daemon.pipeline, "reprocess", interrupt)
        with pytest.raises(KeyboardInterrupt):
            backfill(daemon.pipeline, [str(world.log.path)])
    assert figures(world) != before
    with daemon_of(world) as daemon:
        backfill(daemon.pipeline, [str(world.log.path)])
    assert figures(world) == before
    assert world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))[0].good


def test_verify_finds_a_line_that_is_stored_twice(world: World) -> None:
    world.log.write(20)
    world.once()
    state = State.open(world.state_directory)
    state.connection.execute(
        "INSERT INTO series SELECT 99, 'token.expired', client_id, endpoint, 'expired_code', grant_type,"
        " host, 'failure', realm, source FROM series WHERE number = 1"
    )
    state.connection.execute(
        "INSERT INTO token_events SELECT time, 99, user_id, ip, user_agent, scopes, client, expires_in,"
        " fraction, event_id, error_detail FROM token_events WHERE event_id = 'audit-3'"
    )
    state.close()
    (found,) = world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))
    assert (found.stored, found.twice, found.good) == (19, 1, False)
    assert [(fault.line, fault.what) for fault in found.faults] == [(4, "twice")]


def test_a_line_that_was_ignored_or_rejected_is_accounted_as_what_a_backfill_makes_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.log.write(3)
    world.log.write(world.log.line(action="login"))
    world.log.write(world.log.line(action="token.minted"))
    world.log.write(b"{broken\n")
    world.once()
    assert figures(world)[:4] == (6, 3, 2, 1)
    from parsers.contract import OUTCOMES  # noqa: PLC0415
    from parsers.native import NativeParser  # noqa: PLC0415

    original = NativeParser.parse

    def understand(self: NativeParser, data: bytes, now_ms: int) -> object:
        for word in (b'"login"', b'"token.minted"'):
            data = data.replace(word, b'"token.revoked"')
        return original(self, data, now_ms)

    assert "token.minted" not in OUTCOMES
    monkeypatch.setattr(NativeParser, "parse", understand)
    monkeypatch.setattr(NativeParser, "version", "another")
    for _ in range(2):
        with daemon_of(world) as daemon:
            (done,) = backfill(daemon.pipeline, [str(world.log.path)])
            assert done.new == 0
            assert [entry.reason for entry in daemon.pipeline.listed()] == [Reason.INVALID_JSON]
        assert figures(world)[:4] == (6, 5, 1, 0)
    world.check()


def test_what_start_end_passed_over_is_counted_when_a_backfill_brings_it(world: World) -> None:
    world.log.write(1000)
    world.log.write(b"{broken\n\n")
    world.log.write(world.log.line(action="login"))
    world.log_settings = (LogSettings(str(world.log.path), start="end"),)
    world.log.written.remove("audit-1000")
    world.once()
    world.log.write(50)
    world.once()
    assert figures(world)[:4] == (50, 50, 0, 0)
    (found,) = world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))
    assert (found.stored, found.unread, found.missing) == (50, 1000, 0)
    for new in (1002, 0):
        with daemon_of(world) as daemon:
            (done,) = backfill(daemon.pipeline, [str(world.log.path)])
        assert (done.lines, done.new) == (1052, new)
        assert figures(world)[:4] == (1052, 1050, 1, 1)
        world.check()
    assert world.rejected() == [Reason.INVALID_JSON]
    world.log.write(5)
    world.once()
    world.check()
    assert world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))[0].good


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_an_interrupted_backfill_of_what_start_end_passed_over_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, blocks: int
) -> None:
    world.budgets = BudgetSettings(clients=3)  # whom a line admits must not depend on the interruption
    world.read = ReadSettings(rotated_quiet_seconds=0.0, missing_grace_seconds=0.0, max_line_bytes=1024)
    world.log.write(100)
    world.log_settings = (LogSettings(str(world.log.path), start="end"),)
    world.once()
    world.log.write(20)
    world.once()
    with daemon_of(world) as daemon:
        original = daemon.pipeline.process
        calls = iter(range(blocks))

        def interrupt(block: Block) -> None:
            original(block)
            daemon.pipeline.commit()
            if next(calls, None) is None:
                raise KeyboardInterrupt

        monkeypatch.setattr(daemon.pipeline, "process", interrupt)
        with pytest.raises(KeyboardInterrupt):
            backfill(daemon.pipeline, [str(world.log.path)])
    for _ in range(2):
        with daemon_of(world) as daemon:
            backfill(daemon.pipeline, [str(world.log.path)])
        assert figures(world)[:4] == (120, 120, 0, 0)
        world.check()
        assert world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))[0].good


def test_a_store_that_lost_a_point_is_mended_and_nothing_is_counted_for_it(world: World) -> None:
    world.log.write(20)
    world.once()
    before = figures(world)
    state = State.open(world.state_directory)
    state.connection.execute("DELETE FROM token_events WHERE event_id IN ('audit-3', 'audit-7')")
    state.connection.execute("UPDATE token_events SET user_id = 'u-2' WHERE event_id = 'audit-5'")
    state.close()
    with daemon_of(world) as daemon:
        backfill(daemon.pipeline, [str(world.log.path)])
    assert figures(world) == before
    world.check()
    assert world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))[0].good
