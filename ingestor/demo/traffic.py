"""What happens at the simulated token endpoint in 24 hours. Pure: equal seed and end, equal day.

Every operation follows from a story (someone signs in, a television waits for its code, a service's secret is guessed), so
that the figures hang together as they do in a real log: refreshes need a sign-in, a pending poll needs a device.
"""

import random
from typing import NamedTuple

from ingestor.demo import personas
from ingestor.demo.personas import DAY_MS, HOUR_MS, App, Curve, Grant, Person, Service

PEOPLE = 600
ATTACK_BEGINS = 0.50
"""Share of the day: between the two rotations."""
ATTACK_MS = 70 * 60_000
_ATTACK_REQUESTS = 1_600
_LEAD_MS = 3 * HOUR_MS
"""Sessions that began before the day show in it by their refreshes only."""


class Operation(NamedTuple):
    """One request to the endpoint."""

    time_ms: int
    action: str
    client: str
    endpoint: str
    user: str | None
    address: str
    agent: str
    grant_type: str | None = None
    scopes: tuple[str, ...] | None = None
    expires_in: int | None = None
    """Seconds."""
    error: str | None = None


def simulate(end_ms: int, rng: random.Random) -> list[Operation]:
    """Return the operations of the 24 hours before ``end_ms`` (Unix epoch, exclusive), oldest first."""
    day = _Day(end_ms - DAY_MS, rng)
    for app in personas.APPS:
        for _ in range(app.sessions):
            day.sign_in(app)
    for _ in range(personas.TELEVISION.sessions):
        day.pair_television(personas.TELEVISION)
    for service in personas.SERVICES:
        day.run_service(service)
    for grant in personas.GRANTS:
        for _ in range(grant.requests):
            day.use_grant(grant)
    day.be_attacked()
    day.be_probed()
    day.operations.sort(key=lambda operation: operation.time_ms)
    return day.operations


