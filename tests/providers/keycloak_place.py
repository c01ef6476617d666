"""Somebody at one address who uses, or attacks, a real Keycloak that believes ``X-Forwarded-For`` (``--proxy-headers=xforwarded``)."""

import base64
import hashlib
from typing import Any, Final

import requests

from tests.providers.keycloak_browser import REDIRECT, Browser

VERIFIER: Final = "v" * 43
CHALLENGE: Final = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
APP: Final = "app"
"""The client that people use."""
_TIMEOUT: Final = 60


def secret_of(client: str) -> str:
    """Return the secret of a client of the test's realm."""
    return f"made-up-secret-of-{client}"


def password_of(user: str) -> str:
    """Return the password of a user of the test's realm."""
    return f"made-up-password-of-{user}"


class Place:
    """An address, and what is asked from there. Requests that are answered otherwise than they should be raise AssertionError."""

    def __init__(self, realm_url: str, ip: str) -> None:
        self.ip = ip
        self.requests = 0
        """At endpoints of tokens, so far."""
        self._realm = realm_url
        self._url = f"{realm_url}/protocol/openid-connect"
        self._headers = {"X-Forwarded-For": ip}
        self._session = requests.Session()

    def machine(self, client: str, secret: str = "", *, scope: str = "", status: int = 200) -> None:
        """Ask for a token by client credentials."""
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        self._token(client, status, secret, form)

    def password(self, user: str, password: str = "", *, status: int = 200) -> Any:
        """Ask for tokens by a user's name and password."""
        form = {
            "grant_type": "password",
            "username": user,
            "password": password or password_of(user),
            "scope": "openid",
        }
        return self._token(APP, status, "", form)

    def refresh(self, tokens: dict[str, str], *, status: int = 200) -> Any:
        """Use a refresh token."""
        return self._token(APP, status, "", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})

    def log_in(self, user: str) -> str:
        """Log in with a browser; return the code."""
        return Browser(self._headers).code(
            f"{self._url}/auth",
            user,
            password_of(user),
            client_id=APP,
            response_type="code",
            scope="openid",
            redirect_uri=REDIRECT,
            code_challenge=CHALLENGE,
            code_challenge_method="S256",
        )

    def redeem(self, code: str, verifier: str = VERIFIER, *, status: int = 200) -> Any:
        """Ask for tokens by a code."""
        form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code": code, "code_verifier": verifier}
        return self._token(APP, status, "", form)

    def begin_device(self) -> Any:
        """Ask for a device code."""
        return self._post(f"{self._url}/auth/device", 200, data={"scope": "openid"}, auth=(APP, secret_of(APP))).json()

    def approve_device(self, device: dict[str, str], user: str) -> None:
        """Open the address that a device shows, and let it have tokens."""
        Browser(self._headers).approve_device(device["verification_uri_complete"], user, password_of(user))

    def redeem_device(self, device: dict[str, str]) -> None:
        """Ask for tokens by a device code."""
        self._token(APP, 200, "", {"grant_type": DEVICE_CODE, "device_code": device["device_code"]})

    def userinfo(self, tokens: dict[str, str]) -> None:
        """Ask whose an access token is."""
        self._post(f"{self._url}/userinfo", 200, headers={"Authorization": f"Bearer {tokens['access_token']}"})

    def introspect(self, tokens: dict[str, str], client: str = APP) -> None:
        """Ask whether an access token is active."""
        asked = {"token": tokens["access_token"]}
        self._post(f"{self._url}/token/introspect", 200, data=asked, auth=(client, secret_of(client)))

    def register(self, name: str) -> Any:
        """Register a client (RFC 7591); return what is known of it."""
        client = {"client_name": name, "grant_types": ["client_credentials"], "redirect_uris": [REDIRECT]}
        return self._post(f"{self._realm}/clients-registrations/openid-connect", 201, json=client).json()

    def _token(self, client: str, status: int, secret: str, form: dict[str, str]) -> Any:
        auth = (client, secret or secret_of(client))
        return self._post(f"{self._url}/token", status, data=form, auth=auth).json()

    def _post(self, url: str, status: int, headers: dict[str, str] | None = None, **body: Any) -> requests.Response:
        self.requests += 1
        answer = self._session.post(url, headers={**self._headers, **(headers or {})}, timeout=_TIMEOUT, **body)
        assert answer.status_code == status, answer.text
        return answer
