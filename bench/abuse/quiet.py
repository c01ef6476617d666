"""Four weeks in which nobody attacks, with all that looks like it.

A company's endpoint: 400 people in an office, who have an old portal with the password grant, 2,000 users of an app behind a few addresses of mobile carriers, 10 confidential
clients that run by the clock, televisions. One day all passwords are changed, an hour's outage has everybody retry, a deployment
changes every agent of the confidential clients at once, a campaign brings five times the usual users.
"""

import random
from collections.abc import Iterator
from typing import Final, NamedTuple

from bench.abuse.events import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, event
from parsers.contract import EventRow

WEEKS: Final = 4
OFFICE: Final = tuple(f"198.51.100.{n}" for n in range(10, 14))
"""Addresses of the office's proxy: 400 people."""
CARRIERS: Final = tuple(f"100.{64 + n}.{n}.{n + 1}" for n in range(6))
"""Carrier-grade NAT: 2,000 users."""
BROWSERS: Final = tuple(
    f"Mozilla/5.0 ({system}) Chrome/{major}.0 Safari/537.36"
    for system in ("Windows NT 10.0", "Macintosh", "X11; Linux")
    for major in (141, 142, 143)
)
PHONES: Final = tuple(
    f"Shop/{version} ({phone})"
    for version in ("7.4.1", "7.4.0", "7.3.2")
    for phone in ("iPhone; iOS 18.1", "Android 15")
)
WEB, PORTAL, APP, TV, API = "intranet", "old-portal", "shop-app", "tv-app", "orders-api"
MACHINES: Final = tuple(f"batch-{n:02}" for n in range(10))
CLIENTS: Final = frozenset({WEB, PORTAL, APP, TV, API, *MACHINES})


class Mix(NamedTuple):
    """How one corpus differs from another."""

    seed: int
    office_people: int = 400
    app_users: int = 2_000
    rotation_day: int = 8
    outage_day: int = 11
    deployment_day: int = 16
    campaign_day: int = 22


def quiet_weeks(mix: Mix) -> list[EventRow]:
    """Return all events, in order."""
    rng = random.Random(mix.seed)
    rows: list[EventRow] = []
    for part in (_machines, _office, _app, _televisions, _outage):
        rows += part(mix, random.Random(rng.getrandbits(64)))
    return sorted(rows, key=lambda row: row[0])


def _machines(mix: Mix, rng: random.Random) -> Iterator[EventRow]:
    """Confidential clients by the clock; one is set up wrongly for a while, and each agent changes with the deployment."""
    broken = rng.choice(MACHINES)
    broken_at = START_MS + rng.randrange(5, 9) * DAY_MS + 10 * HOUR_MS
    for number, client in enumerate(MACHINES):
        every = (5, 15, 30, 60)[number % 4] * MINUTE_MS
        ips = [f"10.20.{number}.{host}" for host in range(1, 1 + number % 3 + 1)]
        now = START_MS + rng.random() * every
        while now < START_MS + WEEKS * 7 * DAY_MS:
            agent = f"{client}/{'2.1' if now > START_MS + mix.deployment_day * DAY_MS + 11 * HOUR_MS else '2.0'}"
            ip = rng.choice(ips)
            if client == broken and broken_at <= now < broken_at + 25 * MINUTE_MS:
                for retry in range(4):
                    yield event(
                        now + retry * 2000,
                        "token.validation_failed",
                        client,
                        ip=ip,
                        agent=agent,
                        error="invalid_client",
                    )
            else:
                yield event(now, "token.issued.client_credentials", client, ip=ip, agent=agent, scopes="orders:read")
                busy = 1.5 if 8 <= _hour(now) < 18 else 0.5
                for _ in range(int(rng.expovariate(1 / busy))):
                    later = now + rng.random() * every
                    yield event(later, "token.introspected", API, ip="10.20.99.1", agent="orders-api/5")
            now += every * rng.uniform(0.97, 1.03)


def _office(mix: Mix, rng: random.Random) -> Iterator[EventRow]:
    """People log in to the intranet in the morning, refresh by the hour, mistype, and all change their passwords on one day."""
    for number in range(mix.office_people):
        user, agent, ip = f"u-{number:04}", rng.choice(BROWSERS), rng.choice(OFFICE)
        home = f"203.0.{number // 250}.{number % 250 + 1}"
        for day in range(WEEKS * 7):
            if day % 7 >= 5 or rng.random() < 0.15:
                continue
            if rng.random() < 0.01:
                agent = rng.choice(BROWSERS)
            where = home if rng.random() < 0.2 else ip
            now = START_MS + day * DAY_MS + (8 + abs(rng.gauss(0.7, 0.6))) * HOUR_MS
            mistakes = rng.randrange(1, 5) if day == mix.rotation_day else int(rng.random() < 0.05)
            for _ in range(mistakes):
                yield event(
                    now,
                    "token.validation_failed",
                    PORTAL,
                    user=user,
                    ip=where,
                    agent=agent,
                    error="invalid_grant",
                    grant="password",
                )
                now += rng.uniform(4, 40) * 1000
            if mistakes or rng.random() < 0.4:
                yield event(now, "token.issued.password", PORTAL, user=user, ip=where, agent=agent, scopes="openid")
                now += 5000
            yield event(
                now,
                "token.issued.authorization_code",
                WEB,
                user=user,
                ip=where,
                agent=agent,
                scopes="openid profile email",
            )
            yield event(now + 300, "token.userinfo_accessed", WEB, user=user, ip="10.20.50.1", agent="intranet/9")
            if rng.random() < 0.003:
                yield event(
                    now + 500,
                    "token.validation_failed",
                    WEB,
                    user=user,
                    ip=where,
                    agent=agent,
                    error="invalid_code",
                    grant="authorization_code",
                )
            for _ in range(rng.randrange(5, 10)):
                now += HOUR_MS * rng.uniform(0.9, 1.1)
                yield event(now, "token.refreshed", WEB, user=user, ip=where, agent=agent)
            if rng.random() < 0.2:
                yield event(now + MINUTE_MS, "token.revoked", WEB, user=user, ip=where, agent=agent)


