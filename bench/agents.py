"""The agents that `bench.rivals` compares, each configured for this job as a competent administrator would.

The job: follow one audit log of JSON lines into InfluxDB 2 with tags ``action``, ``client_id`` and ``outcome`` and the other
values as fields, times in milliseconds from the line. ``outcome`` is in no line, every agent derives it from the action.

Telegraf is $TOKENTAIL_BENCH_TELEGRAF, Fluent Bit $TOKENTAIL_BENCH_FLUENT_BIT, else what PATH has; one that is not there is left out.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import orjson

from ingestor.config.settings import StoreSettings
from ingestor.stores.influxdb.client.http import InfluxHttp

TICKS = os.sysconf("SC_CLK_TCK")

TOKENTAIL = """
state_directory = "{home}/state"
[[logs]]
path = "{log}"
source = "bench"
[store]
type = "influxdb"
url = "{store.url}"
database = "{store.database}"
token_file = "{token_file}"
[telemetry]
interval_seconds = 3600.0  # the agents' own figures are not compared
"""

TELEGRAF = """
[agent]
  # As soon as tokentail's: the default of 10 s would only add latency.
  flush_interval = "1s"
  # What InfluxDB recommends, and tokentail sends. The buffer holds more than can be underway (max_undelivered_lines): it never drops.
  metric_batch_size = 5000
  metric_buffer_limit = 50000
  # tokentail writes the tags `host` and `source`; the rivals are spared them.
  omit_hostname = true
  # Where positions are kept over a restart (not over a crash: they are written at a clean end only).
  statefile = "{home}/state.json"
  # Without aggregators a second run of processors only costs.
  skip_processors_after_aggregators = true
  quiet = true

[[inputs.tail]]
  files = ["{log}"]
  # The default, saved-or-end, loses everything that was written before the first start, and after a crash.
  initial_read_offset = "saved-or-beginning"
  # The default of 1000 never fills a batch, so that a flush a second would bound it to 1000 lines/s.
  max_undelivered_lines = 25000
  path_tag = ""
  # Of json, json_v2 and xpath_json the fastest here; an integer needs the converter below.
  data_format = "json"
  json_strict = true
  json_name_key = ""
  json_time_key = "created_at"
  json_time_format = "2006-01-02T15:04:05Z07:00"
  tag_keys = ["action", "details_client_id"]
  json_string_fields = ["id", "user_id", "details_ip_address", "details_user_agent", "details_error", "details_scopes_*", "details_grant_type"]
  name_override = "token_events"

[[processors.rename]]
  order = 1
  [[processors.rename.replace]]
    tag = "details_client_id"
    dest = "client_id"
  [[processors.rename.replace]]
    field = "id"
    dest = "event_id"

[[processors.converter]]
  order = 2
  [processors.converter.fields]
    integer = ["details_expires_in"]

[[processors.enum]]
  order = 3
  [[processors.enum.mapping]]
    tags = ["action"]
    dest = "outcome"
    default = "success"
    [processors.enum.mapping.value_mappings]
      "token.validation_failed" = "failure"
      "token.pkce_failed" = "failure"
      "token.expired" = "failure"
      "token.reuse_detected" = "failure"
      "token.rate_limited" = "failure"
      "token.authorization_pending" = "pending"

[[outputs.influxdb_v2]]
  urls = ["{store.url}"]
  token = "{token}"
  organization = "{store.organization}"
  bucket = "{store.database}/raw"
  # Over loopback compression only costs; tokentail does not compress either.
  content_encoding = "identity"
  # As many requests at a time as tokentail has.
  concurrent_writes = 2
  # As patient as tokentail's default; what times out is sent again.
  timeout = "30s"
"""

FLUENT_BIT = """
[SERVICE]
    Flush         1
    Grace         5
    Log_Level     warn
    Parsers_File  {home}/parsers.conf
    # What was read is on the disk before the position moves on: the safest there is.
    storage.path  {home}/storage
    storage.sync  normal
    # After an outage it tries again within half a minute; the default goes up to 2000 s.
    scheduler.base 1
    scheduler.cap 30

