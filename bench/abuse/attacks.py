"""Fourteen attacks, each four ways: as it is usually done, slowly, from many addresses, and just under what a detector needs.

What "just under" is comes from the defaults of the detectors that are expected, so it moves with them.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from bench.abuse.events import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, event
from bench.abuse.quiet import APP, MACHINES, PORTAL, TV, WEB
from parsers.contract import EventRow

VARIANTS: Final = ("usual", "slow", "distributed", "under")
PROGRAMS: Final = ("python-requests/2.32.3", "curl/8.5.0", "Go-http-client/2.0", "axios/1.7.7")
DEVICES: Final = tuple(
    f"Shop/7.4.1 (Android 15; {model})"
    for model in ("Pixel 9", "SM-S921B", "Xiaomi 14", "CPH2581", "moto g84", "Nokia X30", "XQ-DQ54", "RMX3840")
)


class Attack(NamedTuple):
    """One that was made, with its label."""

    name: str
    variant: str
    expected: frozenset[str]
    """The detectors that should find it; one of them is enough."""
    begins_ms: int
    ends_ms: int
    rows: list[EventRow]

    def label(self) -> dict[str, Any]:
        """Return what to hold findings against."""
        return {
            "attack": self.name,
            "variant": self.variant,
            "expected": sorted(self.expected),
            "begins_ms": self.begins_ms,
            "ends_ms": self.ends_ms,
            "ips": sorted(self.ips),
            "users": sorted(self.users),
            "clients": sorted(self.clients),
            "event_ids": [row[8] for row in self.rows],
        }

    @property
    def ips(self) -> set[str]:
        """The attacker's addresses."""
        return {row[4] for row in self.rows if row[4]}

    @property
    def users(self) -> set[str]:
        """The users that were attacked, or used."""
        return {row[3] for row in self.rows if row[3]}

    @property
    def clients(self) -> set[str]:
        """The clients that were attacked, used or invented."""
        return {row[2].client_id for row in self.rows if row[2].client_id}


class Attacker:
    """Where one comes from, and when."""

    def __init__(self, rng: random.Random, begin: float, variant: str) -> None:
        self.rng = rng
        self.begin = begin
        self.variant = variant
        count = 40 if variant == "distributed" else 1
        self.agent = rng.choice(PROGRAMS)
        self._ips = [f"45.{rng.randrange(1, 250)}.{rng.randrange(250)}.{rng.randrange(1, 250)}" for _ in range(count)]

    def machine(self, first: int) -> str:
        """Return the confidential client that is attacked: each variant of an attack has another one."""
        return MACHINES[(first + VARIANTS.index(self.variant)) % len(MACHINES)]

    def ip(self) -> str:
        """Return the address of the next request."""
        return self.rng.choice(self._ips)

    def times(self, usual: int, *, seconds: float, under: int) -> Iterator[float]:
        """Yield the times of ``usual`` requests, one in ``seconds``; six times slower, or ``under`` of them, by the variant."""
        pace = seconds * (6 if self.variant == "slow" else 1)
        now = self.begin
        for _ in range(under if self.variant == "under" else usual):
            yield now
            now += self.rng.uniform(0.7, 1.3) * pace * 1000


Recipe = Callable[[Attacker], Iterator[EventRow]]


def stolen_refresh_token(by: Attacker) -> Iterator[EventRow]:
    """The thief refreshes; the app's own refresh is then a reuse, and so is the thief's next one (RFC 9700 section 4.14)."""
    users = [f"c-{by.rng.randrange(2000):05}" for _ in range(1 if by.variant == "under" else 4)]
    for now in by.times(3, seconds=300, under=1):
        for user in users:
            yield event(
                now,
                "token.reuse_detected",
                APP,
                user=user,
                ip=by.ip(),
                agent=by.agent,
                error="invalid_grant",
                grant="refresh_token",
            )


def stolen_code(by: Attacker) -> Iterator[EventRow]:
    """A code that was redeemed already comes again from elsewhere (RFC 9700 section 4.5)."""
    for now in by.times(3, seconds=60, under=1):
        user = f"u-{by.rng.randrange(400):04}"
        yield event(
            now,
            "token.reuse_detected",
            WEB,
            user=user,
            ip=by.ip(),
            agent=by.agent,
            error="invalid_code",
            grant="authorization_code",
        )


def secret_guessing(by: Attacker) -> Iterator[EventRow]:
    """Secrets of one client are tried (RFC 6819 section 4.3.2)."""
    for now in by.times(400, seconds=3, under=9):
        yield event(now, "token.validation_failed", by.machine(0), ip=by.ip(), agent=by.agent, error="invalid_client")


def client_enumeration(by: Attacker) -> Iterator[EventRow]:
    """Names of clients are tried, each once or twice."""
    for number, now in enumerate(by.times(120, seconds=4, under=14)):
        name = f"{by.rng.choice(('admin', 'portal', 'mobile', 'test', 'svc'))}-{number}"
        yield event(now, "token.validation_failed", name, ip=by.ip(), agent=by.agent, error="invalid_client")


def code_guessing(by: Attacker) -> Iterator[EventRow]:
    """Codes are tried (RFC 6819 section 4.4.1.3)."""
    for now in by.times(200, seconds=4, under=4):
        yield event(
            now,
            "token.validation_failed",
            WEB,
            ip=by.ip(),
            agent=by.agent,
            error="invalid_code",
            grant="authorization_code",
        )


def pkce_probing(by: Attacker) -> Iterator[EventRow]:
    """Stolen codes are redeemed without their verifiers (RFC 7636)."""
    for now in by.times(25, seconds=20, under=4):
        user = f"c-{by.rng.randrange(2000):05}"
        yield event(
            now,
            "token.pkce_failed",
            APP,
            user=user,
            ip=by.ip(),
            agent=by.agent,
            error="invalid_grant",
            grant="authorization_code",
        )


