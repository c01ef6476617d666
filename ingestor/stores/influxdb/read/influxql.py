r"""InfluxQL text: quoting, and filters as conditions (pure). One text for InfluxDB 1.x and 2.x.

Values of filters come from people, who may have copied them from a hostile log; in here alone they become text. A filter
that is not set sends no condition.
"""

from collections.abc import Iterable
from typing import Final

from ingestor.model.points import OTHER
from ingestor.model.questions import Filters, Period
from parsers.text import clean

FIRST: Final = -(2**63) + 2
LAST: Final = 2**63 - 2
"""The times that InfluxDB knows: the years 1677 to 2262."""

OVERFLOW: Final = f"\"client_id\" = '{OTHER}'"
"""The events whose tag is ``_other``: their true client is in a field, which InfluxQL cannot group by."""
ADMITTED: Final = f"\"client_id\" != '{OTHER}'"

_ESCAPES: Final = str.maketrans({"\\": r"\\", "'": r"\'", '"': r"\""})


def literal(value: str) -> str:
    """Quote a value. What no quoting makes safe (line breaks, NUL) is in no stored value and is replaced as there."""
    return f"'{clean(value).translate(_ESCAPES)}'"


def identifier(name: str) -> str:
    """Quote the name of a database, policy, measurement, tag or field."""
    return f'"{clean(name).translate(_ESCAPES)}"'


def measurement(database: str, policy: str, name: str) -> str:
    """Return what stands behind FROM."""
    return f"{identifier(database)}.{identifier(policy)}.{identifier(name)}"


def columns(names: Iterable[str]) -> str:
    """Return a list of tags and fields."""
    return ", ".join(map(identifier, names))


def equal(name: str, value: str) -> str:
    """Return the condition that a tag or field has a value."""
    return f"{identifier(name)} = {literal(value)}"


def within(period: Period) -> str:
    """Return the condition on time. A period that is empty or backwards matches nothing."""
    return f"time >= {min(max(period.since, FIRST), LAST)} AND time < {min(max(period.until, FIRST), LAST)}"


def on_tags(filters: Filters) -> list[str]:
    """Return the conditions on tags that events and their hourly counters share; the client is apart."""
    tags = {
        "realm": filters.realm,
        "action": filters.action,
        "outcome": filters.outcome,
        "error": filters.error,
    }
    return [equal(tag, value) for tag, value in tags.items() if value is not None]


def on_events(filters: Filters) -> list[str]:
    """Return the conditions on ``token_events``, the one on the client left out."""
    fields = {"user_id": filters.user, "ip": filters.ip}
    return on_tags(filters) + [equal(field, value) for field, value in fields.items() if value is not None]


def of_client(client: str) -> str:
    """Return the condition that the tag or the field ``client`` names a client."""
    tag = equal("client_id", client)
    # The tag first: InfluxDB picks series by it and reads the field in those of `_other` alone.
    return tag if client == OTHER else f"({tag} OR ({OVERFLOW} AND {equal('client', client)}))"


def where(period: Period, conditions: Iterable[str]) -> str:
    """Return WHERE and the conditions, joined."""
    return " AND ".join([f"WHERE {within(period)}", *conditions])