[INPUT]
    Name              tail
    Path              {log}
    Tag               token_events
    Parser            audit
    Read_from_Head    On
    DB                {home}/positions.db
    storage.type      filesystem
    # Longer lines than 32 KiB would end the following of the file.
    Buffer_Chunk_Size 1M
    Buffer_Max_Size   2M
    Skip_Long_Lines   On
    # A new file at the path may be noticed at a scan only; the default is one a minute.
    Refresh_Interval  1
    # Rotation: the old file is followed for so many seconds more (the default is 5).
    Rotate_Wait       10

[FILTER]
    Name    lua
    Match   token_events
    script  {home}/audit.lua
    call    audit

[OUTPUT]
    Name        influxdb
    Match       token_events
    Host        127.0.0.1
    Port        {port}
    Org         {store.organization}
    Bucket      {store.database}/raw
    HTTP_Token  {token}
    Tag_Keys    action client_id outcome
    Add_Integer_Suffix On
    # The default of one retry would drop what an outage holds up.
    Retry_Limit no_limits
    {sequence}
"""
FLUENT_BIT_PARSERS = """
[PARSER]
    Name        audit
    Format      json
    Time_Key    created_at
    Time_Format %Y-%m-%dT%H:%M:%S.%LZ
"""
FLUENT_BIT_LUA = """
local outcomes = {
    ["token.validation_failed"] = "failure", ["token.pkce_failed"] = "failure", ["token.expired"] = "failure",
    ["token.reuse_detected"] = "failure", ["token.rate_limited"] = "failure", ["token.authorization_pending"] = "pending",
}

function audit(tag, time, record)
    local details = record["details"]
    local scopes = details["scopes"]
    return 2, time, {
        action = record["action"], client_id = details["client_id"], outcome = outcomes[record["action"]] or "success",
        event_id = record["id"], user_id = record["user_id"], resource_type = record["resource_type"],
        resource_id = record["resource_id"], grant_type = details["grant_type"],
        scopes = scopes and table.concat(scopes, " "), ip_address = details["ip_address"],
        user_agent = details["user_agent"], error = details["error"], expires_in = details["expires_in"],
    }
end
"""


@dataclass
class Agent:
    """An agent that follows a log into a database of its own."""

    name: str
    log: Path
    store: StoreSettings
    home: Path
    """Where it keeps configuration and positions."""
    command: list[str]
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise SystemExit(f"{self.name} was not started")
        return self._process

    def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.home, env=environment())

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it as systemd would, if it runs."""
        if self._process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def usage(self) -> "Usage":
        return usage(self.process.pid)


class Usage(NamedTuple):
    """What a process has used so far."""

    processor: float
    """User and system time, seconds."""
    peak: int
    """Resident memory, MiB: the most there was."""
    resident: int
    """Resident memory now, MiB."""


