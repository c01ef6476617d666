"""A real Grafana on loopback, for the tests that need one.

Grafana is in no registry. ``TOKENTAIL_TEST_GRAFANA_URL`` with ``TOKENTAIL_TEST_GRAFANA_TOKEN`` (a service account's, role Admin)
names one that runs; or the built tree at ``TOKENTAIL_TEST_GRAFANA_HOME`` (its ``bin/grafana``, ``conf`` and ``public``) is started,
once a session, with data of its own. Tests share it, so each makes folders, uids and data sources of its own.
"""

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import urllib3

from ingestor.config.settings import StoreSettings
from tests.support.servers import free_port

NO_GRAFANA: Final = "no Grafana here: see tests/support/grafana_servers.py"
ADMINISTRATOR: Final = "admin"
PASSWORD: Final = "test-password-of-loopback"
TICK_SECONDS: Final = 10
"""The shortest interval at which Grafana evaluates a group."""
_ENVIRONMENT: Final = {
    "GF_SERVER_HTTP_ADDR": "127.0.0.1",
    "GF_SECURITY_ADMIN_USER": ADMINISTRATOR,
    "GF_SECURITY_ADMIN_PASSWORD": PASSWORD,
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_GRAFANA_COM_URL": "http://127.0.0.1:9",  # nothing is asked of the vendor
    "GF_GRAFANA_COM_API_URL": "http://127.0.0.1:9/api",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
    "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
    "GF_DATABASE_WAL": "true",  # else readers and the scheduler lock each other out
    "GF_UNIFIED_ALERTING_ALERTMANAGER_CONFIG_POLL_INTERVAL": "1s",  # how soon new contact points are known to the sender
    "GF_LOG_LEVEL": "warn",
}
_numbers = itertools.count()


class GrafanaAnswer(NamedTuple):
    """What Grafana answered; ``json`` is None where the body is none."""

    status: int
    json: Any


@dataclass
class GrafanaServer:
    """A server that runs. ``token`` is a service account's with the role Admin."""

    url: str
    token: str = field(default="", repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    log: Path | None = None
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False), repr=False)

    def request(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> GrafanaAnswer:
        """Ask the API, without the code under test."""
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}", **(headers or {})}
        answer = self.http.request(
            method, self.url + path, body=None if body is None else orjson.dumps(body), headers=sent, timeout=60
        )
        try:
            return GrafanaAnswer(answer.status, orjson.loads(answer.data))
        except orjson.JSONDecodeError:
            return GrafanaAnswer(answer.status, None)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API for something that must succeed."""
        answer = self.request(method, path, body)
        assert 200 <= answer.status < 300, (method, path, answer)
        return answer.json

    def new_token(self, role: str = "Admin") -> str:
        """Make a service account of this role (``Viewer``, ``Editor``, ``Admin``); return its token."""
        name = f"test{os.getpid()}x{next(_numbers)}"
        account = self._as_administrator("/api/serviceaccounts", {"name": name, "role": role})
        return str(self._as_administrator(f"/api/serviceaccounts/{account['id']}/tokens", {"name": name})["key"])

    def _as_administrator(self, path: str, body: Any) -> Any:
        headers = urllib3.make_headers(basic_auth=f"{ADMINISTRATOR}:{PASSWORD}") if self.process else {}
        answer = self.request("POST", path, body, headers={k.title(): v for k, v in headers.items()})
        assert 200 <= answer.status < 300, (path, answer)
        return answer.json

    def new_data_source(self, store: StoreSettings, uid: str = "") -> str:
        """Make a data source that asks this InfluxDB in InfluxQL, by hand; return its uid."""
        uid = uid or f"test{os.getpid()}x{next(_numbers)}"
        secure, plain = {}, {"version": "InfluxQL", "dbName": store.database, "httpMode": "POST"}
        if store.token_file is not None:  # InfluxDB 2.x
            plain["httpHeaderName1"] = "Authorization"
            secure["httpHeaderValue1"] = f"Token {store.token_file.read_text().strip()}"
        source = {"uid": uid, "name": uid, "type": "influxdb", "access": "proxy", "url": store.url, "database": ""}
        self.ask("POST", "/api/datasources", source | {"jsonData": plain, "secureJsonData": secure})
        return uid

    def new_folder(self, uid: str = "") -> str:
        """Make a folder; return its uid."""
        uid = uid or f"test{os.getpid()}x{next(_numbers)}"
        self.ask("POST", "/api/folders", {"uid": uid, "title": uid})
        return uid

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                if self.request("GET", "/api/health").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            assert self.process is None or self.process.poll() is None, self.said()
            time.sleep(0.1)
        raise AssertionError(f"Grafana did not start: {self.said()}")

    def said(self) -> str:
        return self.log.read_text() if self.log else ""

    def stop(self) -> None:
        """Stop it, when it is ours."""
        self.http.clear()
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def grafana_home() -> Path | None:
    """Return the built tree that the environment names."""
    home = os.environ.get("TOKENTAIL_TEST_GRAFANA_HOME")
    return Path(home) if home and (Path(home) / "bin/grafana").exists() else None


def new_grafana(home: Path, directory: Path) -> GrafanaServer:
    """Start a Grafana of this tree with everything that it writes in this directory."""
    port, log = free_port(), directory / "grafana.log"
    paths = {f"GF_PATHS_{name.upper()}": str(directory / name) for name in ("data", "logs", "plugins", "provisioning")}
    url = f"http://127.0.0.1:{port}"
    ours = {**_ENVIRONMENT, **paths, "GF_SERVER_HTTP_PORT": str(port), "GF_SERVER_ROOT_URL": f"{url}/"}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GF_")}
    command = (str(home / "bin/grafana"), "server", "--homepath", str(home))
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=inherited | ours, stdout=out, stderr=out, start_new_session=True)
    server = GrafanaServer(url, process=process, log=log)
    try:
        server.wait()
        server.token = server.new_token()
    except BaseException:
        server.stop()
        raise
    return server


def grafanas(directory: Path) -> Iterator[GrafanaServer | str]:
    """Yield the Grafana of a session, or why there is none."""
    if url := os.environ.get("TOKENTAIL_TEST_GRAFANA_URL"):
        server = GrafanaServer(url.rstrip("/"), os.environ.get("TOKENTAIL_TEST_GRAFANA_TOKEN", ""))
        server.wait()
    elif home := grafana_home():
        server = new_grafana(home, directory)
    else:
        yield NO_GRAFANA
        return
    yield server
    server.stop()
