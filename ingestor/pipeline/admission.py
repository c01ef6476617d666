"""Cardinality budgets of the tags ``client_id`` and ``realm`` (design section 3).

Invented names must not use up the series of real ones: what failures alone have brought has a budget of its own, for
clients and for realms. And reading again must make the same points. So a client is admitted once, at a sequence number of the source's lines (the order of first reading, ``Generation.sequence_of``); lines
before it belong to ``_other`` for ever, whenever they are read again. The same goes for realms.
"""

from typing import NamedTuple

from ingestor.model.points import OTHER, Admitted, Series, SeriesTable
from parsers.contract import Tags

SUCCESS = "success"


class Resolution(NamedTuple):
    """The series of a line; ``client`` holds the true id when the tag is ``_other``."""

    series: int
    client: str | None
    settled: bool
    """The same tags give the same series for every later line of this source."""


class Admission:
    """The admitted clients and realms of one source, mostly on one host."""

    def __init__(
        self,
        source: str,
        host: str,
        table: SeriesTable,
        *,
        clients: int = 1000,
        failing_clients: int = 200,
        realms: int = 100,
        failing_realms: int = 20,
        admitted: tuple[Admitted, ...] = (),
    ) -> None:
        self._source = source
        self._host = host
        self._table = table
        self._budgets = {True: clients, False: failing_clients}
        self._realm_budgets = {True: realms, False: failing_realms}
        self._used = {True: 0, False: 0}
        self._realms_used = {True: 0, False: 0}
        self._clients: dict[tuple[str, str], int] = {}
        self._realms: dict[str, int] = {}
        self.new: list[Admitted] = []
        """Not yet saved; whoever commits a batch saves and clears them."""
        self._settled: dict[str, dict[Tags, int]] = {}
        for entry in admitted:
            self._remember(entry)

    @property
    def clients(self) -> int:
        """How many clients are admitted."""
        return len(self._clients)

    @property
    def overflowing(self) -> bool:
        """Whether a budget is used up."""
        return any(self._used[kind] >= budget for kind, budget in self._budgets.items())

    def settled(self, host: str = "") -> dict[Tags, int]:
        """Return the memo of settled resolutions of lines read for the first time. ``host``: as in ``resolve``."""
        return self._settled.setdefault(host or self._host, {})

    def tags(self, realm: str, client_id: str) -> dict[str, str]:
        """Return the tags ``realm`` and ``client_id`` of what is said about a client; it admits nobody."""
        known_realm = realm if not realm or realm in self._realms else OTHER
        is_known = not client_id or (known_realm, client_id) in self._clients
        return {"realm": known_realm, "client_id": client_id if is_known else OTHER}

    def resolve(self, tags: Tags, sequence: int, *, repeat: bool, host: str = "") -> Resolution:
        """Return the series of a line with these tags. ``host``: of generations that began while it was another one.

        ``repeat``: it was counted before, so it can admit nobody new.
        """
        realm, realm_settled = self._resolve_realm(tags, sequence, repeat=repeat)
        # An event without a client takes nobody's place, and has its series always.
        admitted = not tags.client_id or (
            tags.client_id != OTHER and self._admit_client(realm, tags, sequence, repeat=repeat)
        )
        client_id = tags.client_id if admitted else OTHER
        series = Series(
            tags.action,
            client_id,
            tags.endpoint,
            tags.error,
            tags.grant_type,
            host or self._host,
            tags.outcome,
            realm,
            self._source,
        )
        settled = admitted and realm_settled
        number = self._table.number(series)
        if settled and not repeat:
            self.settled(host)[tags] = number
        return Resolution(number, None if admitted else tags.client_id, settled)

    def _resolve_realm(self, tags: Tags, sequence: int, *, repeat: bool) -> tuple[str, bool]:
        realm = tags.realm
        if not realm:
            return realm, True
        since = self._realms.get(realm)
        if since is None and not repeat and realm != OTHER:
            by_success = tags.outcome == SUCCESS
            if self._realms_used[by_success] < self._realm_budgets[by_success]:
                self._add(Admitted(realm, "", sequence, by_success))
                since = sequence
        admitted = since is not None and since <= sequence
        return (realm, True) if admitted else (OTHER, False)

    def _admit_client(self, realm: str, tags: Tags, sequence: int, *, repeat: bool) -> bool:
        since = self._clients.get((realm, tags.client_id))
        if since is None and not repeat:
            by_success = tags.outcome == SUCCESS
            if self._used[by_success] < self._budgets[by_success]:
                self._add(Admitted(realm, tags.client_id, sequence, by_success))
                since = sequence
        return since is not None and since <= sequence

    def _add(self, entry: Admitted) -> None:
        self._remember(entry)
        self.new.append(entry)

    def _remember(self, entry: Admitted) -> None:
        if entry.name:
            self._clients[entry.realm, entry.name] = entry.since
            self._used[entry.by_success] += 1
        else:
            self._realms[entry.realm] = entry.since
            self._realms_used[entry.by_success] += 1
