"""Kill the daemon with SIGKILL at random moments, again and again, while a writer writes and rotates; then compare.

    .venv/bin/python tests/kill/kill_rounds.py --rounds 200
    .venv/bin/python tests/kill/kill_rounds.py --store influxdb1 --kill-store

With InfluxDB (which of them are here: see tests/support/servers.py) a server of its own is started; ``--kill-store`` kills that,
too, and starts it again. It loses then what it acknowledged (``InfluxServer.tear``), and the daemon must have brought it back.

The writer makes lines with many equal timestamps (whole seconds too, that several files share), broken and blank lines, half
lines that it ends later, and begins many files with one and the same header. It rotates both ways (pausing during copy and
truncate, as the contract asks) and under odd names, compresses what was rotated before, and now and then the log goes back
to a beginning that it, or a file before it, had. Between two lives of the daemon, and by SIGHUP, its source is renamed; the
directory of the logs is moved.

In the end the set of event ids in the store must be the set written, each once: what a rewritten log has cut off before
it was read may be missing, if a gap says so. The accounting must add up, to what the store holds; every broken line
must be listed once; and ``tokentail verify`` must find every point of every file. Exits 1 when anything differs.
"""

import argparse
import contextlib
import gzip
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard

from tests.support.servers import TOKEN, InfluxServer, influxd1, influxd2, new_influxdb1, new_influxdb2, query

TOKENTAIL = [sys.executable, "-m", "ingestor"]
ACTIONS = ("token.issued.authorization_code", "token.refreshed", "token.validation_failed", "token.userinfo_accessed")
BROKEN = (
    b"{half a line\n",
    b'{"created_at":"yesterday","action":"token.refreshed","resource_id":"web"}\n',
    b"\xff\xfe\n",
    b"[]\n",
)


OTHER = b'{"created_at":"2026-11-01T09:30:00Z","action":"user.login"}\n'
EVENT = re.compile(rb'^\{"id": ')
NUMBERED = re.compile(r"audit\.log\.\d{1,6}(\.gz|\.zst)?")
HEADER = b'{"action":"service.started","version":"1.0"}\n'
SOURCES = ("idp", "idp-1", "tokens", "")