class _Day:
    def __init__(self, start_ms: int, rng: random.Random) -> None:
        self.start_ms = start_ms
        self.end_ms = start_ms + DAY_MS
        self.operations: list[Operation] = []
        self._rng = rng
        self._people = personas.people(PEOPLE)

    def sign_in(self, app: App) -> None:
        """Let someone sign in, read the profile, use the API, refresh, and perhaps sign out."""
        rng, person = self._rng, self._person()
        address, agent = rng.choice(person.addresses), rng.choice(app.agents)
        visit = _Visit(self, app, person.user_id, address, agent)
        now = self._moment(app.curve)
        if rng.random() < 0.06:
            visit.fail(now, *rng.choice(personas.SIGN_IN_FAILURES))
            if rng.random() < 0.3:
                return
            now += rng.randrange(2_000, 20_000)  # tries again
        visit.issue(now, "authorization_code")
        visit.see(now + rng.randrange(80, 900), "token.userinfo_accessed", "userinfo")
        self._go_on(visit, now)

    def pair_television(self, app: App) -> None:
        """Let a television poll until someone has typed its code, or until the code has expired (RFC 8628)."""
        rng, person = self._rng, self._person()
        visit = _Visit(self, app, person.user_id, person.addresses[0], rng.choice(app.agents))
        now, interval_ms = self._moment(app.curve), 5_000
        for _ in range(rng.randint(1, 9)):
            eager = rng.random() < 0.08
            visit.wait(now, "slow_down" if eager else "authorization_pending")
            interval_ms += 5_000 if eager else 0  # RFC 8628 section 3.5
            now += interval_ms + rng.randrange(200)
        if rng.random() < 0.12:
            visit.fail(now, "token.expired", "expired_token", "device_code")
            return
        visit.issue(now, "device_code")
        self._go_on(visit, now)

    def run_service(self, service: Service) -> None:
        """Let a service fetch a token before the last one ends; there is no user."""
        rng = self._rng
        agent = f"{service.name}/1.{rng.randrange(30)}"
        now = self.start_ms + rng.randrange(service.every_ms)
        while now < self.end_ms:
            request = Operation(now, "", service.name, "token", None, service.address, agent, "client_credentials")
            if rng.random() < 0.004:
                self.add(request._replace(action="token.validation_failed", error="invalid_scope"))
            else:
                issued = request._replace(action="token.issued.client_credentials", scopes=service.scopes)
                self.add(issued._replace(expires_in=service.expires_in))
            now += service.every_ms + rng.randrange(-15_000, 15_000)

    def use_grant(self, grant: Grant) -> None:
        """Give a partner, an old intranet or a bank its token, sometimes none."""
        rng = self._rng
        user = self._person().user_id if grant.for_user else None
        kind = grant.action.rpartition(".")[2]
        request = Operation(
            *(self._moment(grant.curve), grant.action, grant.name, "token", user, grant.address, grant.agent, kind),
        )
        if rng.random() < 0.03:
            error = rng.choice(("invalid_grant", "invalid_target", "unauthorized_client", "assertion too old: 612 s"))
            self.add(request._replace(action="token.validation_failed", error=error))
        else:
            self.add(request._replace(scopes=grant.scopes, expires_in=grant.expires_in))

    def be_attacked(self) -> None:
        """Let a few addresses guess a client's secret, several times a millisecond; the limiter steps in late."""
        rng, begin = self._rng, self.start_ms + int(ATTACK_BEGINS * DAY_MS)
        now, limited_from = begin, begin + ATTACK_MS // 5
        for _ in range(_ATTACK_REQUESTS):
            limited = now > limited_from and rng.random() < 0.45
            request = Operation(
                *(now, "token.validation_failed", personas.ATTACKED_CLIENT, "token", None),
                *(rng.choice(personas.ATTACKERS), personas.ATTACK_AGENT, "client_credentials"),
                error="invalid_client",
            )
            self.add(request._replace(action="token.rate_limited", error=None) if limited else request)
            if rng.random() < 0.6:
                now += rng.randrange(2 * ATTACK_MS * 10 // (_ATTACK_REQUESTS * 6))

    def be_probed(self) -> None:
        """Try what the text of a request can do to those who read the log: nothing."""
        begin = self.start_ms + int(ATTACK_BEGINS * DAY_MS) - HOUR_MS
        for number, (client, agent, error) in enumerate(personas.PROBES):
            self.add(
                Operation(
                    *(begin + number * 400_000, "token.validation_failed", client, "token", None),
                    *(personas.ATTACKERS[0], agent, "authorization_code"),
                    error=error,
                )
            )

    def _go_on(self, visit: "_Visit", now: int) -> None:
        rng, app = self._rng, visit.app
        lifetime_ms = app.expires_in * 1000
        refreshing = app.refreshes / (1 + app.refreshes)  # a geometric number of refreshes with that mean
        while True:
            for _ in range(rng.choice((0, 0, 1, 1, 2))):
                visit.introspect(now + rng.randrange(500, lifetime_ms))
            now += int(lifetime_ms * rng.uniform(0.85, 0.99))
            if rng.random() > refreshing:
                break
            if not visit.refresh(now, rng.random()):
                return
            if rng.random() < 0.3:
                visit.see(now + rng.randrange(60, 700), "token.userinfo_accessed", "userinfo")
        if rng.random() < app.signs_out:
            visit.see(now, "token.revoked", "revocation")

    def _moment(self, curve: Curve) -> int:
        while True:
            time_ms = self._rng.randrange(self.start_ms - _LEAD_MS, self.end_ms)
            if self._rng.random() < curve.at(time_ms):
                return time_ms

    def _person(self) -> Person:
        # Some people are here all day, most now and then.
        return self._people[int(PEOPLE * self._rng.random() ** 2)]

    def add(self, operation: Operation) -> None:
        """Note an operation, if it falls into the day."""
        if self.start_ms <= operation.time_ms < self.end_ms:
            self.operations.append(operation)


class _Visit(NamedTuple):
    """A person at an app: what all requests of a session have in common."""

    day: _Day
    app: App
    user: str
    address: str
    agent: str

    def issue(self, now: int, grant_type: str) -> None:
        app = self.app
        self._note(
            now, f"token.issued.{grant_type}", grant_type=grant_type, scopes=app.scopes, expires_in=app.expires_in
        )

    def refresh(self, now: int, luck: float) -> bool:
        """Return whether the session goes on. ``luck`` is from 0 to 1."""
        if luck < 0.004:  # RFC 9700 section 4.14: a refresh token seen twice ends the whole family
            self._note(now, "token.reuse_detected", grant_type="refresh_token", error="invalid_grant")
            self._note(now + 3, "token.revoked", endpoint="revocation")
            return False
        if luck < 0.014:
            self._note(now, "token.expired", grant_type="refresh_token", error="expired_token")
            return False
        app = self.app
        self._note(now, app.refresh_action, grant_type="refresh_token", scopes=app.scopes, expires_in=app.expires_in)
        return True

    def wait(self, now: int, error: str) -> None:
        self._note(now, "token.authorization_pending", grant_type="device_code", error=error)

    def fail(self, now: int, action: str, error: str, grant_type: str = "authorization_code") -> None:
        self._note(now, action, grant_type=grant_type, error=error)

    def see(self, now: int, action: str, endpoint: str) -> None:
        self._note(now, action, endpoint=endpoint, scopes=self.app.scopes)

    def introspect(self, now: int) -> None:
        """Let the API gateway ask whether the token is still good (RFC 7662)."""
        gateway = self._replace(address=personas.GATEWAY_ADDRESS, agent=personas.GATEWAY_AGENT)
        gateway.see(now, "token.introspected", "introspection")

    def _note(
        self,
        now: int,
        action: str,
        *,
        endpoint: str = "token",
        grant_type: str | None = None,
        scopes: tuple[str, ...] | None = None,
        expires_in: int | None = None,
        error: str | None = None,
    ) -> None:
        self.day.add(
            Operation(
                *(now, action, self.app.name, endpoint, self.user, self.address, self.agent),
                *(grant_type, scopes, expires_in, error),
            )
        )
