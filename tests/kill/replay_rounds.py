"""Kill the daemon with SIGKILL at random moments while it replays a log full of attacks; its findings must be those of no kill.

    .venv/bin/python tests/kill/replay_rounds.py --kills 50

The log is the benchmark's corpus (bench/abuse/README.md). It is read in as many parts as there are kills: a part is appended, the
daemon begins to read, and is killed. What detectors remember goes through all of these deaths. Exits 1 when a finding differs.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.abuse.attacks import attacks
from bench.abuse.events import native
from bench.abuse.quiet import Mix, quiet_weeks

TOKENTAIL = [sys.executable, "-m", "ingestor"]
BY_THE_CLOCK = "raised"
"""When a finding came to its severity: by the clock, so no two runs have the same."""


def lines_of(seed: int, most: int | None = None) -> list[bytes]:
    """Return the lines of a corpus, at most so many: attacks, and what was quiet around them."""
    rows = [*quiet_weeks(Mix(seed=seed)), *(row for attack in attacks(seed) for row in attack.rows)]
    return list(native(sorted(rows, key=lambda row: row[0])[:most]))


def replay_rounds(directory: Path, lines: Sequence[bytes], kills: int, seed: int, pace: float = 1.0) -> list[str]:
    """Replay the lines with kills and without; return what differs. ``pace``: by how much longer a life is than on an idle machine."""
    chance = random.Random(seed)
    log, whole = directory / "audit.log", directory / "whole.log"
    whole.write_bytes(b"".join(lines))
    expected = found(directory / "undisturbed", whole)
    killed = 0
    log.touch()
    for number in range(kills):
        part = lines[len(lines) * number // kills : len(lines) * (number + 1) // kills]
        with log.open("ab") as file:
            file.write(b"".join(part))
        process = subprocess.Popen(
            command(directory / "killed", log), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.2, 1.6) * pace)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    result = found(directory / "killed", log)
    print(f"{len(lines):,} lines, {killed} of {kills} processes killed, {len(expected)} findings without a kill")
    problems = [f"too few were still there to be killed: {killed} of {kills}"] if killed < kills / 2 else []
    if not expected:
        problems.append("nothing was found, so nothing can differ")
    problems += [
        f"{name}: {expected.get(name)} without a kill, {result.get(name)} with kills"
        for name in expected | result
        if expected.get(name) != result.get(name)
    ]
    return problems


def command(state: Path, log: Path) -> list[str]:
    return [*TOKENTAIL, "run", "--log", str(log), "--state-dir", str(state), "--once"]


def found(state: Path, log: Path) -> dict[str, dict[str, Any]]:
    """Read a log to its end; return the findings, by id, without what is told by the clock."""
    subprocess.run(command(state, log), check=True, capture_output=True)
    asked = [*TOKENTAIL, "findings", "--json", "--since", "all", "--state-dir", str(state)]
    answer = subprocess.run(asked, check=True, capture_output=True, text=True)
    findings = (
        json.loads(answer.stdout) if answer.stdout.startswith("[") else map(json.loads, answer.stdout.splitlines())
    )
    return {each["id"]: {name: value for name, value in each.items() if name != BY_THE_CLOCK} for each in findings}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=None)
    arguments.add_argument(
        "--pace", type=float, default=1.0, help="by how much longer lives are than on an idle machine"
    )
    chosen = arguments.parse_args()
    seed = time.time_ns() // 1_000_000_000 if chosen.seed is None else chosen.seed
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="tokentail-replay-") as directory:
        problems = replay_rounds(Path(directory), lines_of(seed), chosen.kills, seed, chosen.pace)
    for problem in problems:
        print(problem)
    print("WRONG" if problems else "the findings are the same")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
