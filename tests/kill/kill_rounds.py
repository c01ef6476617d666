"""Kill the daemon with SIGKILL at random moments, again and again, while a writer writes and rotates; then compare.

    .venv/bin/python tests/kill/kill_rounds.py --rounds 200

The writer makes lines with many equal timestamps, broken and blank lines, half lines that it ends later, rotates both ways
(pausing during copy and truncate, as the contract asks) and compresses what was rotated before. In the end the set of event
ids in the store must be the set written, each once; the accounting must add up; every broken line must be listed once; and
``tokentail verify`` must find every point of every file. Exits 1 when anything differs.
"""

import argparse
import gzip
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import zstandard

TOKENTAIL = [sys.executable, "-m", "ingestor"]
ACTIONS = ("token.issued.authorization_code", "token.refreshed", "token.validation_failed", "token.userinfo_accessed")
BROKEN = (
    b"{half a line\n",
    b'{"created_at":"yesterday","action":"token.refreshed","resource_id":"web"}\n',
    b"\xff\xfe\n",
    b"[]\n",
)


class Writer(threading.Thread):
    """An endpoint that writes for ever and rotates its log now and then, until it is stopped."""

    def __init__(self, log: Path, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.log = log
        self.chance = chance
        self.ids: list[str] = []
        self.broken = 0
        self.ignored = 0
        self.rotations: Counter[str] = Counter()
        self._stopped = threading.Event()
        self._go = threading.Event()
        self._idle = threading.Event()
        self._clock = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)

    def run(self) -> None:
        while not self._stopped.is_set():
            if not self._go.wait(0.1):
                continue
            self._idle.clear()
            self._burst()
            if self.chance.random() < 0.03:
                self._rotate()
            self._idle.set()
            time.sleep(self.chance.random() * 0.02)

    def resume(self) -> None:
        self._go.set()

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _burst(self) -> None:
        # A new millisecond a burst: within it all timestamps are equal, across a rotation none are.
        self._clock += timedelta(milliseconds=1)
        written = self._clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines = []
        for _ in range(self.chance.randint(1, 400)):
            kind = self.chance.random()
            if kind < 0.01:
                lines.append(self.chance.choice(BROKEN))
                self.broken += 1
            elif kind < 0.02:
                lines.append(self.chance.choice((b"\n", b"  \n", b"\r\n")))
            elif kind < 0.03:
                lines.append(b'{"created_at":"2026-11-01T09:30:00Z","action":"user.login"}\n')
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
        numbered = sorted(
            ((int(path.name.split(".")[2]), path) for path in self.log.parent.glob("audit.log.*")), reverse=True
        )
        for number, path in numbered:
            _, _, _, *rest = path.name.split(".")
            path.rename(path.with_name(".".join(["audit.log", str(number + 1), *rest])))
        newest = self.log.with_name("audit.log.1")
        if self.chance.random() < 0.5:
            self.log.rename(newest)
            self.log.touch()
            self.rotations["rename"] += 1
        else:
            shutil.copyfile(self.log, newest)
            os.truncate(self.log, 0)
            self.rotations["copy-truncate"] += 1
        plain = self.log.with_name("audit.log.3")
        if plain.exists():
            self._compress(plain)
            self.rotations["compressed"] += 1

    def _compress(self, plain: Path) -> None:
        if self.chance.random() < 0.5:
            with plain.open("rb") as data, gzip.open(f"{plain}.gz", "wb", compresslevel=1) as packed:
                shutil.copyfileobj(data, packed)
        else:
            plain.with_name(plain.name + ".zst").write_bytes(zstandard.ZstdCompressor().compress(plain.read_bytes()))
        plain.unlink()


