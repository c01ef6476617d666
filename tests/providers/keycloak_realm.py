"""A realm of a real Keycloak with people, each at home on a network of their own, and machines that get tokens."""

from typing import Any, Final

import orjson

from ingestor.demo.providers.keycloak_events import identifier
from tests.providers.keycloak_place import Place, password_of, secret_of
from tests.providers.real_keycloak import REALM

MACHINES: Final = tuple(f"batch-{number:02}" for number in range(6))
_REGISTRATION: Final = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"


def user(number: int) -> str:
    """Return the name of a person."""
    return f"user-{number:03}"


def home(number: int) -> str:
    """Return the address of a person, on a network of its own."""
    return f"203.{number // 250}.{number % 250}.5"


def machine_room(client: str) -> str:
    """Return the address of a machine."""
    return f"10.20.{MACHINES.index(client)}.5"


def realm_of(people: int) -> bytes:
    """Return the tests' realm with so many people, who have the ids that `tokentail demo` gives them, machines, and registration for all."""
    made: dict[str, Any] = orjson.loads(REALM.read_bytes())
    billing = next(client for client in made["clients"] if client["clientId"] == "billing")
    made["clients"] += [{**billing, "clientId": name, "secret": secret_of(name)} for name in MACHINES]
    made["accessTokenLifespan"] = 1800
    made["users"] += [
        {
            "id": identifier(name),
            "username": name,
            "enabled": True,
            "email": f"{name}@example.org",
            "emailVerified": True,
            "firstName": "U",
            "lastName": "R",
            "credentials": [{"type": "password", "value": password_of(name), "temporary": False}],
        }
        for name in map(user, range(people))
    ]
    limit = {
        "name": "most clients",
        "providerId": "max-clients",
        "subType": "anonymous",
        "config": {"max-clients": ["500"]},
    }
    made["components"] = {_REGISTRATION: [limit]}
    return orjson.dumps(made)


class Realm:
    """The realm while it is used."""

    def __init__(self, url: str, people: int) -> None:
        self.tokens: list[dict[str, str]] = []
        """Of each person: what they have got last."""
        self.spent: list[dict[str, str]] = []
        """Of each person: what they have got before that, and refreshed."""
        self.people = people
        self._url = url
        self._places: dict[str, Place] = {}

    @property
    def requests(self) -> int:
        """At endpoints of tokens, so far."""
        return sum(place.requests for place in self._places.values())

    def at(self, ip: str) -> Place:
        """Return somebody at an address."""
        return self._places.setdefault(ip, Place(self._url, ip))

    def be_quiet(self) -> None:
        """Have everybody get tokens where they always do; some mistype, some use a browser, and some look at what they have."""
        for number in range(self.people):
            at_home = self.at(home(number))
            if number % 15 == 4:
                at_home.password(user(number), "mistyped", status=400)
            has_browser = number % 10 == 3
            first = at_home.redeem(at_home.log_in(user(number))) if has_browser else at_home.password(user(number))
            self.spent.append(first)
            self.tokens.append(at_home.refresh(first))
            if number % 5 == 0:
                at_home.userinfo(self.tokens[-1])
                at_home.introspect(self.tokens[-1])
            if number % 10 == 0:
                client = MACHINES[number // 10 % len(MACHINES)]
                self.at(machine_room(client)).machine(client)
