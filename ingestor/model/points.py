"""Points and series: an event as the store keeps it (design sections 3 and 4)."""

from typing import NamedTuple, TypeAlias

MEASUREMENT = "token_events"
OTHER = "_other"
"""The client or realm of events for which no series of their own is left."""

Point: TypeAlias = tuple[
    int,  # time, nanoseconds since the Unix epoch
    int,  # series: a key of SeriesTable
    str | None,  # user_id
    str | None,  # ip
    str | None,  # user_agent
    str | None,  # scopes
    str | None,  # client: the true client id of an event whose tag is `_other`
    int | None,  # expires_in, seconds
    str | None,  # fraction
    str | None,  # event_id
    str | None,  # error_detail
]
"""A plain tuple in the column order of the embedded store, so that storing a batch transforms nothing.

(time, series) is the identity: writing an equal identity again replaces the point.
"""

POINT_COLUMNS = (
    "time",
    "series",
    "user_id",
    "ip",
    "user_agent",
    "scopes",
    "client",
    "expires_in",
    "fraction",
    "event_id",
    "error_detail",
)


class Series(NamedTuple):
    """The tag set of a point, in key order; an empty string is an absent tag."""

    action: str
    client_id: str
    """Empty where the log names no client: an event without one is in a series of its own, and never in ``_other``."""
    endpoint: str
    error: str
    grant_type: str
    host: str
    outcome: str
    realm: str
    source: str

    def of_all_clients(self) -> "TotalSeries":
        """Return the tag set without the client."""
        return TotalSeries(self.action, *self[2:])


class TotalSeries(NamedTuple):
    """The tag set of a counter of all clients together, in key order; an empty string is an absent tag."""

    action: str
    endpoint: str
    error: str
    grant_type: str
    host: str
    outcome: str
    realm: str
    source: str


class SeriesTable:
    """Numbers series in order of first use. The numbers are local to one state; the tag set is what identifies.

    ``new`` collects what is not yet saved: whoever makes a batch takes these along, then clears the list. A number is
    never given to another series, also when the batch fails: it is tried again.
    """

    def __init__(self, known: dict[int, Series] | None = None) -> None:
        self.by_number: dict[int, Series] = dict(known or {})
        self.numbers: dict[Series, int] = {series: number for number, series in self.by_number.items()}
        self.new: list[int] = []
        self._last = max(self.by_number, default=0)

    def number(self, series: Series) -> int:
        """Return the number of this series, giving it the next free one when it is new."""
        number = self.numbers.get(series)
        if number is None:
            self._last += 1  # not the count: numbers that a crash kept from being saved leave gaps
            number = self.numbers[series] = self._last
            self.by_number[number] = series
            self.new.append(number)
        return number

    def take_new(self) -> dict[int, Series]:
        """Return what is not yet saved, by number; it counts as saved from now on."""
        taken = {number: self.by_number[number] for number in self.new}
        self.new.clear()
        return taken


class Admitted(NamedTuple):
    """Where a client or a realm was admitted. ``name`` is empty for a realm."""

    realm: str
    name: str
    since: int
    """The sequence number of the line that admitted it."""
    by_success: bool
