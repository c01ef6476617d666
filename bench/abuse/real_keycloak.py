"""Attack a real Keycloak, and see what the daemon finds in its log, and after how long.

python -m bench.abuse.real_keycloak             some minutes; wants TOKENTAIL_TEST_KEYCLOAK and Java 17: docs/testing.md
python -m bench.abuse.real_keycloak --new       without the four weeks of a past that the daemon reads first
python -m bench.abuse.real_keycloak --influxdb  with InfluxDB 1 as the store, where Grafana's alerts see what is found

The daemon is the command `tokentail run` at its defaults. A delay is from the attack's first request until the finding is in the store with
the severity that it should have.
"""

import argparse
import contextlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.abuse.events import DAY_MS, HOUR_MS, event
from bench.abuse.keycloak import KeycloakLog
from ingestor.config.settings import StoreSettings
from ingestor.model.finding import MEASUREMENT, Severity, StoredFinding
from ingestor.model.questions import Period
from ingestor.state.findings import read_findings
from ingestor.state.state import State
from parsers.contract import EventRow
from tests.providers.keycloak_attacks import ATTACKS, Attack, alarms_of_nobody, is_as_bad
from tests.providers.keycloak_place import APP
from tests.providers.keycloak_realm import MACHINES, Realm, home, machine_room, realm_of, user
from tests.providers.real_keycloak import Keycloak
from tests.support.servers import new_influxdb1, query

PEOPLE: Final = 170
PAST_DAYS: Final = 28
PATIENCE_SECONDS: Final = 10
"""How long a finding is waited for, behind the last request of an attack."""
_SEEN: Final = 0.1
"""Seconds between two looks at the findings."""
_ALL: Final = Period(0, 2**63 - 1)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--new", action="store_true")
    arguments.add_argument("--influxdb", action="store_true")
    chosen = arguments.parse_args()
    if not Keycloak.is_here():
        sys.exit("There is no Keycloak here: see docs/testing.md.")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory, store = Path(name), None
        if chosen.influxdb:
            server = new_influxdb1(directory)
            stack.callback(server.kill)
            store = server.make()
        play(directory, store, has_past=not chosen.new)


