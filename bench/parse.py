"""Reading, parsing, placing and encoding on one core, against a bare loop in the same run.

    python -m bench.parse                 generates 500,000 lines first
    python -m bench.parse audit.log --rounds 5

Bare is what nobody should run but what bounds us: orjson and one f-string a line, making lines of equal content and
precision, with nothing checked, redacted, escaped or identified. The loops alternate, the median of the rounds counts, and
the ratio is what is asked for: at least 0.7, goal 0.9 (the machine's mood moves both alike).
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median

import orjson

import parsers
from bench import generate
from ingestor.core.admission import Admission
from ingestor.core.generation import Generation
from ingestor.core.lineprotocol import Encoder
from ingestor.core.placing import place
from ingestor.core.points import SeriesTable
from ingestor.settings import ReadSettings
from ingestor.shell.files import open_log
from ingestor.shell.tail import Tail

NOW_MS = generate.START_MS + 365 * generate.DAY_MS


def tokentail(path: Path) -> int:
    """Do what the daemon does with a file, up to the bytes for a store. Returns the number of events."""
    file = open_log(str(path))
    tail = Tail(Generation(1, "bench", str(path), *file.identity), file, max_line_bytes=ReadSettings().max_line_bytes)
    table = SeriesTable()
    parser = parsers.find("auto")
    admission, encoder = Admission("bench", "host", table), Encoder(table)
    events = 0
    while block := tail.read(final=True):
        placed = place(
            parser.parse(block.data, NOW_MS),
            h=block.generation.h or 0,
            ordinal=block.ordinal,
            admission=admission,
        )
        encoder.encode(placed.points)
        table.new.clear()  # as a commit does
        events += len(placed.points)
    file.close()
    return events


def bare(path: Path) -> int:
    """Do the least that makes line protocol of native lines."""
    parse_time = datetime.fromisoformat
    loads = orjson.loads
    events = 0
    with path.open("rb") as file:
        while lines := file.readlines(1 << 20):
            made = []
            for ordinal, line in enumerate(lines, events):
                record = loads(line)
                details = record["details"]
                nanoseconds = int(parse_time(record["created_at"]).timestamp() * 1000) * 1_000_000 + ordinal
                made.append(
                    f"token_events,action={record['action']},client_id={details['client_id']},"
                    f"error={details['error']},grant_type={details['grant_type']},host=host,source=bench "
                    f'events=1i,user_id="{record["user_id"]}",ip="{details["ip_address"]}",'
                    f'user_agent="{details["user_agent"]}",scopes="{" ".join(details["scopes"])}",'
                    f'expires_in={details["expires_in"]}i,event_id="{record["id"]}" {nanoseconds}\n'
                )
            events += len(lines)
            "".join(made).encode()
    return events


def loads_alone(path: Path) -> int:
    """Decode every line and drop it."""
    events = 0
    with path.open("rb") as file:
        while lines := file.readlines(1 << 20):
            for line in lines:
                orjson.loads(line)
            events += len(lines)
    return events


def measure(loops: list[Callable[[Path], int]], path: Path, rounds: int) -> dict[str, float]:
    """Return the median rate of each loop, in events a second of processor time."""
    rates: dict[str, list[float]] = {loop.__name__: [] for loop in loops}
    for _ in range(rounds):
        for loop in loops:
            start = time.process_time()
            events = loop(path)
            rates[loop.__name__].append(events / (time.process_time() - start))
    return {name: median(values) for name, values in rates.items()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("path", type=Path, nargs="?")
    arguments.add_argument("--lines", type=int, default=500_000)
    arguments.add_argument("--rounds", type=int, default=5)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = chosen.path or Path(directory) / "audit.log"
        if chosen.path is None:
            generate.write(path, chosen.lines)
        rates = measure([tokentail, bare, loads_alone], path, chosen.rounds)
    ours = rates["tokentail"]
    print(f"{'loop':<14}{'events/s':>12}{'us/event':>12}{'tokentail is':>15}")
    for name, rate in rates.items():
        print(f"{name:<14}{rate:>12,.0f}{1e6 / rate:>12.2f}{ours / rate:>14.2f}x")
    print(f"peak resident memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
