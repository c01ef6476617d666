"""What following costs when nothing happens: the share of a core over 30 s, and memory. At most 1 % with 1,000 idle logs.

    python -m bench.idle                            # 1,000 idle logs
    python -m bench.idle --idle 10000 --busy 10     # reliability T48

All logs are read to their ends first. A busy log gets ten lines a second.
"""

import argparse
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from bench import generate
from bench.agents import Agent
from bench.faults import line
from ingestor.config.settings import StoreSettings
from ingestor.state.database import DATABASE

LIMIT = 0.01
LATELY_SECONDS = 10.0
"""A log that was written counts as busy for so long."""
CONFIG = """
state_directory = "{home}/state"
[[logs]]
path = "{logs}/*.log"
"""


def write_logs(directory: Path, count: int) -> None:
    """Make logs of a line each."""
    for number in range(count):
        (directory / f"audit-{number:05}.log").write_bytes(line(number, generate.START_MS + number))


def keep_busy(logs: list[Path], stopped: threading.Event) -> None:
    number = 1_000_000
    while not stopped.wait(0.1):
        for log in logs:
            number += 1
            with log.open("ab") as file:
                file.write(line(number, generate.START_MS + number))


def settle(agent: Agent, events: int, most: float = 200) -> None:
    """Wait until all logs are read and stored, and the daemon has had time to find that nothing more is there."""
    deadline = time.monotonic() + most
    while stored(agent.home / "state" / DATABASE) < events:
        if time.monotonic() > deadline:
            raise SystemExit(f"not all logs were read within {most:.0f} s")
        time.sleep(1)
    time.sleep(LATELY_SECONDS + 2)


def stored(database: Path) -> int:
    with suppress(sqlite3.OperationalError):  # not made yet
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM token_events").fetchone()[0])
        finally:
            connection.close()
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--idle", type=int, default=1_000)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=30)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        logs = directory / "logs"
        logs.mkdir()
        write_logs(logs, chosen.idle + chosen.busy)
        config = directory / "tokentail.toml"
        config.write_text(CONFIG.format(home=directory, logs=logs))
        command = [sys.executable, "-m", "ingestor", "run", "--config", str(config)]
        agent = Agent("tokentail", logs, StoreSettings(), directory, command)
        begun = time.monotonic()
        agent.start()
        stopped = threading.Event()
        try:
            settle(agent, chosen.idle + chosen.busy)
            print(
                f"{chosen.idle:,} idle logs taken up in {time.monotonic() - begun:.0f} s, {agent.usage().processor:.1f} s of the processor"
            )
            writer = threading.Thread(target=keep_busy, args=(sorted(logs.iterdir())[: chosen.busy], stopped))
            writer.start()
            before = agent.usage()
            time.sleep(chosen.seconds)
            after = agent.usage()
            stopped.set()
            writer.join()
        finally:
            agent.stop()
    share = (after.processor - before.processor) / chosen.seconds
    verdict = "" if chosen.busy or share <= LIMIT else f"   more than {LIMIT:.0%}"
    print(f"{chosen.idle:,} idle and {chosen.busy} busy logs: {share:.1%} of a core, {after.peak} MiB at most{verdict}")


if __name__ == "__main__":
    main()