def play(directory: Path, store: StoreSettings | None, *, has_past: bool) -> None:
    """Start Keycloak and the daemon, be quiet, attack, and print what was found of each."""
    log, past = directory / "keycloak.log", directory / "past.log"
    log.touch()
    past.write_bytes(b"")
    server = Keycloak(directory, log, "--proxy-headers=xforwarded", realm=realm_of(PEOPLE))
    try:
        if has_past:
            rows = sorted(past_events(time.time_ns() // 1_000_000), key=lambda row: row[0])
            past.write_bytes(b"".join(line.data for line in KeycloakLog(seed=1).lines(rows)))
        with running(directory, store, past, log) as watch:
            server.wait()
            realm = Realm(server.realm_url, PEOPLE)
            begun = time.monotonic()
            realm.be_quiet()
            time.sleep(2)
            alarms = len(alarms_of_nobody(watch.findings()))
            seconds = time.monotonic() - begun
            print(f"quiet: {realm.requests} requests in {seconds:.0f} s, {alarms} findings above low\n", flush=True)
            print(f"{'attack':<30}{'requests':>9}{'seconds':>9}{'delay':>9}  found by", flush=True)
            for attack in ATTACKS:
                print(attacked(realm, attack, watch), flush=True)
            time.sleep(2)
            nobody = alarms_of_nobody(watch.findings())
            print(f"\nfindings above low about nobody who attacked: {len(nobody)}")
            for finding in nobody:
                print(f"  {finding.pattern} {finding.severity} {finding.true_client} {finding.listed('ips')}")
    finally:
        server.stop()


def attacked(realm: Realm, attack: Attack, watch: "Watch") -> str:
    """Play an attack; return a line that says what came of it."""
    before, begin = realm.requests, time.monotonic()
    attack.begin(realm)
    seconds = time.monotonic() - begin
    deadline = time.monotonic() + (PATIENCE_SECONDS if attack.detectors else 2)
    while not attack.found(watch.findings()) and time.monotonic() < deadline:
        time.sleep(_SEEN)
    time.sleep(1)  # it may get worse with the last requests
    found = attack.found(watch.findings())
    delay = f"{min(watch.since(finding, attack.least) for finding in found) - begin:.1f} s" if found else ""
    about = [finding for finding in watch.findings() if attack.is_about_me(finding)]
    words = ", ".join(sorted({f"{finding.pattern} {finding.severity}" for finding in about})) or "-"
    if not attack.detectors:
        words += " (no detector looks for it)"
    return f"{attack.name:<30}{realm.requests - before:>9}{seconds:>9.1f}{delay:>9}  {words}"


class Watch(threading.Thread):
    """Looks at the findings of a store, and notes when each came to its severity."""

    def __init__(self, state: Path, store: StoreSettings | None) -> None:
        super().__init__(daemon=True)
        self._state = state
        self._store = store
        self._since: dict[tuple[int, str, str], tuple[StoredFinding, float]] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until the end."""
        while not self._ended.wait(_SEEN):
            with contextlib.closing(State.open_reader(self._state)) as state:
                found = list(read_findings(state.connection, _ALL))
            arrived = None if self._store is None else in_influxdb(self._store)
            for finding in found:
                key = (finding.time, finding.pattern, finding.severity)
                if arrived is None or key in arrived:
                    _, since = self._since.get(key, (None, time.monotonic()))
                    self._since[key] = finding, since

    def findings(self) -> list[StoredFinding]:
        """Return what is found so far: each as it was last."""
        return list({finding[:2]: finding for finding, _ in list(self._since.values())}.values())

    def since(self, finding: StoredFinding, least: Severity) -> float:
        """Return since when a finding is there and so severe: seconds of the monotonic clock."""
        return min(at for seen, at in list(self._since.values()) if seen[:2] == finding[:2] and is_as_bad(seen, least))

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join()


def in_influxdb(store: StoreSettings) -> set[tuple[int, str, str]]:
    """Return the time, pattern and severity of each finding that InfluxDB has."""
    asked = f'SELECT severity FROM "{store.database}"."findings"."{MEASUREMENT}" GROUP BY pattern'
    return {
        (at, series["tags"]["pattern"], severity) for series in query(store, asked) for at, severity in series["values"]
    }


@contextlib.contextmanager
def running(directory: Path, store: StoreSettings | None, *logs: Path) -> Iterator[Watch]:
    """Have the daemon read logs."""
    config, state = directory / "tokentail.toml", directory / "state"
    text = f'state_directory = "{state}"\n' + "".join(f'[[logs]]\npath = "{log}"\n' for log in logs)
    if store is not None:
        text += f'[store]\ntype = "influxdb"\nurl = "{store.url}"\ndatabase = "{store.database}"\n'
    config.write_text(text)
    command = [sys.executable, "-m", "ingestor", "run", "--config", str(config)]
    with (directory / "daemon.log").open("wb") as said:
        subprocess.run([*command, "--once"], check=True, stdout=said, stderr=said)  # the past, before anything happens
        daemon = subprocess.Popen(command, stdout=said, stderr=said)
    watch = Watch(state, store)
    try:
        watch.start()
        yield watch
    finally:
        watch.end()
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)


def past_events(now_ms: int) -> Iterator[EventRow]:
    """Yield what the same people and machines did in four weeks, up to now."""
    for day in range(PAST_DAYS):
        begin = now_ms - (PAST_DAYS - day) * DAY_MS
        for number in range(PEOPLE):
            at = begin + number * DAY_MS // PEOPLE
            name, ip = user(number), home(number)
            yield event(at, "token.issued.password", APP, user=name, ip=ip, scopes="openid profile email")
            yield event(at + 500, "token.userinfo_accessed", APP, user=name, ip=ip)
        for number, client in enumerate(MACHINES):
            for hour in range(24):
                at = begin + hour * HOUR_MS + number * 60_000
                yield event(
                    at, "token.issued.client_credentials", client, ip=machine_room(client), scopes="profile email"
                )


if __name__ == "__main__":
    main()