def usage(process: int) -> Usage:
    """Ask the kernel about a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    peak, resident = (int(status[key].split()[0]) // 1024 for key in ("VmHWM", "VmRSS"))
    return Usage((int(fields[11]) + int(fields[12])) / TICKS, peak, resident)


def tokentail(log: Path, store: StoreSettings, home: Path) -> Agent:
    config = home / "tokentail.toml"
    config.write_text(TOKENTAIL.format(home=home, log=log, store=store, token_file=store.token_file or ""))
    return Agent("tokentail", log, store, home, [sys.executable, "-m", "ingestor", "run", "--config", str(config)])


def telegraf(log: Path, store: StoreSettings, home: Path) -> Agent:
    config = home / "telegraf.conf"
    config.write_text(TELEGRAF.format(home=home, log=log, store=store, token=_token(store)))
    program = program_of("telegraf", "TOKENTAIL_BENCH_TELEGRAF")
    return Agent("Telegraf", log, store, home, [program, "--config", str(config)])


def fluent_bit(log: Path, store: StoreSettings, home: Path) -> Agent:
    """As it comes: a tag ``_seq`` numbers the lines, so that equal times do not matter; each number is a series."""
    return _fluent_bit("Fluent Bit", "", log, store, home)


def fluent_bit_without_sequence(log: Path, store: StoreSettings, home: Path) -> Agent:
    """Without that tag: what follows a line of an equal time is moved by a nanosecond, as the lines happen to come."""
    return _fluent_bit("Fluent Bit, no _seq", "Sequence_Tag off", log, store, home)


def _fluent_bit(name: str, sequence: str, log: Path, store: StoreSettings, home: Path) -> Agent:
    config = home / "fluent-bit.conf"
    port = urlsplit(store.url).port
    config.write_text(
        FLUENT_BIT.format(home=home, log=log, store=store, token=_token(store), port=port, sequence=sequence)
    )
    (home / "parsers.conf").write_text(FLUENT_BIT_PARSERS)
    (home / "audit.lua").write_text(FLUENT_BIT_LUA)
    program = program_of("fluent-bit", "TOKENTAIL_BENCH_FLUENT_BIT")
    return Agent(name, log, store, home, [program, "-c", str(config)])


def environment() -> dict[str, str]:
    """Return the environment without what steers tests and benches: tokentail refuses variables that it does not know."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TOKENTAIL_")} | {
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent)
    }


Maker = Callable[[Path, StoreSettings, Path], Agent]


def agents() -> list[Maker]:
    """Return those that this machine has."""
    found: list[Maker] = [tokentail]
    if program_of("telegraf", "TOKENTAIL_BENCH_TELEGRAF"):
        found.append(telegraf)
    if program_of("fluent-bit", "TOKENTAIL_BENCH_FLUENT_BIT"):
        found += [fluent_bit, fluent_bit_without_sequence]
    return found


def program_of(name: str, variable: str) -> str:
    return os.environ.get(variable) or shutil.which(name) or ""


def _token(store: StoreSettings) -> str:
    return store.token_file.read_text().strip() if store.token_file else ""


def stored_ids(store: StoreSettings, *, since_ms: int = 0) -> list[str]:
    """Return the ids of all stored points, one for each point: an id that is there twice is a duplicate."""
    ids: list[str] = []
    http = InfluxHttp(store)
    condition = f" WHERE time >= {since_ms}ms" if since_ms else ""
    text = f'SELECT event_id FROM "{store.database}"."raw"."token_events"{condition}'
    answer = http.request("POST", "/query", params={"db": store.database, "epoch": "ms", "q": text}, body=b"")
    http.close()
    if answer.status != 200:
        raise SystemExit(f"InfluxDB answers {answer.status}: {answer.body[:200]!r}")
    for series in orjson.loads(answer.body)["results"][0].get("series", []):
        ids += [row[1] for row in series["values"]]
    return ids


def series_count(store: StoreSettings) -> int:
    """Return how many series the events are."""
    http = InfluxHttp(store)
    text = f'import "influxdata/influxdb" influxdb.cardinality(bucket: "{store.database}/raw", start: 1970-01-01T00:00:00Z)'
    body = orjson.dumps({"query": text, "type": "flux"})
    answer = http.request("POST", "/api/v2/query", params={"org": store.organization}, body=body)
    http.close()
    if answer.status != 200:
        raise SystemExit(f"InfluxDB answers {answer.status}: {answer.body[:200]!r}")
    return int(answer.body.split()[-1].rpartition(b",")[2])


def wait_until_quiet(count: Callable[[], int], *, quiet: float, most: float, step: float = 0.1) -> tuple[int, float]:
    """Poll a count until it is the same for ``quiet`` seconds and not 0; return it and when it changed last (monotonic)."""
    begun = changed = time.monotonic()
    last = 0
    while (now := time.monotonic()) - begun < most:
        found = count()
        if found != last:
            last, changed = found, time.monotonic()
        elif last and now - changed >= quiet:
            break
        time.sleep(step)
    return last, changed
