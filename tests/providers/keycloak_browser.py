"""A browser at a real Keycloak's pages, as far as logins and consents need one."""

import html
import re
from typing import Final
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

REDIRECT: Final = "https://app.example/cb"
_TIMEOUT: Final = 60


class Browser:
    """Keeps cookies and follows redirects, up to the application. ``headers`` are sent with each request."""

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        self._session = requests.Session()
        self._headers = headers or {}

    def code(self, url: str, user: str, password: str, **query: str) -> str:
        """Log in at the authorization endpoint ``url``; return the code that the application gets."""
        self._open(url, query)
        at_application = self._submit(username=user, password=password)
        return parse_qs(urlsplit(at_application).query)["code"][0]

    def approve_device(self, url: str, user: str, password: str) -> None:
        """Open the address that a device shows, log in there, and let the device have what it asks for."""
        self._open(url, {})
        self._submit(username=user, password=password)
        (code,) = re.findall(r'name="code" value="([^"]*)"', self._page)
        self._submit(code=code, accept="Yes")

    def _open(self, url: str, query: dict[str, str]) -> None:
        self._follow(self._session.get(url, params=query, headers=self._all(), timeout=_TIMEOUT, allow_redirects=False))

    def _submit(self, **form: str) -> str:
        """Send the form of the page; return the address that it leads to."""
        (action,) = re.findall(r'<form[^>]* action="([^"]*)"', self._page)
        target = urljoin(self._url, html.unescape(action))
        return self._follow(
            self._session.post(target, data=form, headers=self._all(), timeout=_TIMEOUT, allow_redirects=False)
        )

    def _follow(self, answer: requests.Response) -> str:
        while answer.is_redirect:
            target = urljoin(answer.url, answer.headers["location"])
            if target.startswith(REDIRECT):
                return target
            answer = self._session.get(target, headers=self._all(), timeout=_TIMEOUT, allow_redirects=False)
        assert answer.ok, answer.text
        self._url, self._page = answer.url, answer.text
        return answer.url

    def _all(self) -> dict[str, str]:
        # Keycloak's cookies are for TLS alone, which a browser does not ask for on loopback, and `requests` does.
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._session.cookies)
        return {**self._headers, **({"Cookie": cookies} if cookies else {})}