def _app(mix: Mix, rng: random.Random) -> Iterator[EventRow]:
    """Phones: one public client, refreshes whenever the app is opened, networks that change, double refreshes, old tokens."""
    campaign = START_MS + mix.campaign_day * DAY_MS + 17 * HOUR_MS
    for number in range(mix.app_users * 2):
        is_new = number >= mix.app_users
        if is_new and rng.random() < 0.5:
            continue
        user, agent, carrier = f"c-{number:05}", rng.choice(PHONES), rng.choice(CARRIERS)
        home = f"203.{1 + number // 60_000}.{number // 250 % 250}.{number % 250 + 1}"
        now = campaign + abs(rng.gauss(0, 1.5)) * HOUR_MS if is_new else START_MS + rng.random() * DAY_MS
        yield event(
            now,
            "token.issued.authorization_code",
            APP,
            user=user,
            ip=rng.choice((home, carrier)),
            agent=agent,
            scopes="openid offline_access",
        )
        often = rng.choice((0.3, 1, 1, 3)) if not is_new else 0.3
        while (now := now + rng.expovariate(often) * DAY_MS) < START_MS + WEEKS * 7 * DAY_MS:
            if not 6 <= _hour(now) < 24:
                continue
            ip = home if rng.random() < 0.6 else carrier
            if rng.random() < 0.01:
                agent = rng.choice(PHONES)
            chance = rng.random()
            if chance < 0.01:  # away for too long
                yield event(now, "token.expired", APP, user=user, ip=ip, agent=agent, error="expired_token")
                now += 20_000
                yield event(
                    now,
                    "token.issued.authorization_code",
                    APP,
                    user=user,
                    ip=ip,
                    agent=agent,
                    scopes="openid offline_access",
                )
                continue
            yield event(now, "token.refreshed", APP, user=user, ip=ip, agent=agent)
            if chance < 0.012:  # the answer was lost on a bad network
                again = now + rng.uniform(1, 12) * 1000
                yield event(
                    again,
                    "token.reuse_detected",
                    APP,
                    user=user,
                    ip=ip,
                    agent=agent,
                    error="invalid_grant",
                    grant="refresh_token",
                )
            if rng.random() < 0.3:
                yield event(now + 800, "token.userinfo_accessed", APP, user=user, ip=ip, agent=agent)


def _televisions(mix: Mix, rng: random.Random) -> Iterator[EventRow]:
    """Device grants: a few a day, each polled every five seconds for a minute or two; some are given up."""
    for day in range(WEEKS * 7):
        for _ in range(rng.randrange(2, 7)):
            user, now = f"c-{rng.randrange(mix.app_users):05}", START_MS + day * DAY_MS + rng.uniform(17, 23) * HOUR_MS
            ip = f"203.1.{rng.randrange(250)}.{rng.randrange(1, 250)}"
            for _ in range(rng.randrange(4, 30)):
                yield event(
                    now,
                    "token.authorization_pending",
                    TV,
                    ip=ip,
                    agent="TV/3.2",
                    error="authorization_pending",
                    grant="device_code",
                )
                now += 5000
            if rng.random() < 0.8:
                yield event(now, "token.issued.device_code", TV, user=user, ip=ip, agent="TV/3.2", scopes="openid")
            else:
                yield event(now, "token.expired", TV, ip=ip, agent="TV/3.2", error="expired_token", grant="device_code")


def _outage(mix: Mix, rng: random.Random) -> Iterator[EventRow]:
    """The database is away for 40 minutes: machines and phones try again and again, and are told to wait."""
    begin = START_MS + mix.outage_day * DAY_MS + 14 * HOUR_MS
    for _ in range(3_000):
        now = begin + rng.random() * 40 * MINUTE_MS
        machine = rng.random() < 0.5
        client = rng.choice(MACHINES) if machine else APP
        ip = f"10.20.{MACHINES.index(client)}.1" if machine else rng.choice(CARRIERS)
        agent = f"{client}/2.0" if machine else rng.choice(PHONES)
        limited = rng.random() < 0.3
        action = "token.rate_limited" if limited else "token.validation_failed"
        yield event(
            now, action, client, ip=ip, agent=agent, error="temporarily_unavailable" if limited else "server_error"
        )


def _hour(time_ms: float) -> int:
    return int((time_ms - START_MS) % DAY_MS // HOUR_MS)