def attacked_user(by: Attacker) -> Iterator[EventRow]:
    """Passwords of one user are tried, from addresses that take turns."""
    ips = [f"45.77.{n}.{by.rng.randrange(1, 250)}" for n in range(30 if by.variant == "distributed" else 8)]
    for now in by.times(120, seconds=12, under=9):
        yield event(
            now,
            "token.validation_failed",
            PORTAL,
            user="u-0007",
            ip=by.rng.choice(ips),
            agent=by.agent,
            error="invalid_grant",
            grant="password",
        )


def spray(by: Attacker) -> Iterator[EventRow]:
    """One password is tried for many users."""
    for number, now in enumerate(by.times(200, seconds=4, under=14)):
        yield event(
            now,
            "token.validation_failed",
            PORTAL,
            user=f"u-{number:04}",
            ip=by.ip(),
            agent=by.agent,
            error="invalid_grant",
            grant="password",
        )


def guessed_password(by: Attacker) -> Iterator[EventRow]:
    """Passwords of a user are tried until one is right."""
    user, now, ip = f"u-{by.rng.randrange(400):04}", by.begin, by.ip()
    for now in by.times(14, seconds=20, under=3):
        ip = by.ip()
        yield event(
            now,
            "token.validation_failed",
            PORTAL,
            user=user,
            ip=ip,
            agent=by.agent,
            error="invalid_grant",
            grant="password",
        )
    yield event(now + 15_000, "token.issued.password", PORTAL, user=user, ip=ip, agent=by.agent, scopes="openid")


def device_code_phishing(by: Attacker) -> Iterator[EventRow]:
    """The attacker polls; users who were sent the code complete it elsewhere (RFC 8628 section 5.4)."""
    for now in by.times(6, seconds=240, under=1):
        ip, user = by.ip(), f"u-{by.rng.randrange(400):04}"
        for poll in range(12):
            yield event(
                now + poll * 5000,
                "token.authorization_pending",
                TV,
                ip=ip,
                agent=by.agent,
                error="authorization_pending",
                grant="device_code",
            )
        yield event(
            now + 61_000,
            "token.issued.device_code",
            TV,
            user=user,
            ip=ip,
            agent=by.agent,
            scopes="openid offline_access",
        )


def shared_token(by: Attacker) -> Iterator[EventRow]:
    """A refresh token that does not rotate is sold: it is used from everywhere."""
    user = f"c-{by.rng.randrange(2000):05}"
    many = 3 if by.variant == "under" else 14
    places = [
        (f"{by.rng.randrange(11, 200)}.{by.rng.randrange(250)}.{n}.9", DEVICES[n % len(DEVICES)]) for n in range(many)
    ]
    for now in by.times(60, seconds=600, under=6):
        ip, agent = by.rng.choice(places)
        yield event(now, "token.refreshed", APP, user=user, ip=ip, agent=agent)


def stolen_secret(by: Attacker) -> Iterator[EventRow]:
    """The secret of a machine is used from elsewhere, with another program."""
    for now in by.times(40, seconds=300, under=1):
        yield event(
            now,
            "token.issued.client_credentials",
            by.machine(2),
            ip=by.ip(),
            agent=by.agent,
            scopes="orders:read orders:write",
        )


def scope_probing(by: Attacker) -> Iterator[EventRow]:
    """A client asks for one scope after the other that it was never given."""
    for number, now in enumerate(by.times(20, seconds=20, under=1)):
        yield event(
            now,
            "token.validation_failed",
            by.machine(6),
            ip=by.ip(),
            agent=by.agent,
            error="invalid_scope",
            grant="client_credentials",
            scopes=f"admin:{number}",
        )


def userinfo_scraping(by: Attacker) -> Iterator[EventRow]:
    """Stolen access tokens are turned into profiles."""
    for number, now in enumerate(by.times(900, seconds=1, under=20)):
        yield event(now, "token.userinfo_accessed", APP, user=f"c-{number % 2000:05}", ip=by.ip(), agent=by.agent)


RECIPES: Final[dict[Recipe, frozenset[str]]] = {
    stolen_refresh_token: frozenset({"refresh_token_reuse"}),
    stolen_code: frozenset({"code_reuse"}),
    secret_guessing: frozenset({"secret_guessing"}),
    client_enumeration: frozenset({"client_enumeration"}),
    code_guessing: frozenset({"code_guessing"}),
    pkce_probing: frozenset({"code_guessing", "pkce_failures"}),
    attacked_user: frozenset({"user_attacked"}),
    spray: frozenset({"spray"}),
    guessed_password: frozenset({"fail_then_success", "user_attacked"}),
    device_code_phishing: frozenset({"device_code_phishing"}),
    shared_token: frozenset({"token_sharing"}),
    stolen_secret: frozenset({"new_for_client", "volume_anomaly"}),
    scope_probing: frozenset({"scope_probing"}),
    userinfo_scraping: frozenset({"userinfo_scraping"}),
}


def attacks(seed: int) -> Iterator[Attack]:
    """Yield each attack in each variant, spread over the last two of four weeks, at any hour."""
    rng = random.Random(seed)
    for recipe, expected in RECIPES.items():
        for variant in VARIANTS:
            begin = START_MS + rng.uniform(15, 27) * DAY_MS
            by = Attacker(random.Random(rng.getrandbits(64)), begin, variant)
            rows = list(recipe(by))
            yield Attack(recipe.__name__, variant, expected, rows[0][0], rows[-1][0], rows)


SLACK_MS: Final = 3 * HOUR_MS + MINUTE_MS
"""A finding may be told so long after the attack's last event."""
