"""What is looked after beside the delivery: that InfluxDB holds what was counted, and what it lost is sent again."""

import contextlib
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from typing import Final

from ingestor.config.settings import Settings
from ingestor.model.agreement import Agreement
from ingestor.state.state import State
from ingestor.stores.background import Background
from ingestor.stores.comparing import Comparing, Finish
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.recovery.compared import look, save
from ingestor.stores.influxdb.recovery.readback import ReadBack
from ingestor.stores.influxdb.recovery.recent import Recent
from ingestor.stores.influxdb.write.partial_write import PartialWrite

DIFFERS_ADVICE: Final = (
    "What is missing, `tokentail backfill` of the log files of that time brings back. What nobody has counted is of a node"
    " that was cut off while another followed, or of another program: `tokentail rollup rebuild` counts it."
)


class Maintenance:
    """Compares, and reads back after a restart of the server. All but the requests is one thread's."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        http: InfluxHttp,
        recent: Recent,
        background: Background,
        write: "Callable[[str, bytes, list[int]], Future[PartialWrite]]",
        publish_now: Callable[[], None],
        came_back: Callable[[], None],
    ) -> None:
        """``write`` sends lines to a policy; ``publish_now`` has counters published; ``came_back``: a look is done."""
        self._settings = settings
        self._state = state
        self._http = http
        self._read_back = ReadBack(settings, state, http, recent, background, write, publish_now)
        self._comparing = Comparing(self._look, came_back)
        self._tried = (0, 0)
        """Events that were missing when that was suspected to be a loss, and those that had been brought back by then."""

    @property
    def agreement(self) -> Agreement | None:
        """Whether InfluxDB holds what was counted, as far as that was looked at."""
        return self._comparing.agreement

    @property
    def mended(self) -> tuple[int, int]:
        """How often InfluxDB was restarted, and how many events it had lost then and has again."""
        return self._read_back.restarts, self._read_back.brought_back

    @property
    def holds(self) -> bool:
        """Whether nothing else may be sent, because what is kept is being counted there."""
        return self._read_back.holds

    @property
    def idle(self) -> bool:
        """Whether nothing is suspected to be lost."""
        return self._read_back.idle

    def changed(self, times: Iterable[int]) -> None:
        """Note that events of these times are on their way."""
        if self._comparing.looking:
            self._comparing.changed(times)

    def advance(self, *, comparable: bool, at_rest: bool) -> None:
        """Go on with both. ``comparable``: the counters say what InfluxDB should hold. Raises sqlite3.Error."""
        self._read_back.advance(able=comparable, at_rest=at_rest)
        quiet = comparable and at_rest and not self._read_back.holds
        if (agreement := self._comparing.advance(at_rest=quiet)) is not None:
            self._take_agreement(agreement)

    def _look(self) -> Finish:
        """Compare some days with what InfluxDB holds; in a thread of its own."""
        with contextlib.closing(State.open_reader(self._state.directory)) as state:
            found = look(state, self._settings, Queries(self._http, self._settings.store))

        def finish(changing: Collection[int]) -> Agreement:
            with self._state.transaction():
                save(self._state.connection, found.settled(changing), found.cursor, found.at)
            return found.agreement(changing)

        return finish

    def _take_agreement(self, agreement: Agreement) -> None:
        """Have what is missing be sent again, if it is kept; tell of what that does not mend."""
        trying = agreement.missing, self._read_back.brought_back
        if agreement.missing and (trying != self._tried or not self._read_back.idle):
            self._tried = trying
            self._read_back.suspect()
        else:
            self._comparing.tell(f"InfluxDB at {self._http.url}", DIFFERS_ADVICE)
