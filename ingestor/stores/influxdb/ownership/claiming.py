"""Sees to it that one state writes the events and counters of a source and host, and that a new one knows what is there.

Counters are absolute values, so two states that write the same ones overwrite each other with less. Each claims its sources
in InfluxDB before it sends anything of them, again every minute, and gives them up when it ends. While another state's claim
counts, nothing is sent: the logs wait. Where another state wrote before, the counters are counted anew from the stored events.

What cannot be asked stops nothing for long: the first events of a source wait for one question, the counters for as long as
it takes to be sure that the server answers writes and no questions. Then a warning says that nothing guards them.
"""

import contextlib
import logging
import secrets
import socket
import time
from collections.abc import Collection, Iterable
from concurrent.futures import Future
from dataclasses import replace
from typing import Final, NamedTuple

from ingestor.config.settings import Settings
from ingestor.errors import ContestedError, TokentailError, UnavailableError, one_line
from ingestor.model.log_file import shown
from ingestor.state.database import save_meta
from ingestor.state.state import State
from ingestor.stores.background import Background
from ingestor.stores.backoff import Outage
from ingestor.stores.influxdb.client.http import InfluxHttp, NoAnswerError
from ingestor.stores.influxdb.ownership import claims
from ingestor.stores.influxdb.ownership.claims import Claim, claim_lines, read_claims, sources_of_host
from ingestor.stores.influxdb.ownership.rebuilding import STATE_ID
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.setup.plan import OWN
from ingestor.stores.influxdb.write.response import WriteResponse, failure
from ingestor.stores.influxdb.write.sender import Sender
from ingestor.stores.waiting import answer_beside
from parsers.text import clean, normal_tag

log = logging.getLogger("tokentail")

RENEW_SECONDS: Final = 60.0
ASK_SECONDS: Final = 5.0
"""How long the server may take for an answer."""
AGAIN_SECONDS: Final = 1.0
"""After a question that failed."""
UNGUARDED_SECONDS: Final = 10.0
"""So long after the first question that failed, counters are written without a claim. It is asked on."""
GIVE_UP_SECONDS: Final = 1.0
"""How long the end of the daemon waits for its claims to be given up."""
CONTESTED_SECONDS: Final = 10.0
"""Until it is asked whether the other state is gone."""
_TRUSTED: Final = 2 / 3
"""Of the lease: a claim that was not renewed for longer, since the machine slept or the server was away, allows no counters."""


class _Answer(NamedTuple):
    asked: frozenset[str]
    contested: tuple[str, Claim] | None = None
    """A source, and who writes it."""
    others: tuple[str, ...] = ()
    """Sources whose events another state wrote."""


