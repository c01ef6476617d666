"""The state's schema by numbers: every older state becomes the newest, whole or not at all."""

import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings
from ingestor.errors import UnavailableError
from ingestor.state import database
from ingestor.state.database import DATABASE
from ingestor.state.state import State
from ingestor.state.upgrades import SCHEMA_VERSION, UPGRADES, Upgrade, upgrade, version_of
from tests.support.world import Log, World, gz

SCHEMAS = Path(__file__).parent / "schemas"
"""Small states of each released schema, dumped by the version that wrote them: with the embedded store, and with an InfluxDB
that has not got all counters yet. @DIRECTORY@ stands where their world was."""


def dump(name: int | str, directory: Path) -> str:
    return (SCHEMAS / f"{name}.sql").read_text("utf-8").replace("@DIRECTORY@", str(directory))


def load(number: int, world: World) -> None:
    """Put the state of an older version into a world."""
    world.state_directory.mkdir()
    with closing(sqlite3.connect(world.state_directory / DATABASE)) as connection:
        connection.executescript(dump(number, world.directory))


def memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def schema(connection: sqlite3.Connection) -> dict[str, tuple[str, object]]:
    """Return every table and index: its text without layout, its columns with their order, types and defaults."""
    return {
        name: (" ".join(str(sql).split()), connection.execute(f"PRAGMA table_xinfo({name})").fetchall())
        for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    }


def columns(connection: sqlite3.Connection) -> dict[str, list[object]]:
    """Return the columns of every table and index. ALTER TABLE leaves another text than CREATE TABLE would."""
    return {name: found[1] for name, found in schema(connection).items()}  # type: ignore[misc]


def contents(connection: sqlite3.Connection) -> list[str]:
    return [*connection.iterdump(), str(version_of(connection))]


def test_the_numbers_have_no_hole() -> None:
    assert list(UPGRADES) == list(range(1, SCHEMA_VERSION + 1))


def test_the_state_of_schema_1_was_made_by_the_version_that_wrote_it() -> None:
    """Its tables are those that the first entry makes, to the letter: the first entry is history."""
    old, new = memory(), memory()
    old.executescript(dump(1, Path("/var/log")))
    upgrade(new, {1: UPGRADES[1]})
    assert version_of(old) == 1
    assert schema(old) == schema(new)


@pytest.mark.parametrize("name", sorted(path.stem for path in SCHEMAS.glob("*.sql")))
def test_an_older_state_gets_the_schema_of_a_new_one(name: str) -> None:
    number = int(name.partition("-")[0])
    old, new = memory(), memory()
    old.executescript(dump(name, Path("/var/log")))
    assert version_of(old) == number
    kept = "SELECT source, read, stored, (SELECT sum(events) FROM token_events_1h) FROM accounts"
    before = old.execute(kept).fetchall()
    assert upgrade(old) == number
    assert old.execute(kept).fetchall() == before
    assert upgrade(new) == 0
    assert version_of(old) == version_of(new) == SCHEMA_VERSION
    assert columns(old) == columns(new)
    newest = contents(old)
    upgrade(old)
    assert contents(old) == newest


def write_the_logs_of_schema_1(log: Log) -> None:
    """Write the bytes that the version of schema 1 had read; they are other files than those, as after a restore."""
    log.write(40)
    log.write(b'{broken\n{"created_at":"2026-11-01T08:00:00Z","action":"user.login"}\n')
    log.write(log.line(action="token.validation_failed", details={"client_id": "unknown-1", "error": "invalid_client"}))
    gz(log.rename())
    log.write(25 + 10)
    log.rename(create=False)
    log.write(12)
    log.path.unlink()  # read, then lost together with 30 lines that were not
    log.lines(30)
    log.write(7)


def test_a_state_of_schema_1_goes_on_where_it_was(world: World) -> None:
    load(1, world)
    log = world.log
    world.log_settings = (LogSettings(str(log.path), source="node-a"),)
    write_the_logs_of_schema_1(log)
    del log.written[-37:-7]
    world.once()
    world.check()
    assert len(world.gaps()) == 1
    log.write(5)
    log.rename()
    log.write(5)
    world.once()
    world.check()
    assert len(world.gaps()) == 1
    totals = "SELECT sum(events) FROM token_events_1h UNION ALL SELECT sum(events) FROM token_totals_15m"
    assert world.ask(lambda state: state.connection.execute(totals).fetchall()) == [(len(log.written),)] * 2


def old_state(connection: sqlite3.Connection) -> list[str]:
    connection.executescript(dump(1, Path("/var/log")))
    return contents(connection)


def drop_and_fail(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE half(x)")
    connection.execute("DELETE FROM accounts")
    raise KeyboardInterrupt


@pytest.mark.parametrize("broken", [drop_and_fail, "CREATE TABLE half(x); DROP TABLE gaps; DROP TABLE there_is_none;"])
def test_an_upgrade_that_fails_leaves_what_was_before_it(broken: Upgrade) -> None:
    connection = memory()
    before = old_state(connection)
    with pytest.raises((KeyboardInterrupt, sqlite3.OperationalError)):
        upgrade(connection, {1: UPGRADES[1], 2: broken})
    assert contents(connection) == before
    upgrade(connection, {1: UPGRADES[1], 2: "CREATE TABLE two(x); INSERT INTO two VALUES(';');", 3: "DROP TABLE gaps;"})
    assert version_of(connection) == 3


def test_a_crash_amid_an_upgrade_leaves_what_was_before_it(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA cache_spill=1")
        before = old_state(connection)

    def crash(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TABLE gaps")
        os.kill(os.getpid(), signal.SIGKILL)

    child = multiprocessing.get_context("fork").Process(
        target=lambda: upgrade(sqlite3.connect(path, isolation_level=None), {1: UPGRADES[1], 2: crash})
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert contents(connection) == before


def test_no_part_of_a_script_is_passed_over() -> None:
    connection = memory()
    with pytest.raises(ValueError, match="has no end"):
        upgrade(connection, {1: "CREATE TABLE one(x); INSERT INTO one VALUES('a;)"})
    assert contents(connection) == contents(memory())


def test_a_reader_says_who_upgrades_an_older_state_and_does_not_touch_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(1, world)
    before = (world.state_directory / DATABASE).read_bytes()
    monkeypatch.setattr(database, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(UnavailableError, match="older tokentail") as caught:
        State.open_reader(world.state_directory)
    assert "tokentail run" in caught.value.advice
    assert (world.state_directory / DATABASE).read_bytes() == before


def test_what_a_crash_left_of_a_first_start_before_numbers_is_finished(world: World) -> None:
    """Those versions made table after table, then stamped the number."""
    world.state_directory.mkdir()
    with closing(sqlite3.connect(world.state_directory / DATABASE)) as connection:
        connection.executescript("CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;")
    world.log.write(3)
    world.once()
    world.check()
