"""A real Keycloak 26, driven with token traffic and attacks, against what was done and against its own counters.

``TOKENTAIL_TEST_KEYCLOAK`` names an unpacked ``keycloak-quarkus-dist`` of Maven Central, which wants Java 17.
"""

import base64
import hashlib
import html
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from ingestor.config.settings import LogSettings
from tests.providers.driven import Told, counted, drive, stored
from tests.support.servers import free_port
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FOLDER: Final = os.environ.get("TOKENTAIL_TEST_KEYCLOAK", "")
REALM: Final = Path(__file__).with_name("servers") / "keycloak-realm.json"
REDIRECT: Final = "https://app.example/cb"
INVENTED: Final = "?"
"""Stands for any name of a client that does not exist."""
TOKEN_EVENTS: Final = {
    *(
        "client_login",
        "code_to_token",
        "login",
        "refresh_token",
        "user_info_request",
        "introspect_token",
        "revoke_grant",
    ),
}
"""What Keycloak counts, and tokentail stores."""

KeycloakCount: TypeAlias = tuple[str, str, str]
"""(event, client, error), as Keycloak's metrics have it."""


class Endpoint:
    """A client of the server, which notes what a perfect log would tell, and what Keycloak counts."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/realms/acme/protocol/openid-connect"
        self.done: list[Told] = []
        self.counts: Counter[KeycloakCount] = Counter()
        self._session = requests.Session()

    def machine(self) -> None:
        assert self._token("billing", grant_type="client_credentials").status_code == 200
        self._note("token.issued.client_credentials", "billing", "", "client_login")

    def guess(self) -> None:
        assert self._token("billing", "wrong", grant_type="client_credentials").status_code == 401
        self._note("token.validation_failed", "billing", "invalid_client", "client_login", "invalid_client_credentials")

    def invented(self) -> None:
        name = random.choice(
            ['x", error="none', "ends\\", "two\nlines", "<b>", "\x1b[31m", "café", 'type="LOGIN"', "a" * 300]
        )
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": "made-up"}
        assert self._session.post(f"{self.url}/token", data=form, timeout=30).status_code == 401
        self._note("token.validation_failed", INVENTED, "invalid_client", "client_login", "client_not_found")

    def user(self) -> None:
        """Get tokens by password, use them, and use the refresh token twice, as a thief does."""
        tokens = self._password("alice", "made-up-password-of-alice").json()
        self._note("token.issued.password", "app", "", "login")
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert self._session.get(f"{self.url}/userinfo", headers=bearer, timeout=30).status_code == 200
        self._note("token.userinfo_accessed", "app", "", "user_info_request")
        asked = {"token": tokens["access_token"]}
        app = ("app", "made-up-secret-of-app")
        assert self._session.post(f"{self.url}/token/introspect", data=asked, auth=app, timeout=30).ok
        self._note("token.introspected", "app", "", "introspect_token")
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert self._token("app", **form).status_code == 200
        self._note("token.refreshed", "app", "", "refresh_token")
        assert self._token("app", **form).status_code == 400
        self._note("token.reuse_detected", "app", "invalid_grant", "refresh_token", "invalid_token")

    def wrong_password(self) -> None:
        name = f"ghost-{random.random()}"
        assert self._password(name, "guessed").status_code == 400
        self._note("token.validation_failed", "app", "invalid_grant", "login", "user_not_found")

    def code(self) -> None:
        """Log in with a browser, and prove the code with a wrong verifier; then once more, with the right one."""
        verifier = "v" * 43
        form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
        wrong = self._token("app", **form, code=self._login(verifier), code_verifier="w" * 43)
        assert wrong.status_code == 400, wrong.text
        self._note("token.pkce_failed", "app", "invalid_grant", "code_to_token", "pkce_verification_failed")
        right = self._token("app", **form, code=self._login(verifier), code_verifier=verifier)
        assert right.status_code == 200, right.text
        self._note("token.issued.authorization_code", "app", "", "code_to_token")

    def anonymous(self) -> None:
        bearer = {"Authorization": "Bearer made-up"}
        assert self._session.get(f"{self.url}/userinfo", headers=bearer, timeout=30).status_code == 401
        self._note("token.validation_failed", "", "invalid_token", "user_info_request", "invalid_token")

    def _note(self, action: str, client: str, error: str, event: str, keycloak_error: str = "") -> None:
        self.done.append((action, client, error))
        self.counts[event, client, keycloak_error] += 1

    def _token(self, client: str, secret: str = "", **form: str) -> requests.Response:
        return self._session.post(
            f"{self.url}/token", data=form, auth=(client, secret or f"made-up-secret-of-{client}"), timeout=30
        )

    def _password(self, user: str, password: str) -> requests.Response:
        return self._token("app", grant_type="password", username=user, password=password, scope="openid")

    def _login(self, verifier: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": "app",
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": REDIRECT,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        page = requests.get(f"{self.url}/auth", params=query, timeout=30)
        (action,) = re.findall(r'action="([^"]*)"', page.text)
        form = {"username": "bob", "password": "made-up-password-of-bob"}
        # Keycloak's cookies are for TLS alone, which a browser does not ask for on loopback, and `requests` does.
        cookies = {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)}
        answer = requests.post(html.unescape(action), data=form, headers=cookies, allow_redirects=False, timeout=30)
        self.counts["login", "app", ""] += 1  # a browser's login gives no token: tokentail ignores it
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


class Keycloak:
    """A server of its own, from its own copy of what it changes."""

    def __init__(self, directory: Path, log: Path) -> None:
        self.port, self._management = free_port(), free_port()
        home = directory / "keycloak"
        shutil.copytree(FOLDER, home, symlinks=True, ignore=shutil.ignore_patterns("data"))
        (home / "data/import").mkdir(parents=True)
        shutil.copy(REALM, home / "data/import/acme-realm.json")
        self._out = directory / "keycloak.out"
        command = [
            *(
                str(home / "bin/kc.sh"),
                "start-dev",
                "--import-realm",
                "--http-host=127.0.0.1",
                f"--http-port={self.port}",
            ),
            *(
                f"--http-management-port={self._management}",
                "--log=file",
                f"--log-file={log}",
                "--log-file-output=json",
            ),
            *("--log-level=info,org.keycloak.events:debug", "--spi-events-listener--jboss-logging--success-level=info"),
            *(
                "--metrics-enabled=true",
                "--event-metrics-user-enabled=true",
                "--event-metrics-user-tags=realm,clientId",
            ),
        ]
        with self._out.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        deadline = time.monotonic() + 400
        while True:
            assert self._process.poll() is None, self._out.read_text()[-3000:]
            assert time.monotonic() < deadline, self._out.read_text()[-3000:]
            try:
                if requests.get(f"{self.url}/realms/acme", timeout=5).ok:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.5)

    def counts(self) -> Counter[KeycloakCount]:
        """Return its own counters of the realm, ``keycloak_user_events_total``."""
        text = requests.get(f"http://127.0.0.1:{self._management}/metrics", timeout=30).text
        found: Counter[KeycloakCount] = Counter()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels: dict[str, Any] = sample.labels
                if sample.name == "keycloak_user_events_total" and labels["realm"] == "acme":
                    found[labels["event"], labels["client_id"], labels["error"]] += int(sample.value)
        return found

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(60)


@pytest.fixture
def keycloak(tmp_path: Path, world: World) -> Iterator[Keycloak]:
    if not FOLDER or shutil.which("java") is None:
        pytest.skip("no Keycloak here: see tests/providers/test_real_keycloak.py")
    server = Keycloak(tmp_path, world.log.path)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def test_the_store_holds_what_was_done_and_what_keycloak_counts(keycloak: Keycloak, world: World) -> None:
    world.log_settings = (LogSettings(str(world.log.path), source="keycloak"),)  # detected line by line
    endpoint = Endpoint(keycloak.url)
    steps: dict[Callable[[], None], int] = {
        endpoint.machine: 12,
        endpoint.guess: 8,
        endpoint.invented: 12,
        endpoint.user: 6,
        endpoint.wrong_password: 4,
        endpoint.code: 3,
        endpoint.anonymous: 4,
    }
    drive(world, (step for step, times in steps.items() for _ in range(times)))
    events = stored(world)
    expected = Counter(endpoint.done)
    names = {event.told for event in events} - expected.keys()
    assert {(action, error) for action, _, error in names} == {("token.validation_failed", "invalid_client")}
    found = counted(events)
    assert sum(found.pop(name) for name in names) == expected.pop(
        ("token.validation_failed", INVENTED, "invalid_client")
    )
    assert found == expected
    assert {event.realm for event in events} == {"acme"}
    assert {event.ip for event in events} == {"127.0.0.1"}
    assert {bool(event.user_id) for event in events if event.action == "token.refreshed"} == {True}
    assert {event.user_id for event in events if event.action == "token.issued.client_credentials"} == {None}

    counts, noted = keycloak.counts(), endpoint.counts
    assert {event for event, _, _ in counts} <= TOKEN_EVENTS
    invented = sum(number for (_, _, error), number in counts.items() if error == "client_not_found")
    assert invented == noted.pop(("client_login", INVENTED, "client_not_found"))
    known = Counter({key: number for key, number in counts.items() if key[2] != "client_not_found"})
    assert sum(known.values()) == sum(noted.values())
    browsers = 2 * steps[endpoint.code]
    assert counts.total() - browsers == len(events), "Keycloak counts a browser's login, and tokentail ignores it"
