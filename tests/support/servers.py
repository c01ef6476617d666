"""Real InfluxDB servers on loopback, for the tests that need one.

InfluxDB 1.x is Debian's ``influxdb`` (the program ``influxd``); each session starts one of its own. InfluxDB 2.x is in no
registry: ``TOKENTAIL_TEST_INFLUXDB2_URL`` (with ``..._TOKEN`` and ``..._ORG``) names one that runs, or a program ``influxd`` of
version 2 at ``TOKENTAIL_TEST_INFLUXD2`` is started.
"""

import contextlib
import dataclasses
import functools
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from ingestor.config.settings import StoreSettings
from ingestor.stores.influxdb.client.http import Answer, InfluxHttp, NoAnswerError

_numbers = itertools.count()
CONFIG_1 = """
reporting-disabled = true
bind-address = "127.0.0.1:{backup}"
[meta]
  dir = "{directory}/meta"
[data]
  dir = "{directory}/data"
  wal-dir = "{directory}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {users}
  log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "info"
  suppress-logo = true
"""
ADMINISTRATOR = "root"
PASSWORD = "test-password-of-loopback"
TOKEN = "test-token-of-loopback"
ORGANIZATION = "tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class InfluxServer:
    """A server that runs; ``stop`` and ``start`` are for those that we started."""

    version: int
    store: StoreSettings
    """Settings that reach it; the database is not made yet."""
    command: tuple[str, ...] = ()
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def fresh(self, **changes: Any) -> StoreSettings:
        """Return settings with a database of their own, which nobody has made yet."""
        database = f"test{os.getpid()}x{next(_numbers)}"
        return dataclasses.replace(self.store, **{"database": database, **changes})

    def make(self, **days: int) -> StoreSettings:
        """Make a database of its own, by hand, and return settings with it. ``days``: retention by policy, 0 is for ever."""
        store = self.fresh()
        kept = {"raw": 0, "rollup": 0, "findings": 0, "own": 0} | days
        with contextlib.closing(InfluxHttp(store)) as http:
            if self.version == 1:
                policies = "".join(
                    f'; CREATE RETENTION POLICY "{policy}" ON "{store.database}"'
                    f" DURATION {f'{number}d' if number else 'INF'} REPLICATION 1 SHARD DURATION 1d"
                    for policy, number in kept.items()
                )
                answer = http.request("POST", "/query", params={"q": f'CREATE DATABASE "{store.database}"{policies}'})
                assert b"error" not in answer.body, answer.body
                return store
            organizations = orjson.loads(http.request("GET", "/api/v2/orgs").body)["orgs"]
            for policy, number in kept.items():
                bucket = {
                    "name": f"{store.database}/{policy}",
                    "orgID": organizations[0]["id"],
                    "retentionRules": [{"type": "expire", "everySeconds": number * 86_400}] if number else [],
                }
                answer = http.request("POST", "/api/v2/buckets", body=orjson.dumps(bucket))
                assert answer.status == 201, answer.body
        return store

    def start(self) -> None:
        assert self.log is not None
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        with contextlib.closing(InfluxHttp(self.store)) as http:
            while time.monotonic() < deadline:
                with contextlib.suppress(NoAnswerError):
                    if http.request("GET", "/ping").status == 204 and (self.version == 1 or self._set_up(http)):
                        return
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.05)
        raise AssertionError(f"{self.command[0]} did not start: {self.log.read_text()}")

    def _set_up(self, http: InfluxHttp) -> bool:
        """Give InfluxDB 2 its first user, when it has none."""
        allowed = http.request("GET", "/api/v2/setup")
        if allowed.status != 200:
            return False
        if not orjson.loads(allowed.body)["allowed"]:
            return True
        body = {
            "username": "tests",
            "password": "tests-of-loopback",
            "org": ORGANIZATION,
            "bucket": "first",
            "token": TOKEN,
        }
        return http.request("POST", "/api/v2/setup", body=orjson.dumps(body)).status == 201

    def kill(self) -> None:
        """End it as a power failure would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def tear(self) -> None:
        """Have an entry of the write-ahead logs be torn, as a kill in the middle of a write leaves it; not while it runs.

        InfluxDB 1.x and 2.x (to 2.7.12 at least) open the log for appending before they cut the torn entry off, so what they
        acknowledge from then on stands behind a hole, and the next start throws it away: ``tsm1/engine.go``, ``Open``.
        """
        assert self.log is not None
        for path in self.log.parent.rglob("*.wal"):
            if path.stat().st_size:
                with path.open("ab") as file:
                    file.write(b"\x01\x00\x00\x10\x00" + b"torn")

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@functools.cache
def _kept(server: StoreSettings) -> InfluxHttp:
    """Keep connections: there are thousands of queries."""
    return InfluxHttp(server)


def query(store: StoreSettings, text: str, **params: str) -> list[dict[str, Any]]:
    """Ask InfluxQL and return the series of all results, without the code under test."""
    answer: Answer = _kept(dataclasses.replace(store, database="")).request(
        "POST",
        "/query",
        params={"db": store.database, "epoch": "ns", **params},
        body=urlencode({"q": text}).encode(),  # in an address it would be encoded twice
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 200, answer.body
    results = orjson.loads(answer.body)["results"]
    assert not any("error" in result for result in results), results
    return [series for result in results for series in result.get("series", [])]


def influxd1() -> str | None:
    """Return the program of InfluxDB 1.x."""
    program = shutil.which("influxd")
    return program if program and _version_of(program) == 1 else None


def influxd2() -> str | None:
    """Return the program of InfluxDB 2.x."""
    program = os.environ.get("TOKENTAIL_TEST_INFLUXD2") or shutil.which("influxd")
    return program if program and _version_of(program) == 2 else None


def _version_of(program: str) -> int:
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=False, timeout=60).stdout
    found = re.search(r"InfluxDB v?(\d)", said)
    return int(found[1]) if found else 0


def new_influxdb1(directory: Path, *, users: bool = False) -> InfluxServer:
    """Start an InfluxDB 1.x with its data in this directory; with ``users``, one that asks who one is."""
    program, port = influxd1(), free_port()
    assert program is not None
    config = directory / "influxdb.conf"
    config.write_text(
        CONFIG_1.format(directory=directory, port=port, backup=free_port(), users="true" if users else "false")
    )
    store = StoreSettings(type="influxdb", url=f"http://127.0.0.1:{port}")
    server = InfluxServer(1, store, (program, "-config", str(config)), directory / "influxd.log")
    server.start()
    return server


def new_user(server: InfluxServer, name: str, directory: Path, *, grants: str = "") -> StoreSettings:
    """Make a user of InfluxDB 1.x; return settings that are this user's. ``grants``: ``READ ON "db"``, ``WRITE ON "db"``."""
    query(server.store, f"CREATE USER \"{name}\" WITH PASSWORD '{PASSWORD}'")
    for grant in filter(None, grants.split(",")):
        query(server.store, f'GRANT {grant} TO "{name}"')
    password = private_file(directory / f"password-{name}", PASSWORD)
    return dataclasses.replace(server.store, username=name, password_file=password)