class Writer(threading.Thread):
    """An endpoint that writes for ever and rotates its log now and then, until it is stopped."""

    def __init__(self, log: Path, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.log = log
        self.chance = chance
        self.ids: list[str] = []
        self.broken = 0
        self.ignored = 0
        self.cut: set[str] = set()
        """Events that a rewritten log has lost: nobody needs to have read them before."""
        self.cuts: list[set[str]] = []
        """What each rewriting cut off: perhaps before it was read."""
        self.cut_broken = 0
        self.cut_ignored = 0
        self.rotations: Counter[str] = Counter()
        self._stopped = threading.Event()
        self._go = threading.Event()
        self._idle = threading.Event()
        self._clock = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
        self._rotated: list[Path] = []
        """Under names that nothing shifts; the newest last."""

    def run(self) -> None:
        while not self._stopped.is_set():
            self._idle.set()
            if not self._go.wait(0.1):
                continue
            self._idle.clear()
            if not self._go.is_set():
                continue
            self._burst()
            if self.chance.random() < 0.03:
                self._rotate()
            time.sleep(self.chance.random() * 0.02)

    def resume(self) -> None:
        self._go.set()

    def pause(self) -> None:
        """Have it rest; it touches nothing until it is resumed."""
        self._go.clear()
        time.sleep(0.05)
        assert self._idle.wait(60), "the writer is dead"

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def move(self, directory: Path) -> None:
        """Move the directory of the logs, while it rests."""
        former = self.log.parent
        former.rename(directory)
        self.log = directory / self.log.name
        self._rotated = [directory / path.relative_to(former) for path in self._rotated]

    def _burst(self) -> None:
        # Mostly a new millisecond a burst. Some bursts are of whole seconds, which they share with those of the next files,
        # but not with milliseconds: where one source has both, ticks of different files meet by chance too often for this.
        if self.chance.random() < 0.8:
            self._clock += timedelta(milliseconds=1)
        written = self._clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self.chance.random() < 0.3:
            written = (self._clock - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines = []
        if not self.log.exists() or not self.log.stat().st_size:
            lines = self.chance.choice(([], [], [b"\n"], [HEADER], [HEADER] * 3))
            self.ignored += lines.count(HEADER)
        for _ in range(self.chance.randint(1, 400)):
            kind = self.chance.random()
            if kind < 0.01:
                lines.append(self.chance.choice(BROKEN))
                self.broken += 1
            elif kind < 0.02:
                lines.append(self.chance.choice((b"\n", b"  \n", b"\r\n")))
            elif kind < 0.03:
                lines.append(OTHER)
                self.ignored += 1
            else:
                lines.append(self._line(written))
        data = b"".join(lines)
        cut = self.chance.randrange(len(data))
        with self.log.open("ab", buffering=0) as file:
            file.write(data[:cut])
            if self.chance.random() < 0.2:
                time.sleep(0.01)  # half a line is there for a while
            file.write(data[cut:])

    def _line(self, written: str) -> bytes:
        event_id = f"e-{len(self.ids)}"
        self.ids.append(event_id)
        client = f"client-{self.chance.randrange(5)}"
        record = {
            "id": event_id,
            "created_at": written,
            "action": self.chance.choice(ACTIONS),
            "user_id": f"u-{self.chance.randrange(50)}",
            "resource_id": client,
            "details": {"client_id": client, "expires_in": 3600},
        }
        return json.dumps(record).encode() + b"\n"

    def _rotate(self) -> None:
        newest = self._newest()
        if self.chance.random() < 0.3:
            self._clock = (self._clock + timedelta(seconds=1)).replace(microsecond=0)
        if self.chance.random() < 0.5:
            self.log.rename(newest)
            if self.chance.random() < 0.8:
                self.log.touch()
            self.rotations["rename"] += 1
        else:
            shutil.copyfile(self.log, newest)
            os.truncate(self.log, 0)
            self.rotations["copy-truncate"] += 1
        self._rotated = [path for path in (*self._rotated, newest) if path.exists()]
        for plain in (self.log.with_name("audit.log.3"), *self._rotated[:-2]):
            if plain.exists() and not plain.name.endswith((".gz", ".zst")):
                self._compress(plain)
                self.rotations["compressed"] += 1

    def _newest(self) -> Path:
        """Return where the log is rotated to: mostly a number, for which the others make room."""
        number = sum(self.rotations.values())
        match self.chance.randrange(8):
            case 0:
                return self.log.with_name(f"audit.log.{number}.backup")
            case 1:
                return self.log.with_name(f"audit.log-{2000 + number // 12}{number % 12 + 1:02}")
            case 2:
                old = self.log.with_name("old")
                old.mkdir(exist_ok=True)
                return old / f"audit.log.{number}"
        numbered = [path for path in self.log.parent.glob("audit.log.*") if NUMBERED.fullmatch(path.name)]
        for path in sorted(numbered, key=lambda path: -int(path.name.split(".")[2])):
            _, _, older, *rest = path.name.split(".")
            path.rename(path.with_name(".".join(["audit.log", str(int(older) + 1), *rest])))
        return self.log.with_name("audit.log.1")

    def rewrite(self) -> None:
        """Have the log go back to a beginning that it had, or that a rotated file has, while the writer rests.

        All of it has been read before, and what comes in its place is less. So what is written at the last moment, and cut off,
        is lost for good unless the daemon is quick enough, and it can tell that something is.
        """
        rotated = [path for path in self._rotated if path.exists() and not path.name.endswith((".gz", ".zst"))]
        former = self.chance.choice([self.log, self.log, *rotated[-1:]])
        if not self.log.exists() or not self.log.stat().st_size:
            return
        lines = former.read_bytes().splitlines(keepends=True)
        kept = lines[: self.chance.randrange(len(lines))] if lines else []
        self._burst()
        gone = self.log.read_bytes().splitlines(keepends=True)[len(kept) if former == self.log else 0 :]
        ids = {json.loads(line)["id"] for line in gone if EVENT.search(line)}
        self.cuts.append(ids)
        self.cut |= ids
        for line in gone:
            self.cut_broken += line in BROKEN
            self.cut_ignored += line in {HEADER, OTHER}
        # What is cut off and what comes in its place share no tick: a scenario of its own tells what is right there.
        self._clock = (self._clock + timedelta(seconds=1)).replace(microsecond=0)
        way = self.chance.choice(("restored", "copied over", "truncated" if former == self.log else "copied over"))
        if way == "restored":
            spare = self.log.with_name(".spare")
            spare.write_bytes(b"".join(kept))
            spare.replace(self.log)
        elif way == "truncated":
            os.truncate(self.log, sum(map(len, kept)))
        else:
            self.log.write_bytes(b"".join(kept))
        self.rotations[way] += 1

    def _compress(self, plain: Path) -> None:
        if self.chance.random() < 0.5:
            with plain.open("rb") as data, gzip.open(f"{plain}.gz", "wb", compresslevel=1) as packed:
                shutil.copyfileobj(data, packed)
        else:
            plain.with_name(plain.name + ".zst").write_bytes(zstandard.ZstdCompressor().compress(plain.read_bytes()))
        plain.unlink()


class Embedded:
    """The store in the state directory, and how to look into it without the code under test."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def settings(self) -> str:
        """What makes the daemon use it, TOML."""
        return ""

    def stored(self) -> Counter[str]:
        """Event ids, and how often each is there."""
        return Counter(event_id for (event_id,) in self._ask("SELECT event_id FROM token_events"))

    def sums(self) -> dict[str, int]:
        """What is to be the number of events."""
        places = {
            "hourly counters": "token_events_1h",
            "counters of all clients": "token_totals_15m",
            "daily counters": "token_users_1d",
        }
        return {name: self._ask(f"SELECT sum(events) FROM {table}")[0][0] for name, table in places.items()}

    def _ask(self, question: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self._state / "tokentail.db")) as connection:
            return connection.execute(question).fetchall()


class Remote:
    """An InfluxDB server of its own."""

    def __init__(self, server: InfluxServer) -> None:
        self.server = server
        self._store = server.make()

    def settings(self) -> str:
        store = self._store
        token = f"token_file = {json.dumps(str(store.token_file))}\n" if store.token_file else ""
        return (
            f'[store]\ntype = "influxdb"\nurl = "{store.url}"\ndatabase = "{store.database}"\n{token}'
            "[retention]\nraw_days = 36500\nrollup_days = 36500\n"
        )

    def stored(self) -> Counter[str]:
        found = self._ask("event_id, events", "raw", "token_events")
        return Counter(row[1] for series in found for row in series["values"])

    def sums(self) -> dict[str, int]:
        places = {
            "events": ("raw", "token_events"),
            "hourly counters": ("rollup", "token_events_1h"),
            "counters of all clients": ("rollup", "token_totals_15m"),
            "counters of clients": ("rollup", "token_clients_1h"),
            "daily counters": ("raw", "token_users_1d"),
        }
        return {name: self._ask("sum(events)", *place)[0]["values"][0][1] for name, place in places.items()}

    def _ask(self, columns: str, policy: str, measurement: str) -> list[dict[str, Any]]:
        return query(self._store, f'SELECT {columns} FROM "{self._store.database}"."{policy}"."{measurement}"')


class StoreKiller(threading.Thread):
    """Kills a server and starts it again, at random moments, until it is stopped; then the server is there."""

    def __init__(self, server: InfluxServer, chance: random.Random, pace: float) -> None:
        super().__init__(daemon=True)
        self.kills = 0
        self.spared = threading.Lock()
        """Whoever holds it has a server that lives."""
        assert server.log is not None
        self.log = server.log
        self._pace = pace
        self._server = server
        self._chance = chance
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(self._chance.uniform(0.1, 1.2) * self._pace):
            with self.spared:
                self._server.kill()
                self.kills += 1
                if self._chance.random() < 0.5:
                    self._server.tear()  # a kill in the middle of a write does, which few of them are
                self._stopped.wait(self._chance.uniform(0.0, 0.6))
                self._server.start()

    def stop(self) -> None:
        self._stopped.set()
        self.join()


@contextlib.contextmanager
def embedded_or_remote(directory: Path, store: str) -> Iterator[Embedded | Remote]:
    """Yield the store to kill around."""
    if store == "sqlite":
        yield Embedded(directory / "state")
        return
    place = directory / store
    place.mkdir()
    server = new_influxdb1(place) if store == "influxdb1" else new_influxdb2(place)
    try:
        yield Remote(server)
    finally:
        server.stop()


def is_here(store: str) -> bool:
    """Whether this store can be started on this machine."""
    return {"influxdb1": influxd1, "influxdb2": influxd2}.get(store, lambda: "")() is not None


def kill_rounds(
    directory: Path, rounds: int, seed: int, *, store: str = "sqlite", kill_store: bool = False, pace: float = 1.0
) -> list[str]:
    """Do the rounds and return what is wrong in the end; nothing is, if all is well.

    ``pace``: by how much longer everything lives than on a machine that has nothing else to do.
    """
    with embedded_or_remote(directory, store) as kept:
        killer = None
        if kill_store and isinstance(kept, Remote):
            killer = StoreKiller(kept.server, random.Random(seed + 2), pace)
        return _kill_rounds(directory, rounds, seed, kept, killer, pace)


def _kill_rounds(
    directory: Path, rounds: int, seed: int, kept: Embedded | Remote, killer: StoreKiller | None, pace: float
) -> list[str]:
    chance = random.Random(seed)
    logs, state, config = directory / "logs", directory / "state", directory / "tokentail.toml"
    logs.mkdir()
    writer = Writer(logs / "audit.log", random.Random(seed + 1))
    (logs / "audit.log").touch()
    arguments = ["run", "--config", str(config), "--state-dir", str(state)]
    configure(config, writer.log, "", kept)
    subprocess.run([*TOKENTAIL, *arguments, "--once"], check=True, capture_output=True)  # the first look
    writer.start()
    writer.resume()
    if killer is not None:
        killer.start()
    killed = 0
    source = ""
    changes: Counter[str] = Counter()
    for number in range(rounds):
        if chance.random() < 0.2:
            source = chance.choice(SOURCES)
            changes["source"] += 1
        if chance.random() < 0.1:
            writer.pause()
            writer.move(directory / f"logs-{number}")
            writer.resume()
            changes["directory"] += 1
        configure(config, writer.log, source, kept)
        if chance.random() < 0.1:
            writer.pause()
            with killer.spared if killer is not None else contextlib.nullcontext():
                subprocess.run([*TOKENTAIL, *arguments, "--once"], check=True, capture_output=True)  # all is read
            writer.rewrite()
            changes["log goes back"] += 1
            writer.resume()
        with (directory / "daemon.log").open("ab") as errors:
            begun = errors.tell()
            process = subprocess.Popen([*TOKENTAIL, *arguments], stdout=errors, stderr=errors)
        time.sleep(chance.uniform(0.15, 0.9) * pace)
        if number % 5 == 4:
            follows(directory / "daemon.log", begun)  # SIGHUP ends what does not ask for it yet
            source = chance.choice(SOURCES)
            configure(config, writer.log, source, kept)
            process.send_signal(signal.SIGHUP)
            changes["source by SIGHUP"] += 1
            time.sleep(chance.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if number % 20 == 19:
            print(f"round {number + 1}: {len(writer.ids):,} events written, {dict(writer.rotations)}", flush=True)
    alive = writer.is_alive()
    writer.stop()
    if killer is not None:
        killer.stop()
        torn = killer.log.read_bytes().count(b"File corrupt")
        print(f"InfluxDB was killed {killer.kills} times, and found its own log torn {torn} times")
    last = subprocess.run([*TOKENTAIL, *arguments, "--once"], capture_output=True, text=True, check=False)
    problems = [] if last.returncode == 0 else [f"run --once exited {last.returncode}: {last.stderr}"]
    if not alive:
        problems.append("the writer died: its traceback is above")
    if killed != rounds:
        problems.append(
            f"only {killed} of {rounds} processes were still there to be killed: see {directory / 'daemon.log'}"
        )
    if TOKEN in (directory / "daemon.log").read_text():
        problems.append("the token is in the daemon's log")
    print(f"changed: {dict(changes)}")
    return problems + compare(writer, config, state, kept)


def follows(log: Path, begun: int) -> None:
    """Wait until the daemon that began to speak at this byte says that it follows the logs."""
    deadline = time.monotonic() + 30
    while b"Following" not in log.read_bytes()[begun:] and time.monotonic() < deadline:
        time.sleep(0.02)


def configure(config: Path, log: Path, source: str, kept: Embedded | Remote) -> None:
    """Write the configuration whole, as an editor does."""
    spare = config.with_suffix(".spare")
    name = f"source = {json.dumps(source)}\n" if source else ""
    archive = json.dumps([str(log.with_name("old"))])
    spare.write_text(
        f"[[logs]]\npath = {json.dumps(str(log))}\narchive_directories = {archive}\n{name}{kept.settings()}"
    )
    spare.replace(config)


def compare(writer: Writer, config: Path, state: Path, kept: Embedded | Remote) -> list[str]:
    """Compare what was written with what the store, the accounting and the rejected file say."""
    problems = []
    stored = kept.stored()
    answer = subprocess.run(
        [*TOKENTAIL, "status", "--json", "--config", str(config), "--state-dir", str(state)],
        capture_output=True,
        text=True,
        check=False,
    )
    status = json.loads(answer.stdout)
    missing = set(writer.ids) - set(stored)
    if lost := missing - writer.cut:
        problems.append(f"{len(lost)} events are missing, such as {sorted(lost)[:3]}")
    losses = sum(not missing.isdisjoint(cut) for cut in writer.cuts)
    if len(status["gaps"]) < losses:
        problems.append(f"{losses} times lines were lost for good, and {len(status['gaps'])} gaps are reported")
    if invented := set(stored) - set(writer.ids):
        problems.append(f"{len(invented)} events nobody wrote, such as {sorted(invented)[:3]}")
    if twice := [event_id for event_id, times in stored.items() if times > 1]:
        problems.append(f"{len(twice)} events are stored more than once, such as {twice[:3]}")
    problems += [
        f"the {name} say {counted}, stored are {stored.total()}"
        for name, counted in kept.sums().items()
        if counted != stored.total()
    ]
    if status["store_restarts"]:
        print(
            f"InfluxDB was seen restarted {status['store_restarts']} times; "
            f"{status['store_brought_back']:,} events that it had lost were sent again"
        )
    if not status["store_agrees"] or status["store_events"] != stored.total():
        problems.append(f"status says that the store holds {status['store_events']}: {status['store_differences']}")
    kinds = ("stored", "rejected", "ignored", "expired", "pending")
    expected = {
        "stored": range(stored.total(), stored.total() + 1),
        "rejected": range(writer.broken - writer.cut_broken, writer.broken + 1),
        "ignored": range(writer.ignored - writer.cut_ignored, writer.ignored + 1),
        "expired": range(1),
        "pending": range(1),
        "read": range(sum(status[kind] for kind in kinds), sum(status[kind] for kind in kinds) + 1),
    }
    problems += [
        f"status says {key} = {status[key]}, it should be {values.start} to {values.stop - 1}"
        for key, values in expected.items()
        if status[key] not in values
    ]
    if status["lag_seconds"]:
        problems.append(f"status says that it lags {status['lag_seconds']} s")
    listed = [json.loads(line) for line in (state / "rejected.jsonl").read_bytes().splitlines()]
    places = {(line["generation"], line["offset"]) for line in listed}
    if not len(listed) == len(places) == status["rejected"]:
        problems.append(
            f"{len(listed)} lines are in the rejected file ({len(places)} places), {status['rejected']} counted"
        )
    files = sorted(str(path) for path in writer.log.parent.rglob("*") if path.is_file())
    done = subprocess.run(
        [*TOKENTAIL, "verify", "--config", str(config), "--state-dir", str(state), *files],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        problems.append(f"verify exited {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    print(
        f"written {len(writer.ids):,} events, {writer.broken:,} broken and {writer.ignored:,} other lines, "
        f"{dict(writer.rotations)}, {len(files)} files; stored {stored.total():,}, {len(missing):,} of {len(writer.cut):,} that were cut off are missing, "
        f"{len(status['gaps'])} gaps"
    )
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--store", choices=("sqlite", "influxdb1", "influxdb2"), default="sqlite")
    parser.add_argument("--kill-store", action="store_true", help="kill InfluxDB as well")
    parser.add_argument("--pace", type=float, default=1.0, help="live longer by this factor, on a busy machine")
    arguments = parser.parse_args()
    if arguments.kill_store and arguments.store == "sqlite":
        parser.error("--kill-store needs an InfluxDB")
    if not is_here(arguments.store):
        parser.error(f"no {arguments.store} here: see tests/support/servers.py")
    directory = Path(tempfile.mkdtemp(prefix="tokentail-kill-"))
    print(f"{arguments.rounds} rounds of kill -9, {arguments.store}, seed {arguments.seed}, in {directory}", flush=True)
    problems = kill_rounds(
        directory,
        arguments.rounds,
        arguments.seed,
        store=arguments.store,
        kill_store=arguments.kill_store,
        pace=arguments.pace,
    )
    for problem in problems:
        print(f"WRONG: {problem}")
    if not problems:
        print("exactly once: all is as written")
        shutil.rmtree(directory)
    return bool(problems)


if __name__ == "__main__":
    raise SystemExit(main())
