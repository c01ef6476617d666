"""A database as the daemon leaves it, of generated events with hostile names among them, and what its dashboards must say."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ingestor.config.settings import StoreSettings
from ingestor.model.points import OTHER
from ingestor.model.questions import Filters, Period, Stats
from parsers.text import normal_tag
from tests.grafana.panels import Choice
from tests.support.generated import DAYS, SECOND, START, Sample, random_samples, survivors
from tests.support.influx import HOUR, QUARTER, client_lines, hourly_lines, total_lines, write_lines, write_samples
from tests.support.oracle import Oracle
from tests.support.servers import InfluxServer

Event = Mapping[str, Any]

DAY: Final = 24 * HOUR
MS: Final = 1_000_000
LONG: Final = 12 * 3_600_000
"""Milliseconds: longer periods are shown from the counters."""
LONG_OF_CARDS: Final = 24 * 3_600_000
"""The same of the cards, which say what `tokentail stats` does."""
ALWAYS: Final = Period(0, 1 << 62)
BEGIN: Final = START * 1000
END: Final = BEGIN + DAYS * 86_400_000
WHOLE: Final = Choice(BEGIN - 86_400_000, END + 86_400_000)
"""All events."""
ODD: Final = Choice(BEGIN + 31 * 3_600_000 + 17_001, BEGIN + 80 * 3_600_000 - 1)
"""A period that begins and ends within hours."""

HOSTILE: Final = (
    "'",
    "' OR 1=1 --",
    'a"b',
    "a\\b\\",
    "/.*/",
    "1/;DROP MEASUREMENT token_events",
    "1/;x",
    "';DROP DATABASE x;--",
    "{${user}}$__all",
    "${client:raw}",
    "[[client]]",
    "(a|b)",
    ".*",
    "a,b=c d",
    "😀 größe",
    "-- /* comment */",
    "&var-client=x#%",
)
"""Names of clients and users that mean something to InfluxQL, to regular expressions, to Grafana or to an address."""


@dataclass(frozen=True)
class Stored:
    """A filled database, and its events for the oracle."""

    store: StoreSettings
    events: tuple[Event, ...]

    def matching(self, choice: Choice) -> list[Event]:
        """Return the events that were chosen, of all times."""
        return [event for event in self.events if _chosen(event, choice)]

    def within(self, choice: Choice) -> list[Event]:
        """Return the events that were chosen, of the period."""
        return [event for event in self.matching(choice) if choice.since * MS <= event["time_ns"] < choice.until * MS]

    def evidence(self, choice: Choice) -> list[Event]:
        """Return the events of tables that `action` and `error` narrow, too."""
        return [
            event
            for event in self.within(choice)
            if (not choice.action or event["action"] in choice.action)
            and (not choice.error or (event["error"] or "") in choice.error)
        ]

    def oracle(self, choice: Choice) -> Oracle:
        return Oracle(self.within(choice))

    def stats(self, choice: Choice) -> Stats:
        """Return what `tokentail stats` says of the choice."""
        return self.oracle(choice).stats(period(choice), Filters())

    def stats_shown(self, choice: Choice) -> Stats:
        """Return what `tokentail stats` says of the period that the cards show."""
        return Oracle(self.shown(choice, LONG_OF_CARDS)).stats(ALWAYS, Filters())

    def counted(self, choice: Choice, unit: int = 0) -> list[Event]:
        """Return the events that the counters tell of, to whom users are unknown.

        They are of whole quarters of an hour, of whole hours when clients are chosen, unless ``unit`` says otherwise.
        """
        return self._counted(choice, unit or (HOUR if choice.client else QUARTER))

    def shown(self, choice: Choice, long: int = LONG) -> list[Event]:
        """Return the events that the overview shows: counted ones over long periods, unless clients or a user are chosen."""
        by_counters = choice.until - choice.since > long and not choice.client and not choice.user
        return self._counted(choice, QUARTER) if by_counters else self.within(choice)

    def shown_by_client(self, choice: Choice) -> list[Event]:
        """Return the events that the overview shows client by client: their counters are hourly, and know no grant types."""
        by_counters = choice.until - choice.since > LONG and not (choice.client or choice.user or choice.grant)
        return self._counted(choice, HOUR) if by_counters else self.within(choice)

    def _counted(self, choice: Choice, unit: int) -> list[Event]:
        return [
            event
            for event in self.events
            if choice.since * MS <= event["time_ns"] - event["time_ns"] % unit < choice.until * MS
            and not choice.user
            and _chosen({**event, "client_id": event["client_tag"]}, choice)
        ]


def period(choice: Choice) -> Period:
    return Period(choice.since * MS, choice.until * MS)


def before(choice: Choice) -> Choice:
    """Return the equally long period before."""
    return dataclasses.replace(choice, since=2 * choice.since - choice.until, until=choice.since)


def fill(server: InfluxServer) -> Stored:
    """Make a database and write events and counters into it."""
    template = random_samples(seed=1, count=1)[0]
    made = random_samples(seed=31, count=2_000)
    for number, name in enumerate(HOSTILE):
        success = template.series._replace(action="token.refreshed", outcome="success", endpoint="token", error="")
        nobody = {**template.fields, "user_id": None, "client": None}
        at = template.time + number * 17 * SECOND
        made += [
            Sample(at, success._replace(client_id=normal_tag(name)), nobody, template.written),
            Sample(at + 1, success._replace(client_id="web"), {**nobody, "user_id": name}, template.written),
            Sample(at + 2, success._replace(client_id=OTHER), {**nobody, "client": name}, template.written),
        ]
    made = survivors(made)
    store = server.make()
    write_samples(store, made)
    for counters in (hourly_lines(made), total_lines(made), client_lines(made)):
        write_lines(store, "rollup", counters)
    write_lines(store, "raw", _users(made))
    write_lines(store, "rollup", _active(made))
    return Stored(store, tuple(sample.event() for sample in made))


def _chosen(event: Event, choice: Choice) -> bool:
    clients = {event["client_tag"] or ""} | ({event["client_id"]} if event["client_tag"] == OTHER else set())
    return (
        (not choice.client or not clients.isdisjoint(choice.client))
        and (not choice.grant or (event["grant_type"] or "") in choice.grant)
        and (not choice.realm or (event["realm"] or "") in choice.realm)
        and (not choice.user or event["user_id"] == choice.user)
        and (not choice.ip or event["ip"] == choice.ip)
    )


def user_days(made: Iterable[Event]) -> dict[tuple[int, str, str, str], list[int]]:
    """Return events, issued, refreshed and failed by day, source, host and user."""
    days: dict[tuple[int, str, str, str], list[int]] = {}
    for event in made:
        if event["user_id"] is None:
            continue
        key = (event["time_ns"] - event["time_ns"] % DAY, event["source"], event["host"], event["user_id"])
        counter = days.setdefault(key, [0, 0, 0, 0])
        counter[0] += 1
        counter[1] += event["action"].startswith("token.issued.")
        counter[2] += event["action"] == "token.refreshed"
        counter[3] += event["outcome"] == "failure"
    return days


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in ",= " else character for character in text)


def _users(made: Iterable[Sample]) -> bytes:
    return "".join(
        f"token_users_1d,host={_escaped(host)},source={_escaped(source)},user_id={_escaped(normal_tag(user))}"
        f" events={events}i,issued={issued}i,refreshed={refreshed}i,failed={failed}i {day}\n"
        for (day, source, host, user), (events, issued, refreshed, failed) in user_days(
            sample.event() for sample in made
        ).items()
    ).encode()


def _active(made: Iterable[Sample]) -> bytes:
    active: dict[tuple[int, str, str], int] = {}
    for day, source, host, _ in user_days(sample.event() for sample in made):
        active[day, source, host] = active.get((day, source, host), 0) + 1
    return "".join(
        f"token_active_1d,host={_escaped(host)},source={_escaped(source)} users={users}i {day}\n"
        for (day, source, host), users in active.items()
    ).encode()
