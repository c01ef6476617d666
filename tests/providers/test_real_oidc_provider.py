"""A real oidc-provider, driven with token traffic and attacks, whose log is written as docs/oidc-provider.md says.

``TOKENTAIL_TEST_OIDC_PROVIDER`` names a folder in which ``npm install oidc-provider pino`` was run.
"""

import base64
import hashlib
import os
import random
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ingestor.config.settings import LogSettings
from tests.providers.driven import Told, counted, drive, stored
from tests.support.servers import free_port
from tests.support.world import World

pytestmark = pytest.mark.slow

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/oidc-provider.md"
SERVER: Final = Path(__file__).with_name("servers") / "oidc-provider.mjs"
FOLDER: Final = os.environ.get("TOKENTAIL_TEST_OIDC_PROVIDER", "")
REDIRECT: Final = "https://app.example/cb"

INVENTED: Final = "?"
"""Stands for any name of a client that does not exist."""


class Endpoint:
    """A client of the server, which notes what a perfect log would tell."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.done: list[Told] = []
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
        name = random.choice(['x","oidc":{"clientId":"billing"}', "two\nlines", "<b>", "\x1b[31m", "café", "a" * 5000])
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


@pytest.fixture
def endpoint(tmp_path: Path, world: World) -> Iterator[Endpoint]:
    node = shutil.which("node")
    if not FOLDER or node is None:
        pytest.skip("no oidc-provider here: see tests/providers/test_real_oidc_provider.py")
    (module, *_) = re.findall(r"```js\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    # Beside the modules that it imports.
    written = Path(FOLDER) / f"log-events-{os.getpid()}.mjs"
    written.write_text(module, "utf-8")
    port = free_port()
    with (tmp_path / "server.out").open("wb") as out:
        process = subprocess.Popen(
            [node, str(SERVER), str(port), str(world.log.path), str(written)], cwd=FOLDER, stdout=out, stderr=out
        )
    try:
        deadline = time.monotonic() + 60
        while b"ready" not in (tmp_path / "server.out").read_bytes():
            assert process.poll() is None, (tmp_path / "server.out").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield Endpoint(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)
        written.unlink()


def test_the_store_holds_what_was_done_through_kills_of_the_daemon(endpoint: Endpoint, world: World) -> None:
    world.log_settings = (LogSettings(str(world.log.path), source="idp"),)  # detected line by line
    steps: dict[Callable[[], None], int] = {
        endpoint.machine: 12,
        endpoint.guess: 8,
        endpoint.invented: 8,
        endpoint.login: 4,
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
    users = {event.user_id for event in events if event.action in {"token.refreshed", "token.userinfo_accessed"}}
    assert users == {"alice"}
    assert {event.ip for event in events} == {"127.0.0.1"}
