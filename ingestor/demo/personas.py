"""Who takes part in the simulated day: clients, their habits, and where people are.

Addresses are those kept for documentation (RFC 5737, RFC 3849) and private ones (RFC 1918): nobody's.
"""

from typing import NamedTuple

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Curve(NamedTuple):
    """How busy each hour of the day is (UTC), from 0 to 1."""

    hours: tuple[float, ...]

    def at(self, time_ms: int) -> float:
        """Return how busy this moment is; between full hours it changes evenly."""
        hour, within = divmod(time_ms % DAY_MS, HOUR_MS)
        here, after = self.hours[hour], self.hours[(hour + 1) % 24]
        return here + (after - here) * within / HOUR_MS


# fmt: off
OFFICE = Curve((.02, .02, .02, .02, .03, .05, .15, .45, .85, 1.0, .95, .85,
                .55, .80, .95, .90, .75, .50, .25, .12, .08, .06, .04, .03))
EVENING = Curve((.10, .05, .03, .02, .02, .04, .15, .30, .30, .28, .30, .38,
                 .45, .38, .34, .36, .45, .60, .75, .90, 1.0, .90, .60, .28))
# fmt: on


class App(NamedTuple):
    """A client that people sign in to."""

    name: str
    sessions: int
    """Sign-ins a day."""
    curve: Curve
    scopes: tuple[str, ...]
    expires_in: int
    """Lifetime of an access token, seconds; the app refreshes shortly before."""
    refreshes: float
    """Refreshes a session, on average."""
    refresh_action: str
    """Endpoints differ: one request is one line, but under either name (design section 2)."""
    signs_out: float
    """Share of sessions that end with a revocation."""
    agents: tuple[str, ...]


class Service(NamedTuple):
    """A machine client (client credentials), as regular as its scheduler."""

    name: str
    every_ms: int
    scopes: tuple[str, ...]
    expires_in: int
    address: str


class Grant(NamedTuple):
    """A client that uses one of the rarer grants, once or with a person behind it."""

    name: str
    action: str
    requests: int
    curve: Curve
    scopes: tuple[str, ...]
    expires_in: int
    address: str
    agent: str
    for_user: bool = True


_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
_SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"
_BROWSERS = (_CHROME, _CHROME, _CHROME, _SAFARI, _FIREFOX)

APPS = (
    App(
        *("web-app", 950, OFFICE, ("openid", "profile", "email"), 3600, 2.5, "token.refreshed", 0.45),
        agents=_BROWSERS,
    ),
    App(
        *("mobile-app", 1300, EVENING, ("openid", "profile", "offline_access"), 1800, 3.0),
        *("token.issued.refresh_token", 0.05),
        agents=("AcmeMobile/8.4.1 (iOS 26.0; iPhone17,1)", "AcmeMobile/8.4.1 (Android 16; Pixel 10)"),
    ),
    App(
        *("admin-console", 70, OFFICE, ("openid", "admin:read", "admin:write"), 900, 6.0, "token.refreshed", 0.8),
        agents=_BROWSERS,
    ),
)
TELEVISION = App(
    *("tv-app", 240, EVENING, ("openid", "offline_access"), 7200, 1.2, "token.refreshed", 0.0),
    agents=("AcmeTV/3.2 (Tizen 9.0)", "AcmeTV/3.2 (webOS 25)"),
)
SERVICES = (
    Service("billing-service", 4 * 60_000, ("invoices:write",), 300, "10.20.0.11"),
    Service("search-indexer", 5 * 60_000, ("catalogue:read",), 600, "10.20.0.12"),
    Service("mailer", 6 * 60_000, ("mail:send",), 600, "10.20.0.13"),
    Service("reports-batch", 15 * 60_000, ("reports:read", "reports:write"), 900, "10.20.0.14"),
    Service("ci-runner", 7 * 60_000, ("packages:read",), 600, "10.20.0.15"),
)
GRANTS = (
    Grant(
        *("partner-travel", "token.issued.token_exchange", 620, OFFICE, ("bookings:read",), 600),
        *("192.0.2.40", "partner-travel/2.1 (+https://partner.example)"),
    ),
    Grant(
        *("partner-payroll", "token.issued.jwt_bearer", 310, OFFICE, ("payroll:read",), 600),
        *("192.0.2.71", "Java-http-client/21.0.4"),
        for_user=False,
    ),
    Grant(
        *("intranet-legacy", "token.issued.password", 140, OFFICE, ("openid",), 28_800),
        *("10.30.4.8", "Apache-HttpClient/4.5.14"),
    ),
    Grant(
        *("bank-approvals", "token.issued.ciba", 90, EVENING, ("openid", "payments:approve"), 300),
        *("192.0.2.112", "bank-approvals/1.9"),
    ),
    Grant(
        # RFC 7522's SAML assertions have no name of their own in the vocabulary.
        *("federation-hub", "token.issued.other", 60, OFFICE, ("openid",), 3600),
        *("192.0.2.200", "federation-hub/5.0"),
    ),
)
GATEWAY_ADDRESS = "10.20.0.2"
GATEWAY_AGENT = "acme-gateway/4.7"

ATTACKERS = ("198.51.100.23", "198.51.100.77", "198.51.100.181")
ATTACKED_CLIENT = "billing-service"
ATTACK_AGENT = "python-requests/2.32.5"
ATTACK_PATTERN = "secret_guessing"
"""The detector that has to find it."""

SIGN_IN_FAILURES = (
    ("token.validation_failed", "invalid_code"),
    ("token.validation_failed", "invalid_code"),
    ("token.validation_failed", "invalid_grant"),
    ("token.expired", "expired_code"),
    ("token.expired", "expired_code"),
    ("token.pkce_failed", "invalid_grant"),
)
"""Action and error, as often as they stand here."""
PROBES = (
    ("[bold red]root[/]", "[link=https://attacker.example]click[/link]", "invalid_client"),
    ("web-app,outcome=success events=999i 0\ntoken_events", "curl/8.9", "invalid_client"),
    ("web-app", "\x1b[2J\x1b]0;owned\x07", "cannot redeem code=SplxlOBeZQQYbYS6WxSbIA"),
    ("' OR 1=1 --", "sqlmap/1.9", "invalid_request"),
)
"""Client id, user agent and error of requests that aim at whoever reads the log."""


class Person(NamedTuple):
    """Someone with an account, who signs in from home, from the office or on the way."""

    user_id: str
    addresses: tuple[str, ...]


def people(count: int) -> tuple[Person, ...]:
    """Return ``count`` people; equal on every run."""
    return tuple(
        Person(
            f"u-{1000 + number}",
            (f"2001:db8:{number % 97:x}:{number:x}::{1 + number % 9:x}", f"203.0.113.{number % 250 + 1}"),
        )
        for number in range(count)
    )
