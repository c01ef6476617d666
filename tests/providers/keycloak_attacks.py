"""Attacks on a real Keycloak, each from addresses of its own.

Keycloak receives the requests as attackers send them. What needs weeks of memory is found only where the daemon has read a past.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeAlias

from ingestor.model.finding import Severity, StoredFinding
from tests.providers.keycloak_place import Place
from tests.providers.keycloak_realm import MACHINES, Realm, home, user

ATTACKERS: Final = "45."
"""How addresses of attackers begin, and no others."""

Play: TypeAlias = Callable[[Realm, Callable[[int], Place]], None]
"""Plays an attack; its second argument gives the attacker's n-th address."""


class Attack(NamedTuple):
    """What is done, and what should come of it."""

    play: Play
    detectors: frozenset[str]
    """One of them is enough; none: no detector looks for it."""
    least: Severity

    @property
    def name(self) -> str:
        """For tables."""
        return self.play.__name__

    def found(self, findings: Iterable[StoredFinding]) -> list[StoredFinding]:
        """Return those of its findings that are what should come of it."""
        return [
            finding
            for finding in findings
            if finding.pattern in self.detectors and is_as_bad(finding, self.least) and self.is_about_me(finding)
        ]

    def is_about_me(self, finding: StoredFinding) -> bool:
        """Whether one of its addresses is in the evidence."""
        return any(ip.startswith(self._network) for ip in finding.listed("ips"))

    def begin(self, realm: Realm) -> None:
        """Play it."""
        self.play(realm, lambda number: realm.at(f"{self._network}{number}.9"))

    @property
    def _network(self) -> str:
        return f"{ATTACKERS}{NAMES.index(self.name)}."


def secrets_from_one_address(_: Realm, by: Callable[[int], Place]) -> None:
    """Secrets of one client are tried."""
    for number in range(32):
        by(0).machine(MACHINES[0], f"guess-{number}", status=401)


def secrets_from_many_addresses(_: Realm, by: Callable[[int], Place]) -> None:
    """Secrets of one client are tried by many that take turns."""
    for number in range(14):
        by(number % 7).machine(MACHINES[1], f"guess-{number}", status=401)


def client_enumeration(_: Realm, by: Callable[[int], Place]) -> None:
    """Names of clients are tried."""
    for number in range(18):
        by(0).machine(f"internal-{number}", "guess", status=401)


def code_guessing(_: Realm, by: Callable[[int], Place]) -> None:
    """Codes are tried."""
    for number in range(22):
        by(0).redeem(f"{number:08x}-0000-4000-8000-000000000000.made-up.made-up", status=400)


def codes_without_verifier(realm: Realm, by: Callable[[int], Place]) -> None:
    """Codes of people are read where they pass by, and redeemed first, without their verifiers."""
    for number in range(6):
        by(0).redeem(realm.at(home(number)).log_in(user(number)), "w" * 43, status=400)


def code_reuse(realm: Realm, by: Callable[[int], Place]) -> None:
    """Codes that were redeemed already come again from elsewhere."""
    for number in range(6, 9):
        code = realm.at(home(number)).log_in(user(number))
        realm.at(home(number)).redeem(code)
        by(0).redeem(code, status=400)


def refresh_token_reuse(realm: Realm, by: Callable[[int], Place]) -> None:
    """Refresh tokens that were exchanged already come again from elsewhere."""
    for number in range(10, 13):
        by(0).refresh(realm.spent[number], status=400)


def spray(realm: Realm, by: Callable[[int], Place]) -> None:
    """One password is tried for everybody."""
    for number in range(min(realm.people, 60)):
        by(0).password(user(number), "Winter2026!", status=400)


def attacked_user(_: Realm, by: Callable[[int], Place]) -> None:
    """Passwords of one user are tried from networks that take turns."""
    for number in range(14):
        by(number % 7).password(user(1), f"guess-{number}", status=400)


