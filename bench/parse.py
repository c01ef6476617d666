"""Reading, parsing, placing and encoding on one core, against a bare loop in the same run.

    python -m bench.parse                 generates 500,000 lines first
    python -m bench.parse audit.log --rounds 5
    python -m bench.parse --envelopes     the same lines in envelopes, against themselves without
    python -m bench.parse --parsers       the parsers alone; --parsers keycloak: those with this name

The bare loop bounds what Python can do: orjson and one f-string a line, nothing checked, redacted, escaped, capped or
admitted. It works for this clean log alone, where it makes the same bytes; that they are the same is checked before
anything is measured. Loops alternate, the median of the rounds counts; the ratio to the bare loop is what is asked for, at
least 0.7, goal 0.9, because the machine's mood moves both alike.

Then the parsers by themselves, each with the log that its provider would have written of the same 20,000 events: how many it parses in the
time of a native one, at least 0.4, and 0.15 for a mapping. Keycloak's logs are generated (``bench.keycloak``). Hydra's, oidc-provider's,
Authelia's, Dex's and django-oauth-toolkit's are lines of real servers, and those of the other mappings are lines of their testcases, with
the values of the native events in them (``bench.providers``).
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from statistics import median

import orjson

import parsers
from bench import alone, envelopes, generate
from ingestor.config.settings import ReadSettings
from ingestor.model.identity import generation_hash
from ingestor.model.points import SeriesTable
from ingestor.pipeline.admission import Admission
from ingestor.pipeline.points import to_points
from ingestor.sources.file.files import open_log
from ingestor.sources.file.reader import GenerationReader
from ingestor.state.generations import Generations
from ingestor.state.opening import tune_gc
from ingestor.stores.influxdb.write.line_protocol import Encoder

NOW_MS = generate.START_MS + 365 * generate.DAY_MS
HOST, SOURCE = "host", "bench"
ENDPOINTS = {
    "refreshed": "token",
    "userinfo_accessed": "userinfo",
    "introspected": "introspection",
    "revoked": "revocation",
}
FAILURES = ("validation_failed", "pkce_failed", "expired", "reuse_detected", "rate_limited")


def tokentail(path: Path) -> Iterator[tuple[int, bytes]]:
    """Do what the daemon does with a file, up to the bytes for a store. Yields (events, bytes) a block."""
    file = open_log(str(path))
    generations = Generations(host=HOST)
    generation = generations.begin(SOURCE, str(path), file.identity)
    tail = GenerationReader(generation, file, generations, max_line_bytes=ReadSettings().max_line_bytes)
    table = SeriesTable()
    parser = parsers.find("auto")
    admission, encoder = Admission(SOURCE, HOST, table), Encoder(table)
    while block := tail.read(final=True):
        outcomes = parser.parse(block.data, NOW_MS)
        placed = to_points(outcomes, h=block.generation.h or 0, ordinal=block.ordinal, admission=admission)
        yield len(placed.points), encoder.encode(placed.points)
        table.new.clear()  # as a commit does
    file.close()


def bare(path: Path) -> Iterator[tuple[int, bytes]]:
    """Make the same bytes of a log that is known to be clean."""
    parse_time, loads = datetime.fromisoformat, orjson.loads
    known = {action: _derived(action) for action in generate.ACTIONS}
    with path.open("rb") as file:
        slot = generation_hash(file.readline().removesuffix(b"\n")) % 1_000_000_000
        file.seek(0)
        while lines := file.readlines(1 << 20):
            made = []
            for line in lines:
                record = loads(line)
                details = record["details"]
                action = record["action"]
                endpoint, grant_type, outcome = known[action]
                error = f",error={details['error']}" if details["error"] else ""
                user_id = f',user_id="{record["user_id"]}"' if record["user_id"] else ""
                expires_in = f",expires_in={details['expires_in']}i" if details["expires_in"] else ""
                ms = round(parse_time(record["created_at"]).timestamp() * 1000)
                made.append(
                    f"token_events,action={action},client_id={details['client_id']}{endpoint}{error}{grant_type}"
                    f",host={HOST},outcome={outcome},source={SOURCE} events=1i{user_id}"
                    f',ip="{details["ip_address"]}",user_agent="{details["user_agent"]}",scopes="{" ".join(details["scopes"])}"'
                    f'{expires_in},event_id="{record["id"]}" {ms * 1_000_000 + slot % 1_000_000}\n'
                )
                slot += 1
            yield len(lines), "".join(made).encode()


def loads_alone(path: Path) -> Iterator[tuple[int, bytes]]:
    """Decode every line and drop it."""
    with path.open("rb") as file:
        while lines := file.readlines(1 << 20):
            for line in lines:
                orjson.loads(line)
            yield len(lines), b""


def _derived(action: str) -> tuple[str, str, str]:
    """Return what follows from an action: tags ``endpoint`` and ``grant_type``, ready to write, and the outcome."""
    word = action.removeprefix("token.")
    issued = word.startswith("issued.")
    grant = word.removeprefix("issued.") if issued else "refresh_token" if word == "refreshed" else ""
    endpoint = "token" if issued or word == "authorization_pending" else ENDPOINTS.get(word, "")
    outcome = "failure" if word in FAILURES else "pending" if word == "authorization_pending" else "success"
    return f",endpoint={endpoint}" if endpoint else "", f",grant_type={grant}" if grant else "", outcome


Loop = Callable[[Path], Iterator[tuple[int, bytes]]]


def digest(loop: Loop, path: Path) -> str:
    """Return the hash of all bytes a loop makes."""
    hashed = blake2b()
    for _, data in loop(path):
        hashed.update(data)
    return hashed.hexdigest()


def measure(loops: list[Loop], path: Path, rounds: int) -> dict[str, float]:
    """Return the median rate of each loop, in events a second of processor time."""
    rates: dict[str, list[float]] = {loop.__name__: [] for loop in loops}
    for _ in range(rounds):
        for loop in loops:
            start = time.process_time()
            events = sum(count for count, _ in loop(path))
            rates[loop.__name__].append(events / (time.process_time() - start))
    return {name: median(values) for name, values in rates.items()}


def compare_envelopes(path: Path, directory: Path, rounds: int) -> None:
    """Print how fast lines are read in each envelope, and what part that is of the same lines without."""
    files = {"without": path}
    for envelope in envelopes.ENVELOPES:
        files[envelope.__name__] = directory / f"{envelope.__name__}.log"
        envelopes.write(files[envelope.__name__], path, envelope)
    rates: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(rounds):
        for name, file in files.items():
            start = time.process_time()
            events = sum(count for count, _ in tokentail(file))
            rates[name].append(events / (time.process_time() - start))
    counted = {name: sum(count for count, _ in tokentail(file)) for name, file in files.items()}
    if len(set(counted.values())) > 1:
        raise SystemExit(f"not the same events: {counted}")
    print(f"{'envelope':<14}{'events/s':>12}{'of without':>15}")
    for name, values in rates.items():
        ratio = median(mine / plain for mine, plain in zip(values, rates["without"], strict=True))
        print(f"{name:<14}{median(values):>12,.0f}{ratio:>14.2f}x")


def compare_loops(path: Path, rounds: int) -> None:
    """Print how fast the whole way is, against a bare loop that makes the same bytes."""
    if digest(tokentail, path) != digest(bare, path):
        raise SystemExit("the loops make different bytes: the comparison means nothing")
    rates = measure([tokentail, bare, loads_alone], path, rounds)
    ours = rates["tokentail"]
    print(f"{'loop':<14}{'events/s':>12}{'us/event':>12}{'tokentail is':>15}")
    for name, rate in rates.items():
        print(f"{name:<14}{rate:>12,.0f}{1e6 / rate:>12.2f}{ours / rate:>14.2f}x")


def compare_parsers(path: Path, rounds: int, only: str, lines: int = 20_000) -> None:
    """Print how fast each parser is."""
    with path.open("rb") as file:
        native = list(islice(file, lines))
    print(f"{'parser':<24}{'events/s':>12}{'us/event':>12}{'bytes/event':>12}{'MB/s':>12}{'of native':>12}")
    for form, rate, size, ratio in alone.measure(native, rounds, only):
        print(f"{form:<24}{rate:>12,.0f}{1e6 / rate:>12.2f}{size:>12,.0f}{rate * size / 1e6:>12.1f}{ratio:>11.2f}x")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("path", type=Path, nargs="?", help="made by bench.generate")
    arguments.add_argument("--lines", type=int, default=500_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--envelopes", action="store_true", help="measure these, at least 0.7 of the lines without")
    arguments.add_argument(
        "--parsers", nargs="?", const="", metavar="FORM", help="measure these alone, or those so named"
    )
    chosen = arguments.parse_args()
    tune_gc()  # as the commands do; the bare loop runs under it, too
    with tempfile.TemporaryDirectory() as directory:
        path = chosen.path or Path(directory) / "audit.log"
        if chosen.path is None:
            generate.write(path, chosen.lines)
        if chosen.envelopes:
            compare_envelopes(path, Path(directory), chosen.rounds)
        elif chosen.parsers is not None:
            compare_parsers(path, chosen.rounds, chosen.parsers)
        else:
            compare_loops(path, chosen.rounds)
            print()
            compare_parsers(path, chosen.rounds, "")
    print(f"peak resident memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