class Claiming:
    """One question at a time. ``advance`` is called again and again, by the thread that has the state."""

    def __init__(self, settings: Settings, state: State, background: Background) -> None:
        """Ask nothing yet. Raises sqlite3.Error, ConfigError."""
        self.trouble: Outage | None = None
        """Why nothing may be sent: another state writes the same."""
        self._settings = settings
        self._host = state.host
        self._store = replace(settings.store, timeout_seconds=min(ASK_SECONDS, settings.store.timeout_seconds))
        self._http = InfluxHttp(self._store, connections=1)
        self._background = background
        holder = shown(f"{socket.gethostname()}:{state.directory.resolve()}")
        self._me = Claim(_state_id(state), secrets.token_hex(4), clean(holder), writing=True)
        self._sources: set[str] = set()
        self._fresh: set[str] = set()
        """Those of which this state knows nothing, and nothing was sent yet."""
        self._tried: set[str] = set()
        self._held: set[str] = set()
        self._asking: Future[_Answer] | None = None
        self._asked_at = self._confirmed_at = float("-inf")
        """When the question began that is under way, and the last one that was answered well."""
        self._due = float("-inf")
        self._failing_since: float | None = None
        self._unaskable = ""

    def add(self, sources: Iterable[str], known: Collection[str]) -> None:
        """Claim these sources too. ``known``: those of which the state has counted lines."""
        added = set(sources) - self._sources
        if added:
            self._sources |= added
            self._fresh |= added - set(known)
            self._due = float("-inf")

    @property
    def holds(self) -> bool:
        """Whether nothing may be sent: it was not asked yet, or another state writes."""
        return self.trouble is not None or not self._sources <= self._tried

    @property
    def confirmed(self) -> bool:
        """Whether the sources are ours, so that their counters may be written."""
        if not self._sources:
            return True
        is_fresh = _clock() - self._confirmed_at < claims.LEASE_SECONDS * _TRUSTED
        return self.trouble is None and self._sources <= self._held and is_fresh

    def raise_if_contested(self) -> None:
        """Raise ContestedError when another state writes the same."""
        if self.trouble is not None:
            raise ContestedError(
                self.trouble.what,
                where=self._http.url,
                advice=f"{ADVICE} If the other one is gone, this goes on {claims.LEASE_SECONDS // 60} minutes after it was heard last.",
            )

    def advance(self, *, writable: bool) -> tuple[str, ...]:
        """Ask when it is time, or take the answer; return sources whose events another state wrote: their counters are not ours.

        ``writable``: the server takes what is written, as far as anybody knows.
        """
        now = _clock()
        if self._asking is None:
            if self._sources and now >= self._due:
                self._asked_at = now
                sources, fresh, held = frozenset(self._sources), frozenset(self._fresh), frozenset(self._held)
                self._asking = self._background.do(lambda: self._ask(sources, fresh, held))
            return ()
        if not self._asking.done():
            return ()
        asking, self._asking = self._asking, None
        self._due = now + RENEW_SECONDS
        try:
            answer = asking.result()
        except (TokentailError, NoAnswerError) as error:
            self._failed(error, now, writable=writable)
            return ()
        self._unaskable, self._failing_since = "", None
        self._tried |= answer.asked
        self._fresh -= answer.asked
        if answer.contested is not None:
            self._refuse(*answer.contested, now)
            return ()
        if self.trouble is not None:
            log.warning("No other state writes the same any more, after %.0f s", time.monotonic() - self.trouble.since)
            self.trouble = None
        self._held |= answer.asked
        self._confirmed_at = self._asked_at
        if not self._sources <= self._held:
            self._due = float("-inf")
        return answer.others

    def close(self, *, silent_seconds: float) -> None:
        """Let another state follow at once. Never raises; what cannot be told ends by itself in a while.

        ``silent_seconds``: for how long the server has owed an answer to what was sent.
        """
        answering = self._failing_since is None and (self._asking is None or self._asking.done())
        answering = answering and silent_seconds < GIVE_UP_SECONDS
        if self._held and self.trouble is None and answering:
            self._give_up()
        self._http.close()

    def _give_up(self) -> None:
        store = replace(self._store, timeout_seconds=GIVE_UP_SECONDS)
        lines = claim_lines(self._me._replace(writing=False), self._held, self._host)

        def tell() -> WriteResponse:
            with contextlib.closing(InfluxHttp(store, connections=1)) as http:
                return Sender(http, store).try_once(OWN, lines)

        with contextlib.suppress(TokentailError):
            answer_beside(tell, lambda: None, GIVE_UP_SECONDS)

    def _ask(self, sources: frozenset[str], fresh: frozenset[str], held: frozenset[str]) -> _Answer:
        store = self._store
        queries = Queries(self._http, store)
        found = read_claims(queries, store.database, self._host)
        for source in sorted(sources):
            live = found.live.get(normal_tag(source))
            if live is not None and self._is_anothers(live, renewing=source in held):
                return _Answer(sources, contested=(source, live))
        last = {source: found.last.get(normal_tag(source)) for source in sources}
        others = {source for source, claim in last.items() if claim is not None and claim.state != self._me.state}
        if unclaimed := {source for source in fresh if last[source] is None}:
            there = sources_of_host(queries, store.database, self._host)
            others |= {source for source in unclaimed if normal_tag(source) in there}
        sender = Sender(self._http, store)
        if problem := failure(sender.try_once(OWN, claim_lines(self._me, sources, self._host))):
            raise TokentailError(f"InfluxDB takes no claim on a source: {problem}", where=self._http.url)
        # Two that ask in the same moment both find nothing: the one that was faster sees the other now.
        found = read_claims(queries, store.database, self._host)
        for source in sorted(sources):
            live = found.live.get(normal_tag(source))
            if live is not None and self._is_anothers(live, renewing=True):
                return _Answer(sources, contested=(source, live))
        return _Answer(sources, others=tuple(sorted(others)))

    def _is_anothers(self, claim: Claim, *, renewing: bool) -> bool:
        if renewing:
            return (claim.state, claim.run) != (self._me.state, self._me.run)
        return not claim.is_of_place(self._me)

    def _failed(self, error: TokentailError | NoAnswerError, now: float, *, writable: bool) -> None:
        self._tried |= self._sources
        self._fresh.clear()
        away = isinstance(error, NoAnswerError | UnavailableError)
        if self._failing_since is None:
            self._failing_since = now
        if away:
            self._due = now + AGAIN_SECONDS
        if away and (not writable or now - self._failing_since < UNGUARDED_SECONDS):
            return
        said = one_line(str(error))
        if not self._unaskable or (said != self._unaskable and not away):
            log.warning("Whether another state writes the same cannot be asked, so nothing guards against it: %s", said)
        self._unaskable = said
        self._held |= self._sources
        self._confirmed_at = now

    def _refuse(self, source: str, claim: Claim, now: float) -> None:
        what = (
            f"Another state ({clean(claim.holder)}) writes source {clean(source)} of host {clean(self._host)} into"
            f" {self._http.url}, database {self._settings.store.database}"
        )
        if self.trouble is None:
            log.error("%s. %s Nothing is lost: reading waits, and it is tried again by itself.", what, ADVICE)
        since = self.trouble or Outage(what, time.monotonic(), time.time())
        self.trouble = Outage(what, since.since, since.since_wall)
        self._due = now + CONTESTED_SECONDS
        self._held.clear()


ADVICE: Final = "Two states overwrite each other's counters: give each node its own host, or each log its own source."


def _clock() -> float:
    """Return seconds that go on while the machine sleeps, where the system can tell."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _state_id(state: State) -> str:
    known = state.meta().get(STATE_ID)
    if known is None:
        known = secrets.token_hex(8)
        with state.transaction():
            save_meta(state.connection, {STATE_ID: known})
    return known