def guessed_password(_: Realm, by: Callable[[int], Place]) -> None:
    """Passwords of a user are tried until one is right."""
    for number in range(12):
        by(0).password(user(2), f"guess-{number}", status=400)
    by(0).password(user(2))


def device_code_phishing(realm: Realm, by: Callable[[int], Place]) -> None:
    """Users who were sent a code approve a device, whose tokens the attacker gets. Keycloak logs nothing of polling meanwhile."""
    for number in range(14, 17):
        device = by(0).begin_device()
        realm.at(home(number)).approve_device(device, user(number))
        by(0).redeem_device(device)


def shared_token(realm: Realm, by: Callable[[int], Place]) -> None:
    """A refresh token is passed on, from network to network."""
    tokens = realm.tokens[17]
    for number in range(14):
        tokens = by(number).refresh(tokens)


def stolen_secret(_: Realm, by: Callable[[int], Place]) -> None:
    """The secret of a machine is used from elsewhere."""
    for place in map(by, [0] * 5):
        place.machine(MACHINES[2])


def scope_probing(_: Realm, by: Callable[[int], Place]) -> None:
    """A machine asks for one scope after the other that it was never given."""
    for number in range(8):
        by(0).machine(MACHINES[3], scope=f"admin:{number}", status=400)


def userinfo_scraping(realm: Realm, by: Callable[[int], Place]) -> None:
    """Stolen access tokens are turned into profiles."""
    for tokens in realm.tokens[20:]:
        by(0).userinfo(tokens)


def introspection(realm: Realm, by: Callable[[int], Place]) -> None:
    """Somebody with a client's secret looks which of their stolen tokens are active."""
    for tokens in realm.tokens[20:60]:
        by(0).introspect(tokens, MACHINES[4])


def registration_flood(_: Realm, by: Callable[[int], Place]) -> None:
    """Clients are registered by the dozen, and get tokens."""
    for number in range(18):
        client = by(0).register(f"made-up-{number}")
        by(0).machine(client["client_id"], client["client_secret"])


def token_burst(_: Realm, by: Callable[[int], Place]) -> None:
    """A machine gets very many tokens."""

    def ask(number: int) -> None:
        for _ in range(90):
            by(number).machine(MACHINES[5])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(4)))


def _attack(play: Play, *detectors: str, least: Severity = Severity.MEDIUM) -> Attack:
    return Attack(play, frozenset(detectors), least)


ATTACKS: Final = (
    _attack(secrets_from_one_address, "secret_guessing"),
    _attack(secrets_from_many_addresses, "secret_guessing", least=Severity.HIGH),
    _attack(client_enumeration, "client_enumeration"),
    _attack(code_guessing, "code_guessing"),
    _attack(codes_without_verifier, "code_guessing"),
    _attack(code_reuse, "code_reuse"),
    _attack(refresh_token_reuse, "refresh_token_reuse"),
    _attack(spray, "spray"),
    _attack(attacked_user, "user_attacked"),
    _attack(guessed_password, "fail_then_success"),
    _attack(device_code_phishing, "device_code_phishing"),
    _attack(shared_token, "token_sharing"),
    _attack(stolen_secret, "new_for_client"),
    _attack(scope_probing, "scope_probing"),
    _attack(userinfo_scraping, "userinfo_scraping"),
    _attack(introspection),
    _attack(registration_flood, "new_clients"),
    _attack(token_burst, "token_burst", "volume_anomaly"),
)
NAMES: Final = [attack.name for attack in ATTACKS]


def is_as_bad(finding: StoredFinding, severity: Severity) -> bool:
    """Whether a finding is so severe, or worse."""
    order = list(Severity)
    return order.index(Severity(finding.severity)) >= order.index(severity)


def alarms_of_nobody(findings: Iterable[StoredFinding]) -> list[StoredFinding]:
    """Return the findings above low in which no attacker has a part."""
    return [
        finding
        for finding in findings
        if is_as_bad(finding, Severity.MEDIUM) and not any(ip.startswith(ATTACKERS) for ip in finding.listed("ips"))
    ]
