"""A real Keycloak 26 of a test's own, and clients that drive it with token traffic and attacks.

``TOKENTAIL_TEST_KEYCLOAK`` names an unpacked ``keycloak-quarkus-dist`` of Maven Central, which wants Java 17.
"""

import base64
import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.providers.driven import INVENTED, Told
from tests.providers.keycloak_browser import REDIRECT, Browser
from tests.support.servers import free_port

FOLDER: Final = os.environ.get("TOKENTAIL_TEST_KEYCLOAK", "")
REALM: Final = Path(__file__).with_name("servers") / "keycloak-realm.json"


KeycloakCount: TypeAlias = tuple[str, str, str]
"""(event, client, error), as Keycloak's metrics have it: their client of ``client_not_found`` is "unknown"."""
BROWSER_LOGIN: Final[KeycloakCount] = ("login", "app", "")
"""What is counted of a login with a browser, of which tokentail stores nothing; of the password grant, too."""


class Endpoint:
    """A client of the server, which notes what a perfect log would tell, and what Keycloak counts."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.url = f"{url}/realms/acme/protocol/openid-connect"
        self.done: list[Told] = []
        self.counts: Counter[KeycloakCount] = Counter()
        self.browser_logins = 0
        self.steps: dict[Callable[[], None], int] = {
            self.machine: 12,
            self.guess: 8,
            self.invented: 12,
            self.user: 6,
            self.wrong_password: 4,
            self.code: 3,
            self.anonymous: 4,
        }
        self._chance = chance
        self._session = requests.Session()

    def machine(self) -> None:
        assert self._token("billing", grant_type="client_credentials").status_code == 200
        self._note("token.issued.client_credentials", "billing", "", "client_login")

    def guess(self) -> None:
        assert self._token("billing", "wrong", grant_type="client_credentials").status_code == 401
        self._note("token.validation_failed", "billing", "invalid_client", "client_login", "invalid_client_credentials")

    def invented(self) -> None:
        name = self._chance.choice(
            ['x", error="none', "ends\\", "two\nlines", "<b>", "\x1b[31m", "café", 'type="LOGIN"', "a" * 300]
        )
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": "made-up"}
        assert self._session.post(f"{self.url}/token", data=form, timeout=30).status_code == 401
        self.done.append(("token.validation_failed", INVENTED, "invalid_client"))
        self.counts["client_login", "unknown", "client_not_found"] += 1

    def user(self) -> None:
        """Get tokens by password, use them, and use the refresh token twice, as a thief does."""
        tokens = self._password("alice", "made-up-password-of-alice").json()
        self._note("token.issued.password", "app", "", "login")
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert self._session.get(f"{self.url}/userinfo", headers=bearer, timeout=30).status_code == 200
        self._note("token.userinfo_accessed", "app", "", "user_info_request")
        for client, error in (("app", ""), ("billing", "invalid_token")):  # the token is for one of them
            asked, auth = {"token": tokens["access_token"]}, (client, f"made-up-secret-of-{client}")
            answer = self._session.post(f"{self.url}/token/introspect", data=asked, auth=auth, timeout=30)
            assert answer.json()["active"] is (not error)
            self._note("token.introspected", client, "", "introspect_token", error)
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert self._token("app", **form).status_code == 200
        self._note("token.refreshed", "app", "", "refresh_token")
        assert self._token("app", **form).status_code == 400
        self._note("token.reuse_detected", "app", "invalid_grant", "refresh_token", "invalid_token")

    def wrong_password(self) -> None:
        name = f"ghost-{self._chance.random()}"
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
        code = Browser().code(f"{self.url}/auth", "bob", "made-up-password-of-bob", **query)
        self.counts[BROWSER_LOGIN] += 1
        self.browser_logins += 1
        return code


class Keycloak:
    """A server of its own, from its own copy of what it changes, with the tests' realm or another one of the same name.

    ``options`` are added to those of its start.
    """

    def __init__(self, directory: Path, log: Path, *options: str, realm: bytes | None = None) -> None:
        self._port, self._management = free_port(), free_port()
        home = directory / "keycloak"
        shutil.copytree(FOLDER, home, symlinks=True, ignore=shutil.ignore_patterns("data"))
        (home / "data/import").mkdir(parents=True)
        (home / "data/import/acme-realm.json").write_bytes(realm or REALM.read_bytes())
        self._out = directory / "keycloak.out"
        command = [
            str(home / "bin/kc.sh"),
            "start-dev",
            "--import-realm",
            "--http-host=127.0.0.1",
            f"--http-port={self._port}",
            f"--http-management-port={self._management}",
            "--log=file",
            f"--log-file={log}",
            "--log-file-output=json",
            "--log-level=info,org.keycloak.events:debug",
            "--spi-events-listener--jboss-logging--success-level=info",
            "--metrics-enabled=true",
            "--event-metrics-user-enabled=true",
            "--event-metrics-user-tags=realm,clientId",
            *options,
        ]
        with self._out.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)

    CLIENTS: Final = ("billing", "app")

    @staticmethod
    def is_here() -> bool:
        """Whether it can be started on this machine."""
        return bool(FOLDER) and shutil.which("java") is not None

    def endpoint(self, chance: random.Random) -> Endpoint:
        """Return another client of it."""
        return Endpoint(self._url, chance)

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 400
        while True:
            assert self._process.poll() is None, self._out.read_text()[-3000:]
            assert time.monotonic() < deadline, self._out.read_text()[-3000:]
            try:
                if requests.get(self.realm_url, timeout=5).ok:
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
        """End it."""
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(60)

    @property
    def realm_url(self) -> str:
        """Where the realm is."""
        return f"{self._url}/realms/acme"

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._port}"