def first_user(server: InfluxServer, directory: Path) -> StoreSettings:
    """Make the first user of an InfluxDB 1.x that asks for one: its administrator."""
    query(server.store, f"CREATE USER {ADMINISTRATOR} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES")
    password = private_file(directory / "password", PASSWORD)
    return dataclasses.replace(server.store, username=ADMINISTRATOR, password_file=password)


def new_token(server: InfluxServer, directory: Path, *grants: tuple[str, str]) -> StoreSettings:
    """Make a token of InfluxDB 2.x; return settings with it. A grant: ``read`` or ``write``, and a bucket, or "" for all."""
    with contextlib.closing(InfluxHttp(server.store)) as http:
        params = {"org": server.store.organization}
        organization = orjson.loads(http.request("GET", "/api/v2/orgs", params=params).body)["orgs"][0]
        permissions = []
        for action, bucket in grants:
            resource = {"type": "buckets", "orgID": organization["id"]}
            if bucket:
                found = orjson.loads(http.request("GET", "/api/v2/buckets", params={"name": bucket}).body)["buckets"]
                resource["id"] = found[0]["id"]
            permissions.append({"action": action, "resource": resource})
        body = orjson.dumps({"orgID": organization["id"], "permissions": permissions})
        answer = http.request("POST", "/api/v2/authorizations", body=body)
    assert answer.status == 201, answer.body
    token = private_file(directory / f"token{next(_numbers)}", orjson.loads(answer.body)["token"])
    return dataclasses.replace(server.store, token_file=token)


@contextlib.contextmanager
def another_organization(server: InfluxServer, name: str) -> Iterator[str]:
    """Make a second organization in an InfluxDB 2.x, for as long as the block lasts."""
    with contextlib.closing(InfluxHttp(server.store)) as http:
        answer = http.request("POST", "/api/v2/orgs", body=orjson.dumps({"name": name}))
        assert answer.status == 201, answer.body
        yield name
        http.request("DELETE", f"/api/v2/orgs/{orjson.loads(answer.body)['id']}")


def private_file(path: Path, text: str) -> Path:
    """Write a file that its owner alone may read."""
    path.write_text(text)
    path.chmod(0o600)
    return path


def new_influxdb2(directory: Path) -> InfluxServer:
    """Start an InfluxDB 2.x with its data in this directory."""
    program, port = influxd2(), free_port()
    assert program is not None
    token = private_file(directory / "token", TOKEN)
    command: tuple[str, ...] = (
        program,
        "--http-bind-address",
        f"127.0.0.1:{port}",
        "--reporting-disabled",
        "--log-level",
        "info",
    )
    command += ("--bolt-path", str(directory / "bolt"), "--engine-path", str(directory / "engine"))
    command += ("--sqlite-path", str(directory / "sqlite"))
    store = StoreSettings(type="influxdb", url=f"http://127.0.0.1:{port}", token_file=token, organization=ORGANIZATION)
    server = InfluxServer(2, store, command, directory / "influxd.log")
    server.start()
    return server


def running_influxdb2(directory: Path) -> InfluxServer | None:
    """Return the InfluxDB 2.x that the environment names."""
    url = os.environ.get("TOKENTAIL_TEST_INFLUXDB2_URL")
    if not url:
        return None
    token = private_file(directory / "token", os.environ.get("TOKENTAIL_TEST_INFLUXDB2_TOKEN", ""))
    organization = os.environ.get("TOKENTAIL_TEST_INFLUXDB2_ORG", "")
    return InfluxServer(2, StoreSettings(type="influxdb", url=url, token_file=token, organization=organization))


def servers(version: int, directory: Path) -> Iterator[InfluxServer | str]:
    """Yield the server of a session, or why there is none."""
    if version == 2 and (running := running_influxdb2(directory)):
        yield running
        return
    program = influxd1() if version == 1 else influxd2()
    if program is None:
        yield f"no InfluxDB {version}.x here: see tests/support/servers.py"
        return
    server = new_influxdb1(directory) if version == 1 else new_influxdb2(directory)
    yield server
    server.stop()