def kill_rounds(directory: Path, rounds: int, seed: int) -> list[str]:
    """Do the rounds and return what is wrong in the end; nothing is, if all is well."""
    chance = random.Random(seed)
    logs, state = directory / "logs", directory / "state"
    logs.mkdir()
    writer = Writer(logs / "audit.log", random.Random(seed + 1))
    (logs / "audit.log").touch()
    arguments = ["run", "--log", str(logs / "audit.log"), "--state-dir", str(state)]
    subprocess.run([*TOKENTAIL, *arguments, "--once"], check=True, capture_output=True)  # the first look
    writer.start()
    writer.resume()
    killed = 0
    for number in range(rounds):
        with (directory / "daemon.log").open("ab") as errors:
            process = subprocess.Popen([*TOKENTAIL, *arguments], stdout=errors, stderr=errors)
        time.sleep(chance.uniform(0.15, 0.9))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if number % 20 == 19:
            print(f"round {number + 1}: {len(writer.ids):,} events written, {dict(writer.rotations)}", flush=True)
    writer.stop()
    last = subprocess.run([*TOKENTAIL, *arguments, "--once"], capture_output=True, text=True, check=False)
    problems = [] if last.returncode == 0 else [f"run --once exited {last.returncode}: {last.stderr}"]
    if killed != rounds:
        problems.append(
            f"only {killed} of {rounds} processes were still there to be killed: see {directory / 'daemon.log'}"
        )
    return problems + compare(writer, logs, state)


def compare(writer: Writer, logs: Path, state: Path) -> list[str]:
    """Compare what was written with what the store, the accounting and the rejected file say."""
    problems = []
    with sqlite3.connect(state / "tokentail.db") as connection:
        stored = Counter(row[0] for row in connection.execute("SELECT event_id FROM token_events"))
        counted = connection.execute("SELECT sum(events) FROM token_events_1h").fetchone()[0]
    connection.close()
    if missing := set(writer.ids) - set(stored):
        problems.append(f"{len(missing)} events are missing, such as {sorted(missing)[:3]}")
    if invented := set(stored) - set(writer.ids):
        problems.append(f"{len(invented)} events nobody wrote, such as {sorted(invented)[:3]}")
    if twice := [event_id for event_id, times in stored.items() if times > 1]:
        problems.append(f"{len(twice)} events are stored more than once, such as {twice[:3]}")
    if counted != len(writer.ids):
        problems.append(f"the hourly counters say {counted}, written were {len(writer.ids)}")
    answer = subprocess.run(
        [*TOKENTAIL, "status", "--json", "--state-dir", str(state)], capture_output=True, text=True, check=False
    )
    status = json.loads(answer.stdout)
    expected = {
        "stored": len(writer.ids),
        "rejected": writer.broken,
        "ignored": writer.ignored,
        "expired": 0,
        "pending": 0,
        "read": len(writer.ids) + writer.broken + writer.ignored,
        "lag_seconds": 0,
    }
    problems += [
        f"status says {key} = {status[key]}, it should be {value}"
        for key, value in expected.items()
        if status[key] != value
    ]
    listed = [json.loads(line) for line in (state / "rejected.jsonl").read_bytes().splitlines()]
    if len(listed) != writer.broken or len({(line["generation"], line["offset"]) for line in listed}) != writer.broken:
        problems.append(f"{len(listed)} lines are in the rejected file, {writer.broken} were broken")
    files = sorted(str(path) for path in logs.iterdir())
    verified = subprocess.run(
        [*TOKENTAIL, "verify", "--state-dir", str(state), *files], capture_output=True, text=True, check=False
    )
    if verified.returncode != 0:
        problems.append(f"verify exited {verified.returncode}: {verified.stdout[-2000:]}{verified.stderr[-2000:]}")
    print(
        f"written {len(writer.ids):,} events, {writer.broken:,} broken and {writer.ignored:,} other lines, "
        f"{dict(writer.rotations)}; stored {sum(stored.values()):,}; verify of {len(files)} files: exit {verified.returncode}"
    )
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="tokentail-kill-"))
    print(f"{arguments.rounds} rounds of kill -9, seed {arguments.seed}, in {directory}", flush=True)
    problems = kill_rounds(directory, arguments.rounds, arguments.seed)
    for problem in problems:
        print(f"WRONG: {problem}")
    if not problems:
        print("exactly once: all is as written")
        shutil.rmtree(directory)
    return bool(problems)


if __name__ == "__main__":
    raise SystemExit(main())
