"""A real oidc-provider of a test's own, whose log is written as docs/oidc-provider.md says, and clients that drive it.

``TOKENTAIL_TEST_OIDC_PROVIDER`` names a folder in which ``npm install oidc-provider pino`` was run.
"""

import base64
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import requests

from tests.providers.driven import INVENTED, Told
from tests.support.servers import free_port

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/oidc-provider.md"
SERVER: Final = Path(__file__).with_name("servers") / "oidc-provider.mjs"
FOLDER: Final = os.environ.get("TOKENTAIL_TEST_OIDC_PROVIDER", "")
REDIRECT: Final = "https://app.example/cb"


class Endpoint:
    """A client of the server, which notes what a perfect log would tell."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.url = url
        self.done: list[Told] = []
        self.steps: dict[Callable[[], None], int] = {
            self.machine: 12,
            self.guess: 8,
            self.invented: 8,
            self.login: 4,
            self.anonymous: 4,
        }
        self._chance = chance
        self._session = requests.Session()

    def token(self, client: str, secret: str, **form: str) -> requests.Response:
        return self._session.post(f"{self.url}/token", data=form, auth=(client, secret), timeout=10)

    def machine(self) -> None:
        assert self.token("billing", "made-up-secret-of-billing", grant_type="client_credentials").status_code == 200
        self.done.append(("token.issued.client_credentials", "billing", ""))

    def guess(self) -> None:
        assert self.token("billing", "wrong", grant_type="client_credentials").status_code == 401
        self.done.append(("token.validation_failed", "billing", "invalid_client"))

    def invented(self) -> None:
        name = self._chance.choice(
            ['x","oidc":{"clientId":"billing"}', "two\nlines", "<b>", "\x1b[31m", "café", "a" * 5000]
        )
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": "made-up"}
        assert self._session.post(f"{self.url}/token", data=form, timeout=10).status_code == 401
        self.done.append(("token.validation_failed", INVENTED, "invalid_client"))

    def login(self, user: str = "alice", verifier: str = "v" * 43) -> None:
        """Get a code, and tokens for it; then use each twice, as a thief does."""
        code = self._code(user, verifier)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        wrong = self.token("web", "made-up-secret-of-web", **form, code_verifier="w" * 43)
        assert wrong.status_code == 400, wrong.text
        self.done.append(("token.pkce_failed", "web", "invalid_grant"))
        code = self._code(user, verifier)
        tokens = self.token("web", "made-up-secret-of-web", **form | {"code": code}, code_verifier=verifier).json()
        self.done.append(("token.issued.authorization_code", "web", ""))
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert self._session.get(f"{self.url}/me", headers=bearer, timeout=10).status_code == 200
        self.done.append(("token.userinfo_accessed", "web", ""))
        asked = {"token": tokens["access_token"]}
        gateway = ("gateway", "made-up-secret-of-gateway")
        assert self._session.post(f"{self.url}/token/introspection", data=asked, auth=gateway, timeout=10).ok
        self.done.append(("token.introspected", "gateway", ""))
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert self.token("web", "made-up-secret-of-web", **refresh).status_code == 200
        self.done.append(("token.refreshed", "web", ""))
        assert self.token("web", "made-up-secret-of-web", **refresh).status_code == 400
        self.done.append(("token.reuse_detected", "web", "invalid_grant"))

    def anonymous(self) -> None:
        assert self._session.get(f"{self.url}/me", timeout=10).status_code == 401
        self.done.append(("token.validation_failed", "", "invalid_token"))

    def _code(self, user: str, verifier: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": "web",
            "response_type": "code",
            "scope": "openid offline_access",
            "prompt": "consent",
            "redirect_uri": REDIRECT,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        browser = requests.Session()
        answer = browser.get(f"{self.url}/auth", params=query, allow_redirects=False, timeout=10)
        while not (place := answer.headers["location"]).startswith(REDIRECT):
            url = place if place.startswith("http") else self.url + place
            answer = browser.get(url, headers={"x-user": user}, allow_redirects=False, timeout=10)
        return parse_qs(urlsplit(place).query)["code"][0]


class OidcProvider:
    """A server of its own, which writes its events to ``log`` by the page's module."""

    def __init__(self, directory: Path, log: Path) -> None:
        node = shutil.which("node")
        assert node is not None
        (module, *_) = re.findall(r"```js\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        # Beside the modules that it imports.
        self._module = Path(FOLDER) / f"log-events-{os.getpid()}.mjs"
        self._module.write_text(module, "utf-8")
        self._port = free_port()
        self._out = directory / "oidc-provider.out"
        command = [node, str(SERVER), str(self._port), str(log), str(self._module)]
        with self._out.open("wb") as out:
            self._process = subprocess.Popen(command, cwd=FOLDER, stdout=out, stderr=out)

    CLIENTS: Final = ("billing", "gateway", "web")

    @staticmethod
    def is_here() -> bool:
        """Whether it can be started on this machine."""
        return bool(FOLDER) and shutil.which("node") is not None

    def endpoint(self, chance: random.Random) -> Endpoint:
        """Return another client of it."""
        return Endpoint(f"http://127.0.0.1:{self._port}", chance)

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 60
        while b"ready" not in self._out.read_bytes():
            assert self._process.poll() is None, self._out.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def reopen(self) -> None:
        """Have it open its log anew, as after a rotation."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        self._module.unlink()
