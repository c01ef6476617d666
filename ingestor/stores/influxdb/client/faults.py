"""What InfluxDB says when it does not answer, in words for people (pure). No secret is in them, nor any text of a proxy."""

from typing import Any, Final

from ingestor.config.credentials import PASSWORD_VARIABLE, TOKEN_VARIABLE
from ingestor.config.settings import StoreSettings
from ingestor.errors import PermissionDeniedError, TokentailError, UnavailableError
from ingestor.stores.influxdb.client.error_body import own_words, shown

_MISSING: Final = ("database not found", "retention policy not found")
_NOT_AUTHORIZED: Final = ("not authorized", "unauthorized", "forbidden")


def no_answer(store: StoreSettings, reason: str) -> UnavailableError:
    """Make the error for a question that was not answered, or not to the end."""
    return UnavailableError(
        f"InfluxDB does not answer: {reason}",
        where=store.url,
        advice="Does it run, and is `store.url` right? Of many events over long periods it may take more than"
        " `store.timeout_seconds`.",
    )


def refused_request(store: StoreSettings, status: int, body: bytes) -> TokentailError:
    """Make the error for an answer whose status is not 200."""
    words = own_words(body)
    said = f": {words}" if words else ""
    if status in {401, 403}:
        return _denied(store, f"InfluxDB says no ({status}){said}")
    if status >= 500 or status == 429:
        return UnavailableError(
            f"InfluxDB cannot answer now ({status}){said}", where=store.url, advice="Try again; its own log says why."
        )
    if words:
        return UnavailableError(
            f"InfluxDB refuses the question ({status}){said}",
            where=store.url,
            advice="Is it InfluxDB 1.x or 2.x? `tokentail validate` looks closer.",
        )
    return not_influxdb(store, f"status {status}")


def failed_statement(store: StoreSettings, words: Any) -> TokentailError:
    """Make the error for one that stands inside an answer of status 200."""
    said = shown(words)
    if any(marker in said for marker in _MISSING):
        return UnavailableError(
            f"InfluxDB has not what is asked for: {said}",
            where=store.url,
            # InfluxDB 2 says the same of a bucket that the token may not read.
            advice="`tokentail store init` makes it. On InfluxDB 2 it is also missing for a token that may not read"
            f" the buckets `{store.database}/raw` and `{store.database}/rollup`.",
        )
    if any(marker in said.lower() for marker in _NOT_AUTHORIZED):
        return _denied(store, f"InfluxDB says no: {said}")
    return UnavailableError(
        f"InfluxDB could not answer: {said}", where=store.url, advice="Its own log says more; then try again."
    )


def not_influxdb(store: StoreSettings, what: str) -> UnavailableError:
    """Make the error for an answer that InfluxDB does not give: of a proxy, or a page to sign in."""
    return UnavailableError(
        f"Something else than InfluxDB answers ({what})",
        where=store.url,
        advice="Check `store.url`: is a proxy or a page to sign in before it?",
    )


def _denied(store: StoreSettings, what: str) -> PermissionDeniedError:
    if store.username:
        advice = f"Check `store.username` and `store.password_file` (or {PASSWORD_VARIABLE}); the user must read `{store.database}`."
    else:
        advice = (
            f"InfluxDB 1.x wants `store.username` and `store.password_file` (or {PASSWORD_VARIABLE}) of a user that may"
            f" read `{store.database}`; 2.x wants `store.token_file` (or {TOKEN_VARIABLE}) with a token that may read"
            f" `{store.database}/raw` and `{store.database}/rollup`."
        )
    return PermissionDeniedError(what, where=store.url, advice=advice)
