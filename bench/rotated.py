"""Thousands of rotated files beside a log: the first look, the next start, and a start after a rotation.

    python -m bench.rotated                  # 500, 1,000, 2,000 files
    python -m bench.rotated 9000 --packed    # a year of hours, compressed

About linear is wanted: twice the files, twice the time.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

BEGUN = datetime(2025, 1, 1, tzinfo=UTC)


def line(name: str, moment: datetime) -> bytes:
    record = {
        "id": name,
        "created_at": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "action": "token.refreshed",
        "details": {"client_id": "c"},
    }
    return json.dumps(record).encode() + b"\n"


def make(directory: Path, count: int, *, packed: bool) -> Path:
    """Write so many rotated files of one line, an hour each, and the live log."""
    directory.mkdir()
    for number in range(count):
        moment = BEGUN + timedelta(hours=number)
        path = directory / f"audit.jsonl-{moment:%Y%m%d-%H}"
        data = line(f"r{number}", moment)
        if packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))
        else:
            path.write_bytes(data)
    live = directory / "audit.jsonl"
    live.write_bytes(line("live", BEGUN + timedelta(hours=count)))
    return live


def seconds(log: Path, state: Path) -> float:
    command = [sys.executable, "-m", "ingestor", "run", "--once", "--log", str(log), "--state-dir", str(state)]
    begun = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="*", type=int, default=[500, 1000, 2000], metavar="FILES")
    parser.add_argument("--packed", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tokentail-rotated-") as directory:
        for count in arguments.counts:
            place = Path(directory) / str(count)
            log = make(place, count, packed=arguments.packed)
            first = seconds(log, place / "state")
            again = seconds(log, place / "state")
            log.rename(log.with_name("audit.jsonl-20261130-23"))
            log.write_bytes(line("next", BEGUN + timedelta(days=700)))
            rotated = seconds(log, place / "state")
            print(
                f"{count:6,} files: first look {first:.1f} s, next start {again:.1f} s, after a rotation {rotated:.1f} s"
            )


if __name__ == "__main__":
    main()
